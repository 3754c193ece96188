import type { Run } from '../../contract/run.ts';
import { CouldNot, Denied } from '../../lib/errors.ts';
import { withWayOut } from '../lasting.ts';
import type { Deployed } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import { type Change, changeOf } from './change.ts';
import { type CommitReply, commitList, mergeBase } from './replies.ts';

/** A commit that the branch got, and the merge request that was merged as it; null where none was. */
export interface Landed {
  commit: CommitReply;
  change: Change | null;
}

/**
 * All that landed on the run's branch since the deployed commit, from new to old, without the run's own. A merge request covers
 * its commits, as it was merged; each commit that none covers stands for itself. All commits count that the deployed one has
 * not, not only first parents: a branch merged by fast-forward can bring the old main line as a second parent.
 *
 * Throws Denied where the branch has lost the commit that was deployed from it, CouldNot where GitLab tells no whole list.
 */
export async function landedSince(
  api: GitlabApi,
  run: Run,
  deployed: Deployed | null,
  own: Change | null,
): Promise<Landed[]> {
  if (deployed === null || deployed.sha === run.sha || !(await isAhead(api, run, deployed))) return [];
  const covered = new Set([run.sha, ...(own?.shas ?? [])]);
  const found: Landed[] = [];
  for (const commit of await since(api, run, deployed)) {
    if (covered.has(commit.id)) continue;
    const change = await changeOf(api, run, commit);
    found.push({ commit, change });
    for (const sha of [commit.id, ...(change?.shas ?? [])]) covered.add(sha);
  }
  return found;
}

/** Whether the run's commit has any that the deployed one has not. */
async function isAhead(api: GitlabApi, run: Run, deployed: Deployed): Promise<boolean> {
  const { id } = await api.get({
    path: `/repository/merge_base?refs%5B%5D=${deployed.sha}&refs%5B%5D=${run.sha}`,
    schema: mergeBase,
    what: `compare commit ${run.sha} with ${deployed.sha}, which is deployed`,
    need: NEED,
  });
  if (id === run.sha) return false;
  if (id !== deployed.sha && deployed.ref === run.ref)
    throw new Denied(
      'source.rewritten',
      `commit ${deployed.sha} was allowed to be deployed from ${run.ref} and is no part of the history of ${run.sha}: the branch was rewritten, so nobody reviewed what is left out; put the branch's history back, and take out by a reviewed revert what must not stay`,
    );
  return true;
}

/** The commits that the run's has and the deployed one has not, no parent before its children. */
async function since(api: GitlabApi, { sha }: Run, deployed: Deployed): Promise<CommitReply[]> {
  const what = `read the commits since ${deployed.sha}, which is deployed`;
  const path = `/repository/commits?ref_name=${deployed.sha}..${sha}&order=topo`;
  const all = await withWayOut(
    api.list({ path, schema: commitList, what, need: NEED }),
    'deploy an earlier commit of the branch first, or put the branch back to one and land the rest anew in smaller parts',
  );
  // An unknown commit could make it an empty list, and a dropped page a torn one.
  if (all[0]?.id !== sha)
    throw new CouldNot('platform.incomplete', `could not ${what}: GitLab's list does not begin with ${sha}; run again`);
  return all;
}
