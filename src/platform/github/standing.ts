import type { Run } from '../../contract/run.ts';
import type { GithubApi } from './api.ts';
import { type Activity, activities, branch as branchReply, comparison, rules } from './replies.ts';

export interface Standing {
  protected: boolean;
  reachable: boolean;
  /** What happened to the branch, from new to old: the newest thousand. */
  activity: Activity[];
}

export interface Landing {
  /** Whose push or merge put the commit on the branch; null where GitHub does not say. */
  pushedBy: string | null;
  /** How it got there, and the branch's head of before; null where GitHub does not say. */
  landed: { kind: string; before: string } | null;
}

const NOWHERE: Standing = { protected: false, reachable: false, activity: [] };
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
    activity: await activityOn(api, run.ref),
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

/** What happened to the branch, newest first. (The events API is not used: it forgets, and is late.) */
async function activityOn(api: GithubApi, ref: string): Promise<Activity[]> {
  const recent = await api.linked({
    path: `/activity?ref=${encodeURIComponent(ref)}`,
    schema: activities,
    what: `read the activity on ${ref}`,
    need: 'permission contents: read',
  });
  return recent.filter((each) => each.ref === ref);
}

/** Ways onto a branch that leave what was there in place. */
const FORWARD = ['push', 'pr_merge', 'merge_queue_merge'];

/**
 * Where in the branch's activity, from new to old, a commit became its head; -1 where that is not shown. What rewrote the
 * branch tells nothing of what it put there; but a commit that had landed before, and was put back so, is still what it was.
 */
export function landingAt(activity: readonly Activity[], sha: string): number {
  return activity.findIndex(({ after, activity_type: kind }) => after === sha && FORWARD.includes(kind));
}

/** What the activity of a landing says of it. */
export function landingOf(activity: Activity | null): Landing {
  if (activity === null) return { pushedBy: null, landed: null };
  const { actor, activity_type: kind, before } = activity;
  return { pushedBy: actor === null ? null : String(actor.id), landed: { kind, before } };
}
