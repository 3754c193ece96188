import type { Seen } from '../../lib/seen.ts';
import { USUAL_PATH } from '../../platform/gitlab/fixed-configuration.ts';
import type { PipelineFacts, ProjectFacts, ProtectedBranch, RunnerFacts } from '../../platform/gitlab/protection.ts';
import { type Access, covers, isNobody } from '../../platform/gitlab/protection-replies.ts';
import { type Check, check, type Status } from './check.ts';
import { coversVersions } from './ref-pattern.ts';
import { branchesOf, notBranches, unseenRef } from './refs.ts';

/** What the contract demands of GitLab for one environment. */
export interface GitlabDemand {
  /** Path and ref of the pipeline's file, out of `workflow-ref`. */
  workflow: { path: string; ref: string };
  environment: string;
  /** Refs that the contract allows for it. */
  refs: readonly string[];
  /** People whose approval the contract demands. */
  approvals: number;
}

const ROLES = ['gate', 'build', 'scan', 'deploy'];
const DEVELOPER = 30;

/** Judges what GitLab showed. Every demand is in the answer, also where nothing could be seen of it. */
export function checkGitlab(pipeline: PipelineFacts, application: ProjectFacts, demand: GitlabDemand): Check[] {
  const { path, ref } = demand.workflow;
  const branch = ref.replace(/^refs\/heads\//, '');
  return [
    fileCheck('pipeline file', pipeline, path, 'not the one that the contract trusts'),
    check('pipeline ref', { value: ref }, 'a protected branch', (found) =>
      found.startsWith('refs/heads/') ? ['ok', found] : ['fails', `${found} is no branch`],
    ),
    branchCheck('pipeline branch', pipeline, branch, 'weak'),
    codeOwners(pipeline, branch),
    tags(pipeline),
    approvalRules(pipeline, branch),
    approvalSettings(pipeline),
    check('pipeline push rules', pipeline.committerCheck, 'people push commits of their own only', (found) =>
      found === true
        ? ['ok', 'the committer is who pushes']
        : ['fails', 'anybody may be named as committer: who made a change is not known'],
    ),
    ...settings('pipeline', pipeline),
    check(
      'pipeline own approval',
      pipeline.triggerMayApprove,
      'who starts a pipeline may not approve its deploy',
      (may) => (may ? ['fails', 'whoever started the pipeline may approve its deploy'] : ['ok', 'not allowed']),
    ),
    ...[...ROLES.map((role) => `gatehouse/${role}`), demand.environment].map((name) => environment(pipeline, name)),
    check(
      `${demand.environment} approvals`,
      enforced(pipeline, pipeline.environments),
      `${demand.approvals} or more`,
      (all) => {
        const approvals = Math.max(
          0,
          ...all.filter(({ name }) => name === demand.environment).map((each) => each.approvals),
        );
        return [approvals >= demand.approvals ? 'ok' : 'fails', String(approvals)];
      },
    ),
    ...pipeline.runners.map(({ pool, runner }) =>
      check(`runner ${pool}`, runner, RUNNER, (found) => judgeRunner(found, pipeline)),
    ),
    // What a parent pipeline collects has to come from this file of the reviewed commit.
    fileCheck('application file', application, USUAL_PATH, 'which need not be of the reviewed commit'),
    // The gate takes an application's branch to which anybody may push for unprotected.
    branchCheck('application branch', application, application.defaultBranch, 'fails'),
    ...branchesOf(demand.refs)
      .filter((name) => name !== application.defaultBranch)
      .map((name) => branchCheck(`application branch ${name}`, application, name, 'fails')),
    ...notBranches(demand.refs).map(unseenRef),
    ...settings('application', application),
  ];
}

function fileCheck(what: string, { configPath }: ProjectFacts, path: string, otherwise: string): Check {
  return check(what, configPath, path, (found) => {
    const file = found ?? USUAL_PATH;
    return file === path ? ['ok', path] : ['fails', `the project's pipeline is ${file}, ${otherwise}`];
  });
}

/** Everything that matches a branch counts: GitLab takes the most permissive of it. */
function covering(all: readonly ProtectedBranch[], branch: string): ProtectedBranch[] {
  return all.filter(({ name }) => covers(name, branch));
}

/** `named` is what it counts as when maintainers, or somebody who is named, may push. */
function branchCheck(what: string, { branches }: ProjectFacts, branch: string, named: Status): Check {
  return check(what, branches, 'protected, no force push, nobody pushes past a merge request', (all) => {
    const found = covering(all, branch);
    if (found.length === 0) return ['fails', `${branch} is not protected`];
    if (found.some(({ force }) => force)) return ['fails', `${branch} may be pushed to by force`];
    const [status, seen] = byAccess(
      found.flatMap(({ push }) => push),
      `${branch}: pushed to by`,
    );
    return [status === 'weak' ? named : status, seen];
  });
}

/**
 * GitLab Free keeps approval rules and protected environments, shows them, and enforces none. What no tier but Premium and
 * Ultimate shows, its push rules, tells them apart.
 */
function enforced<T>({ committerCheck: premium }: PipelineFacts, shown: Seen<T>): Seen<T> {
  if ('unknown' in shown || 'value' in premium) return shown;
  return {
    unknown: `it is set, and whether GitLab enforces it is not seen (its Free tier does not): ${premium.unknown}`,
  };
}

/** Nobody is ok, developers fail, and whoever is named or a maintainer answers for it. */
function byAccess(access: readonly Access[], doing: string): [Status, string] {
  const may = access.filter((each) => !isNobody(each));
  if (may.length === 0) return ['ok', `${doing} nobody`];
  const developers = may.some((each) => isRole(each) && (each.access_level ?? 0) <= DEVELOPER);
  return [developers ? 'fails' : 'weak', `${doing} ${[...new Set(may.map(nameOf))].join(', ')}`];
}

const isRole = ({ user_id: user, group_id: group, deploy_key_id: key }: Access) =>
  user == null && group == null && key == null;

function nameOf(access: Access): string {
  if (access.user_id != null) return `user ${access.user_id}`;
  if (access.group_id != null) return `group ${access.group_id}`;
  if (access.deploy_key_id != null) return `deploy key ${access.deploy_key_id}`;
  return LEVELS[String(access.access_level)] ?? `access level ${access.access_level}`;
}

const LEVELS: Record<string, string> = { 30: 'developers', 40: 'maintainers', 60: 'administrators' };

function codeOwners({ branches }: PipelineFacts, branch: string): Check {
  return check('pipeline code owners', branches, 'code owners approve changes', (all) => {
    const found = covering(all, branch);
    if (found.some((each) => each.codeOwners === true)) return ['ok', 'they approve'];
    return found.some((each) => each.codeOwners === null)
      ? ['unknown', 'GitLab does not show it: it takes Premium or Ultimate']
      : ['fails', 'they need not approve'];
  });
}

function tags({ tags: seen }: PipelineFacts): Check {
  return check('pipeline tags', seen, 'all versions protected, developers make none', (all) => {
    const include = all.map(({ name }) => name);
    if (!coversVersions({ include, exclude: [] }, '', null) || !coversVersions({ include, exclude: [] }, '', '1.0.0'))
      return [
        'fails',
        'versions such as v1.0.0 and 1.0.0 are not protected: whoever may push can move the tag that callers pin',
      ];
    const [status, found] = byAccess(
      all.flatMap(({ create }) => create),
      'made by',
    );
    // Somebody has to make releases.
    return [status === 'fails' ? 'fails' : 'ok', found];
  });
}

function approvalRules(pipeline: PipelineFacts, branch: string): Check {
  return check(
    'pipeline approval rules',
    enforced(pipeline, pipeline.approvalRules),
    'a merge request needs 1 approval or more',
    (all) => {
      const most = Math.max(
        0,
        ...all.filter(({ branches }) => branches === null || branches.includes(branch)).map(({ required }) => required),
      );
      return [most >= 1 ? 'ok' : 'fails', String(most)];
    },
  );
}

function approvalSettings({ approvalSettings: seen }: PipelineFacts): Check {
  return check('pipeline approval settings', seen, 'by others, of what is merged', (found) => {
    const allowed: [boolean | null, string][] = [
      [found.author, 'authors approve their own'],
      [found.committers, 'committers approve their own'],
      [found.kept, 'approvals outlive a push'],
      [found.overridden, 'a merge request may change its rules'],
    ];
    const open = allowed.filter(([may]) => may === true).map(([, words]) => words);
    if (open.length > 0) return ['fails', open.join('; ')];
    return allowed.some(([may]) => may === null)
      ? ['unknown', 'GitLab does not show all of it']
      : ['ok', 'by others, taken back at a push, rules fixed'];
  });
}

const VARIABLES: Record<string, Status> = { no_one_allowed: 'ok', owner: 'weak', maintainer: 'weak' };

function settings(whose: string, project: ProjectFacts): Check[] {
  return [
    check(`${whose} variables`, project.variables, 'no_one_allowed', (role) => [VARIABLES[role] ?? 'fails', role]),
    check(`${whose} merge`, project.mergeNeedsPipeline, 'only after a pipeline that succeeded', (needs) =>
      needs ? ['ok', 'demanded'] : ['fails', 'what fails may be merged'],
    ),
    check(`${whose} job tokens`, project.jobTokens, 'of listed projects only', (list) =>
      list === null
        ? ['fails', 'the job token of any project opens this one']
        : ['ok', list.length === 0 ? 'of no other project' : list.join(', ')],
    ),
  ];
}

function environment(pipeline: PipelineFacts, name: string): Check {
  return check(`environment ${name}`, enforced(pipeline, pipeline.environments), 'protected', (all) => {
    const found = all.find((each) => each.name === name);
    if (found === undefined) return ['fails', 'not protected: every developer may run jobs under it'];
    return ['ok', `deployed to by ${[...new Set(found.deploy.map(nameOf))].join(', ') || 'nobody'}`];
  });
}

const RUNNER = 'of this project alone, for protected refs, locked, tagged jobs only';

function judgeRunner(found: RunnerFacts, { project }: PipelineFacts): [Status, string] {
  const others = (found.projects ?? []).filter((each) => each !== project);
  const open = [
    found.type === 'project_type' ? null : `it is shared (${found.type})`,
    found.protectedRefs ? null : 'jobs of every branch run on it',
    found.locked === false ? 'it may be given to other projects' : null,
    found.untagged ? 'jobs that name no tag run on it' : null,
    others.length === 0 ? null : `it serves ${others.join(', ')} too`,
  ].filter((each) => each !== null);
  if (open.length > 0) return ['fails', open.join('; ')];
  return found.locked === null || found.projects === null
    ? ['unknown', 'GitLab does not show all of it']
    : ['ok', 'protected, locked, tagged'];
}
