import type { Run } from '../../contract/run.ts';
import { contributorsOf, distinct } from '../contributors.ts';
import type { Contributor, Source } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { type Change, changeOf } from './change.ts';
import { toldCommit } from './commit.ts';
import { type CommitReply, commitReply } from './replies.ts';
import { standing } from './standing.ts';

/**
 * The run's commit as GitHub tells it: where it stands, who made it, who looked at it. The change is the pull request that
 * was merged as this commit; a commit that no pull request brought has no reviews.
 */
export async function githubSource(api: GithubApi, run: Run, noReplyHost: string): Promise<Source> {
  const commit = await api.get({
    path: `/commits/${run.sha}`,
    schema: commitReply,
    what: `read commit ${run.sha}`,
    need: 'permission contents: read',
  });
  const where = await standing(api, run);
  const change = await changeOf(api, run, where.landed);
  return {
    protected: where.protected,
    reachableFromProtected: where.protected && where.reachable,
    base: change?.base ?? commit.parents[0]?.sha ?? null,
    contributors: everybody(commit, change, where.pushedBy, noReplyHost),
    reviews: change?.reviews ?? [],
  };
}

function everybody(
  commit: CommitReply,
  change: Change | null,
  pushedBy: string | null,
  noReplyHost: string,
): Contributor[] {
  const commits = [commit, ...(change?.commits ?? [])].map(toldCommit);
  return distinct([
    ...contributorsOf(commits, noReplyHost),
    ...(change === null
      ? []
      : [
          { userId: change.openedBy, as: 'author' as const },
          { userId: change.mergedBy, as: 'committer' as const },
          ...change.pushedBy.map((userId) => ({ userId, as: 'pusher' as const })),
        ]),
    { userId: pushedBy, as: 'pusher' },
  ]);
}
