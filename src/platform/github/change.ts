import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { Source } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { pushersOf } from './pushers.ts';
import { type CommitReply, commitList, type Pull, pull as pullReply, pulls, reviews as reviewList } from './replies.ts';

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

/**
 * The pull request that was merged into the run's branch as the run's commit, or null. `landed` is how the commit got onto
 * the branch: reviews count only where GitHub merged what was reviewed, or where the very commit that was reviewed arrived.
 * Somebody who pushes a merge of their own by hand closes the request as merged too, with anything in it.
 *
 * Throws CouldNot where several requests claim the commit, or where GitHub lists fewer commits than the request has (250).
 */
export async function changeOf(api: GithubApi, run: Run, landed: string | null): Promise<Change | null> {
  const number = await mergedRequest(api, run);
  if (number === null) return null;
  const need = 'permission pull-requests: read';
  const what = `read pull request ${number}`;
  const pull = await api.get({ path: `/pulls/${number}`, schema: pullReply, what, need });
  if (!pull.merged || pull.merge_commit_sha !== run.sha) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}: GitHub says of it both that it was merged as ${run.sha} and that it was not; run again`,
    );
  }
  const commits = await api.list({
    path: `/pulls/${number}/commits`,
    schema: commitList,
    what: `${what}'s commits`,
    need,
  });
  if (commits.length !== pull.commits || !commits.some(({ sha }) => sha === pull.head.sha)) {
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}'s commits: it has ${pull.commits} and GitHub lists ${commits.length} (it never lists more than 250), so who wrote it cannot be told; make smaller changes`,
    );
  }
  const reviewed = ['pr_merge', 'merge_queue_merge'].includes(landed ?? '') || run.sha === pull.head.sha;
  return {
    base: pull.base.sha,
    openedBy: pull.user === null ? null : String(pull.user.id),
    mergedBy: pull.merged_by === null ? null : String(pull.merged_by.id),
    pushedBy: await pushersOf(api, pull, commits),
    commits,
    reviews: reviewed ? await reviewsOf(api, pull) : [],
  };
}

async function mergedRequest(api: GithubApi, run: Run): Promise<number | null> {
  const what = `read the pull requests of commit ${run.sha}`;
  const all = await api.list({
    path: `/commits/${run.sha}/pulls`,
    schema: pulls,
    what,
    need: 'permission pull-requests: read',
  });
  const merged = all.filter(
    (each) =>
      each.merged_at !== null &&
      each.merge_commit_sha === run.sha &&
      String(each.base.repo.id) === run.repositoryId &&
      `refs/heads/${each.base.ref}` === run.ref,
  );
  if (merged.length > 1) {
    const numbers = merged.map((each) => each.number).join(', ');
    throw new CouldNot(
      'platform.ambiguous',
      `could not ${what}: several (${numbers}) were merged as this commit; which of them was reviewed cannot be told`,
    );
  }
  return merged[0]?.number ?? null;
}

/** An approval is of the commit that its reviewer saw: one of an older commit than the request's last is a comment. */
async function reviewsOf(api: GithubApi, { number, head }: Pull): Promise<Source['reviews']> {
  const what = `read the reviews of pull request ${number}`;
  const all = await api.list({
    path: `/pulls/${number}/reviews`,
    schema: reviewList,
    what,
    need: 'permission pull-requests: read',
  });
  return all.flatMap(({ user, state, submitted_at: at, commit_id: seen }) => {
    if (state === 'PENDING') return [];
    if (at === undefined) throw new CouldNot('platform.reply', `could not ${what}: one of them has no time`);
    const userId = user === null ? null : String(user.id);
    return [{ userId, state: state === 'APPROVED' && seen !== head.sha ? ('commented' as const) : STATES[state], at }];
  });
}

const STATES = {
  APPROVED: 'approved',
  CHANGES_REQUESTED: 'changes_requested',
  COMMENTED: 'commented',
  DISMISSED: 'dismissed',
} as const;
