import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type * as z from '../../lib/zod.ts';
import type { ToldCommit } from '../contributors.ts';
import { landAnew, withWayOut } from '../lasting.ts';
import type { Contributor, Source } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import {
  authors,
  type CommitReply,
  commitList,
  type MergeRequest,
  mergeRequestApprovals,
  mergeRequest as mergeRequestReply,
  mergeRequests,
  stateEvents,
  versions as versionList,
} from './replies.ts';

/** The merge request that brought a commit. */
export interface Change {
  base: string | null;
  /** Who opened and who merged it. */
  handlers: Contributor[];
  /** Ids of its commits, which are on the branch where they were not squashed, and of the one that they were squashed into. */
  shas: string[];
  commits: ToldCommit[];
  reviews: Source['reviews'];
}

/**
 * The merge request that was merged into the run's branch as this commit, or null. Where several of one and the same last commit
 * were, they are one: people and reviews of all, but only the commits that each of them lists, since who reviewed one of them
 * saw no others. Throws CouldNot where several of different ones claim it, or where GitLab does not show all of it.
 */
export async function changeOf(api: GitlabApi, run: Run, commit: CommitReply): Promise<Change | null> {
  return await withWayOut(mergedAs(api, run, commit), landAnew(commit.id));
}

async function mergedAs(api: GitlabApi, run: Run, commit: CommitReply): Promise<Change | null> {
  const all: Change[] = [];
  for (const iid of await mergedRequests(api, run, commit)) all.push(await read(api, run, commit, iid));
  const [first] = all;
  if (first === undefined) return null;
  return {
    base: first.base,
    handlers: all.flatMap(({ handlers }) => handlers),
    shas: first.shas.filter((sha) => all.every(({ shas }) => shas.includes(sha))),
    commits: all.flatMap(({ commits }) => commits),
    reviews: all.flatMap(({ reviews }) => reviews),
  };
}

async function read(api: GitlabApi, run: Run, commit: CommitReply, iid: number): Promise<Change> {
  const what = `read merge request ${iid}`;
  const path = `/merge_requests/${iid}`;
  const found = await api.get({ path, schema: mergeRequestReply, what, need: NEED });
  if (!isMergedAs(commit, found, run)) {
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}: GitLab says of it both that it was merged as ${commit.id} and that it was not; run again`,
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
    handlers: [
      { userId: found.author === null ? null : String(found.author.id), as: 'author' },
      { userId: found.merge_user == null ? null : String(found.merge_user.id), as: 'committer' },
    ],
    shas: found.squash_commit_sha === null ? shas : [...shas, found.squash_commit_sha],
    commits,
    reviews: await reviewsOf(api, iid, last.created_at),
  };
}

/**
 * GitLab also calls a request merged whose last commit came in otherwise. So of those that it says were merged as this commit only
 * those count of which it is the last commit, the one that they were squashed into, or a merge of that by GitLab itself: another
 * merge may hold anything.
 */
async function mergedRequests(api: GitlabApi, run: Run, commit: CommitReply): Promise<number[]> {
  const what = `read the merge requests of commit ${commit.id}`;
  const all = await api.list({
    path: `/repository/commits/${commit.id}/merge_requests`,
    schema: mergeRequests,
    what,
    need: NEED,
  });
  const merged: MergeRequest[] = [];
  for (const each of all)
    if (isMergedAs(commit, each, run) && (isItself(commit, each) || (await isMergedByGitlab(api, each))))
      merged.push(each);
  const numbers = merged.map(({ iid }) => iid);
  if (new Set(merged.map(({ sha }) => sha)).size > 1) {
    throw new CouldNot(
      'platform.ambiguous',
      `could not ${what}: several (${numbers.join(', ')}) were merged as this commit; which of them was reviewed cannot be told`,
    );
  }
  return numbers;
}

function isMergedAs(commit: CommitReply, each: MergeRequest, run: Run): boolean {
  return (
    each.state === 'merged' &&
    String(each.project_id) === run.repositoryId &&
    `refs/heads/${each.target_branch}` === run.ref &&
    (isItself(commit, each) || isMergeOf(commit, each))
  );
}

/** It is the request's last commit, or the one that all were squashed into. */
function isItself({ id }: CommitReply, each: MergeRequest): boolean {
  return each.sha === id || each.squash_commit_sha === id;
}

function isMergeOf({ id, parent_ids: [, brought] }: CommitReply, each: MergeRequest): boolean {
  return each.merge_commit_sha === id && brought !== undefined && [each.sha, each.squash_commit_sha].includes(brought);
}

/** Where a push or another request brought the merge, that stands in the event by which the request became merged. */
async function isMergedByGitlab(api: GitlabApi, { iid }: MergeRequest): Promise<boolean> {
  const events = await api.list({
    path: `/merge_requests/${iid}/resource_state_events`,
    schema: stateEvents,
    what: `read how merge request ${iid} was merged`,
    need: NEED,
  });
  const merges = events.filter(({ state }) => state === 'merged');
  return (
    merges.length > 0 &&
    merges.every(({ source_commit: pushed, source_merge_request_id: other }) => pushed === null && other === null)
  );
}

const AUTHORS = `query ($path: ID!, $iid: String!, $after: String) {
  project(fullPath: $path) { mergeRequest(iid: $iid) {
    commits(first: 100, after: $after) { nodes { sha author { id } } pageInfo { hasNextPage endCursor } }
  } }
}`;
/** A list of REST ends at a thousand too. */
const PAGES = 10;

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
  const byCommit = await accountsOf(api, run, iid, what);
  const same = byCommit.size === told.length && told.every(({ id }) => byCommit.has(id));
  if (!same || !byCommit.has(head)) {
    throw new CouldNot(
      'platform.incomplete',
      `could not ${what}: GitLab's two lists of them differ, so who wrote it cannot be told; run again`,
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

/** The account behind each commit's author, by the commit's id. */
async function accountsOf(api: GitlabApi, run: Run, iid: number, what: string): Promise<Map<string, string | null>> {
  const found = new Map<string, string | null>();
  let after: string | null = null;
  for (let page = 1; page <= PAGES; page++) {
    const answer: z.infer<typeof authors> = await api.query({
      query: AUTHORS,
      variables: { path: run.repository, iid: String(iid), after },
      schema: authors,
      what,
      need: `${NEED} (a job token cannot ask GraphQL)`,
    });
    const { nodes, pageInfo } = answer.data.project.mergeRequest.commits;
    for (const { sha, author } of nodes) found.set(sha, author);
    if (!pageInfo.hasNextPage) return found;
    after = pageInfo.endCursor;
  }
  throw new CouldNot('platform.too_many', `could not ${what}: there are more than ${PAGES * 100}`);
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
