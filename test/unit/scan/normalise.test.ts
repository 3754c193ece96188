import { digestOf } from '../../../src/lib/digest.ts';
import { BadInput } from '../../../src/lib/errors.ts';
import { toolNames } from '../../../src/scan/index.ts';
import { bytesOf, codesOf, documentOf, NOWHERE, ran, scan, sidecarFor, TOOLS } from './scanning.ts';

const NOW = Date.parse('2026-10-01T09:00:00Z');
const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return error instanceof BadInput ? [error.code, error.message] : error;
  }
  return 'not refused';
};

describe('normalise', () => {
  it('knows its tools', () => {
    expect(toolNames).toEqual([...TOOLS]);
  });

  it.each(TOOLS.filter((tool) => tool !== 'gitleaks'))('recognises a report of %s by itself, clean or not', (tool) => {
    const name = tool === 'sarif' ? 'codeql' : tool;
    expect(scan(bytesOf(tool, 'clean'))).toMatchObject({ tool: { name }, execution: { status: 'complete' } });
    expect(scan(bytesOf(tool, 'findings')).tool.name).toBe(name);
  });

  it.each([
    ['[]'],
    ['null'],
    ['{}'],
    ['{"results":[]}'],
    ['{"results":[],"errors":[]}'],
    ['""'],
    ['5'],
    ['{"matches":[]}'],
  ])('%s could be anybody’s: without a named tool it is nobody’s', (text) => {
    const report = scan(Buffer.from(text));
    expect(codesOf(report)).toContain('wrong_tool');
    expect(report.execution.status).toBe('error');
  });

  const pairs = TOOLS.flatMap((file) => TOOLS.filter((named) => named !== file).map((named) => [file, named] as const));
  it.each(pairs)('a failing report of %s is not read as one of %s', (file, named) => {
    const report = scan(bytesOf(file, 'findings'), { tool: named });
    expect(report).toMatchObject({
      tool: { name: named },
      covers: [],
      findings: [],
      execution: { status: 'error', reasons: [{ code: 'wrong_tool' }] },
    });
  });

  it('SARIF may be handed in under the name of the tool that wrote it, and under no other', () => {
    expect(scan(bytesOf('sarif', 'clean'), { tool: 'codeql' }).execution.status).toBe('complete');
    expect(codesOf(scan(bytesOf('sarif', 'clean'), { tool: 'semgrep' }))).toEqual(['wrong_tool']);
  });

  it('says what the bytes were', () => {
    const bytes = bytesOf('trivy', 'clean');
    expect(scan(bytes).source).toEqual({ digest: digestOf(bytes), bytes: bytes.length, format: 'trivy-json' });
  });

  it('a report that comes alone was imported by nobody, at no known time', () => {
    expect(scan(bytesOf('trivy', 'clean'))).toMatchObject({
      origin: 'imported',
      importer: null,
      tool: { digest: null },
      execution: { argv: null, exitCode: null, startedAt: null, finishedAt: null },
    });
  });

  it('a scan that ran the tool itself says how', () => {
    expect(scan(bytesOf('osv-scanner', 'clean'), { origin: ran('osv-scanner', 0) })).toMatchObject({
      origin: 'executed',
      importer: null,
      tool: { name: 'osv-scanner', version: '1.2.3' },
      execution: { status: 'complete', argv: ['osv-scanner'], exitCode: 0, startedAt: '2026-10-01T08:00:00Z' },
    });
  });

  it('a finding keeps its path and fingerprint, in whatever folder the run had its copy', () => {
    const from = (root: string | undefined, folder: string) => {
      const document = documentOf('osv-scanner', 'findings');
      for (const { source } of document.results) source.path = `${folder}/app/package-lock.json`;
      const bytes = Buffer.from(JSON.stringify(document));
      const sidecar = sidecarFor(bytes, 'osv-scanner', { exitCode: 1, ...(root && { root }) });
      return scan(bytes, { sidecar }).findings.map(({ location, fingerprint }) => [location.path, fingerprint]);
    };
    const first = from('/tmp/run-a/files', '/tmp/run-a/files');
    expect(first[0]?.[0]).toBe('app/package-lock.json');
    expect(from('/tmp/run-b/files', '/tmp/run-b/files')).toEqual(first);
    expect(from('/tmp/run-b', '/tmp/run-bc')[0]?.[0]).toBe('/tmp/run-bc/app/package-lock.json');
    expect(from(undefined, '/tmp/run-a')[0]?.[0]).toBe('/tmp/run-a/app/package-lock.json');
  });

  it('a report that a child pipeline made names its importer', () => {
    const origin = { kind: 'imported', importer: 'gitlab-child', run: null } as const;
    expect(scan(bytesOf('trivy', 'clean'), { origin })).toMatchObject({ origin: 'imported', importer: 'gitlab-child' });
  });

  it.each([
    [`registry.example.org/clinic/portal@sha256:${'a'.repeat(64)}`, []],
    [`mirror.example.org/portal@sha256:${'a'.repeat(64)}`, []],
    [`registry.example.org/clinic/portal@sha256:${'e'.repeat(64)}`, ['no_targets']],
  ])('a trivy report on an image is held against the subject %s', (image, codes) => {
    expect(codesOf(scan(bytesOf('trivy', 'clean'), { subject: { image, platform: null, commit: null } }))).toEqual(
      codes,
    );
  });

  it('of many like reasons the first stay', () => {
    const document = documentOf('sarif', 'clean');
    document.runs = Array.from({ length: 500 }, () => ({ ...document.runs[0], results: undefined }));
    const report = scan(document);
    expect(report.execution.reasons).toHaveLength(4);
    expect(report.execution.reasons[3]?.detail).toBe('and 497 times more');
  });

  it('text out of a report is one bounded line', () => {
    const document = documentOf('trivy', 'findings');
    document.Results[0].Vulnerabilities[0].Title = `a\n::error::b\u001b[31m${'x'.repeat(5000)}`;
    const title = scan(document).findings[0]?.title as string;
    expect(title.startsWith('a ::error::b [31mx')).toBe(true);
    expect(title).toHaveLength(256);
  });

  describe('with a sidecar', () => {
    const bytes = bytesOf('trivy', 'clean');

    it('takes over how the tool was run, and is the importer', () => {
      const sidecar = sidecarFor(bytes, 'trivy', { argv: ['trivy', 'image', '--severity', 'HIGH'] });
      expect(scan(bytes, { sidecar, now: NOW })).toMatchObject({
        origin: 'imported',
        importer: `sidecar@${digestOf(sidecar.bytes)}`,
        tool: { version: '0.74.0', digest: `sha256:${'d'.repeat(64)}`, database: { builtAt: '2026-09-30T06:00:00Z' } },
        execution: {
          status: 'degraded',
          exitCode: 0,
          finishedAt: '2026-10-01T08:01:00Z',
          filters: ['--severity=HIGH'],
        },
      });
    });

    it('it names the tool where the report cannot', () => {
      const empty = bytesOf('gitleaks', 'clean');
      expect(scan(empty, { sidecar: sidecarFor(empty, 'gitleaks') })).toMatchObject({
        tool: { name: 'gitleaks' },
        execution: { status: 'complete' },
      });
    });

    it('of a SARIF report it names the tool that wrote it', () => {
      const report = bytesOf('sarif', 'clean');
      expect(scan(report, { tool: 'sarif', sidecar: sidecarFor(report, 'codeql') }).tool).toMatchObject({
        name: 'codeql',
        version: '1.0.0',
      });
    });

    const other = bytesOf('trivy', 'findings');
    it.each<[string, string, Parameters<typeof sidecarFor>[2], string]>([
      [
        'of another report',
        'trivy',
        { report: { file: 'x', digest: digestOf(other), bytes: other.length } },
        'sidecar.report',
      ],
      [
        'of another size',
        'trivy',
        { report: { file: 'x', digest: digestOf(bytes), bytes: bytes.length + 1 } },
        'sidecar.report',
      ],
      ['of another tool', 'semgrep', {}, 'sidecar.tool'],
      [
        'of another version',
        'trivy',
        { tool: { name: 'trivy', version: '0.69.4', digest: `sha256:${'d'.repeat(64)}` } },
        'sidecar.version',
      ],
      [
        'from the future',
        'trivy',
        { startedAt: '2026-10-01T08:00:00Z', finishedAt: '2027-01-01T00:00:00Z' },
        'sidecar.times',
      ],
      ['that ends before it starts', 'trivy', { startedAt: '2026-10-01T08:02:00Z' }, 'sidecar.times'],
      [
        'of another day',
        'trivy',
        { startedAt: '2026-09-01T08:00:00Z', finishedAt: '2026-09-01T08:01:00Z' },
        'sidecar.times',
      ],
      ['with a time that is none', 'trivy', { finishedAt: 'yesterday' }, 'sidecar.schema'],
      ['with a number for a time', 'trivy', { finishedAt: 1790000000 }, 'sidecar.schema'],
      ['with a key that it does not have', 'trivy', { verdict: 'clean' }, 'sidecar.schema'],
      ['without an exit code', 'trivy', { exitCode: undefined }, 'sidecar.schema'],
    ])('one %s is refused', (_, tool, more, code) => {
      expect(refusal(() => scan(bytes, { sidecar: sidecarFor(bytes, tool, more), now: NOW }))).toEqual([
        code,
        expect.any(String),
      ]);
    });

    it('a refusal names both digests', () => {
      const [, message] = refusal(() => scan(bytes, { sidecar: sidecarFor(other, 'trivy') })) as string[];
      expect(message).toContain(digestOf(bytes));
      expect(message).toContain(digestOf(other));
    });

    it('one that is no JSON is refused', () => {
      expect(refusal(() => scan(bytes, { sidecar: { bytes: Buffer.from('{') } }))).toEqual([
        'json.syntax',
        expect.any(String),
      ]);
    });

    it('a named tool must be the one it speaks of', () => {
      expect(refusal(() => scan(bytes, { tool: 'grype', sidecar: sidecarFor(bytes, 'trivy') }))).toEqual([
        'sidecar.tool',
        expect.any(String),
      ]);
    });

    it('a scan that ran the tool itself needs none', () => {
      const input = { sidecar: sidecarFor(bytes, 'trivy'), origin: ran('trivy', 0), subject: NOWHERE };
      expect(refusal(() => scan(bytes, input))).toEqual(['sidecar.origin', expect.any(String)]);
    });
  });
});
