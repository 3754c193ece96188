import type { ScanReport } from '../contract/scan-report.ts';
import { cell } from '../lib/markdown.ts';
import { annotationsOf } from './annotations.ts';
import type { Result } from './command.ts';
import type { Recorded } from './scan-record.ts';

const WORST_LAST = ['complete', 'degraded', 'incomplete', 'error'] as const;

/** What reports say, for people and as outputs; the answer is as good as the worst of them. */
export function reportsAnswer(reports: readonly ScanReport[]): Result {
  const status = WORST_LAST.findLast((one) => reports.some(({ execution }) => execution.status === one)) ?? 'error';
  const wrongTool = reports.some(({ execution }) => execution.reasons.some(({ code }) => code === 'wrong_tool'));
  return {
    exit: wrongTool ? 2 : status === 'complete' ? 0 : 1,
    json: reports.length === 1 ? reports[0] : { reports: reports.map(brief) },
    text: reports.map(inWords).join('\n'),
    summary: () => summarise(reports),
    annotations: () => annotationsOf(reports),
    outputs: { status },
  };
}

/** The same of reports that are evidence now. */
export function recordedAnswer(all: readonly Recorded[]): Result {
  const result = reportsAnswer(all.map(({ report }) => report));
  return {
    ...result,
    json: all.length === 1 ? result.json : { reports: all.map(({ report, key }) => ({ ...brief(report), key })) },
    text: `${result.text}\n${all.map(({ key }) => `recorded ${key}`).join('\n')}`,
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
    `${tool.name} ${tool.version ?? ''}: ${status}, ${findings(counts)}`,
    ...reasons.map(({ code, detail }) => `  ${code}: ${detail}`),
    ...(status === 'complete' ? [] : ['  an incomplete scan is never clean: mend what stopped it and scan again']),
  ].join('\n');
}

function findings({ suppressed, ...counts }: ScanReport['counts']): string {
  const found = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  return `${found.length === 0 ? 'no findings' : found.join(', ')}${suppressed > 0 ? ` (${suppressed} suppressed)` : ''}`;
}

/** A table for the job summary. Cells hold counts, words of ours and names that the schema has made printable. */
function summarise(reports: readonly ScanReport[]): string {
  const rows = reports.map(
    ({ tool, execution: { status, reasons }, counts }) =>
      `| ${status === 'complete' ? '✔' : '✖'} ${cell(tool.name)} ${cell(tool.version ?? '')} | ${status} | ${findings(counts)} | ${reasons.map(({ code, detail }) => `${code}: ${cell(detail)}`).join('<br>')} |`,
  );
  return ['### Scans', '', '| scanner | did it happen | what it found | why not |', '|--|--|--|--|', ...rows, ''].join(
    '\n',
  );
}
