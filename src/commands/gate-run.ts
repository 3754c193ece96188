import { randomUUID } from 'node:crypto';
import type { Decision } from '../contract/decision.ts';
import type { Facts } from '../contract/facts.ts';
import { type Target, target as targetSchema } from '../contract/target.ts';
import { assembleFacts, type Question } from '../facts/assemble.ts';
import { lastDeployed } from '../facts/deployed.ts';
import { judge } from '../gate/judge.ts';
import { loadPolicy } from '../gate/policy.ts';
import { attestVerdict } from '../gate/verdict.ts';
import { personOf } from '../identity/people.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, GatehouseError, messageOf } from '../lib/errors.ts';
import { attachAll } from '../registry/attach.ts';
import type { Reference } from '../registry/reference.ts';
import type { Context } from './command.ts';
import { requireListed } from './listed-registry.ts';
import type { GateInputs } from './policy-gate.ts';
import { imageByDigest, openRegistry } from './registry.ts';
import { ownPolicyBytes, runningRelease } from './release.ts';
import { openStage, type Stage } from './stage.ts';

export { Untrusted } from './situation.ts';

interface Asked {
  stage: Facts['stage'];
  environment: string;
  image: Reference;
  target: Target | null;
}

/**
 * The gate of a trusted run: records the change and the approvals as they stand, assembles facts, judges, and records the
 * decision with all that it was made from. A deploy that is allowed is attested to the image as well.
 */
export async function decideAndRecord(
  given: GateInputs,
  context: Context,
): Promise<{ decision: Decision; key: string }> {
  const asked = await askedBy(given, context);
  const stage = await openStage('gate', 'policy-gate', given, context);
  try {
    return await decideIn(stage, asked, context);
  } catch (thrown) {
    await recordFailure(stage, asked, thrown);
    throw thrown;
  }
}

async function decideIn(stage: Stage, asked: Asked, context: Context): Promise<{ decision: Decision; key: string }> {
  const { decision, facts, register, policy, token } = await decide(asked, stage, context, true);
  const attachments = [
    await stage.attach(canonicalBytes(facts), 'facts', 'application/json', true),
    await stage.attach(stage.contract.bytes, 'contract', 'application/yaml', true),
    await stage.attach(policy, 'policy', 'application/wasm', true),
    await stage.attach(register, 'register', 'application/json', true),
    ...(token === null ? [] : [await stage.attach(token, 'timestamp', 'application/timestamp-reply', true)]),
  ];
  const record = await stage.write({
    type: 'gate.decided',
    subjects: facts.subjects.map(({ name, kind, digest }) => ({ name, kind, digest })),
    outcome: decision.outcome === 'allow' ? 'success' : 'denied',
    environment: asked.environment,
    attachments,
    policy: [{ name: 'gate.wasm', digest: digestOf(policy) }],
    data: { ...decision, ...(await givenBefore(stage, decision)) },
  });
  if (decision.outcome === 'allow' && decision.stage === 'deploy')
    await attest(asked, decision, record, stage, context);
  return { decision, key: record.key };
}

/**
 * A promotion says what has been approved by now: such an approval released some other job, since the one that waits for the
 * approval of this promotion begins to wait after it.
 */
async function givenBefore({ platform, identity }: Stage, { stage, environment }: Decision): Promise<object> {
  if (stage !== 'promote' || environment === null) return {};
  return { approvalsBefore: await platform.approvalsGiven(identity.run, environment) };
}

/** A gate that could not judge leaves a record of that too, unless the store is what failed; the first failure is the one reported. */
async function recordFailure(stage: Stage, asked: Asked, thrown: unknown): Promise<void> {
  const code = thrown instanceof GatehouseError ? thrown.code : 'internal';
  const event = {
    type: 'gate.decided',
    subjects: [{ name: asked.image.name, kind: 'image' as const, digest: asked.image.digest }],
    outcome: 'error' as const,
    environment: asked.environment,
    data: { stage: asked.stage, error: code, message: messageOf(thrown) },
  };
  await stage.write(event).catch(() => undefined);
}

/** The same without leaving anything behind, for `status`: what would the gate say? */
export async function whatIf(given: GateInputs, context: Context): Promise<Decision> {
  const asked = await askedBy(given, context);
  const stage = await openStage('gate', 'status', given, context);
  return (await decide(asked, stage, context, false)).decision;
}

async function decide(asked: Asked, stage: Stage, context: Context, recorded: boolean) {
  requireListed(asked.image.name, stage.contract);
  const { run } = stage.identity;
  const policyBytes = ownPolicyBytes(context.home);
  const register = await stage.register();
  const keys = await stage.ledgerKeys();
  const ledger = { store: stage.store, keys, now: stage.now(), notice: context.progress };
  const deployed = await lastDeployed(ledger, run, asked.environment, asked.target);
  const source = await stage.platform.source(run, deployed);
  const named = <T extends { userId: string | null }>(said: T) => ({
    ...said,
    personId: personOf(register.register, run, said.userId),
  });
  const commit = { name: run.repository, kind: 'commit' as const, digest: `gitCommit:${run.sha}` };
  if (recorded) {
    const { base, reachableFromProtected, reviews } = source;
    await stage.write({
      type: 'change.reviewed',
      subjects: [commit],
      outcome: 'success',
      environment: asked.environment,
      // Nobody asked the platform whether its rules were gone past.
      data: { base, head: run.sha, reachableFromProtected, reviews: reviews.map(named), bypass: null },
    });
  }
  const approvals = asked.stage === 'deploy' ? await stage.platform.approvals(run, asked.environment) : [];
  const approvalsFrom =
    recorded && asked.stage === 'deploy'
      ? (
          await stage.write({
            type: 'approval.decided',
            subjects: [commit],
            outcome: 'success',
            environment: asked.environment,
            data: { approvals: approvals.map(named) },
          })
        ).key
      : 'the platform';
  context.progress(`collecting evidence about ${asked.image.name}@${asked.image.digest}`);
  const question: Question = { ...asked, identity: stage.identity, source, deployed, approvals, approvalsFrom };
  const { now, clock, token } = await stage.decisionTime();
  const facts = await assembleFacts(question, {
    store: stage.store,
    keys,
    now,
    clock,
    contract: stage.contract,
    register,
    registry: await openRegistry(asked.image.registry, context),
    release: runningRelease(context.home, stage.contract),
    notice: context.progress,
  });
  const decision = judge({
    facts,
    contract: stage.contract,
    policy: loadPolicy(policyBytes),
    now,
    id: randomUUID(),
    simulated: !recorded,
  });
  return { decision, facts, register: register.bytes, policy: policyBytes, token };
}

async function askedBy(given: GateInputs, context: Context): Promise<Asked> {
  const { stage, environment, image } = given;
  if (stage === undefined || stage === 'preview' || environment === undefined || image === undefined) {
    const missing = Object.entries({ stage, environment, image })
      .filter(([, value]) => value === undefined)
      .map(([name]) => `--${name}`);
    throw new BadInput(
      'inputs.missing',
      `policy-gate needs ${missing.join(', ')}: what is to be decided about which image`,
    );
  }
  return {
    stage,
    environment,
    image: await imageByDigest(image, context),
    target: given.target === undefined ? null : parseTarget(given.target),
  };
}

/** `cluster/namespace/kind/name`. Throws BadInput. */
export function parseTarget(text: string): Target {
  const [cluster, namespace, kind, name, ...rest] = text.split('/');
  const parsed = targetSchema.safeParse({ cluster, namespace, kind, name });
  if (rest.length > 0 || !parsed.success)
    throw new BadInput(
      'inputs.target',
      `target ${text} is not cluster/namespace/kind/name, for example production/web/Deployment/api`,
    );
  return parsed.data;
}

/** Only an allowed deploy is attested to the image: a verdict of denial by this key would read as "signed" to others. */
async function attest(
  asked: Asked,
  decision: Decision,
  record: { key: string; digest: string },
  stage: Stage,
  context: Context,
): Promise<void> {
  const { image } = asked;
  const client = await openRegistry(image.registry, context);
  for (const { digest } of decision.subjects) {
    const { mediaType, size } = await client.getManifest(image.repository, digest);
    const attestation = await attestVerdict(stage.signer, { name: image.name, digest }, decision, record);
    await attachAll(client, image.repository, { mediaType, digest, size }, [attestation], context.now());
  }
}
