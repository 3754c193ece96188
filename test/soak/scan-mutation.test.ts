import { severities } from '../../src/contract/primitives.ts';
import type { ScanReport } from '../../src/contract/scan-report.ts';
import { BadInput } from '../../src/lib/errors.ts';
import type { Origin } from '../../src/scan/index.ts';
import {
  bytes,
  bytesOf,
  documentOf,
  NOWHERE,
  ran,
  sarifRun,
  scan,
  sidecarFor,
  TOOLS,
  type ToolName,
} from '../unit/scan/scanning.ts';
import { type Mutant, reencoded, replaced, reshaped, swapped, truncated, unrated } from './mutants.ts';

/*
 * The claim: whatever is done to a report, it either no longer counts as a complete scan of what it covered, or it still says the
 * same. Counted: mutants that lose or soften a finding and still count survive; the rate is printed.
 */
type Kind = 'clean' | 'findings';
const KINDS: Kind[] = ['clean', 'findings'];
const tally = { mutants: 0, equivalent: 0, survivors: [] as string[] };
afterAll(() => {
  const { mutants, equivalent, survivors } = tally;
  const rate = (100 * (1 - survivors.length / (mutants - equivalent))).toFixed(1);
  console.log(
    `${mutants} mutants of ${TOOLS.length} formats, ${equivalent} of them legal reports of less: ${survivors.length} survive, kill rate ${rate} %`,
  );
});

const original = new Map(
  TOOLS.flatMap((tool) => KINDS.map((kind) => [`${tool} ${kind}`, scan(bytesOf(tool, kind), { tool })] as const)),
);

/** True when the report passes for a complete scan of all that the original covered. */
function counts(report: ScanReport, base: ScanReport): boolean {
  return report.execution.status === 'complete' && base.covers.every((category) => report.covers.includes(category));
}

/** As bad as before: no fewer findings, and none rated lower. Unknown denies like critical. */
function asBad(report: ScanReport, base: ScanReport): boolean {
  const ranks = (one: ScanReport) => one.findings.map((finding) => rank(finding.severity)).sort((a, b) => a - b);
  const now = ranks(report);
  return ranks(base).every((before, index) => (now[index] ?? Number.POSITIVE_INFINITY) <= before);
}

function rank(severity: ScanReport['findings'][number]['severity']): number {
  return severity === 'unknown' ? 0 : severities.indexOf(severity);
}

function judge(
  mutants: Mutant[],
  tool: ToolName,
  kind: Kind,
  equivalent: (mutant: Mutant) => boolean = () => false,
): string[] {
  const base = original.get(`${tool} ${kind}`) as ScanReport;
  const survivors = mutants.filter((mutant) => {
    const report = scan(mutant.bytes, { tool: mutant.tool });
    return counts(report, base) && !asBad(report, base);
  });
  const legal = survivors.filter(equivalent);
  const names = survivors
    .filter((mutant) => !legal.includes(mutant))
    .map((mutant) => `${tool} ${kind}: ${mutant.name}`);
  tally.mutants += mutants.length;
  tally.equivalent += legal.length;
  tally.survivors.push(...names);
  return names;
}

/**
 * Trivy leaves a list out when it is empty, so a report without one is a legal report of less; and an advisory's vector and word
 * may each stand alone. Only the digest in a sidecar, or our own run, tells (the last test).
 */
const LEGAL: Record<ToolName, RegExp> = {
  trivy:
    /^without Results\.\d\.(Vulnerabilities|Misconfigurations|Secrets|Licenses|ExperimentalModifiedFindings)$|^\[\] for Results\.\d\.(Vulnerabilities|Secrets|Licenses|ExperimentalModifiedFindings)$/,
  semgrep: /^\[\] for results$/,
  gitleaks: /^replaced by "(null|\[\])"$/,
  checkov: /^$/,
  'osv-scanner': /^\[\] for results(\.0\.packages)?$|^replaced by "\{"results":\[\]\}"$/,
  sarif: /^\[\] for runs\.0\.results$/,
};

describe.each(TOOLS)('mutants of a report of %s', (tool) => {
  describe.each(KINDS)('that is %s', (kind) => {
    const legal = (mutant: Mutant) => LEGAL[tool].test(mutant.name);
    it.each<[string, () => Mutant[]]>([
      ['1, cut off', () => truncated(tool, kind)],
      ['2, replaced', () => replaced(tool)],
      ['3, reshaped', () => reshaped(tool, kind)],
      ['4, handed in as another tool’s', () => swapped(tool, kind)],
      ['7, in another encoding', () => reencoded(tool, kind)],
    ])('class %s, do not pass for less', (_, mutants) => {
      expect(judge(mutants(), tool, kind, legal)).toEqual([]);
    });

    it('class 2 and 4: a document of nothing or of another tool is never complete', () => {
      const nothing = replaced(tool).filter(
        (mutant) => !LEGAL[tool].test(mutant.name) && !(tool === 'gitleaks' && /null|\[\]"$/.test(mutant.name)),
      );
      const complete = [...nothing, ...swapped(tool, kind)].filter(
        (mutant) => scan(mutant.bytes, { tool: mutant.tool }).execution.status === 'complete',
      );
      expect(complete.map((mutant) => mutant.name)).toEqual([]);
    });

    it('class 10: no exit code passes a report off as something it is not', () => {
      const codes = [-9, -1, 0, 1, 2, 3, 4, 9, 20, 126, 127, 128, 130, 137, 255];
      const complete = codes.filter(
        (code) =>
          scan(bytesOf(tool, kind), { origin: ran(tool === 'sarif' ? 'codeql' : tool, code) }).execution.status ===
          'complete',
      );
      tally.mutants += codes.length;
      const clean = kind === 'clean' ? [0] : [1];
      const silent = tool === 'trivy' || tool === 'semgrep' || tool === 'sarif' ? [0] : [];
      const expected = tool === 'trivy' ? [0] : kind === 'clean' ? clean : [...silent, ...clean];
      expect(complete).toEqual(expected);
    });

    it('with its sidecar every changed byte is refused', () => {
      const whole = bytesOf(tool, kind);
      const sidecar = sidecarFor(whole, tool === 'sarif' ? 'codeql' : tool);
      const mutants = [
        ...truncated(tool, kind),
        ...replaced(tool),
        ...reshaped(tool, kind),
        ...reencoded(tool, kind),
      ].filter((mutant) => !mutant.bytes.equals(whole));
      const accepted = mutants.filter((mutant) => {
        try {
          scan(mutant.bytes, { sidecar });
          return true;
        } catch (error) {
          return !(error instanceof BadInput && error.code === 'sidecar.report');
        }
      });
      expect(mutants.length).toBeGreaterThan(20);
      expect(accepted.map((mutant) => mutant.name)).toEqual([]);
    });
  });

  it('class 5, with other severities, do not pass for milder', () => {
    expect(judge(unrated(tool), tool, 'findings')).toEqual([]);
  });
});

describe('class 6, times in a sidecar', () => {
  // A scan that takes long is no younger for it: its age counts from its end.
  const LONG = 'startedAt 1970-01-01T00:00:00Z';
  const whole = bytesOf('trivy', 'clean');
  const now = Date.parse('2026-10-01T09:00:00Z');
  const times = [
    '2999-01-01T00:00:00Z',
    '1970-01-01T00:00:00Z',
    'NaN',
    '',
    'yesterday',
    '2026-02-30T00:00:00Z',
    '2026-10-01',
    1790000000,
    null,
    [],
    undefined,
  ];
  const all = ['startedAt', 'finishedAt'].flatMap((key) => times.map((time) => [key, time] as const));
  it.each(all.filter(([key, time]) => `${key} ${time}` !== LONG))('%s of %j is refused', (key, time) => {
    tally.mutants++;
    expect(() => scan(whole, { sidecar: sidecarFor(whole, 'trivy', { [key]: time }), now })).toThrow(BadInput);
  });
});

describe('class 8, a failed engine in a well-formed report of nothing', () => {
  const checkov = documentOf('checkov', 'clean');
  it.each<[ToolName, string, unknown]>([
    ['sarif', 'engine_failed', sarifRun({ invocations: [{ executionSuccessful: false }] })],
    [
      'sarif',
      'parse_errors',
      sarifRun({ invocations: [{ executionSuccessful: true, toolExecutionNotifications: [{ level: 'error' }] }] }),
    ],
    ['semgrep', 'parse_errors', { ...documentOf('semgrep', 'clean'), errors: [{}] }],
    ['checkov', 'parse_errors', { ...checkov, results: { ...checkov.results, parsing_errors: ['/a.tf'] } }],
  ])('%s: %s', (tool, code, document) => {
    tally.mutants++;
    const { status, reasons } = scan(document, { tool }).execution;
    expect([status === 'complete', reasons.map((reason) => reason.code)]).toEqual([false, [code]]);
  });
});

describe('class 9, a report on something else', () => {
  const image = `registry.example.org/clinic/portal@sha256:${'e'.repeat(64)}`;
  it.each<[string, object]>([
    ['another image', { ...NOWHERE, image }],
    ['another commit', { ...NOWHERE, commit: 'e'.repeat(40) }],
  ])('%s', (_, subject) => {
    tally.mutants++;
    const document = {
      ...documentOf('trivy', 'clean'),
      Metadata: { RepoDigests: [`x@sha256:${'a'.repeat(64)}`], Commit: 'a'.repeat(40) },
    };
    expect(scan(document, { tool: 'trivy', subject: subject as typeof NOWHERE }).execution).toMatchObject({
      status: 'incomplete',
    });
  });
});

describe('class 11, every row suppressed', () => {
  const trivy = documentOf('trivy', 'findings');
  for (const result of trivy.Results) {
    result.ExperimentalModifiedFindings = (result.Vulnerabilities ?? []).map((Finding: unknown) => ({
      Type: 'vulnerability',
      Status: 'ignored',
      Finding,
    }));
    delete result.Vulnerabilities;
  }
  const semgrep = documentOf('semgrep', 'findings');
  for (const row of semgrep.results) row.extra.is_ignored = true;
  const [, checkov] = documentOf('checkov', 'findings');
  checkov.results.skipped_checks.push(...checkov.results.failed_checks.splice(0));
  Object.assign(checkov.summary, { failed: 0, skipped: 3 });
  const sarif = documentOf('sarif', 'findings');
  for (const result of sarif.runs[0].results) result.suppressions = [{ kind: 'inSource' }];

  it.each<[ToolName, unknown, number]>([
    ['trivy', trivy, 3],
    ['semgrep', semgrep, 2],
    ['checkov', checkov, 3],
    ['sarif', sarif, 2],
  ])('%s: all are kept and counted', (tool, document, suppressed) => {
    tally.mutants++;
    const report = scan(bytes(document), { tool });
    expect(report.counts.suppressed).toBe(suppressed);
    expect(asBad(report, original.get(`${tool} findings`) as ScanReport) || tool === 'trivy').toBe(true);
  });
});

describe('class 12, several projects', () => {
  it.each([[[0, 1]], [[1, 0]], [[0, 0, 1]]])(
    'the failing framework of checkov is found wherever it stands: %j',
    (order) => {
      tally.mutants++;
      const reports = documentOf('checkov', 'findings');
      const origin = ran('checkov', 1) as Origin;
      expect(
        scan(
          order.map((index) => reports[index]),
          { origin },
        ).findings,
      ).toHaveLength(3);
    },
  );
});
