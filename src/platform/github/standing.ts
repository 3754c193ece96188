import type { Run } from '../../contract/run.ts';
import type { GithubApi } from './api.ts';
import { activities, branch as branchReply, comparison, rules } from './replies.ts';

export interface Standing {
  protected: boolean;
  reachable: boolean;
  /** Whose push or merge put the commit on the branch; null where GitHub does not say. */
  pushedBy: string | null;
  /** How it got there: GitHub's kind of activity, for example `pr_merge`, or null. */
  landed: string | null;
}

const NOWHERE: Standing = { protected: false, reachable: false, pushedBy: null, landed: null };
const BRANCH = 'refs/heads/';
/** Rules of a ruleset that together keep a branch from being rewritten or removed, as branch protection does. */
const PROTECTING = ['deletion', 'non_fast_forward'];

/** Where the run's commit stands. Only a branch can be protected here: a tag may be moved by whoever may push tags. */
export async function standing(api: GithubApi, run: Run): Promise<Standing> {
  if (!run.ref.startsWith(BRANCH)) return NOWHERE;
  const name = run.ref.slice(BRANCH.length);
  const branch = await api.get({
    path: `/branches/${encodeURIComponent(name)}`,
    schema: branchReply,
    what: `read branch ${name}`,
    need: 'permission contents: read',
  });
  if (branch.name !== name) return NOWHERE;
  return {
    protected: branch.protected || (await isRuled(api, name)),
    reachable: await isReachable(api, branch.commit.sha, run.sha),
    ...(await landing(api, run)),
  };
}

async function isRuled(api: GithubApi, name: string): Promise<boolean> {
  const active = await api.list({
    path: `/rules/branches/${encodeURIComponent(name)}`,
    schema: rules,
    what: `read the rules of branch ${name}`,
    need: 'permission metadata: read',
  });
  return PROTECTING.every((type) => active.some((rule) => rule.type === type));
}

/** An ancestor of the branch's head, or the head itself. */
async function isReachable(api: GithubApi, head: string, sha: string): Promise<boolean> {
  if (head === sha) return true;
  const { status } = await api.get({
    path: `/compare/${head}...${sha}?per_page=1`,
    schema: comparison,
    what: `compare commit ${sha} with the branch's head`,
    need: 'permission contents: read',
  });
  return status === 'behind' || status === 'identical';
}

/**
 * The activity that made this commit the head of the branch. The newest hundred are looked at: a run begins when its commit
 * arrives. (The events API is not used: it forgets, and is late.)
 */
async function landing(api: GithubApi, run: Run): Promise<Pick<Standing, 'pushedBy' | 'landed'>> {
  const recent = await api.get({
    path: `/activity?ref=${encodeURIComponent(run.ref)}&per_page=100`,
    schema: activities,
    what: `read the activity on ${run.ref}`,
    need: 'permission contents: read',
  });
  const found = recent.find(({ ref, after }) => ref === run.ref && after === run.sha);
  if (found === undefined) return { pushedBy: null, landed: null };
  return { pushedBy: found.actor === null ? null : String(found.actor.id), landed: found.activity_type };
}
