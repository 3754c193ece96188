import { PER_PAGE } from '../rest.ts';
import { seen } from '../seen.ts';
import type { GithubApi } from './api.ts';
import { type Activity, activities, type CommitReply, type Pull } from './replies.ts';

const NOTHING = '0'.repeat(40);

/**
 * Whose pushes made a pull request's branch what was merged: user ids, null for what nobody can tell. Git lets a commit name
 * anybody as its author, and GitHub believes its address: only the push says who had a hand in it. Where the pushes
 * cannot be told (a fork that the token cannot read, a branch with more than a hundred of them) that is a gap, unless every
 * commit is signed and GitHub verified it: the committer of such a commit is who they say.
 */
export async function pushersOf(
  api: GithubApi,
  { head, base }: Pull,
  commits: readonly CommitReply[],
): Promise<(string | null)[]> {
  const signed = commits.every(({ commit }) => commit.verification?.verified === true);
  const unknown = signed ? [] : [null];
  if (head.repo === null) return unknown;
  const ref = `refs/heads/${head.ref}`;
  const there = head.repo.id === base.repo.id ? api : api.of(head.repo.full_name);
  const found = await seen(
    there.get({
      path: `/activity?ref=${encodeURIComponent(ref)}&per_page=${PER_PAGE}`,
      schema: activities,
      what: `read the activity on ${ref} of ${head.repo.full_name}`,
      need: 'permission contents: read',
    }),
  );
  if (!('value' in found)) return unknown;
  const pushes = pushesTo(found.value, ref, head.sha, new Set(commits.map(({ sha }) => sha)));
  return pushes?.map(({ actor }) => (actor === null ? null : String(actor.id))) ?? unknown;
}

/**
 * The activities, of a list from new to old, by which a branch came to hold these commits up to `head`; null where the list
 * does not reach back. A plain push onto what is none of the commits was the first: that was in the base already. Of a branch
 * that was rewritten all is taken back to its creation, since nothing tells whose work lives on in it, and of one that was
 * restored also what came before it was deleted.
 */
function pushesTo(list: readonly Activity[], ref: string, head: string, own: ReadonlySet<string>): Activity[] | null {
  const taken: Activity[] = [];
  let rest = list.filter((each) => each.ref === ref);
  let wanted = head;
  let rewritten = false;
  for (;;) {
    const at = rest.findIndex(({ after }) => after === wanted);
    const activity = rest[at];
    if (activity === undefined) return wanted === NOTHING && list.length < PER_PAGE ? taken : null;
    const { before, activity_type: type } = activity;
    const restored = own.has(before) || before === taken.at(-1)?.after;
    if (type === 'branch_deletion' && !restored) return taken;
    if (type !== 'branch_deletion') taken.push(activity);
    rewritten ||= type === 'force_push';
    if (before !== NOTHING && !own.has(before) && !rewritten) return taken;
    rest = rest.slice(at + 1);
    wanted = before;
  }
}
