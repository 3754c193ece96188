import type { ScanReport } from '../contract/scan-report.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { filtersIn, wordsOf } from './command-line.ts';
import { exitReason } from './exit-code.ts';
import { clean, countsOf, findingsOf } from './finding.ts';
import { conventions } from './identify.ts';
import { type FileReading, readFile } from './read-file.ts';
import type { Category, Draft, Reason } from './reading.ts';
import { checkAgainst, readSidecar, type ToolRun } from './sidecar.ts';
import { condense, statusOf } from './status.ts';
import { coversOf, subjectReasons } from './subject.ts';

/** Who ran the tool. Without it the report was handed in by somebody who says nothing of how it came to be. */
export type Origin = { kind: 'executed'; run: ToolRun } | { kind: 'imported'; importer: string; run: ToolRun | null };

export interface NormaliseInput {
  /** The report as the tool wrote it. */
  bytes: Buffer;
  /** What the caller says wrote it; without it the file must show whose it is. `sarif` is the SARIF of any tool. */
  tool?: string | undefined;
  /** What was scanned: needed for the SARIF of a tool that is not known, else it must be what the file shows. */
  category?: Category | undefined;
  /** A `gatehouse/scan-sidecar/1` that was written beside the report; excludes `origin`. Its digest is the importer, unless another vouches. */
  sidecar?: { bytes: Buffer; importer?: string | undefined; what?: string | undefined } | undefined;
  origin?: Origin | undefined;
  subject: ScanReport['subject'];
  /** Milliseconds; when given, a sidecar from the future is refused. */
  now?: number | undefined;
}

/**
 * Normalises a scanner's file into `gatehouse/scan-report/1`. Whatever the file holds, a report comes out: what makes it unfit
 * to be believed is in `execution.reasons`, `wrong_tool` among them when the file is not what the caller says or is nobody's.
 * Throws BadInput only for a sidecar that is not one or does not belong to the file.
 */
export function normalise(input: NormaliseInput): ScanReport {
  const { importer, run } = originOf(input);
  const argv = wordsOf(run?.argv ?? []);
  const file = readFile(input.bytes, input.tool ?? run?.tool.name ?? null, argv);
  if (input.sidecar !== undefined && run !== null) checkAgainst(run, writerOf(file));
  const findings = findingsOf(file.tool, below(run?.root, file.drafts));
  const filters = filtersIn(argv, conventions(file.tool));
  const reasons = condense([
    ...file.reasons,
    ...subjectReasons(file, input.subject, input.category),
    ...runReasons(file, run, argv, filters),
  ]);
  return {
    schema: 'gatehouse/scan-report/1',
    origin: input.origin?.kind ?? 'imported',
    importer,
    tool: {
      name: clean(file.tool, 128),
      version: run?.tool.version ?? cleanOrNull(file.version),
      digest: run?.tool.digest ?? null,
      rules: file.rules,
      database: run?.database ?? null,
    },
    covers: coversOf(file, input.category),
    subject: input.subject,
    execution: {
      status: statusOf(reasons),
      reasons: reasons.map(({ code, detail }) => ({ code, detail: clean(detail, 1024) })),
      argv: run?.argv ?? null,
      exitCode: run?.exitCode ?? null,
      startedAt: run?.startedAt ?? null,
      finishedAt: run?.finishedAt ?? null,
      targets: { expected: null, scanned: file.scanned },
      range: cleanOrNull(file.range),
      filters: filters.map((filter) => clean(filter, 256)),
    },
    findings,
    counts: countsOf(findings),
    source: { digest: digestOf(input.bytes), bytes: input.bytes.length, format: file.format },
  };
}

function originOf({ sidecar, origin, bytes, tool, now }: NormaliseInput): {
  importer: string | null;
  run: ToolRun | null;
} {
  if (sidecar === undefined) {
    return { importer: origin?.kind === 'imported' ? origin.importer : null, run: origin?.run ?? null };
  }
  if (origin !== undefined) {
    throw new BadInput(
      'sidecar.origin',
      'a sidecar is for a report that was made elsewhere: leave it out where the scan itself says how it ran',
    );
  }
  const read = readSidecar(sidecar.bytes, bytes, now ?? null, sidecar.what);
  if (tool !== undefined && tool !== 'sarif' && tool !== read.run.tool.name) {
    throw new BadInput(
      'sidecar.tool',
      `the sidecar speaks of ${read.run.tool.name}, but the report was handed in as one of ${tool}`,
    );
  }
  return { ...read, importer: sidecar.importer ?? read.importer };
}

/** Paths as the repository has them, not the machine: else a finding would be a new one in every run. */
function below(root: string | undefined, drafts: readonly Draft[]): readonly Draft[] {
  if (root === undefined) return drafts;
  return drafts.map((draft) =>
    draft.path?.startsWith(`${root}/`) ? { ...draft, path: draft.path.slice(root.length + 1) } : draft,
  );
}

/** What the file says of its own making. The versions in SARIF are not compared: drivers count their own. */
function writerOf(file: FileReading) {
  const tool = file.writtenBy ?? (file.recognised ? file.tool : null);
  return { tool, version: file.format.startsWith('sarif') ? null : file.version, writtenAt: file.writtenAt };
}

/** What the way the tool was run says against the file. */
function runReasons(
  file: FileReading,
  run: ToolRun | null,
  argv: readonly string[],
  filters: readonly string[],
): Reason[] {
  const reasons: Reason[] = [];
  if (filters.length > 0) {
    reasons.push({
      code: 'filtered_output',
      detail: `the tool was told to leave findings out: ${filters.join(' ')}; run it without`,
    });
  }
  if (file.recognised && run !== null && run.exitCode !== null) {
    const blocking = file.drafts.filter(
      (draft) => draft.suppressed === null && !draft.tags.includes('uncalled'),
    ).length;
    const reason = exitReason(run.exitCode, blocking, argv, conventions(file.tool));
    if (reason !== null) reasons.push(reason);
  }
  return reasons;
}

function cleanOrNull(text: string | null): string | null {
  return text === null ? null : clean(text, 256);
}
