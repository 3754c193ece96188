import { resolve } from 'node:path';
import type { Facts } from '../contract/facts.ts';
import type { Contract } from '../contract/load-contract.ts';
import type { Role } from '../contract/roles.ts';
import type { Place } from '../evidence/layout.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { http } from '../lib/http.ts';
import { localPlatform } from '../platform/local.ts';
import type { ChildRun, Platform, RunIdentity } from '../platform/platform.ts';
import type { Context } from './command.ts';
import { requireUnbentEnvironment } from './environment.ts';
import { newJobKey, takeStep } from './run-file.ts';

/** The time to decide by, and who says so; `token` is the authority's reply, to be kept with the decision. */
export interface DecisionTime {
  /** Milliseconds. */
  now: number;
  clock: Facts['clock'];
  token: Buffer | null;
}

/** Which run this process belongs to, where its records go, and who answers for the platform and for the time. */
export interface Situation {
  platform: Platform;
  identity: RunIdentity;
  place: Place;
  decisionTime(): Promise<DecisionTime>;
}

/** What of a command's inputs says where it runs; all are for the command line. */
export interface Whereabouts {
  run?: string | undefined;
  key?: string | undefined;
  child?: string | undefined;
}

const ENTER =
  'call the reusable workflow (or include the parent pipeline) of the compliance repository at a released version';

/** Thrown where nothing verified says which workflow this is: the gate turns it into a denial that it cannot record. */
export class Untrusted extends Denied {
  /** The message but for what to do about it, which is `fix`. */
  readonly what: string;
  readonly fix = ENTER;

  constructor(why: string) {
    const what = `this job is not part of the trusted workflow: ${why}`;
    super('workflow_untrusted', `${what}; ${ENTER}`);
    this.what = what;
  }
}

/**
 * Profile local: the run of the file `--run`, on the platform that the contract's file plays, by the machine's clock. `opening`
 * is a run that has no file yet.
 */
export async function localSituation(
  file: string,
  given: Whereabouts,
  context: Context,
  opening: boolean,
): Promise<Situation> {
  requireUnbentEnvironment(context.env);
  if (given.child !== undefined)
    throw new BadInput('inputs.child', '--child is for parent pipelines of GitLab: a local run has one repository');
  if (given.run === undefined) {
    throw new BadInput(
      'inputs.run',
      'a local run needs its file: add --run FILE, made by evidence-emit --type run.opened',
    );
  }
  const step = opening ? null : takeStep(given.run);
  const platform = localPlatform(file, step?.file ?? null);
  return {
    platform,
    identity: await platform.identify(),
    place: { jobKey: step?.file.jobKey ?? newJobKey(), stepKey: `step-${step?.number ?? 0}` },
    decisionTime: async () => ({ now: context.now(), clock: 'local', token: null }),
  };
}

/**
 * On GitHub or GitLab: the run of the job's verified ID token, which must be of the contract's one trusted workflow and of this
 * role's environment. Throws Untrusted where it is not.
 */
export async function hostedSituation(
  contract: Contract,
  role: Role,
  verb: string,
  given: Whereabouts,
  context: Context,
): Promise<Situation> {
  // Only here: a local run needs neither tokens nor an authority.
  const { trustedRun } = await import('../identity/trusted-run.ts');
  const { trustedTime } = await import('../attestation/timestamp.ts');
  const { env } = context;
  // Before anybody is asked: what bends the job bends the question who it is, and may print the answer's passwords.
  requireUnbentEnvironment(env);
  const run = await trustedRun(contract.file, role, {
    env,
    http,
    now: context.now,
    sleep: context.sleep,
    apiToken: apiToken(env),
  });
  if (!run.ok) throw new Untrusted(run.why);
  const { timestamp } = contract.file.trust;
  const { platform, identity } = given.child === undefined ? run : await childOf(run, given.child);
  return {
    platform,
    identity,
    place: { jobKey: run.identity.run.job, stepKey: stepKey(verb, env) },
    decisionTime: async () => {
      if (timestamp === undefined)
        throw new BadInput(
          'contract.timestamp',
          'contract.yml names no time stamping authority: nothing can be decided without trusted time',
        );
      const { time, reply } = await trustedTime(http, timestamp, context.now, contract.policy.maxSkew);
      return { now: time, clock: 'tsa', token: reply };
    },
  };
}

async function childOf({ platform, identity }: ChildRun, path: string): Promise<ChildRun> {
  if (platform.child === undefined)
    throw new BadInput(
      'inputs.child',
      `--child is for parent pipelines of GitLab: a run on ${identity.run.platform} starts none`,
    );
  return await platform.child(identity, path);
}

/** A token for the platform's API opens a door and vouches for nothing: what the API answers is compared with the verified claims. */
function apiToken(env: Context['env']): { value: string; kind: 'job' | 'private' } {
  if (env.GATEHOUSE_API_TOKEN) return { value: env.GATEHOUSE_API_TOKEN, kind: 'private' };
  return { value: env.GITHUB_TOKEN ?? env.CI_JOB_TOKEN ?? '', kind: 'job' };
}

/** Unique in its job: the platform's name of the step where it has one. It only names a slot; what it says is not believed. */
function stepKey(verb: string, env: Context['env']): string {
  const step = (env.GITHUB_ACTION ?? 'script').replace(/[^A-Za-z0-9]+/g, '-').replace(/^-+|-+$/g, '');
  return `${verb}-${step || 'step'}`.slice(0, 100);
}

/** The platform’s file of profile local, resolved from the contract’s folder; null on a hosted platform. */
export function localFile(contract: Contract, folder: string): string | null {
  const [platform] = contract.file.platforms;
  return platform?.kind === 'local' ? resolve(folder, platform.file) : null;
}
