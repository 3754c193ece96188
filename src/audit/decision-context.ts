import { parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Attachments } from './attachments.ts';
import type { Fact } from './standing.ts';
import { recordColumns } from './standing.ts';
import { textOf, timestamp } from './table-file.ts';
import type { Row } from './tables.ts';

/** What is read of the data of gate.decided; a gate that could not judge says `error` instead. */
const judged = z.looseObject({
  id: z.string(),
  stage: z.nullable(z.string()),
  outcome: z.enum(['allow', 'deny']),
  target: z.unknown(),
  reasons: z.array(
    z.looseObject({
      rule: z.string(),
      outcome: z.string(),
      message: z.string(),
      fix: z.nullable(z.string()),
      controls: z.array(z.string()),
    }),
  ),
  input: z.looseObject({ contractDigest: z.string(), policyDigest: z.string(), factsDigest: z.string() }),
});
const failed = z.looseObject({ stage: z.nullable(z.string()), error: z.string(), message: z.string() });

const person = z.looseObject({ personId: z.nullable(z.string()), as: z.string() });

/** What is read of the facts that a decision was made from. */
const factsPart = z.looseObject({
  source: z.looseObject({
    people: z.array(person),
    beneath: z.nullable(z.array(z.looseObject({ people: z.array(person) }))),
  }),
  approvals: z.array(
    z.looseObject({
      personId: z.nullable(z.string()),
      state: z.string(),
      at: z.number(),
      from: z.string(),
      entitlement: z.nullable(z.looseObject({ group: z.string(), active: z.boolean() })),
    }),
  ),
});
type FactsPart = z.infer<typeof factsPart>;

/** What other rows need to know of a decision. */
export interface DecisionContext {
  decisionId: string | null;
  /** Who started the run: the account, and the person. */
  account: string;
  person: string | null;
  people: FactsPart['source']['people'];
  approvals: FactsPart['approvals'];
}

export interface DecisionRows {
  context: DecisionContext;
  decision: Row<'decisions'>;
  reasons: Row<'reasons'>[];
  people: Row<'people'>[];
}

/** Rows of one gate.decided, or what is wrong with its data. */
export async function decisionRows(fact: Fact, attachments: Attachments): Promise<DecisionRows | string> {
  const { data } = fact.record;
  const parsed = judged.safeParse(data);
  const error = failed.safeParse(data);
  if (!parsed.success && !error.success) return 'its data is not a decision';
  const facts = await attachments.read(fact, 'facts', factsPart);
  const context: DecisionContext = {
    decisionId: parsed.data?.id ?? null,
    account: accountOf(fact),
    person: facts?.source.people.find(({ as }) => as === 'trigger' || as === 'rerunner')?.personId ?? null,
    people: [facts?.source, ...(facts?.source.beneath ?? [])].flatMap((change) => change?.people ?? []),
    approvals: facts?.approvals ?? [],
  };
  const image = fact.record.subjects.find(({ kind }) => kind === 'image');
  const key = { evidence_key: fact.key, decision_id: context.decisionId };
  return {
    context,
    decision: {
      ...recordColumns(fact),
      decision_id: context.decisionId,
      stage: parsed.data?.stage ?? error.data?.stage ?? null,
      outcome: parsed.data?.outcome ?? 'error',
      image: image?.name ?? null,
      digest: image?.digest ?? null,
      target: targetText(parsed.data?.target),
      person: context.person,
      contract_digest: parsed.data?.input.contractDigest ?? null,
      policy_digest: parsed.data?.input.policyDigest ?? null,
      facts_digest: parsed.data?.input.factsDigest ?? null,
    },
    reasons: parsed.success
      ? parsed.data.reasons.map((reason) => reasonRow(key, reason))
      : [
          {
            ...key,
            rule: `error.${error.data?.error}`,
            outcome: 'error',
            message: error.data?.message ?? null,
            fix: null,
            controls: null,
          },
        ],
    people: context.people.map(({ personId, as }) => ({ ...key, person: personId, part: as })),
  };
}

/** The account that started a record's run, as the platform names it. */
export function accountOf({ record: { run, actor } }: Fact): string {
  return `${run.platform}~${run.host}~${actor.triggeredBy ?? actor.identity}`;
}

/** One rule of a decision as a row; its citations become one text. */
export function reasonRow(
  key: { evidence_key: string; decision_id: string | null },
  reason: z.infer<typeof judged>['reasons'][number],
): Row<'reasons'> {
  const { rule, outcome, message, fix, controls } = reason;
  return { ...key, rule, outcome, message, fix, controls: controls.join(', ') };
}

/** Who approved and had no part in the change, each once. */
export function independentApprovers({ people, approvals }: DecisionContext): string[] {
  const involved = new Set(people.map(({ personId }) => personId));
  const names = approvals.flatMap(({ state, personId }) =>
    state === 'approved' && personId !== null && !involved.has(personId) ? [personId] : [],
  );
  return [...new Set(names)].sort();
}

/** Rows of one approval.decided; decisions that took it say more about each approval. */
export function approvalRows(fact: Fact, contexts: Iterable<DecisionContext>): Row<'approvals'>[] {
  const said = z.array(z.looseObject({})).safeParse(fact.record.data.approvals);
  if (!said.success) return [];
  const all = [...contexts];
  return said.data.map((approval) => {
    const person = textOf(approval.personId);
    const at = typeof approval.at === 'string' ? parseTime(approval.at) : null;
    const taken = all.flatMap((context) =>
      context.approvals
        .filter(({ personId, state, at: when }) => personId === person && state === approval.state && when === at)
        .map((judgedApproval) => ({ context, judgedApproval })),
    )[0];
    return {
      ...recordColumns(fact),
      approved_at: timestamp(at),
      person,
      identity: textOf(approval.userId),
      state: textOf(approval.state),
      strength: textOf(approval.strength),
      bound_digest: textOf(approval.digest),
      decision_id: taken?.context.decisionId ?? null,
      entitled_group: taken?.judgedApproval.entitlement?.group ?? null,
      entitled: taken === undefined ? null : taken.judgedApproval.entitlement?.active === true,
      own_change:
        taken === undefined || person === null
          ? null
          : taken.context.people.some(({ personId }) => personId === person),
    };
  });
}

/** Rows of one change.reviewed. */
export function reviewRows(fact: Fact): Row<'reviews'>[] {
  const said = z.array(z.looseObject({})).safeParse(fact.record.data.reviews);
  return (said.data ?? []).map((review) => ({
    ...recordColumns(fact),
    reviewed_at: typeof review.at === 'string' ? timestamp(parseTime(review.at)) : null,
    person: textOf(review.personId),
    identity: textOf(review.userId),
    state: textOf(review.state),
  }));
}

/** `cluster/namespace/kind/name` of a target as records have it, or null. */
export function targetText(target: unknown): string | null {
  if (typeof target !== 'object' || target === null) return null;
  const { cluster, host, namespace, kind, name } = target as { [part: string]: unknown };
  const parts = [cluster ?? host, namespace, kind, name];
  return parts.every((part) => typeof part === 'string') ? parts.join('/') : null;
}
