import { randomUUID } from 'node:crypto';
import type { Decision, Reason } from '../contract/decision.ts';
import type { Target } from '../contract/target.ts';
import { type Approved, approvalsOf, requireDecision } from '../deploy/decision.ts';
import { DeployRefused } from '../deploy/refusal.ts';
import { requireRegister } from '../deploy/register.ts';
import type { Observed, Plan, Way } from '../deploy/way.ts';
import { consume } from '../evidence/once.ts';
import { readVerified } from '../facts/evidence.ts';
import { releaseOf } from '../facts/release.ts';
import { failureLines, failureTable, firstFailure } from '../gate/explain.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { cell } from '../lib/markdown.ts';
import { formatTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Reference } from '../registry/reference.ts';
import { type Context, command, type Result } from './command.ts';
import { openWay, wayInputs } from './deploy-way.ts';
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
  ...wayInputs,
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const deployByDigest = command({
  name: 'deploy-by-digest',
  summary: 'deploys exactly what was decided, once, and records intent and outcome',
  description: [
    'Acts only on the gate’s signed allow of stage deploy for this image, environment, target, run and attempt, before it ends,',
    'and uses it up first. Refuses a manifest that names a tag or runs any other image. Writes deploy.intent before it changes',
    'anything and deploy.outcome after it has read back what is there. gitops: one commit that carries the decision’s id, pushed',
    'to the branch that is checked out, with the token in GATEHOUSE_GIT_TOKEN, and read back from there.',
    'kubernetes: server-side apply of the one workload, tried out first by a dry run, to the server that contract.yml names for',
    'the target’s cluster; a success only when the cluster stores and its pods run exactly that. See docs/deploy.md.',
    'Exit code: 0 deployed, 1 refused, 2 bad input, 3 could not do it.',
  ].join('\n'),
  examples: [
    {
      says: 'deploy by a commit',
      command:
        'gatehouse deploy-by-digest --decision v1/records/… --image registry.example.org/app/web@sha256:… --environment production --target production/web/Deployment/api --manifest gitops/web/kustomization.yaml --run run.json',
    },
    {
      says: 'deploy to the cluster itself, with a projected token',
      command:
        'gatehouse deploy-by-digest --method kubernetes --decision v1/records/… --image registry.example.org/app/web@sha256:… --environment production --target production/web/Deployment/api --manifest deploy/api.yaml --token-file /var/run/secrets/tokens/production --run run.json',
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
  const { given, image, stage, opId } = attempt;
  const { decision, approvals } = await decisionOf(attempt, context);
  const way = await openWay({ ...attempt, decision }, context);
  const plan = await way.plan();
  await useUp(decision, attempt);
  await stage.write(event(attempt, 'deploy.intent', 'success', intentOf(decision.id, attempt, plan)));
  context.progress(`deploying ${image.name}@${image.digest} to ${given.target}`);
  const { observedDigest, differences, about } = await actAndObserve(
    way,
    plan,
    attempt,
    { decision, approvals },
    context,
  );
  const ok = observedDigest === plan.manifestDigest && differences.length === 0;
  await stage.write(
    event(attempt, 'deploy.outcome', ok ? 'success' : 'failure', {
      ...intentOf(decision.id, attempt, plan),
      ...outcomeOf(attempt, decision, approvals, context),
      observedDigest,
      ...(ok ? {} : { differences }),
      ...about,
    }),
  );
  if (!ok)
    throw new Denied(
      'deploy.observed',
      `${given.target} is not as it was decided after the deploy: ${differences.join('; ')}; recorded as failure, and nothing is rolled back`,
    );
  return {
    exit: 0,
    json: {
      status: 'deployed',
      deployId: opId,
      decisionId: decision.id,
      image: given.image,
      manifestDigest: plan.manifestDigest,
      previousDigest: plan.previousDigest,
      ...plan.where,
      ...about,
    },
    text: [
      `deployed ${given.image} to ${given.target}`,
      `  decision ${decision.id}, used up`,
      ...('commit' in about ? [`  commit ${about.commit}`] : []),
      `  deploy ${opId}`,
    ].join('\n'),
    summary: () =>
      [
        `## 🚀 Deployed to ${cell(given.target)}`,
        '',
        `\`${given.image}\``,
        '',
        `Read back as it was decided. Decision \`${decision.id}\` is used up; another deploy takes another decision.`,
        '',
        `deploy \`${opId}\`${'commit' in about ? ` · commit \`${about.commit}\`` : ''}`,
        '',
      ].join('\n'),
    outputs: { 'deploy-id': opId, ...(typeof about.commit === 'string' ? { commit: about.commit } : {}) },
  };
}

/** When it fails half-way, the outcome says so before the failure is reported. */
async function actAndObserve(
  way: Way,
  plan: Plan,
  attempt: Attempt,
  { decision, approvals }: Decided,
  context: Context,
): Promise<Observed> {
  const { given, stage, opId } = attempt;
  const title = `Deploy ${given.image} to ${given.environment}`;
  try {
    return await way.observe(plan, await way.act(plan, { title, decisionId: decision.id, deployId: opId }));
  } catch (thrown) {
    await stage.write(
      event(attempt, 'deploy.outcome', 'error', {
        ...intentOf(decision.id, attempt, plan),
        ...outcomeOf(attempt, decision, approvals, context),
        observedDigest: null,
        error: messageOf(thrown),
      }),
    );
    // No longer a refusal before anything was done.
    throw thrown instanceof DeployRefused ? new Denied(thrown.code, thrown.message, thrown) : thrown;
  }
}

interface Decided {
  decision: Decision;
  approvals: Approved[];
}

async function decisionOf({ given, image, target, stage }: Attempt, context: Context): Promise<Decided> {
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
  return { decision, approvals: await approvalsOf(found, decision, stage.store) };
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

function intentOf(decisionId: string | null, { given, target }: Attempt, plan: Plan | null) {
  return {
    decisionId,
    target,
    method: given.method,
    manifestDigest: plan?.manifestDigest ?? null,
    previousDigest: plan?.previousDigest ?? null,
    ...plan?.where,
  };
}

function outcomeOf(
  { given, opId, startedAt, stage }: Attempt,
  decision: Decision,
  approvals: Approved[],
  context: Context,
) {
  return {
    deployId: opId,
    startedAt: formatTime(startedAt),
    finishedAt: formatTime(context.now()),
    actor: stage.identity.triggeredBy,
    approvals,
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
    text: [`DENY deploy of ${given.image} to ${given.target}`, ...failureLines([reason])].join('\n'),
    refusal: `DENY deploy to ${given.target} by ${firstFailure([reason])}`,
    summary: () =>
      [
        `## ⛔ Not deployed to ${cell(given.target)}`,
        '',
        `\`${given.image}\``,
        ...failureTable([reason]),
        '',
        `Nothing was changed. The refusal is recorded as deploy \`${opId}\`.`,
        '',
      ].join('\n'),
  };
}
