import type { Run } from '../../contract/run.ts';
import { contributorsOf, distinct } from '../contributors.ts';
import type { Deployed, Source, Change as ToldChange } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import { type Landed, landedSince } from './beneath.ts';
import { changeOf } from './change.ts';
import { covers, isNobody, protectedBranches } from './protection-replies.ts';
import { branch as branchReply, commitReply, mergeBase } from './replies.ts';

const BRANCH = 'refs/heads/';

/**
 * The pipeline's commit as GitLab tells it, and all that landed before it since the deployed commit. Who pushed is not asked: of
 * a pipeline with source `push` it is the pipeline's own user, who counts as trigger anyway, and the events API forgets. So
 * whoever pushes an unsigned commit to a request's branch in somebody else's name stays unknown (docs/contracts.md, "Who pushed
 * is a contributor").
 */
export async function gitlabSource(api: GitlabApi, run: Run, deployed: Deployed | null): Promise<Source> {
  const commit = await api.get({
    path: `/repository/commits/${run.sha}`,
    schema: commitReply,
    what: `read commit ${run.sha}`,
    need: NEED,
  });
  const where = await standing(api, run);
  const change = await changeOf(api, run, commit);
  const beneath = await landedSince(api, run, deployed, change);
  return {
    ...where,
    base: change?.base ?? commit.parent_ids[0] ?? null,
    ...told({ commit, change }, run),
    beneath: beneath.map((landed) => ({ sha: landed.commit.id, ...told(landed, run) })),
  };
}

/** A merge or squash commit is GitLab's own writing, for the people who merged and opened the request, whom it names. */
function told({ commit, change }: Landed, { host }: Run): ToldChange {
  const noReplyHost = `users.noreply.${host}`;
  if (change === null) {
    const own = {
      message: commit.message,
      author: { userId: null, email: commit.author_email },
      committer: { userId: null, email: commit.committer_email },
    };
    return { contributors: contributorsOf([own], noReplyHost), reviews: [] };
  }
  return {
    contributors: distinct([...contributorsOf(change.commits, noReplyHost), ...change.handlers]),
    reviews: change.reviews,
  };
}

/**
 * Protected is a branch to which nobody can push by hand, maintainers included: a merge made at home closes its request as
 * merged too, with anything in it. A tag is never protected here.
 */
export async function standing(
  api: GitlabApi,
  run: Run,
): Promise<Pick<Source, 'protected' | 'reachableFromProtected'>> {
  if (!run.ref.startsWith(BRANCH)) return { protected: false, reachableFromProtected: false };
  const name = run.ref.slice(BRANCH.length);
  const branch = await api.get({
    path: `/repository/branches/${encodeURIComponent(name)}`,
    schema: branchReply,
    what: `read branch ${name}`,
    need: NEED,
  });
  const isProtected = branch.name === name && (await isClosed(api, name));
  return {
    protected: isProtected,
    reachableFromProtected: isProtected && (await isReachable(api, branch.commit.id, run.sha)),
  };
}

/** GitLab takes the most permissive of all rules that cover a branch, so each has to let nobody push. */
async function isClosed(api: GitlabApi, name: string): Promise<boolean> {
  const all = await api.list({
    path: '/protected_branches',
    schema: protectedBranches,
    what: `read who may push to branch ${name}`,
    need: 'scope read_api and role Maintainer',
  });
  const covering = all.filter((rule) => covers(rule.name, name));
  return (
    covering.length > 0 &&
    covering.every(({ push_access_levels: push }) => push.length > 0 && push.every((each) => isNobody(each)))
  );
}

/** An ancestor of the branch's head, or the head itself. */
async function isReachable(api: GitlabApi, head: string, sha: string): Promise<boolean> {
  if (head === sha) return true;
  const { id } = await api.get({
    path: `/repository/merge_base?refs%5B%5D=${head}&refs%5B%5D=${sha}`,
    schema: mergeBase,
    what: `compare commit ${sha} with the branch's head`,
    need: NEED,
  });
  return id === sha;
}
