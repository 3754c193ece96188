import { count, filled, commit as sha } from '../../contract/primitives.ts';
import * as z from '../../lib/zod.ts';

/*
 * What is read of GitHub's answers (REST API description 2022-11-28). Unknown keys pass; those named here must be there with
 * these types.
 */

const id = z.int().check(z.positive());
export const instant = z.pipe(
  z.iso.datetime({ offset: true }),
  z.transform((text) => new Date(text).toISOString()),
);

const account = z.looseObject({ id, login: filled });
/** The account behind a commit: null or `{}` where GitHub knows none. */
const commitAccount = z.pipe(
  z.union([account, z.strictObject({}), z.null()]),
  z.transform((found) => (found !== null && 'id' in found ? found : null)),
);

export const repository = z.looseObject({ id, full_name: z.string(), owner: account });

export const runAttempt = z.looseObject({
  id,
  run_attempt: id,
  head_sha: sha,
  event: z.string(),
  actor: account,
  triggering_actor: account,
  repository: z.looseObject({ id }),
});

export const job = z.looseObject({
  id,
  run_id: id,
  run_attempt: id,
  head_sha: sha,
  name: filled,
  status: z.string(),
  conclusion: z.nullable(z.string()),
  created_at: instant,
  started_at: z.nullable(instant),
  runner_name: z.nullable(z.string()),
  runner_group_name: z.nullable(z.string()),
});
export type Job = z.infer<typeof job>;
/** A page of jobs; each job carries how many there are in all. */
export const jobs = z.pipe(
  z.looseObject({ total_count: count, jobs: z.array(job) }),
  z.transform(({ total_count: total, jobs: page }) => page.map((each) => ({ ...each, total }))),
);

export const approvals = z.array(
  z.looseObject({
    environments: z.array(z.looseObject({ name: z.string() })),
    state: z.enum(['approved', 'rejected', 'pending']),
    user: z.nullable(account),
  }),
);

export const branch = z.looseObject({
  name: z.string(),
  protected: z.boolean(),
  commit: z.looseObject({ sha }),
});
export const rules = z.array(z.looseObject({ type: z.string() }));
export const comparison = z.looseObject({ status: z.enum(['diverged', 'ahead', 'behind', 'identical']) });

const person = z.nullable(z.looseObject({ email: z.optional(z.string()) }));
export const commitReply = z.looseObject({
  sha,
  author: commitAccount,
  committer: commitAccount,
  commit: z.looseObject({
    message: z.string(),
    author: person,
    committer: person,
    verification: z.optional(z.looseObject({ verified: z.boolean() })),
  }),
  parents: z.array(z.looseObject({ sha })),
});
export type CommitReply = z.infer<typeof commitReply>;
const commitList = z.array(commitReply);
/** A page of a comparison's commits, with how many there are in all. */
export const commitComparison = z.looseObject({ ...comparison.shape, total_commits: count, commits: commitList });

const pullBase = z.looseObject({ ref: z.string(), sha, repo: z.looseObject({ id }) });
export const pulls = z.array(
  z.looseObject({
    number: id,
    merged_at: z.nullable(instant),
    merge_commit_sha: z.nullable(sha),
    base: pullBase,
    head: z.looseObject({ sha }),
  }),
);
export const pull = z.looseObject({
  number: id,
  merged: z.boolean(),
  merge_commit_sha: z.nullable(sha),
  user: z.nullable(account),
  merged_by: z.nullable(account),
  base: pullBase,
  /** Without a repository where the fork is gone. */
  head: z.looseObject({ sha, ref: filled, repo: z.nullable(z.looseObject({ id, full_name: filled })) }),
});
export type Pull = z.infer<typeof pull>;

export const reviews = z.array(
  z.looseObject({
    user: z.nullable(account),
    state: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING']),
    submitted_at: z.optional(instant),
    commit_id: z.nullable(sha),
  }),
);

/** What happened to a pull request: GitHub knows ever more kinds. */
export const issueEvents = z.array(z.looseObject({ event: filled, created_at: instant }));

export const activities = z.array(
  z.looseObject({
    ref: z.string(),
    before: z.string(),
    after: z.string(),
    activity_type: z.string(),
    actor: z.nullable(account),
  }),
);
export type Activity = z.infer<typeof activities>[number];
