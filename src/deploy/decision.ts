import type { Decision } from '../contract/decision.ts';
import type { Run } from '../contract/run.ts';
import type { Target } from '../contract/target.ts';
import { readAttachment } from '../evidence/blob.ts';
import type { VerifiedRecord } from '../facts/evidence.ts';
import { recordedDecision } from '../gate/recorded.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { Denied } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import { DeployRefused } from './refusal.ts';

/** What is about to be done; every part of it must be what was decided. */
export interface Intended {
  /** The image, `registry/repository` and digest. */
  name: string;
  digest: string;
  environment: string;
  target: Target;
  run: Run;
  /** Milliseconds. */
  now: number;
  maxSkew: number;
}

/**
 * The decision of a verified record gate.decided, if it allows exactly this: stage deploy, not simulated, same image,
 * environment, target, run and attempt, within its lifetime. Throws DeployRefused `deploy.decision` saying what does not fit.
 */
export function requireDecision({ record, key }: VerifiedRecord, intended: Intended): Decision {
  const refuse = (why: string) =>
    new DeployRefused('deploy.decision', `the decision does not allow this deploy: ${why} (${key})`, [key]);
  const decision = recordedDecision(record);
  if (typeof decision === 'string') throw refuse(decision);
  const failed = mismatch(decision, record.outcome, intended);
  if (failed !== null) throw refuse(failed);
  return decision;
}

function mismatch(
  decision: Decision,
  outcome: string,
  { name, digest, environment, target, run, now, maxSkew }: Intended,
): string | null {
  const same = (a: unknown, b: unknown) => canonicalBytes(a).equals(canonicalBytes(b));
  if (decision.simulated) return 'it is simulated';
  if (decision.outcome !== 'allow' || outcome !== 'success') return 'it denies';
  if (decision.stage !== 'deploy') return `it is of stage ${decision.stage}`;
  if (!decision.subjects.some((subject) => subject.digest === digest && subject.name === name))
    return `it is about ${decision.subjects.map((subject) => `${subject.name}@${subject.digest}`).join(', ')}`;
  if (decision.environment !== environment) return `it is for environment ${decision.environment}`;
  if (!same(decision.target, target)) return 'it is for another target';
  if (decision.run === null || !same(identity(decision.run), identity(run)))
    return 'it was made in another run or attempt';
  if (now > (parseTime(decision.notAfter) as number)) return `it ended at ${decision.notAfter}`;
  if (now < (parseTime(decision.now) as number) - maxSkew) return `it is from the future (${decision.now})`;
  return null;
}

/** What is read of the facts. */
const factsPart = z.looseObject({
  approvals: z.array(
    z.looseObject({
      personId: z.nullable(z.string()),
      state: z.string(),
      at: z.number(),
      strength: z.string(),
      from: z.string(),
    }),
  ),
});
export interface Approved {
  personId: string | null;
  state: string;
  at: string;
  strength: string;
  /** Key of the record approval.decided. */
  from: string;
}

/**
 * Who approved, as the facts have it that the decision was made from: the record of the deploy is to answer an auditor alone.
 * Throws DeployRefused `deploy.decision` when they are not what the decision names.
 */
export async function approvalsOf(
  { record, key }: VerifiedRecord,
  { input }: Decision,
  store: Store,
): Promise<Approved[]> {
  const refuse = (why: string) =>
    new DeployRefused('deploy.decision', `the facts of decision ${key}, which say who approved, ${why}`, [key]);
  const attachment = record.attachments.find(({ role, digest }) => role === 'facts' && digest === input.factsDigest);
  if (attachment === undefined) throw refuse('are not attached to it');
  try {
    const parsed = factsPart.safeParse(parseJson(await readAttachment(store, attachment), 'facts'));
    if (!parsed.success) throw refuse('name no approvals');
    return parsed.data.approvals.map(({ personId, state, at, strength, from }) => ({
      personId,
      state,
      at: formatTime(at),
      strength,
      from,
    }));
  } catch (cause) {
    if (cause instanceof Denied && !(cause instanceof DeployRefused)) throw refuse(`cannot be read: ${cause.message}`);
    throw cause;
  }
}

function identity({ platform, host, repositoryId, id, attempt, sha }: Run) {
  return { platform, host, repositoryId, id, attempt, sha };
}
