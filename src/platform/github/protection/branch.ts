import type { Seen } from '../../../lib/seen.ts';
import { seen } from '../../seen.ts';
import type { GithubApi } from '../api.ts';
import { type BranchGuard, branchGuard } from './guard.ts';
import {
  branchProtection,
  branch as branchReply,
  branchRules,
  type Ruleset,
  repository as repositoryReply,
  ruleset as rulesetReply,
} from './replies.ts';

/** What of a repository is asked with administration rights. */
export const ADMINISTRATION = 'permission administration: read';

export interface GuardedBranch {
  name: string;
  guard: Seen<BranchGuard>;
}

export async function repositoryOf(api: GithubApi, repository: string) {
  return await api.get({
    path: '',
    schema: repositoryReply,
    what: `read repository ${repository}`,
    need: 'permission metadata: read',
  });
}

/**
 * The rules in force on the branch are shown to everybody who sees the repository. Branch protection is shown to
 * administrators; where the branch has some and it is not shown, the rules alone count.
 */
export async function guardOf(api: GithubApi, name: string): Promise<Seen<BranchGuard>> {
  const path = `/branches/${encodeURIComponent(name)}`;
  const rules = await seen(
    api.list({
      path: `/rules${path}`,
      schema: branchRules,
      what: `read the rules of branch ${name}`,
      need: 'permission metadata: read',
    }),
  );
  if ('unknown' in rules) return rules;
  const ids = [...new Set(rules.value.flatMap(({ ruleset_id: id }) => (id === undefined ? [] : [id])))];
  const rulesets: Seen<Ruleset>[] = [];
  for (const id of ids) rulesets.push(await seen(rulesetOf(api, id)));
  return { value: branchGuard(rules.value, rulesets, await seen(protectionOf(api, name, path))) };
}

async function protectionOf(api: GithubApi, name: string, path: string) {
  const need = 'permission contents: read';
  const branch = await api.get({ path, schema: branchReply, what: `read branch ${name}`, need });
  if (!branch.protected) return null;
  return await api.get({
    path: `${path}/protection`,
    schema: branchProtection,
    what: `read the protection of branch ${name}`,
    need: ADMINISTRATION,
  });
}

export async function rulesetOf(api: GithubApi, id: number): Promise<Ruleset> {
  return await api.get({
    path: `/rulesets/${id}`,
    schema: rulesetReply,
    what: `read ruleset ${id}`,
    need: 'permission metadata: read',
  });
}
