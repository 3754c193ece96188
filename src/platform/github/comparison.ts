import { CouldNot } from '../../lib/errors.ts';
import { PER_PAGE } from '../rest.ts';
import type { GithubApi } from './api.ts';
import { type CommitReply, commitComparison } from './replies.ts';

/** More commits than this are not read. */
const MOST = 1000;

export interface Comparison {
  status: 'diverged' | 'ahead' | 'behind' | 'identical';
  /**
   * All commits of the second that the first has not, by id. Throws CouldNot where there are too many, and where GitHub lists
   * others than it counts: an empty list must never pass for nothing.
   */
  commits(): Promise<Map<string, CommitReply>>;
}

/** How a commit compares with another; both must be in the repository's network. `what` reads after "could not". */
export async function compared(api: GithubApi, from: string, to: string, what: string): Promise<Comparison> {
  const page = (number: number) =>
    api.get({
      path: `/compare/${from}...${to}?per_page=${PER_PAGE}&page=${number}`,
      schema: commitComparison,
      what,
      need: 'permission contents: read',
    });
  const { status, total_commits: total, commits: first } = await page(1);
  const commits: Comparison['commits'] = async () => {
    if (total > MOST)
      throw new CouldNot(
        'platform.too_many',
        `could not ${what}: there are ${total} commits, and more than ${MOST} are not read`,
      );
    const listed = [...first];
    for (let number = 2; number <= Math.ceil(total / PER_PAGE); number++) listed.push(...(await page(number)).commits);
    const all = new Map(listed.map((commit) => [commit.sha, commit]));
    const nothing = status === 'behind' || status === 'identical';
    if (all.size !== total || (nothing ? total > 0 : !all.has(to)))
      throw new CouldNot(
        'platform.incomplete',
        `could not ${what}: GitHub lists ${all.size} commits, ${all.has(to) ? 'with' : 'without'} ${to} itself, where it counts ${total} (${status}); run again`,
      );
    return all;
  };
  return { status, commits };
}
