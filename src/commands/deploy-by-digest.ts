import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Decision, Reason } from '../contract/decision.ts';
import type { Target } from '../contract/target.ts';
import { requireDecision } from '../deploy/decision.ts';
import { type Change, commitChange, planChange } from '../deploy/gitops.ts';
import { DeployRefused } from '../deploy/refusal.ts';
import { requireRegister } from '../deploy/register.ts';
import { consume } from '../evidence/once.ts';
import { readVerified } from '../facts/evidence.ts';
import { releaseOf } from '../facts/release.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { exec } from '../lib/exec.ts';
import { formatTime } from '../lib/time.ts';
import type { Reference } from '../registry/reference.ts';
import { type Context, command, type Result } from './command.ts';
import { parseTarget } from './gate-run.ts';
import { text } from './inputs.ts';
import { imageByDigest } from './registry.ts';
import { runningRelease } from './release.ts';
import { runInputs } from './run-inputs.ts';
import { openStage, type Stage } from './stage.ts';

const inputs = z.strictObject({
  decision: text({
    description: 'key of the gate’s record that allows this deploy (output decision-key of policy-gate)',
    value: 'KEY',
  }),
  image: text({ description: 'image by digest, registry/repository@sha256:…', value: 'IMAGE@DIGEST' }),
  environment: text({ description: 'environment of contract.yml that the image goes to', value: 'NAME' }),
  target: text({ description: 'where it goes, cluster/namespace/kind/name', value: 'TARGET' }),
  manifest: text({
    description: 'manifest or kustomization.yaml in a GitOps repository, to be changed to this digest and committed',
    value: 'FILE',
  }),
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const deployByDigest = command({
  name: 'deploy-by-digest',
  summary: 'deploys exactly what was decided, once, and records intent and outcome',
  description: [
    'Acts only on the gate’s signed allow of stage deploy for this image, environment, target, run and attempt, before it ends,',
    'and uses it up first. Refuses a manifest that names a tag or runs any other image. Writes deploy.intent before it changes',
    'anything and deploy.outcome after it has read back what is there. GitOps: one commit that carries the decision’s id.',
    'Exit code: 0 deployed, 1 refused, 2 bad input, 3 could not do it.',
  ].join('\n'),
  examples: [
    {
      says: 'deploy by a commit',
      command:
        'gatehouse deploy-by-digest --decision v1/records/… --image registry.example.org/app/web@sha256:… --environment production --target production/web/Deployment/api --manifest gitops/web/kustomization.yaml --run run.json',
    },
  ],
  inputs,
  outputs: { 'deploy-id': 'id of the deploy, in its intent and outcome', commit: 'commit of the GitOps repository' },
  run: async (given, context) => {
    const image = await imageByDigest(given.image, context);
    const target = parseTarget(given.target);
    const stage = await openStage('deploy', 'deploy-by-digest', given, context);
    const attempt: Attempt = { given, image, target, stage, opId: randomUUID(), startedAt: context.now() };
    try {
      return await deploy(attempt, context);
    } catch (thrown) {
      if (!(thrown instanceof DeployRefused)) throw thrown;
      return await refused(attempt, thrown.reason, context);
    }
  },
});

interface Attempt {
  given: Inputs;
  image: Reference;
  target: Target;
  stage: Stage;
  opId: string;
  startedAt: number;
}

async function deploy(attempt: Attempt, context: Context): Promise<Result> {
  const { given, image, target, stage, opId } = attempt;
  const decision = await decisionOf(attempt, context);
  const change = await planChange(given.manifest, image, target, exec);
  await useUp(decision, attempt);
  await stage.write(event(attempt, 'deploy.intent', 'success', intentOf(decision.id, attempt, change)));
  context.progress(`deploying ${image.name}@${image.digest} to ${given.target}`);
  const done = await act(attempt, decision, change, context);
  const ok = done.observedDigest === change.manifestDigest;
  await stage.write(
    event(attempt, 'deploy.outcome', ok ? 'success' : 'failure', {
      ...intentOf(decision.id, attempt, change),
      ...outcomeOf(attempt, decision, context),
      observedDigest: done.observedDigest,
      commit: done.commit,
    }),
  );
  if (!ok)
    throw new Denied(
      'deploy.observed',
      `commit ${done.commit} holds ${done.observedDigest}, not the manifest ${change.manifestDigest} that was decided on: somebody changed it in between; recorded as failure`,
    );
  return {
    exit: 0,
    json: {
      status: 'deployed',
      deployId: opId,
      decisionId: decision.id,
      image: given.image,
      commit: done.commit,
      manifestDigest: change.manifestDigest,
      previousDigest: change.previousDigest,
    },
    text: `deployed ${given.image} to ${given.target}\n  decision ${decision.id}, used up\n  commit ${done.commit}\n  deploy ${opId}`,
    outputs: { 'deploy-id': opId, commit: done.commit },
  };
}

/** The commit; when it fails, the outcome says so before the failure is reported. */
async function act(
  attempt: Attempt,
  decision: Decision,
  change: Change,
  context: Context,
): Promise<{ commit: string; observedDigest: string }> {
  const { given, stage, opId } = attempt;
  try {
    return await commitChange(
      change,
      `Deploy ${given.image} to ${given.environment}\n\nGatehouse-Decision: ${decision.id}\nGatehouse-Deploy: ${opId}\n`,
      exec,
    );
  } catch (thrown) {
    await stage.write(
      event(attempt, 'deploy.outcome', 'error', {
        ...intentOf(decision.id, attempt, change),
        ...outcomeOf(attempt, decision, context),
        observedDigest: null,
        error: messageOf(thrown),
      }),
    );
    throw thrown;
  }
}

async function decisionOf({ given, image, target, stage }: Attempt, context: Context): Promise<Decision> {
  const keys = await stage.ledgerKeys();
  const found = await readVerified({ store: stage.store, keys, now: context.now() }, given.decision);
  if (typeof found === 'string')
    throw new DeployRefused('deploy.decision', `there is no such decision: ${found}`, [given.decision]);
  const decision = requireDecision(found, {
    name: image.name,
    digest: image.digest,
    environment: given.environment,
    target,
    run: stage.identity.run,
    now: context.now(),
    maxSkew: stage.contract.policy.maxSkew,
  });
  const { register } = await stage.register();
  const { registerMaxAge: maxAge, maxSkew } = stage.contract.policy;
  const at = { run: stage.identity.run, jobSha: stage.identity.workflow.jobSha };
  const release = releaseOf(register, runningRelease(context.home, stage.contract), at, context.now());
  requireRegister(register, decision, { now: context.now(), maxAge, maxSkew, release });
  return decision;
}

async function useUp(decision: Decision, { given, stage, opId }: Attempt): Promise<void> {
  try {
    await consume(stage.store, decision.id, { decisionKey: given.decision, run: stage.identity.run, opId });
  } catch (thrown) {
    if (thrown instanceof Denied && thrown.code === 'decision.used')
      throw new DeployRefused('deploy.once', thrown.message, [given.decision]);
    throw thrown;
  }
}

function intentOf(decisionId: string | null, { target }: Attempt, change: Change | null) {
  return {
    decisionId,
    target,
    manifestDigest: change?.manifestDigest ?? null,
    previousDigest: change?.previousDigest ?? null,
  };
}

function outcomeOf({ given, opId, startedAt, stage }: Attempt, decision: Decision, context: Context) {
  return {
    deployId: opId,
    startedAt: formatTime(startedAt),
    finishedAt: formatTime(context.now()),
    actor: stage.identity.triggeredBy,
    approvals: decision.reasons.find(({ rule }) => rule === 'approval.present')?.evidence ?? [],
    changeTicket: null,
    decisionKey: given.decision,
    evidence: [...new Set(decision.reasons.flatMap(({ evidence }) => evidence))].slice(0, 64),
  };
}

function event(
  { given, image, opId }: Attempt,
  type: 'deploy.intent' | 'deploy.outcome',
  outcome: 'success' | 'failure' | 'denied' | 'error',
  data: Record<string, unknown>,
) {
  return {
    type,
    outcome,
    opId,
    environment: given.environment,
    subjects: [{ name: image.name, kind: 'image' as const, digest: image.digest }],
    data,
  };
}

/** A refusal is evidence: an outcome without an intent. A second use of a decision is an error, everything else a denial. */
async function refused(attempt: Attempt, reason: Reason, context: Context): Promise<Result> {
  const { stage, given, opId, startedAt } = attempt;
  const outcome = reason.rule === 'deploy.once' ? 'error' : 'denied';
  await stage.write(
    event(attempt, 'deploy.outcome', outcome, {
      ...intentOf(null, attempt, null),
      deployId: opId,
      startedAt: formatTime(startedAt),
      finishedAt: formatTime(context.now()),
      actor: stage.identity.triggeredBy,
      decisionKey: given.decision,
      observedDigest: null,
      reasons: [reason],
    }),
  );
  return {
    exit: 1,
    json: { status: 'denied', deployId: opId, image: given.image, reasons: [reason] },
    text: `DENY deploy of ${given.image}\n✖ ${reason.rule} ${reason.message}\n    fix: ${reason.fix}\n    supports ${reason.controls.join(', ')}`,
  };
}
