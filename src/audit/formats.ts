import type { Answer } from './ask.ts';
import type { Value } from './tables.ts';

/** Cells of a table on a terminal; what is longer loses its middle. */
const WIDTH = 48;

/** An answer as a table of text with the keys of its evidence below, or a line that says that there are no rows. */
export function asTable({ columns, rows }: Answer): string {
  if (rows.length === 0) return 'no rows';
  const numbered = rows.map((row, i) => ({ '#': i + 1, ...row }));
  const grid = asGrid({ columns: ['#', ...columns.filter((column) => column !== 'evidence_key')], rows: numbered });
  const width = String(rows.length).length;
  const keys = rows.map((row, i) => `${String(i + 1).padEnd(width)}  ${oneLine(String(row.evidence_key))}`);
  return [grid, '', 'evidence', ...keys].join('\n');
}

/** These columns of an answer, without those that say nothing in any row: they only take room. */
export function asGrid({ columns, rows }: Answer): string {
  const shown = columns.filter((column) => rows.some((row) => row[column] !== null));
  const lines = [shown, ...rows.map((row) => shown.map((column) => cell(row[column] ?? null)))];
  const widths = shown.map((_, i) => Math.max(...lines.map((line) => (line[i] as string).length)));
  const text = (line: string[]) =>
    line
      .map((each, i) => each.padEnd(widths[i] as number))
      .join('  ')
      .trimEnd();
  const [head, ...body] = lines as [string[], ...string[][]];
  return [text(head), widths.map((width) => '─'.repeat(width)).join('  '), ...body.map(text)].join('\n');
}

function cell(value: Value): string {
  if (value === null) return '·';
  const text = oneLine(String(value));
  if (/^sha256:[0-9a-f]{64}$/.test(text)) return `${text.slice(0, 19)}…`;
  return text.length <= WIDTH ? text : `${text.slice(0, 32)}…${text.slice(-15)}`;
}

/** RFC 4180, but with line feeds. A cell that a spreadsheet would take for a formula gets a quote in front. */
export function asCsv({ columns, rows }: Answer): string {
  const line = (cells: Value[]) => cells.map(csvCell).join(',');
  return [line(columns), ...rows.map((row) => line(columns.map((column) => row[column] ?? null)))].join('\n');
}

function csvCell(value: Value): string {
  if (value === null) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@\t]/.test(value) ? `'${oneLine(value)}` : oneLine(value);
  return /[",']/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function oneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '\ufffd');
}
