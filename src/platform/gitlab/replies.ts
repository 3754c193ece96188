import { count, commit as sha } from '../../contract/primitives.ts';
import * as z from '../../lib/zod.ts';

/*
 * What is read of GitLab's answers (REST API v4, and one GraphQL query). Unknown keys pass; those named here must be there
 * with these types. What only the paid tiers send is optional.
 */

const id = z.int().check(z.positive());
const instant = z.pipe(
  z.iso.datetime({ offset: true }),
  z.transform((text) => new Date(text).toISOString()),
);
const account = z.looseObject({ id });

export const project = z.looseObject({ id, path_with_namespace: z.string(), ci_config_path: z.nullish(z.string()) });

export const pipeline = z.looseObject({ id, project_id: id, sha, ref: z.string(), source: z.string(), user: account });

export const job = z.looseObject({
  id,
  name: z.string(),
  status: z.string(),
  started_at: z.nullable(instant),
  user: z.nullable(account),
  pipeline: z.looseObject({ id }),
  commit: z.nullable(z.looseObject({ id: sha })),
  runner: z.nullable(z.looseObject({ id, description: z.nullable(z.string()) })),
});
export const jobs = z.array(job);

/** A job that starts a pipeline of another project; what it started is null until it did, and where it could not. */
export const bridges = z.array(
  z.looseObject({
    id,
    name: z.string(),
    status: z.string(),
    downstream_pipeline: z.nullable(z.looseObject({ id, project_id: id, sha, ref: z.string(), source: z.string() })),
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
  finished_at: z.nullable(instant),
  pipeline: z.looseObject({ id, project_id: id, sha }),
  commit: z.nullable(z.looseObject({ id: sha })),
  user: z.nullable(account),
  runner: z.nullable(z.looseObject({ id })),
  artifacts: z.array(z.looseObject({ file_type: z.string(), size: count })),
});
export type ChildJob = z.infer<typeof childJob>;
export const childJobs = z.array(childJob);

/** The project's configuration with everything that it includes (CI lint API). */
export const lint = z.looseObject({ valid: z.boolean(), merged_yaml: z.nullish(z.string()) });

export const branch = z.looseObject({
  name: z.string(),
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
export type CommitReply = z.infer<typeof commitReply>;
export const commitList = z.array(commitReply);

export const mergeRequest = z.looseObject({
  iid: id,
  project_id: id,
  state: z.string(),
  target_branch: z.string(),
  source_branch: z.string(),
  source_project_id: z.nullable(id),
  sha: z.nullable(sha),
  merge_commit_sha: z.nullable(sha),
  squash_commit_sha: z.nullable(sha),
  author: z.nullable(account),
  merge_user: z.nullish(account),
});
export type MergeRequest = z.infer<typeof mergeRequest>;
export const mergeRequests = z.array(mergeRequest);

/** How a merge request came to be opened, closed or merged: the source is what did it instead of somebody. */
export const stateEvents = z.array(
  z.looseObject({ state: z.string(), source_commit: z.nullable(z.string()), source_merge_request_id: z.nullable(id) }),
);

/** Pushes to a merge request. */
export const versions = z.array(
  z.looseObject({ id, head_commit_sha: sha, base_commit_sha: z.nullable(sha), created_at: instant }),
);

/** `approved_at` is missing in older GitLabs. */
export const mergeRequestApprovals = z.looseObject({
  approved_by: z.array(z.looseObject({ user: z.nullable(account), approved_at: z.nullish(instant) })),
});

export const deploymentList = z.array(z.looseObject({ id, deployable: z.nullable(z.looseObject({ id })) }));

const deploymentApproval = z.looseObject({
  user: z.nullable(account),
  status: z.enum(['approved', 'rejected']),
  created_at: instant,
});
export const deployment = z.looseObject({
  id,
  sha,
  environment: z.looseObject({ name: z.string() }),
  deployable: z.nullable(z.looseObject({ id })),
  pending_approval_count: z.optional(count),
  approvals: z.optional(z.array(deploymentApproval)),
  approval_summary: z.nullish(
    z.looseObject({ rules: z.array(z.looseObject({ deployment_approvals: z.array(deploymentApproval) })) }),
  ),
});
export type Deployment = z.infer<typeof deployment>;

/** GraphQL names accounts `gid://gitlab/User/42`. */
const globalUser = z.pipe(
  z.looseObject({ id: z.string().check(z.regex(/^gid:\/\/gitlab\/User\/[1-9]\d*$/)) }),
  z.transform((user) => user.id.slice('gid://gitlab/User/'.length)),
);
export const authors = z.looseObject({
  data: z.looseObject({
    project: z.looseObject({
      mergeRequest: z.looseObject({
        commits: z.looseObject({
          nodes: z.array(z.looseObject({ sha, author: z.nullable(globalUser) })),
          pageInfo: z.looseObject({ hasNextPage: z.boolean(), endCursor: z.nullable(z.string()) }),
        }),
      }),
    }),
  }),
});
