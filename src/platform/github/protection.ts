import type { Seen } from '../../lib/seen.ts';
import { seen } from '../seen.ts';
import { type GithubAccess, type GithubApi, githubApi, githubOrganizationApi } from './api.ts';
import { type BranchGuard, branchGuard } from './guard.ts';
import {
  actionsPermissions,
  branchPolicies,
  branchProtection,
  branch as branchReply,
  branchRules,
  codeownersErrors,
  commitOfRef,
  content,
  environments as environmentList,
  type Ruleset,
  releases,
  repository as repositoryReply,
  rulesets as rulesetList,
  ruleset as rulesetReply,
  runnerGroups,
  workflowPermissions,
} from './protection-replies.ts';

export interface GuardedBranch {
  name: string;
  guard: Seen<BranchGuard>;
}

/** The repository that holds the reusable workflow. */
export interface ComplianceFacts {
  repository: string;
  branch: GuardedBranch;
  /** Tag rulesets in force. */
  tagRulesets: Seen<Ruleset[]>;
  /** Problems of its CODEOWNERS; null without one. */
  codeowners: Seen<string[] | null>;
  /** The commit that the workflow's ref names now, and whether the file is in it. */
  workflow: Seen<{ commit: string; file: boolean }>;
  /** Whether the release of the workflow's tag is immutable; null without a release, or where the platform does not say. */
  release: Seen<{ immutable: boolean | null } | null>;
  token: Seen<WorkflowToken>;
}

export interface WorkflowToken {
  permissions: string;
  mayApprove: boolean;
}

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

/** A reusable workflow's reference in its parts: `owner/repo`, the file's path, a ref such as `refs/tags/v1.0.0`. */
export interface WorkflowRef {
  repository: string;
  path: string;
  ref: string;
}

/** Throws CouldNot where the repository itself is not shown, or GitHub does not answer. */
export async function readCompliance(
  access: GithubAccess,
  { repository, path, ref }: WorkflowRef,
): Promise<ComplianceFacts> {
  const api = githubApi(access, repository);
  const { default_branch: name } = await repositoryOf(api, repository);
  const commit = await seen(commitOf(api, ref));
  return {
    repository,
    branch: { name, guard: await guardOf(api, name) },
    tagRulesets: await seen(tagRulesets(api)),
    codeowners: 'unknown' in commit ? commit : await seen(codeowners(api)),
    workflow: 'unknown' in commit ? commit : await seen(workflowIn(api, path, commit.value)),
    release: await seen(releaseOf(api, ref)),
    token: await seen(workflowToken(api)),
  };
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

const ADMINISTRATION = 'permission administration: read';

async function repositoryOf(api: GithubApi, repository: string) {
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
async function guardOf(api: GithubApi, name: string): Promise<Seen<BranchGuard>> {
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

async function rulesetOf(api: GithubApi, id: number): Promise<Ruleset> {
  return await api.get({
    path: `/rulesets/${id}`,
    schema: rulesetReply,
    what: `read ruleset ${id}`,
    need: 'permission metadata: read',
  });
}

/** Those of the organization too: GitHub lists them unless told otherwise. */
async function tagRulesets(api: GithubApi): Promise<Ruleset[]> {
  const all = await api.list({
    path: '/rulesets',
    schema: rulesetList,
    what: 'read the rulesets',
    need: 'permission metadata: read',
  });
  const found: Ruleset[] = [];
  for (const { id, target, enforcement } of all)
    if (target === 'tag' && enforcement === 'active') found.push(await rulesetOf(api, id));
  return found;
}

async function commitOf(api: GithubApi, ref: string): Promise<string> {
  const { sha } = await api.get({
    path: `/commits/${encodeURIComponent(ref.replace(/^refs\//, ''))}`,
    schema: commitOfRef,
    what: `read the commit of ${ref}`,
    need: 'permission contents: read',
  });
  return sha;
}

/** Asked once a commit of the repository was shown: a 404 then means that the file is not there. */
async function workflowIn(api: GithubApi, path: string, commit: string): Promise<{ commit: string; file: boolean }> {
  const found = await api.find({
    path: `/contents/${encodeURIComponent(path)}?ref=${commit}`,
    schema: content,
    what: `read ${path}`,
    need: 'permission contents: read',
  });
  return { commit, file: found !== null && !Array.isArray(found) && found.type === 'file' };
}

/** Likewise. GitHub reads the file of the default branch. */
async function codeowners(api: GithubApi): Promise<string[] | null> {
  const found = await api.find({
    path: '/codeowners/errors',
    schema: codeownersErrors,
    what: 'read the errors of CODEOWNERS',
    need: 'permission contents: read',
  });
  return found === null ? null : found.errors.map(({ path, line, kind }) => `${path}:${line} ${kind}`);
}

async function releaseOf(api: GithubApi, ref: string): Promise<{ immutable: boolean | null } | null> {
  const all = await api.list({
    path: '/releases',
    schema: releases,
    what: 'read the releases',
    need: 'permission contents: read',
  });
  const own = all.find(({ tag_name: tag }) => `refs/tags/${tag}` === ref);
  return own === undefined ? null : { immutable: own.immutable ?? null };
}

async function workflowToken(api: GithubApi): Promise<WorkflowToken> {
  const found = await api.get({
    path: '/actions/permissions/workflow',
    schema: workflowPermissions,
    what: 'read the permissions of workflow tokens',
    need: ADMINISTRATION,
  });
  return { permissions: found.default_workflow_permissions, mayApprove: found.can_approve_pull_request_reviews };
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
