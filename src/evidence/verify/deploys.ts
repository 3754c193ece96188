import { type Finding, type FindingCode, SETTLE_LIMIT } from '../finding.ts';
import { onceKey } from '../layout.ts';
import type { Accepted, Survey } from './survey.ts';

/** Every announced deploy has an outcome, and acted on a decision that it had used up itself. */
export function checkDeploys({ records, marks }: Survey, now: number): Finding[] {
  const findings: Finding[] = [];
  const concluded = new Set(records.filter(({ record }) => isOutcome(record.type)).map(({ record }) => record.opId));
  for (const intent of records.filter(({ record }) => record.type === 'deploy.intent')) {
    const { record, key, run, at } = intent;
    const add = (code: FindingCode, detail: string) => findings.push({ code, key, run, detail });
    if (now - at > SETTLE_LIMIT && (record.opId === null || !concluded.has(record.opId))) {
      add('INTENT_WITHOUT_OUTCOME', `nobody recorded what became of deploy ${record.opId}`);
    }
    const unused = whyNotConsumed(intent, marks);
    if (unused !== null) add('DECISION_NOT_CONSUMED', unused);
  }
  return findings;
}

function isOutcome(type: string): boolean {
  return type === 'deploy.outcome' || type === 'deploy.reconciled';
}

function whyNotConsumed({ record }: Accepted, marks: Survey['marks']): string | null {
  const { decisionId } = record.data;
  if (typeof decisionId !== 'string') return 'it names no decision';
  const mark = marks.get(decisionId);
  if (mark === undefined) return `${onceKey(decisionId)} does not exist`;
  return mark.opId === record.opId ? null : `${onceKey(decisionId)} belongs to operation ${mark.opId}`;
}
