import { checkExchange, closeHeld, heldTo } from './gitlab-openapi.ts';
import { type Reply, type Seen, startServer } from './json-server.ts';

/*
 * A fake of the part of GitLab's API that shows protection. No real GitLab can run here: each exchange is held against GitLab's
 * published description (gitlab-openapi.ts).
 */

type Json = Record<string, unknown>;

export const PIPELINE = 'care/release';
export const APPLICATION = 'care/lab-results';
export const TOKEN = 'gitlab-token';

const level = (access_level: number | null, changes: Json = {}) => ({
  id: 1,
  access_level,
  access_level_description: 'x',
  ...changes,
});

export interface Project {
  settings: Json;
  branches: Json[];
  tags: Json[];
  approvalRules: Json[];
  approvals: Json;
  pushRule: Json | null;
  environments: Json[];
  jobTokens: { inbound_enabled: boolean; outbound_enabled?: boolean };
  allowed: Json[];
}

export interface GitlabProtection {
  pipeline: Project;
  application: Project;
  runner: Json;
  /** Answers instead of the ordinary ones, by path; they are not held against the description. */
  instead: Map<string, Reply>;
  make: { level: typeof level };
}

/** Everything as it should be; a test takes something away. */
export function gitlabProtection(): GitlabProtection {
  const project = (id: number, path: string): Project => ({
    settings: {
      id,
      path_with_namespace: path,
      default_branch: 'main',
      ci_config_path: '',
      ci_pipeline_variables_minimum_override_role: 'no_one_allowed',
      only_allow_merge_if_pipeline_succeeds: true,
      allow_pipeline_trigger_approve_deployment: false,
    },
    branches: [
      {
        id: 100,
        name: 'main',
        push_access_levels: [level(0)],
        merge_access_levels: [level(40)],
        allow_force_push: false,
        code_owner_approval_required: true,
      },
    ],
    tags: [{ name: '*', create_access_levels: [level(40)] }],
    approvalRules: [
      {
        id: 1,
        name: 'platform team',
        rule_type: 'regular',
        approvals_required: 1,
        applies_to_all_protected_branches: true,
        protected_branches: [],
      },
    ],
    approvals: {
      reset_approvals_on_push: true,
      disable_overriding_approvers_per_merge_request: true,
      merge_requests_author_approval: false,
      merge_requests_disable_committers_approval: true,
    },
    pushRule: { id: 1, project_id: id, commit_committer_check: true },
    environments: ['gatehouse/gate', 'gatehouse/build', 'gatehouse/scan', 'gatehouse/deploy', 'production'].map(
      (name) => ({
        name,
        deploy_access_levels: [level(40)],
        required_approval_count: 0,
        approval_rules:
          name === 'production' ? [{ id: 1, group_id: 9, access_level: null, required_approvals: 1 }] : [],
      }),
    ),
    jobTokens: { inbound_enabled: true, outbound_enabled: false },
    allowed: [{ id: 7003, path_with_namespace: APPLICATION }],
  });
  return {
    pipeline: project(7002, PIPELINE),
    application: project(7003, APPLICATION),
    runner: {
      id: 31,
      runner_type: 'project_type',
      access_level: 'ref_protected',
      locked: true,
      run_untagged: false,
      tag_list: ['gatehouse'],
      projects: [{ id: 7002, path_with_namespace: PIPELINE }],
    },
    instead: new Map(),
    make: { level },
  };
}

export interface FakeGitlabProtection {
  /** Base address of the REST API. */
  url: string;
  seen: Seen[];
  world: GitlabProtection;
  /** As those of the other fake, also in that `close` throws where there are any. */
  violations: string[];
  close(): Promise<void>;
}

export async function startGitlabProtection(): Promise<FakeGitlabProtection> {
  const violations: string[] = [];
  const server = await startServer((seen) => heldTo(violations, () => answer(fake.world, seen)));
  const fake: FakeGitlabProtection = {
    url: `${server.url}/api/v4`,
    seen: server.seen,
    world: gitlabProtection(),
    violations,
    close: () => closeHeld(server, violations),
  };
  return fake;
}

function answer(world: GitlabProtection, { method, path, query, headers }: Seen): Reply {
  const asked = decodeURIComponent(path.replace('/api/v4', ''));
  const instead = world.instead.get(asked);
  if (instead !== undefined) return instead;
  if (headers['private-token'] !== TOKEN) return { status: 401, json: { message: '401 Unauthorized' } };
  const found = bodyOf(world, asked);
  checkExchange(method, path, query, found);
  return found === undefined ? { status: 404, json: { message: '404 Not found' } } : { json: found };
}

function bodyOf(world: GitlabProtection, path: string): unknown {
  if (path === `/runners/${world.runner.id}`) return world.runner;
  for (const [name, project] of [
    [PIPELINE, world.pipeline],
    [APPLICATION, world.application],
  ] as const) {
    const below = path.replace(`/projects/${name}`, '');
    if (below !== path) return inProject(project, below);
  }
  return undefined;
}

function inProject(project: Project, path: string): unknown {
  const fixed: Record<string, unknown> = {
    '': project.settings,
    '/protected_branches': project.branches,
    '/protected_tags': project.tags,
    '/approval_rules': project.approvalRules,
    '/approvals': project.approvals,
    '/push_rule': project.pushRule,
    '/protected_environments': project.environments,
    '/job_token_scope': project.jobTokens,
    '/job_token_scope/allowlist': project.allowed,
  };
  return fixed[path];
}
