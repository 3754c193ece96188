import type { z } from 'zod';
import type { workflow } from '../contract/decision.ts';
import type { Run } from '../contract/run.ts';

/** The run that a process belongs to, as the platform itself vouches for it. */
export interface RunIdentity {
  run: Run;
  /** Which workflow file runs the job, by verified claims; all null where a platform has none. */
  workflow: Omit<z.infer<typeof workflow>, 'release'>;
  /** User ids on the platform. */
  triggeredBy: string;
  reranBy: string | null;
}

/** Somebody with a part in a commit; a null id is an author whom the platform does not know. */
export interface Contributor {
  userId: string | null;
  as: 'author' | 'coauthor' | 'committer' | 'pusher';
}

export interface Source {
  protected: boolean;
  reachableFromProtected: boolean;
  base: string | null;
  contributors: Contributor[];
  /** `at` is RFC 3339. */
  reviews: { userId: string; state: 'approved' | 'changes_requested' | 'commented' | 'dismissed'; at: string }[];
}

export interface PlatformApproval {
  userId: string;
  state: 'approved' | 'rejected';
  /** RFC 3339. */
  at: string;
  atFrom: 'review' | 'job-start' | 'job' | 'platform';
  digest: string | null;
  strength: 'digest' | 'run' | 'job';
}

/** Where a pipeline runs: asked for what it alone knows. Nothing here decides. Every call throws CouldNot when it does not answer. */
export interface Platform {
  identify(): Promise<RunIdentity>;
  source(run: Run): Promise<Source>;
  /** In the order in which they were given. */
  approvals(run: Run, environment: string): Promise<PlatformApproval[]>;
}
