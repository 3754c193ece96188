import { concludes } from '../evidence/verify/deploys.ts';
import * as z from '../lib/zod.ts';
import { accountOf, type DecisionContext, independentApprovers, reasonRow, targetText } from './decision-context.ts';
import { type Fact, recordColumns, type Standing } from './standing.ts';
import { textOf } from './table-file.ts';
import type { Row } from './tables.ts';

const refusal = z.array(
  z.looseObject({
    rule: z.string(),
    outcome: z.string(),
    message: z.string(),
    fix: z.nullable(z.string()),
    controls: z.array(z.string()),
  }),
);

/** Intents and outcomes by the deploy that they belong to. */
export class Deploys {
  /** By the deploy's id. Several of one id are the work of somebody who took it. */
  readonly #intents = new Map<string, Standing[]>();
  readonly #outcomes = new Map<string, Standing[]>();
  /** People behind accounts, as decisions have resolved them. */
  readonly #people = new Map<string, Set<string>>();
  readonly #decisions: ReadonlyMap<string, DecisionContext>;

  constructor(standings: readonly Standing[], decisions: ReadonlyMap<string, DecisionContext>) {
    this.#decisions = decisions;
    for (const { account, person } of decisions.values())
      if (person !== null) this.#people.set(account, (this.#people.get(account) ?? new Set()).add(person));
    for (const standing of standings) {
      const { type, opId } = standing.record;
      if (opId === null) continue;
      const known = type === 'deploy.intent' ? this.#intents : this.#outcomes;
      known.set(opId, [...(known.get(opId) ?? []), standing]);
    }
  }

  /** The row of an outcome, or of an intent that has none; null for an intent whose outcome has a row of its own. */
  row(fact: Fact): Row<'deploys'> | null {
    const { type, opId, data, subjects, changeTicket, actor, run } = fact.record;
    const intent = type === 'deploy.intent';
    const outcomes = (opId === null ? undefined : this.#outcomes.get(opId)) ?? [];
    if (intent && outcomes.some((each) => !each.contested && concludes(each, fact))) return null;
    const announced = (opId === null ? undefined : this.#intents.get(opId))?.find((each) => concludes(fact, each));
    const decisionKey = textOf(data.decisionKey);
    const decision = decisionKey === null ? undefined : this.#decisions.get(decisionKey);
    const image = subjects.find(({ kind }) => kind === 'image');
    const [reason] = refusal.safeParse(data.reasons).data ?? [];
    return {
      ...recordColumns(fact),
      deploy_id: opId,
      outcome: intent ? 'unknown' : fact.record.outcome,
      repository: run.repository,
      image: image?.name ?? null,
      digest: image?.digest ?? null,
      target: targetText(data.target),
      identity: textOf(data.actor) ?? actor.triggeredBy,
      person: decision?.person ?? this.#personBehind(fact),
      approved_by: decision === undefined ? null : independentApprovers(decision).join(', ') || null,
      decision_id: textOf(data.decisionId) ?? decision?.decisionId ?? null,
      decision_key: decisionKey,
      intent_key: intent ? fact.key : (announced?.key ?? null),
      change_ticket: changeTicket?.id ?? null,
      reason: intent ? 'announced, outcome never recorded' : (textOf(data.error) ?? reason?.message ?? null),
    };
  }

  /** Without a decision nothing says who it was; whoever the account always stood for may not hide behind that. */
  #personBehind(fact: Fact): string | null {
    const [person, ...others] = this.#people.get(accountOf(fact)) ?? [];
    return others.length === 0 ? (person ?? null) : null;
  }

  /** Why a deploy was refused, one row a reason. */
  reasons(fact: Fact): Row<'reasons'>[] {
    const decisionId = textOf(fact.record.data.decisionId);
    return (refusal.safeParse(fact.record.data.reasons).data ?? []).map((each) =>
      reasonRow({ evidence_key: fact.key, decision_id: decisionId }, each),
    );
  }
}
