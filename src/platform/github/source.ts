import type { Run } from '../../contract/run.ts';
import { contributorsOf, distinct } from '../contributors.ts';
import type { Contributor, Deployed, Source } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { type Landed, landedSince } from './beneath.ts';
import { type Change, changeOf } from './change.ts';
import { toldCommit } from './commit.ts';
import { commitReply } from './replies.ts';
import { landingAt, landingOf, standing } from './standing.ts';

/**
 * The run's commit as GitHub tells it: where it stands, who made it, who looked at it. The change is the pull request that
 * was merged as this commit; a commit that no pull request brought has no reviews. The same is told of all that landed before
 * it since the deployed commit.
 */
export async function githubSource(
  api: GithubApi,
  run: Run,
  deployed: Deployed | null,
  noReplyHost: string,
): Promise<Source> {
  const commit = await api.get({
    path: `/commits/${run.sha}`,
    schema: commitReply,
    what: `read commit ${run.sha}`,
    need: 'permission contents: read',
  });
  const where = await standing(api, run);
  const own = { commit, ...landingOf(where.activity[landingAt(where.activity, run.sha)] ?? null) };
  const change = await changeOf(api, run, own);
  const beneath: Source['beneath'] = [];
  for (const landed of await landedSince(api, run, deployed, where.activity)) {
    const { sha } = landed.commit;
    const below = await changeOf(api, { ...run, sha }, landed);
    beneath.push({ sha, ...told(landed, below, noReplyHost) });
  }
  return {
    protected: where.protected,
    reachableFromProtected: where.protected && where.reachable,
    base: change?.base ?? commit.parents[0]?.sha ?? null,
    ...told(own, change, noReplyHost),
    beneath,
  };
}

function told(
  landed: Landed,
  change: Change | null,
  noReplyHost: string,
): { contributors: Contributor[]; reviews: Source['reviews'] } {
  return { contributors: everybody(landed, change, noReplyHost), reviews: change?.reviews ?? [] };
}

function everybody({ commit, pushedBy }: Landed, change: Change | null, noReplyHost: string): Contributor[] {
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
