import { z } from 'zod';
import { commit as sha } from '../../contract/primitives.ts';

/*
 * What is read of GitHub's answers (REST API description 2022-11-28). Unknown keys pass; those named here must be there with
 * these types.
 */

const id = z.int().positive();
export const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());

const account = z.looseObject({ id, login: z.string().min(1) });
/** The account behind a commit: null or `{}` where GitHub knows none. */
const commitAccount = z
  .union([account, z.strictObject({}), z.null()])
  .transform((found) => (found !== null && 'id' in found ? found : null));

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
  name: z.string().min(1),
  status: z.string(),
  conclusion: z.string().nullable(),
  created_at: instant,
  started_at: instant.nullable(),
  runner_name: z.string().nullable(),
  runner_group_name: z.string().nullable(),
});
export type Job = z.infer<typeof job>;
/** A page of jobs; each job carries how many there are in all. */
export const jobs = z
  .looseObject({ total_count: z.int().min(0), jobs: z.array(job) })
  .transform(({ total_count: total, jobs: page }) => page.map((each) => ({ ...each, total })));

export const approvals = z.array(
  z.looseObject({
    environments: z.array(z.looseObject({ name: z.string() })),
    state: z.enum(['approved', 'rejected', 'pending']),
    user: account.nullable(),
  }),
);

export const branch = z.looseObject({
  name: z.string(),
  protected: z.boolean(),
  commit: z.looseObject({ sha }),
});
export const rules = z.array(z.looseObject({ type: z.string() }));
export const comparison = z.looseObject({ status: z.enum(['diverged', 'ahead', 'behind', 'identical']) });

const person = z.looseObject({ email: z.string().optional() }).nullable();
export const commitReply = z.looseObject({
  sha,
  author: commitAccount,
  committer: commitAccount,
  commit: z.looseObject({
    message: z.string(),
    author: person,
    committer: person,
    verification: z.looseObject({ verified: z.boolean() }).optional(),
  }),
  parents: z.array(z.looseObject({ sha })),
});
export type CommitReply = z.infer<typeof commitReply>;
export const commitList = z.array(commitReply);

const pullBase = z.looseObject({ ref: z.string(), sha, repo: z.looseObject({ id }) });
export const pulls = z.array(
  z.looseObject({
    number: id,
    merged_at: z.string().nullable(),
    merge_commit_sha: sha.nullable(),
    base: pullBase,
    head: z.looseObject({ sha }),
  }),
);
export const pull = z.looseObject({
  number: id,
  merged: z.boolean(),
  merge_commit_sha: sha.nullable(),
  commits: z.int().min(0),
  user: account.nullable(),
  merged_by: account.nullable(),
  base: pullBase,
  head: z.looseObject({ sha }),
});
export type Pull = z.infer<typeof pull>;

export const reviews = z.array(
  z.looseObject({
    user: account.nullable(),
    state: z.enum(['APPROVED', 'CHANGES_REQUESTED', 'COMMENTED', 'DISMISSED', 'PENDING']),
    submitted_at: instant.optional(),
    commit_id: sha.nullable(),
  }),
);

export const activities = z.array(
  z.looseObject({ ref: z.string(), after: z.string(), activity_type: z.string(), actor: account.nullable() }),
);
