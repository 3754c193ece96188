import { type Decision, decision } from '../contract/decision.ts';
import { problemText } from '../contract/problems.ts';
import type { Record } from '../contract/record.ts';

/**
 * The decision in a record gate.decided, or why it holds none. What had been approved before it and how many secrets were taken
 * out of the record are no part of it.
 */
export function recordedDecision({ type, data }: Record): Decision | string {
  if (type !== 'gate.decided') return `it is a record ${type}`;
  const { redactions: _, approvalsBefore: __, ...said } = data;
  const parsed = decision.safeParse(said);
  return parsed.success ? parsed.data : `it does not fit its schema: ${problemText(parsed.error, decision)}`;
}
