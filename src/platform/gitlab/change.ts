import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { ToldCommit } from '../contributors.ts';
import type { Source } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import {
  authors,
  commitList,
  type MergeRequest,
  mergeRequestApprovals,
  mergeRequest as mergeRequestReply,
  mergeRequests,
  versions as versionList,
} from './replies.ts';

/** The merge request that brought a commit. */
export interface Change {
  base: string | null;
  openedBy: string | null;
  mergedBy: string | null;
  /** Ids of its commits, which are on the branch where they were not squashed, and of the one that they were squashed into. */
  shas: string[];
  commits: ToldCommit[];
  reviews: Source['reviews'];
}

/** The merge request that was merged into the run's branch as the run's commit, or null. Throws CouldNot where several claim it. */
export async function changeOf(api: GitlabApi, run: Run): Promise<Change | null> {
  const iid = await mergedRequest(api, run);
  if (iid === null) return null;
  const what = `read merge request ${iid}`;
  const path = `/merge_requests/${iid}`;
  const found = await api.get({ path, schema: mergeRequestReply, what, need: NEED });
  if (!isOf(found, run)) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}: GitLab says of it both that it was merged as ${run.sha} and that it was not; run again`,
    );
  }
  const pushes = await api.list({
    path: `${path}/versions`,
    schema: versionList,
    what: `${what}'s versions`,
    need: NEED,
  });
  const last = pushes.reduce<(typeof pushes)[number] | null>(
    (newest, each) => (newest === null || each.id > newest.id ? each : newest),
    null,
  );
  if (last === null || last.head_commit_sha !== found.sha) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}'s versions: the newest is not of its last commit; run again`,
    );
  }
  const { shas, commits } = await commitsOf(api, run, iid, last.head_commit_sha);
  return {
    base: last.base_commit_sha,
    openedBy: found.author === null ? null : String(found.author.id),
    mergedBy: found.merge_user == null ? null : String(found.merge_user.id),
    shas: found.squash_commit_sha === null ? shas : [...shas, found.squash_commit_sha],
    commits,
    reviews: await reviewsOf(api, iid, last.created_at),
  };
}

async function mergedRequest(api: GitlabApi, run: Run): Promise<number | null> {
  const what = `read the merge requests of commit ${run.sha}`;
  const all = await api.list({
    path: `/repository/commits/${run.sha}/merge_requests`,
    schema: mergeRequests,
    what,
    need: NEED,
  });
  const merged = all.filter((each) => isOf(each, run));
  if (merged.length > 1) {
    const numbers = merged.map(({ iid }) => iid).join(', ');
    throw new CouldNot(
      'platform.ambiguous',
      `could not ${what}: several (${numbers}) were merged as this commit; which of them was reviewed cannot be told`,
    );
  }
  return merged[0]?.iid ?? null;
}

function isOf(each: MergeRequest, run: Run): boolean {
  return (
    each.state === 'merged' &&
    String(each.project_id) === run.repositoryId &&
    `refs/heads/${each.target_branch}` === run.ref &&
    [each.merge_commit_sha, each.squash_commit_sha, each.sha].includes(run.sha)
  );
}

const AUTHORS = `query ($path: ID!, $iid: String!) {
  project(fullPath: $path) { mergeRequest(iid: $iid) { commits(first: 100) { nodes { sha author { id } } pageInfo { hasNextPage } } } }
}`;

/**
 * The commits with the accounts behind their authors: REST tells addresses only, GraphQL the account that owns each. The two
 * lists must be the same set. GitLab resolves no committer: an address counts where it is also an author's.
 */
async function commitsOf(
  api: GitlabApi,
  run: Run,
  iid: number,
  head: string,
): Promise<Pick<Change, 'shas' | 'commits'>> {
  const what = `read the commits of merge request ${iid}`;
  const told = await api.list({ path: `/merge_requests/${iid}/commits`, schema: commitList, what, need: NEED });
  const answer = await api.query({
    query: AUTHORS,
    variables: { path: run.repository, iid: String(iid) },
    schema: authors,
    what,
    need: `${NEED} (a job token cannot ask GraphQL)`,
  });
  const { nodes, pageInfo } = answer.data.project.mergeRequest.commits;
  const byCommit = new Map(nodes.map(({ sha, author }) => [sha, author]));
  const same = byCommit.size === told.length && told.every(({ id }) => byCommit.has(id));
  if (pageInfo.hasNextPage || !same || !byCommit.has(head)) {
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}: GitLab's lists differ or stop at 100, so who wrote it cannot be told; make smaller changes`,
    );
  }
  return {
    shas: told.map(({ id }) => id),
    commits: told.map((commit) => ({
      message: commit.message,
      author: { userId: byCommit.get(commit.id) ?? null, email: commit.author_email },
      committer: { userId: null, email: commit.committer_email },
    })),
  };
}

/** Approvals say no commit: one given before the last push is of something older, and counts as a comment. */
async function reviewsOf(api: GitlabApi, iid: number, pushedAt: string): Promise<Source['reviews']> {
  const what = `read the approvals of merge request ${iid}`;
  const { approved_by: given } = await api.get({
    path: `/merge_requests/${iid}/approvals`,
    schema: mergeRequestApprovals,
    what,
    need: NEED,
  });
  return given.map(({ user, approved_at: at }) => {
    if (at == null) {
      throw new CouldNot(
        'platform.reply',
        `could not ${what}: this GitLab does not say when an approval was given (approved_at), so one of an older commit cannot be told apart; update GitLab`,
      );
    }
    return {
      userId: user === null ? null : String(user.id),
      state: at >= pushedAt ? ('approved' as const) : ('commented' as const),
      at,
    };
  });
}
