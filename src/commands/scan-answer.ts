import type { ScanReport } from '../contract/scan-report.ts';
import { cell } from '../lib/markdown.ts';
import { plural } from '../lib/plural.ts';
import { annotationsOf } from './annotations.ts';
import type { Result } from './command.ts';
import type { Recorded } from './scan-record.ts';

const WORST_FIRST = ['error', 'incomplete', 'degraded', 'complete'] as const;
const MEND = 'an incomplete scan is never clean: mend what stopped it and scan again';

/** What reports say, for people and as outputs, the worst first; the answer is as good as that one. */
export function reportsAnswer(unsorted: readonly ScanReport[]): Result {
  const reports = WORST_FIRST.flatMap((status) => unsorted.filter(({ execution }) => execution.status === status));
  const status = reports[0]?.execution.status ?? 'error';
  const wrongTool = reports.some(({ execution }) => execution.reasons.some(({ code }) => code === 'wrong_tool'));
  return {
    exit: wrongTool ? 2 : status === 'complete' ? 0 : 1,
    json: reports.length === 1 ? reports[0] : { reports: reports.map(brief) },
    text: reports.map(inWords).join('\n'),
    refusal: title(reports, ({ tool, execution: { reasons } }) =>
      [tool.name, ...reasons.slice(0, 1).map(({ code, detail }) => `(${code}: ${detail})`)].join(' '),
    ),
    summary: () => summarise(reports),
    annotations: () => annotationsOf(reports),
    outputs: { status },
  };
}

/** The same of reports that are evidence now. `shown`: the job that ran the scans has shown what they found. */
export function recordedAnswer(all: readonly Recorded[], shown: boolean): Result {
  const result = reportsAnswer(all.map(({ report }) => report));
  return {
    ...result,
    json: all.length === 1 ? result.json : { reports: all.map(({ report, key }) => ({ ...brief(report), key })) },
    text: `${result.text}\n${all.map(({ key }) => `recorded ${key}`).join('\n')}`,
    summary: () => `${shown ? '' : `${result.summary?.()}\n`}${summariseRecorded(all)}`,
    annotations: () => (shown ? [] : (result.annotations?.() ?? [])),
    outputs: { ...result.outputs, receipts: JSON.stringify(all.map(({ receipt }) => receipt)) },
  };
}

/** What an answer about several reports says of each. */
export const brief = ({ tool, execution, counts }: ScanReport) => ({
  tool: tool.name,
  status: execution.status,
  counts,
});

function inWords({ tool, execution: { status, reasons }, counts }: ScanReport): string {
  return [
    `${[tool.name, tool.version].filter(Boolean).join(' ')}: ${status}, ${findings(counts)}`,
    ...reasons.map(({ code, detail }) => `  ${code}: ${detail}`),
    ...(status === 'complete' ? [] : [`  ${MEND}`]),
  ].join('\n');
}

function findings({ suppressed, ...counts }: ScanReport['counts']): string {
  const found = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return `${found.length === 0 ? 'no findings' : found.join(', ')}${suppressed > 0 ? ` (${suppressed} suppressed)` : ''}`;
}

/** How many scans did not happen completely, and which. */
function title(reports: readonly ScanReport[], named: (report: ScanReport) => string): string {
  const wrong = reports.filter(({ execution }) => execution.status !== 'complete');
  const all = plural(reports.length, 'scan');
  if (wrong.length === 0) return `${all} complete`;
  const some = wrong.length === reports.length ? '' : `${wrong.length} of `;
  return `${some}${all} not complete: ${wrong.map(named).join(', ')}`;
}

/** A table for the job summary. Cells hold counts, words of ours and names that the schema has made printable. */
function summarise(reports: readonly ScanReport[]): string {
  const clean = reports.every(({ execution }) => execution.status === 'complete');
  const rows = reports.map(
    ({ tool, execution: { status, reasons }, counts }) =>
      `| ${markOf(status)} ${cell(tool.name)} ${cell(tool.version ?? '')} | ${status} | ${findings(counts)} | ${reasons.map(({ code, detail }) => `${code}: ${cell(detail)}`).join('<br>')} |`,
  );
  return [
    `## ${clean ? '🔍' : '⛔'} ${title(reports, ({ tool }) => cell(tool.name))}`,
    '',
    '| Scanner | Did it happen? | What it found | Why not |',
    '|--|--|--|--|',
    ...rows,
    '',
    clean ? 'What was found is for the gate to judge.' : `The job fails: ${MEND}.`,
    '',
  ].join('\n');
}

/** Each record's key, by which an auditor finds it. */
function summariseRecorded(all: readonly Recorded[]): string {
  const reports = all.map(({ report }) => report);
  const rows = all.map(
    ({ report: { tool, execution }, key }) =>
      `| ${markOf(execution.status)} ${cell(tool.name)} | ${execution.status} | \`${key}\` |`,
  );
  return [
    `## 🧾 Recorded: ${title(reports, ({ tool }) => cell(tool.name))}`,
    '',
    '| Scanner | Did it happen? | Record |',
    '|--|--|--|',
    ...rows,
    '',
  ].join('\n');
}

function markOf(status: ScanReport['execution']['status']): string {
  return status === 'complete' ? '✔' : '✖';
}
