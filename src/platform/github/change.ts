import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import { landAnew, withWayOut } from '../lasting.ts';
import type { Source } from '../platform.ts';
import type { GithubApi } from './api.ts';
import type { Landed } from './beneath.ts';
import { compared } from './comparison.ts';
import { pushersOf } from './pushers.ts';
import { type CommitReply, type Pull, pull as pullReply, pulls } from './replies.ts';
import { reviewsOf } from './reviews.ts';

/** The pull request that brought a commit. */
export interface Change {
  base: string;
  openedBy: string | null;
  mergedBy: string | null;
  /** Whose pushes made the request's branch. */
  pushedBy: (string | null)[];
  commits: CommitReply[];
  reviews: Source['reviews'];
}

const NEED = 'permission pull-requests: read';

/**
 * The pull request that was merged into the run's branch as the run's commit, or null: also where nobody knows how that landed.
 * Its commits are those that the branch had not before, not those that the request lists: GitHub lists 250 at most.
 *
 * Throws CouldNot where several requests claim the commit and it is the merge of none of them, or where GitHub does not show all
 * of the request.
 */
export async function changeOf(api: GithubApi, run: Run, landed: Landed): Promise<Change | null> {
  return await withWayOut(mergedAs(api, run, landed), landAnew(run.sha));
}

async function mergedAs(api: GithubApi, run: Run, { commit, landed }: Landed): Promise<Change | null> {
  if (landed === null) return null;
  const number = await mergedRequest(api, run, commit);
  if (number === null) return null;
  const what = `read pull request ${number}`;
  const pull = await api.get({ path: `/pulls/${number}`, schema: pullReply, what, need: NEED });
  if (!pull.merged || pull.merge_commit_sha !== run.sha) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}: GitHub says of it both that it was merged as ${run.sha} and that it was not; run again`,
    );
  }
  const { commits } = await compared(api, landed.before, pull.head.sha, `${what}'s commits`);
  const brought = [...(await commits()).values()];
  if (brought.length === 0) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}'s commits: GitHub says both that commit ${run.sha} brought them and that they were there before; run again`,
    );
  }
  return {
    base: pull.base.sha,
    openedBy: pull.user === null ? null : String(pull.user.id),
    mergedBy: pull.merged_by === null ? null : String(pull.merged_by.id),
    pushedBy: await pushersOf(api, pull, brought),
    commits: brought,
    reviews: isAsReviewed(commit, landed.kind, pull) ? await reviewsOf(api, pull) : [],
  };
}

/**
 * Reviews count only where GitHub merged what was reviewed, or where the very commit that was reviewed arrived. Somebody who
 * pushes a merge of their own by hand closes the request as merged too, with anything in it.
 */
function isAsReviewed({ sha, parents }: CommitReply, kind: string, { head }: Pull): boolean {
  if (sha === head.sha) return true;
  const isOfHead = parents.length < 2 || parents[1]?.sha === head.sha;
  return isOfHead && ['pr_merge', 'merge_queue_merge'].includes(kind);
}

/**
 * The request's number. One that is merged closes all others whose commits it brings along, as merged by the same commit. So of
 * several that is meant whose head it merges; and of those with the same head, which are the same change, the first merged.
 */
async function mergedRequest(api: GithubApi, run: Run, { parents }: CommitReply): Promise<number | null> {
  const what = `read the pull requests of commit ${run.sha}`;
  const all = await api.list({ path: `/commits/${run.sha}/pulls`, schema: pulls, what, need: NEED });
  const merged = all.filter(
    (each) =>
      each.merged_at !== null &&
      each.merge_commit_sha === run.sha &&
      String(each.base.repo.id) === run.repositoryId &&
      `refs/heads/${each.base.ref}` === run.ref,
  );
  if (merged.length < 2) return merged[0]?.number ?? null;
  const [first] = [run.sha, parents[1]?.sha].flatMap((sha) =>
    merged
      .filter(({ head }) => head.sha === sha)
      .sort(byMerge)
      .slice(0, 1),
  );
  if (first !== undefined) return first.number;
  const numbers = merged.map((each) => each.number).join(', ');
  throw new CouldNot(
    'platform.ambiguous',
    `could not ${what}: several (${numbers}) were merged as this commit, and it is the merge of none of them; which was reviewed cannot be told`,
  );
}

type Merged = { merged_at: string | null; number: number };

function byMerge(one: Merged, other: Merged): number {
  return Date.parse(one.merged_at ?? '') - Date.parse(other.merged_at ?? '') || one.number - other.number;
}
