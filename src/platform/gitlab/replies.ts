import { z } from 'zod';
import { commit as sha } from '../../contract/primitives.ts';

/*
 * What is read of GitLab's answers (REST API v4, and one GraphQL query). Unknown keys pass; those named here must be there
 * with these types. What only the paid tiers send is optional.
 */

const id = z.int().positive();
const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text).toISOString());
const account = z.looseObject({ id });

export const project = z.looseObject({ id, path_with_namespace: z.string() });

export const pipeline = z.looseObject({ id, project_id: id, sha, ref: z.string(), source: z.string(), user: account });

export const job = z.looseObject({
  id,
  name: z.string(),
  status: z.string(),
  started_at: instant.nullable(),
  user: account.nullable(),
  pipeline: z.looseObject({ id }),
  commit: z.looseObject({ id: sha }).nullable(),
  runner: z.looseObject({ id, description: z.string().nullable() }).nullable(),
});
export const jobs = z.array(job);

/** A job that starts a pipeline of another project; what it started is null until it did, and where it could not. */
export const bridges = z.array(
  z.looseObject({
    id,
    name: z.string(),
    status: z.string(),
    downstream_pipeline: z.looseObject({ id, project_id: id, sha, ref: z.string(), source: z.string() }).nullable(),
  }),
);

export const childPipeline = z.looseObject({
  id,
  project_id: id,
  sha,
  ref: z.string(),
  tag: z.boolean(),
  source: z.string(),
  status: z.string(),
  user: account,
});

export const childJob = z.looseObject({
  id,
  name: z.string(),
  status: z.string(),
  allow_failure: z.boolean(),
  finished_at: instant.nullable(),
  pipeline: z.looseObject({ id, project_id: id, sha }),
  commit: z.looseObject({ id: sha }).nullable(),
  user: account.nullable(),
  artifacts: z.array(z.looseObject({ file_type: z.string(), size: z.int().min(0) })),
});
export type ChildJob = z.infer<typeof childJob>;
export const childJobs = z.array(childJob);

/** The project's configuration with everything that it includes (CI lint API). */
export const lint = z.looseObject({ valid: z.boolean(), merged_yaml: z.string().nullish() });

export const branch = z.looseObject({
  name: z.string(),
  protected: z.boolean(),
  developers_can_push: z.boolean(),
  commit: z.looseObject({ id: sha }),
});
export const mergeBase = z.looseObject({ id: sha });

export const commitReply = z.looseObject({
  id: sha,
  message: z.string(),
  author_email: z.string(),
  committer_email: z.string(),
  parent_ids: z.array(sha),
});
export const commitList = z.array(commitReply);

export const mergeRequest = z.looseObject({
  iid: id,
  project_id: id,
  state: z.string(),
  target_branch: z.string(),
  sha: sha.nullable(),
  merge_commit_sha: sha.nullable(),
  squash_commit_sha: sha.nullable(),
  author: account.nullable(),
  merge_user: account.nullish(),
});
export type MergeRequest = z.infer<typeof mergeRequest>;
export const mergeRequests = z.array(mergeRequest);

/** Pushes to a merge request. */
export const versions = z.array(
  z.looseObject({ id, head_commit_sha: sha, base_commit_sha: sha.nullable(), created_at: instant }),
);

/** `approved_at` is missing in older GitLabs. */
export const mergeRequestApprovals = z.looseObject({
  approved_by: z.array(z.looseObject({ user: account.nullable(), approved_at: instant.nullish() })),
});

export const deploymentList = z.array(z.looseObject({ id, deployable: z.looseObject({ id }).nullable() }));

const deploymentApproval = z.looseObject({
  user: account.nullable(),
  status: z.enum(['approved', 'rejected']),
  created_at: instant,
});
export const deployment = z.looseObject({
  id,
  sha,
  environment: z.looseObject({ name: z.string() }),
  deployable: z.looseObject({ id }).nullable(),
  pending_approval_count: z.int().min(0).optional(),
  approvals: z.array(deploymentApproval).optional(),
  approval_summary: z
    .looseObject({ rules: z.array(z.looseObject({ deployment_approvals: z.array(deploymentApproval) })) })
    .nullish(),
});
export type Deployment = z.infer<typeof deployment>;

/** GraphQL names accounts `gid://gitlab/User/42`. */
const globalUser = z
  .looseObject({ id: z.string().regex(/^gid:\/\/gitlab\/User\/[1-9]\d*$/) })
  .transform((user) => user.id.slice('gid://gitlab/User/'.length));
export const authors = z.looseObject({
  data: z.looseObject({
    project: z.looseObject({
      mergeRequest: z.looseObject({
        commits: z.looseObject({
          nodes: z.array(z.looseObject({ sha, author: globalUser.nullable() })),
          pageInfo: z.looseObject({ hasNextPage: z.boolean() }),
        }),
      }),
    }),
  }),
});
