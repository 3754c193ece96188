import type { Seen } from '../../lib/seen.ts';
import { seen } from '../seen.ts';
import { type GitlabAccess, type GitlabApi, gitlabApi, gitlabRest } from './api.ts';
import {
  type Access,
  approvalRules,
  approvalSettings,
  jobTokenAllowlist,
  jobTokenScope,
  project as projectReply,
  protectedBranches,
  protectedEnvironments,
  protectedTags,
  pushRule,
  runner as runnerReply,
} from './protection-replies.ts';

/** A project's settings that hold for the one with the pipeline and for the application's alike. */
export interface ProjectFacts {
  project: string;
  defaultBranch: string;
  /** Path of the pipeline's file; null for `.gitlab-ci.yml`. */
  configPath: Seen<string | null>;
  /** The least role that may set variables of a pipeline, or `no_one_allowed`. */
  variables: Seen<string>;
  mergeNeedsPipeline: Seen<boolean>;
  branches: Seen<ProtectedBranch[]>;
  /** Projects whose job tokens open this one; null where all do. */
  jobTokens: Seen<string[] | null>;
}

export interface ProtectedBranch {
  /** A name or a pattern with `*`. */
  name: string;
  push: Access[];
  force: boolean;
  /** Null where the tier has none. */
  codeOwners: boolean | null;
}

/** What only the project with the pipeline has to have. */
export interface PipelineFacts extends ProjectFacts {
  tags: Seen<{ name: string; create: Access[] }[]>;
  /** `branches` is null for a rule that holds on all of them. */
  approvalRules: Seen<{ name: string; required: number; branches: string[] | null }[]>;
  approvalSettings: Seen<{
    author: boolean | null;
    committers: boolean | null;
    kept: boolean | null;
    overridden: boolean | null;
  }>;
  /** Commits must be by who pushes them; null without push rules. */
  committerCheck: Seen<boolean | null>;
  environments: Seen<ProtectedEnvironment[]>;
  triggerMayApprove: Seen<boolean>;
  runners: { pool: string; runner: Seen<RunnerFacts> }[];
}

export interface ProtectedEnvironment {
  name: string;
  deploy: Access[];
  approvals: number;
}

export interface RunnerFacts {
  type: string;
  protectedRefs: boolean;
  /** Null where GitLab does not say. */
  locked: boolean | null;
  untagged: boolean;
  /** Paths of the projects that it serves; null where GitLab does not say. */
  projects: string[] | null;
}

const MAINTAINER = 'scope read_api and role Maintainer';
const PREMIUM = `${MAINTAINER}, on GitLab Premium or Ultimate`;

/** Throws CouldNot where the project itself is not shown, or GitLab does not answer. */
export async function readProject(access: GitlabAccess, path: string): Promise<ProjectFacts> {
  return (await common(gitlabApi(access, path), path)).facts;
}

/** The same with all that the project of the pipeline has to have. `pools` are numbers of runners. */
export async function readPipelineProject(
  access: GitlabAccess,
  path: string,
  pools: readonly string[],
): Promise<PipelineFacts> {
  const api = gitlabApi(access, path);
  const { project, facts } = await common(api, path);
  const runners: PipelineFacts['runners'] = [];
  for (const pool of pools) runners.push({ pool, runner: await runner(access, pool) });
  return {
    ...facts,
    tags: await seen(tags(api)),
    approvalRules: await seen(rules(api)),
    approvalSettings: await seen(settings(api)),
    committerCheck: await seen(committers(api)),
    environments: await seen(environments(api)),
    triggerMayApprove: shown(
      project.allow_pipeline_trigger_approve_deployment,
      'allow_pipeline_trigger_approve_deployment',
    ),
    runners,
  };
}

async function common(api: GitlabApi, path: string) {
  const project = await api.get({
    path: '',
    schema: projectReply,
    what: `read project ${path}`,
    need: 'scope read_api',
  });
  const facts: ProjectFacts = {
    project: project.path_with_namespace,
    defaultBranch: project.default_branch,
    configPath:
      project.ci_config_path === undefined ? notShown('ci_config_path') : { value: project.ci_config_path || null },
    variables: shown(
      project.ci_pipeline_variables_minimum_override_role,
      'ci_pipeline_variables_minimum_override_role',
    ),
    mergeNeedsPipeline: shown(project.only_allow_merge_if_pipeline_succeeds, 'only_allow_merge_if_pipeline_succeeds'),
    branches: await seen(branches(api)),
    jobTokens: await seen(jobTokens(api)),
  };
  return { project, facts };
}

function shown<T>(value: T | undefined, field: string): Seen<T> {
  return value === undefined ? notShown(field) : { value };
}

function notShown(field: string): { unknown: string } {
  return { unknown: `GitLab does not show ${field}: it takes role Maintainer, and a version that has it` };
}

async function branches(api: GitlabApi): Promise<ProtectedBranch[]> {
  const all = await api.list({
    path: '/protected_branches',
    schema: protectedBranches,
    what: 'read the protected branches',
    need: MAINTAINER,
  });
  return all.map((each) => ({
    name: each.name,
    push: each.push_access_levels,
    force: each.allow_force_push,
    codeOwners: each.code_owner_approval_required ?? null,
  }));
}

async function tags(api: GitlabApi) {
  const all = await api.list({
    path: '/protected_tags',
    schema: protectedTags,
    what: 'read the protected tags',
    need: MAINTAINER,
  });
  return all.map(({ name, create_access_levels: create }) => ({ name, create }));
}

async function rules(api: GitlabApi) {
  const all = await api.list({
    path: '/approval_rules',
    schema: approvalRules,
    what: 'read the approval rules',
    need: PREMIUM,
  });
  return all.map(
    ({
      name,
      approvals_required: required,
      applies_to_all_protected_branches: all,
      protected_branches: some = [],
    }) => ({
      name,
      required,
      branches: all === true || some.length === 0 ? null : some.map((branch) => branch.name),
    }),
  );
}

async function settings(api: GitlabApi) {
  const found = await api.get({
    path: '/approvals',
    schema: approvalSettings,
    what: 'read the settings of approvals',
    need: PREMIUM,
  });
  const not = (value: boolean | undefined) => (value === undefined ? null : !value);
  return {
    author: found.merge_requests_author_approval ?? null,
    committers: not(found.merge_requests_disable_committers_approval),
    kept: not(found.reset_approvals_on_push),
    overridden: not(found.disable_overriding_approvers_per_merge_request),
  };
}

async function committers(api: GitlabApi): Promise<boolean | null> {
  const found = await api.get({ path: '/push_rule', schema: pushRule, what: 'read the push rules', need: PREMIUM });
  return found === null ? null : found.commit_committer_check === true;
}

async function environments(api: GitlabApi): Promise<ProtectedEnvironment[]> {
  const all = await api.list({
    path: '/protected_environments',
    schema: protectedEnvironments,
    what: 'read the protected environments',
    need: PREMIUM,
  });
  return all.map(
    ({ name, deploy_access_levels: deploy, required_approval_count: count, approval_rules: rules = [] }) => ({
      name,
      deploy,
      approvals: Math.max(count ?? 0, ...rules.map((rule) => rule.required_approvals)),
    }),
  );
}

async function jobTokens(api: GitlabApi): Promise<string[] | null> {
  const need = MAINTAINER;
  const { inbound_enabled: limited } = await api.get({
    path: '/job_token_scope',
    schema: jobTokenScope,
    what: 'read the scope of job tokens',
    need,
  });
  if (!limited) return null;
  const all = await api.list({
    path: '/job_token_scope/allowlist',
    schema: jobTokenAllowlist,
    what: 'read the allowlist of job tokens',
    need,
  });
  return all.map(({ path_with_namespace: path }) => path);
}

async function runner(access: GitlabAccess, pool: string): Promise<Seen<RunnerFacts>> {
  if (!/^[1-9]\d*$/.test(pool))
    return { unknown: `${JSON.stringify(pool)} is no runner's number, which is what runner-pools names on GitLab` };
  return await seen(
    gitlabRest(access)
      .get({
        path: `/runners/${pool}`,
        schema: runnerReply,
        what: `read runner ${pool}`,
        need: 'scope read_api or manage_runner, of a Maintainer of its project',
      })
      .then((found) => ({
        type: found.runner_type,
        protectedRefs: found.access_level === 'ref_protected',
        locked: found.locked ?? null,
        untagged: found.run_untagged,
        projects: found.projects?.map(({ path_with_namespace: path }) => path) ?? null,
      })),
  );
}
