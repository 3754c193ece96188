import type { Seen } from '../../../lib/seen.ts';
import { seen } from '../../seen.ts';
import { type GithubAccess, type GithubApi, githubApi } from '../api.ts';
import { ADMINISTRATION, type GuardedBranch, guardOf, repositoryOf, rulesetOf } from './branch.ts';
import {
  codeownersErrors,
  commitOfRef,
  content,
  type Ruleset,
  releases,
  rulesets as rulesetList,
  workflowPermissions,
} from './replies.ts';

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
