import type { Run } from '../../contract/run.ts';
import { CouldNot, Denied } from '../../lib/errors.ts';
import type { GithubApi } from './api.ts';
import { type Activity, type CommitReply, commitsSince } from './replies.ts';
import { type Landing, landingOf } from './standing.ts';

/** A commit that became the head of the branch, with how it did. */
export interface Landed extends Landing {
  commit: CommitReply;
}

/**
 * All that landed on the run's branch since `deployed`, from new to old, without the run's own commit. Each landing covers what it
 * put on the branch, back to the head of before; of a merge queue, which lands several requests at once, each commit is one.
 * Where GitHub does not show how a commit landed, that is the last: nothing tells what lies beneath it, and the gap denies.
 *
 * Throws Denied where `deployed` is no part of the commit's history, CouldNot where GitHub lists fewer commits than there are.
 */
export async function landedSince(
  api: GithubApi,
  run: Run,
  deployed: string,
  activity: readonly Activity[],
): Promise<Landed[]> {
  const commits = await since(api, deployed, run.sha);
  const found: Landed[] = [];
  let rest = activity;
  let sha = run.sha;
  let queue = null as Activity | null;
  for (let commit = commits.get(sha); commit !== undefined; commit = commits.get(sha)) {
    const own = rest.findIndex(({ after }) => after === sha);
    const span: Activity | null = rest[own] ?? (queue?.before === sha ? null : queue);
    const landing = landingOf(span);
    found.push({ commit, ...landing });
    if (span === null || landing.landed === null) break;
    rest = rest.slice(own + 1);
    queue = span.activity_type === 'merge_queue_merge' ? span : null;
    sha = queue === null ? span.before : (commit.parents[0]?.sha ?? '');
  }
  return found.slice(1);
}

/** The commits that `head` has and `base` has not, by their id. */
async function since(api: GithubApi, base: string, head: string): Promise<Map<string, CommitReply>> {
  const what = `compare commit ${head} with ${base}, which is deployed`;
  const all = await api.list({
    path: `/compare/${base}...${head}`,
    schema: commitsSince,
    what,
    need: 'permission contents: read',
  });
  if (all.some(({ total }) => total !== all.length))
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}: there are more commits than GitHub listed; run again`,
    );
  if (all.some(({ status }) => status === 'diverged'))
    throw new Denied(
      'source.rewritten',
      `commit ${base} is deployed and is no part of the history of ${head}: the branch was rewritten, so what this deploy would bring cannot be told; put the branch's history back`,
    );
  return new Map(all.map(({ commit }) => [commit.sha, commit]));
}
