import { type Finding, type FindingCode, SETTLE_LIMIT } from '../finding.ts';
import { onceKey } from '../layout.ts';
import type { Accepted, Survey } from './survey.ts';

/**
 * Every announced deploy has an outcome, and acted on a decision that it had used up itself. `contested` are keys of records that
 * count in nobody's favour.
 */
export function checkDeploys({ records, marks }: Survey, contested: ReadonlySet<string>, now: number): Finding[] {
  const findings: Finding[] = [];
  const outcomes = new Map<string, Accepted[]>();
  for (const each of records.filter(({ key, record }) => record.type !== 'deploy.intent' && !contested.has(key))) {
    const { opId } = each.record;
    if (opId !== null) outcomes.set(opId, [...(outcomes.get(opId) ?? []), each]);
  }
  for (const intent of records.filter(({ record }) => record.type === 'deploy.intent')) {
    const { record, key, run, at } = intent;
    const add = (code: FindingCode, detail: string) => findings.push({ code, key, run, detail });
    const said = outcomes.get(record.opId ?? '') ?? [];
    if (now - at > SETTLE_LIMIT && !said.some((outcome) => concludes(outcome, intent))) {
      add('INTENT_WITHOUT_OUTCOME', `nobody recorded what became of deploy ${record.opId}`);
    }
    const unused = whyNotConsumed(intent, marks);
    if (unused !== null) add('DECISION_NOT_CONSUMED', unused);
  }
  return findings;
}

/**
 * Whether a record says what became of an announced deploy. The id alone is no proof of that: whoever has some repository's deploy
 * key could write it. An outcome is of the same attempt of the same run, by the same decision and about the same image, and no
 * refusal, after which nothing was announced. Only the notary, in deploy.reconciled, speaks of other runs.
 */
export function concludes(
  outcome: Pick<Accepted, 'run' | 'record'>,
  intent: Pick<Accepted, 'run' | 'record'>,
): boolean {
  const [said, announced] = [outcome.record, intent.record];
  if (announced.opId === null || said.opId !== announced.opId) return false;
  if (said.type === 'deploy.reconciled') return true;
  const images = ({ subjects }: Accepted['record']) => subjects.map(({ digest }) => digest).join();
  return (
    said.type === 'deploy.outcome' &&
    said.outcome !== 'denied' &&
    outcome.run === intent.run &&
    said.run.attempt === announced.run.attempt &&
    typeof announced.data.decisionId === 'string' &&
    said.data.decisionId === announced.data.decisionId &&
    images(said) === images(announced)
  );
}

/** Keys of records that the ledger contradicts: written after the seal, or two in one slot. */
export function contestedKeys(records: readonly Accepted[], findings: readonly Finding[]): ReadonlySet<string> {
  const claimed = new Map<string, number>();
  for (const { record } of records) claimed.set(record.id, (claimed.get(record.id) ?? 0) + 1);
  return new Set([
    ...records.filter(({ record }) => (claimed.get(record.id) as number) > 1).map(({ key }) => key),
    ...findings.flatMap(({ code, key }) => (code === 'NOT_IN_MANIFEST' && key !== null ? [key] : [])),
  ]);
}

function whyNotConsumed({ record }: Accepted, marks: Survey['marks']): string | null {
  const { decisionId } = record.data;
  if (typeof decisionId !== 'string') return 'it names no decision';
  const mark = marks.get(decisionId);
  if (mark === undefined) return `${onceKey(decisionId)} does not exist`;
  return mark.opId === record.opId ? null : `${onceKey(decisionId)} belongs to operation ${mark.opId}`;
}
