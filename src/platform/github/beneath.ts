import type { Run } from '../../contract/run.ts';
import { Denied } from '../../lib/errors.ts';
import type { Deployed } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { compared } from './comparison.ts';
import type { Activity, CommitReply } from './replies.ts';
import { type Landing, landingAt, landingOf } from './standing.ts';

/** A commit that became the head of the branch, with how it did. */
export interface Landed extends Landing {
  commit: CommitReply;
}

/**
 * All that landed on the run's branch since the deployed commit, from new to old, without the run's own. Each landing covers
 * what it put on the branch, back to the head of before; of a merge queue, which lands several requests at once, each commit is
 * one. Where GitHub does not show how a commit landed, that is the last: nothing tells what lies beneath it, and the gap denies.
 *
 * Throws Denied where the branch has lost the commit that was deployed from it, CouldNot where GitHub lists other commits than
 * it counts.
 */
export async function landedSince(
  api: GithubApi,
  run: Run,
  deployed: Deployed | null,
  activity: readonly Activity[],
): Promise<Landed[]> {
  if (deployed === null || deployed.sha === run.sha) return [];
  const commits = await since(api, deployed, run);
  const found: Landed[] = [];
  let rest = activity;
  let sha = run.sha;
  let queue = null as Activity | null;
  for (let commit = commits.get(sha); commit !== undefined; commit = commits.get(sha)) {
    const own = landingAt(rest, sha);
    const span: Activity | null = rest[own] ?? (queue?.before === sha ? null : queue);
    const landing = landingOf(span);
    found.push({ commit, ...landing });
    if (span === null) break;
    rest = rest.slice(own + 1);
    queue = span.activity_type === 'merge_queue_merge' ? span : null;
    sha = queue === null ? span.before : (commit.parents[0]?.sha ?? '');
  }
  return found.slice(1);
}

/** The commits that the run's has and the deployed one has not, by their id. */
async function since(api: GithubApi, deployed: Deployed, { sha, ref }: Run): Promise<Map<string, CommitReply>> {
  const what = `compare commit ${sha} with ${deployed.sha}, which is deployed`;
  const { status, commits } = await compared(api, deployed.sha, sha, what);
  if (deployed.ref === ref && status === 'diverged')
    throw new Denied(
      'source.rewritten',
      `commit ${deployed.sha} was allowed to be deployed from ${ref} and is no part of the history of ${sha}: the branch was rewritten, so nobody reviewed what is left out; put the branch's history back, and take out by a reviewed revert what must not stay`,
    );
  return await commits();
}
