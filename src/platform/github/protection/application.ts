import type { Seen } from '../../../lib/seen.ts';
import { seen } from '../../seen.ts';
import { type GithubAccess, type GithubApi, githubApi, githubOrganizationApi } from '../api.ts';
import { ADMINISTRATION, type GuardedBranch, guardOf, repositoryOf } from './branch.ts';
import { actionsPermissions, branchPolicies, environments as environmentList, runnerGroups } from './replies.ts';

export interface ApplicationFacts {
  repository: string;
  /** The default one. */
  branch: GuardedBranch;
  /** The others that the contract allows. */
  others: GuardedBranch[];
  actions: Seen<{ allowed: string | null; shaPinning: boolean | null }>;
  environments: Seen<EnvironmentFacts[]>;
  /** Of the organization that owns it. */
  runnerGroups: Seen<RunnerGroup[]>;
}

export interface EnvironmentFacts {
  name: string;
  /** Logins and slugs. */
  reviewers: string[];
  preventSelfReview: boolean;
  /** Null where the platform does not say. */
  adminsBypass: boolean | null;
  /** Which refs may run under it: all, those of protected branches, or those named (`main`, `tag v*`). */
  refs: 'all' | 'protected' | Seen<string[]>;
}

export interface RunnerGroup {
  name: string;
  publicRepositories: boolean;
  restricted: boolean;
  workflows: string[];
}

/** `branches` are those that the contract allows, by name. Throws CouldNot where the repository itself is not shown, or GitHub does not answer. */
export async function readApplication(
  access: GithubAccess,
  repository: string,
  branches: readonly string[],
): Promise<ApplicationFacts> {
  const api = githubApi(access, repository);
  const { default_branch: name } = await repositoryOf(api, repository);
  const others: GuardedBranch[] = [];
  for (const other of new Set(branches))
    if (other !== name) others.push({ name: other, guard: await guardOf(api, other) });
  return {
    repository,
    branch: { name, guard: await guardOf(api, name) },
    others,
    actions: await seen(actionsAllowed(api)),
    environments: await seen(environments(api)),
    runnerGroups: await seen(groups(githubOrganizationApi(access, repository.split('/')[0] ?? ''))),
  };
}

async function actionsAllowed(api: GithubApi) {
  const found = await api.get({
    path: '/actions/permissions',
    schema: actionsPermissions,
    what: 'read which actions are allowed',
    need: ADMINISTRATION,
  });
  return { allowed: found.allowed_actions ?? null, shaPinning: found.sha_pinning_required ?? null };
}

async function environments(api: GithubApi): Promise<EnvironmentFacts[]> {
  const all = await api.list({
    path: '/environments',
    schema: environmentList,
    what: 'read the environments',
    need: 'permission actions: read',
  });
  const found: EnvironmentFacts[] = [];
  for (const {
    name,
    protection_rules: rules = [],
    deployment_branch_policy: policy,
    can_admins_bypass: admins,
  } of all) {
    const reviews = rules.find(({ type }) => type === 'required_reviewers');
    found.push({
      name,
      reviewers: (reviews?.reviewers ?? []).map(({ type, reviewer }) => reviewer.login ?? reviewer.slug ?? type),
      preventSelfReview: reviews?.prevent_self_review === true,
      adminsBypass: admins ?? null,
      refs: policy == null ? 'all' : policy.protected_branches ? 'protected' : await seen(refsOf(api, name)),
    });
  }
  return found;
}

async function refsOf(api: GithubApi, environment: string): Promise<string[]> {
  const all = await api.list({
    path: `/environments/${encodeURIComponent(environment)}/deployment-branch-policies`,
    schema: branchPolicies,
    what: `read the branches of environment ${environment}`,
    need: 'permission actions: read',
  });
  return all.map(({ name, type }) => (type === 'tag' ? `tag ${name}` : name));
}

async function groups(api: GithubApi): Promise<RunnerGroup[]> {
  const all = await api.list({
    path: '/actions/runner-groups',
    schema: runnerGroups,
    what: 'read the runner groups of the organization',
    need: 'organization permission self-hosted runners: read',
  });
  return all.map((group) => ({
    name: group.name,
    publicRepositories: group.allows_public_repositories,
    restricted: group.restricted_to_workflows === true,
    workflows: group.selected_workflows ?? [],
  }));
}
