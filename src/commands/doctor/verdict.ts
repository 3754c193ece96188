import { plural } from '../../lib/plural.ts';
import type { Result } from '../command.ts';
import type { Check } from './check.ts';

/** What a doctor says: all of it is fit only where every demand holds; what nobody could see does not hold. */
export function verdict(
  checks: Check[],
  about: {
    /** Lines above the table. */
    head: string[];
    /** Fields of the JSON document beside status, checks and left. */
    json: Record<string, unknown>;
    /** What it means that a demand does not hold. */
    unfit: string;
    /** Objects that the look left behind. */
    left?: string[];
  },
): Result {
  const { head, json, unfit, left } = about;
  const open = checks.filter(({ status }) => status === 'fails' || status === 'unknown');
  return {
    exit: open.length === 0 ? 0 : 1,
    json: { status: open.length === 0 ? 'fit' : 'unfit', ...json, checks, ...(left === undefined ? {} : { left }) },
    text: [
      ...head,
      ...table(checks),
      open.length === 0 ? 'every demand holds' : `${plural(open.length, 'demand')} not shown to hold: ${unfit}`,
      ...(left ?? []).map((key) => `left behind: ${key}`),
    ].join('\n'),
  };
}

const MARKS = { ok: '✔', weak: '!', fails: '✖', unknown: '?' } as const;

function table(checks: Check[]): string[] {
  const rows = checks.map(({ check, found, needed, status }) => [
    MARKS[status],
    status,
    check,
    found,
    `needed: ${needed}`,
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => (row[column] as string).length)));
  return rows.flatMap(([mark, status, name, found, needed]) => [
    `${mark} ${status?.padEnd(widths[1] as number)}  ${name?.padEnd(widths[2] as number)}  ${found}`,
    ...(status === 'ok' ? [] : [`${' '.repeat((widths[1] as number) + (widths[2] as number) + 6)}${needed}`]),
  ]);
}
