import { readFileSync } from 'node:fs';
import { type ScanReport, scanReport } from '../../../src/contract/scan-report.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import { type NormaliseInput, normalise, type ToolRun } from '../../../src/scan/index.ts';

export type Json = Record<string, unknown>;

/** The tools with a clean and a failing report of their own under test/fixtures/scan. */
export const TOOLS = ['trivy', 'semgrep', 'gitleaks', 'checkov', 'osv-scanner', 'sarif'] as const;
export type ToolName = (typeof TOOLS)[number];

export function bytesOf(tool: ToolName, kind: 'clean' | 'findings'): Buffer {
  return readFileSync(`test/fixtures/scan/${tool}-${kind}.json`);
}

/** A copy of a fixture, to be changed. Typed as anything: what a test does to it is nobody's schema. */
// biome-ignore lint/suspicious/noExplicitAny: a test reaches into and breaks foreign documents
export function documentOf(tool: ToolName, kind: 'clean' | 'findings'): any {
  return JSON.parse(bytesOf(tool, kind).toString('utf8'));
}

/** The clean SARIF report with its one run changed. */
export function sarifRun(more: object): Json & { runs: Json[] } {
  const document = documentOf('sarif', 'clean');
  return { ...document, runs: [{ ...document.runs[0], ...more }] };
}

export function bytes(document: unknown): Buffer {
  return Buffer.isBuffer(document) ? document : Buffer.from(JSON.stringify(document));
}

export const NOWHERE: ScanReport['subject'] = { image: null, platform: null, commit: null };

/** Normalises a document or bytes and holds the result against its schema. */
export function scan(document: unknown, more: Partial<NormaliseInput> = {}): ScanReport {
  return scanReport.parse(normalise({ bytes: bytes(document), subject: NOWHERE, ...more }));
}

export function codesOf(report: ScanReport): string[] {
  return report.execution.reasons.map((reason) => reason.code);
}

/** How the tool was run when our own scan ran it. */
export function ran(tool: string, exitCode: number | null, argv: string[] = [tool]): NormaliseInput['origin'] {
  const run: ToolRun = {
    tool: { name: tool, version: '1.2.3', digest: null },
    database: null,
    argv,
    exitCode,
    startedAt: '2026-10-01T08:00:00Z',
    finishedAt: '2026-10-01T08:01:00Z',
  };
  return { kind: 'executed', run };
}

/** A sidecar that fits the report, but for what is given. */
export function sidecarFor(report: Buffer, tool: string, more: Json = {}): { bytes: Buffer } {
  const sidecar = {
    schema: 'gatehouse/scan-sidecar/1',
    tool: { name: tool, version: VERSIONS.get(tool) ?? '1.0.0', digest: `sha256:${'d'.repeat(64)}` },
    database: { version: '2', builtAt: '2026-09-30T06:00:00Z', digest: null },
    argv: [tool],
    exitCode: 0,
    startedAt: '2026-10-01T08:00:00Z',
    finishedAt: '2026-10-01T08:01:00Z',
    report: { file: 'report.json', digest: digestOf(report), bytes: report.length },
    ...more,
  };
  return { bytes: Buffer.from(JSON.stringify(sidecar)) };
}

const VERSIONS = new Map([
  ['trivy', '0.74.0'],
  ['semgrep', '1.180.0'],
  ['checkov', '3.3.30'],
]);
