import * as z from '../lib/zod.ts';
import { targetText } from './decision-context.ts';
import { type Fact, recordColumns } from './standing.ts';
import { countOf, textOf } from './table-file.ts';
import type { Row } from './tables.ts';

/** Rows of one drift.checked: its differences, or one row that says that there was none. */
export function driftRows(fact: Fact): Row<'drift'>[] {
  const { data } = fact.record;
  const row = {
    ...recordColumns(fact),
    workloads: Array.isArray(data.workloads) ? data.workloads.length : countOf(data.workloads),
  };
  const mismatches = z.array(z.looseObject({})).safeParse(data.mismatches);
  if (!mismatches.success)
    return [{ ...row, target: null, running: null, approved: null, reason: 'the record does not say what was found' }];
  if (mismatches.data.length === 0) return [{ ...row, target: null, running: null, approved: null, reason: null }];
  return mismatches.data.map((each) => ({
    ...row,
    target: targetText(each.target) ?? textOf(each.target),
    running: textOf(each.running),
    approved: textOf(each.approved),
    reason: textOf(each.reason) ?? 'no reason given',
  }));
}
