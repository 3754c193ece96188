import type { Part } from '../contract/collected.ts';
import type { Run } from '../contract/run.ts';
import type { workflow } from '../contract/subject.ts';
import type * as z from '../lib/zod.ts';

/** The run that a process belongs to, as the platform itself vouches for it. */
export interface RunIdentity {
  run: Run;
  /** Which workflow file runs the job, by verified claims; all null where a platform has none. */
  workflow: Omit<z.infer<typeof workflow>, 'release'>;
  /** User ids on the platform. */
  triggeredBy: string;
  reranBy: string | null;
}

/** What the verified claims of a job's token say of its run; the platform's API completes it. */
export interface ClaimedRun extends Pick<RunIdentity, 'workflow'> {
  run: Omit<Run, 'runner'>;
  /** User id of whoever the token names. */
  actor: string;
  /** Id of the account that owns the repository; null where the token names none. */
  owner: string | null;
  runner: { id: string | null; environment: string; hosted: boolean };
}

/** Somebody with a part in a commit; a null id is an author whom the platform does not know. */
export interface Contributor {
  userId: string | null;
  as: 'author' | 'coauthor' | 'committer' | 'pusher' | 'trigger';
}

/** The commit upon which a run's would be deployed, and the ref that its own run was of. */
export type Deployed = Pick<Run, 'sha' | 'ref'>;

/** Who made a change and who looked at it. */
export interface Change {
  contributors: Contributor[];
  /** `at` is RFC 3339. */
  reviews: {
    /** Null where the account is gone. */
    userId: string | null;
    state: 'approved' | 'changes_requested' | 'commented' | 'dismissed';
    at: string;
  }[];
}

export interface Source extends Change {
  protected: boolean;
  reachableFromProtected: boolean;
  base: string | null;
  /** What landed before this commit and after the deployed one, from new to old; null in profile local, where nobody is asked. */
  beneath: (Change & { sha: string })[] | null;
}

/** Who said what about an environment, without a time; a null id is an account that is gone. */
export interface GivenApproval {
  userId: string | null;
  state: 'approved' | 'rejected';
}

export interface PlatformApproval extends GivenApproval {
  /** RFC 3339. */
  at: string;
  atFrom: 'review' | 'job-start' | 'job' | 'platform';
  digest: string | null;
  /** What the platform alone vouches for; `boundApprovals` raises `job` to `run`. */
  strength: 'digest' | 'run' | 'job';
  /** It was given after this time (RFC 3339), by the platform's clock; absent where the platform does not say. */
  givenAfter?: string;
}

/** How a run went, as its seal says it. */
export type RunOutcome = 'success' | 'failure' | 'cancelled' | 'skipped';

/** A run of another repository that this one started and speaks for. */
export interface ChildRun {
  platform: Platform;
  identity: RunIdentity;
}

/** Where a pipeline runs: asked for what it alone knows. Nothing here decides. Every call throws CouldNot when it does not answer. */
export interface Platform {
  identify(): Promise<RunIdentity>;
  source(run: Run, deployed: Deployed | null): Promise<Source>;
  /** What has been said so far and may come back among `approvals` later: a run keeps it, when it is opened and when it promotes, before its own approval is asked for. */
  approvalsGiven(run: Run, environment: string): Promise<GivenApproval[]>;
  approvals(run: Run, environment: string): Promise<PlatformApproval[]>;
  /** How the other jobs of the run's pipeline ended; absent where the caller has to say it. */
  outcome?(): Promise<RunOutcome>;
  /** The run that this one started in another repository, by its path; absent where runs start none. */
  child?(parent: RunIdentity, path: string): Promise<ChildRun>;
  /** The runner pool in which another job of this call of the trusted workflow ran, by its name; null where there is none. */
  poolOf?(run: Run, job: Part): Promise<string | null>;
  /** Names of the jobs that do this job's work in other calls of the trusted workflow by this attempt; absent where there is one call. */
  namesakes?(run: Run): Promise<string[]>;
}
