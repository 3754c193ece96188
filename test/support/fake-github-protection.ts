import { GITHUB_WORKFLOW } from './claims.ts';
import { checkExchange, exampleOf } from './github-openapi.ts';
import { type Reply, type Seen, startServer } from './json-server.ts';

/*
 * A fake of the part of GitHub's REST API that shows protection, built upon the examples of GitHub's published description and
 * held against it like fake-github.ts. Rulesets are kept as they are sent to be made, and what they come to on a branch follows.
 */

type Json = Record<string, unknown>;

export const COMPLIANCE = 'example-health/compliance-workflows';
export const APPLICATION = 'care/lab-results';
export const TAG_COMMIT = 'c'.repeat(40);
export const TOKEN = 'github-token';
const REPO = '/repos/{owner}/{repo}';

/** Questions that only the look at protection asks. */
export const PROTECTION_PATHS = [
  '/rulesets',
  '/rulesets/{ruleset_id}',
  '/branches/{branch}/protection',
  '/codeowners/errors',
  '/contents/{path}',
  '/releases',
  '/actions/permissions',
  '/actions/permissions/workflow',
  '/environments',
  '/environments/{environment_name}/deployment-branch-policies',
]
  .map((path) => `${REPO}${path}`)
  .concat('/orgs/{org}/actions/runner-groups');

/** A ruleset as it is sent, and what GitHub adds. */
export interface Ruleset extends Json {
  id: number;
  name: string;
  target: string;
  enforcement: string;
  bypass_actors?: Json[];
  conditions: { ref_name: { include: string[]; exclude: string[] } };
  rules: Json[];
}

export interface Repository {
  rulesets: Ruleset[];
  /** The older branch protection of main. */
  protection: Json | null;
  codeowners: Json[] | null;
  files: string[];
  commits: Record<string, string>;
  releases: Json[];
  actions: Json;
  token: Json;
  environments: Json[];
  /** Names of branches by environment. */
  policies: Record<string, Json[]>;
}

export interface ProtectionWorld {
  compliance: Repository;
  application: Repository;
  groups: Json[];
  /** Answers instead of the ordinary ones, by path; they are not held against the description. */
  instead: Map<string, Reply>;
}

export const pullRequest = (changes: Json = {}) => ({
  type: 'pull_request',
  parameters: {
    dismiss_stale_reviews_on_push: true,
    require_code_owner_review: true,
    require_last_push_approval: true,
    required_approving_review_count: 1,
    required_review_thread_resolution: false,
    ...changes,
  },
});

export function ruleset(id: number, target: 'branch' | 'tag', include: string, rules: Json[]): Ruleset {
  return {
    id,
    name: `${target}es`.replace('tages', 'tags').replace('branches', 'main'),
    target,
    enforcement: 'active',
    bypass_actors: [],
    conditions: { ref_name: { include: [include], exclude: [] } },
    rules,
  };
}

const kept = [{ type: 'deletion' }, { type: 'non_fast_forward' }];

/** An environment of GitHub's answers; `reviewer` is the login of one required reviewer. */
export function environment(name: string, reviewer: string | null = null, changes: Json = {}): Json {
  const [example] = (exampleOf(`${REPO}/environments`) as { environments: Json[] }).environments;
  const rules = (example as Json).protection_rules as Json[];
  const reviews = rules.find(({ type }) => type === 'required_reviewers') as Json;
  const [person] = reviews.reviewers as { reviewer: Json }[];
  return {
    ...example,
    name,
    can_admins_bypass: false,
    protection_rules:
      reviewer === null
        ? []
        : [
            {
              ...reviews,
              prevent_self_review: true,
              reviewers: [{ type: 'User', reviewer: { ...person?.reviewer, login: reviewer } }],
            },
          ],
    deployment_branch_policy: { protected_branches: false, custom_branch_policies: true },
    ...changes,
  };
}

/** Everything as it should be; a test takes something away. */
export function protectionWorld(): ProtectionWorld {
  const repository = (): Repository => ({
    rulesets: [ruleset(1, 'branch', '~DEFAULT_BRANCH', [...kept, pullRequest()])],
    protection: null,
    codeowners: [],
    files: ['.github/workflows/promote.yml'],
    commits: { 'tags/v1.0.0': TAG_COMMIT, 'heads/main': 'a'.repeat(40) },
    releases: [],
    actions: { enabled: true, allowed_actions: 'selected', sha_pinning_required: true },
    token: { default_workflow_permissions: 'read', can_approve_pull_request_reviews: false },
    environments: [],
    policies: {},
  });
  const compliance = repository();
  compliance.rulesets.push(ruleset(2, 'tag', 'refs/tags/v*', [...kept, { type: 'update' }]));
  const [release] = exampleOf(`${REPO}/releases`) as Json[];
  compliance.releases.push({ ...release, tag_name: 'v1.0.0', immutable: true });
  const application = repository();
  const roles = ['gate', 'build', 'scan', 'deploy'].map((role) => `gatehouse-${role}`);
  application.environments = [...roles.map((name) => environment(name)), environment('production', 'lead')];
  application.policies = Object.fromEntries([...roles, 'production'].map((name) => [name, [{ id: 1, name: 'main' }]]));
  const [group] = (exampleOf('/orgs/{org}/actions/runner-groups') as { runner_groups: Json[] }).runner_groups;
  return {
    compliance,
    application,
    groups: ['gatehouse-deploy', 'gatehouse-build'].map((name) => ({
      ...group,
      name,
      default: false,
      allows_public_repositories: false,
      restricted_to_workflows: true,
      selected_workflows: [GITHUB_WORKFLOW],
    })),
    instead: new Map(),
  };
}

export interface FakeProtection {
  url: string;
  seen: Seen[];
  /** The repository with the workflow. */
  compliance: string;
  world: ProtectionWorld;
  /** Questions and answers that do not fit the description. */
  violations: string[];
  close(): Promise<void>;
}

export async function startGithubProtection(compliance = COMPLIANCE): Promise<FakeProtection> {
  const server = await startServer((seen) => answer(fake, seen));
  const fake: FakeProtection = {
    url: server.url,
    seen: server.seen,
    compliance,
    world: protectionWorld(),
    violations: [],
    close: server.close,
  };
  return fake;
}

function answer({ compliance, world, violations }: FakeProtection, { method, path, query, headers }: Seen): Reply {
  const instead = world.instead.get(path);
  if (instead !== undefined) return instead;
  if (method !== 'GET' || headers.authorization !== `Bearer ${TOKEN}`)
    return { status: 401, json: { message: 'Requires authentication' } };
  const found = bodyOf(world, compliance, path, query);
  if (found === undefined) return { status: 404, json: { message: 'Not Found' } };
  try {
    checkExchange(path, query, found);
  } catch (error) {
    violations.push((error as Error).message);
  }
  return { json: found };
}

function bodyOf(world: ProtectionWorld, compliance: string, path: string, query: URLSearchParams): unknown {
  if (path === '/orgs/care/actions/runner-groups')
    return { total_count: world.groups.length, runner_groups: world.groups };
  for (const [name, repository] of [
    [compliance, world.compliance],
    [APPLICATION, world.application],
  ] as const)
    if (path === `/repos/${name}` || path.startsWith(`/repos/${name}/`))
      return inRepository(name, repository, decodeURIComponent(path.slice(`/repos/${name}`.length)), query);
  return undefined;
}

function inRepository(name: string, world: Repository, path: string, query: URLSearchParams): unknown {
  const source = { source_type: 'Repository', source: name };
  const fixed: Record<string, unknown> = {
    '': repositoryReply(name),
    '/branches/main/protection': world.protection ?? undefined,
    '/rulesets': world.rulesets.map(({ rules: _, bypass_actors: __, conditions: ___, ...rest }) => ({
      ...rest,
      ...source,
    })),
    '/codeowners/errors': world.codeowners === null ? undefined : { errors: world.codeowners },
    '/releases': world.releases,
    '/actions/permissions': world.actions,
    '/actions/permissions/workflow': world.token,
    '/environments': { total_count: world.environments.length, environments: world.environments },
  };
  const own = world.rulesets.find(({ id }) => path === `/rulesets/${id}`);
  if (own !== undefined) return { ...own, ...source };
  const [, branch] = /^\/branches\/(.+)(?<!\/protection)$/.exec(path) ?? [];
  if (branch !== undefined)
    return {
      ...(exampleOf(`${REPO}/branches/{branch}`) as Json),
      name: branch,
      protected: branch === 'main' && world.protection !== null,
    };
  const [, ruled] = /^\/rules\/branches\/(.+)$/.exec(path) ?? [];
  if (ruled !== undefined) return rulesOn(ruled, name, world);
  const [, environmentName] = /^\/environments\/([^/]+)\/deployment-branch-policies$/.exec(path) ?? [];
  if (environmentName !== undefined) {
    const policies = world.policies[environmentName] ?? [];
    return { total_count: policies.length, branch_policies: policies };
  }
  const [, ref] = /^\/commits\/(.+)$/.exec(path) ?? [];
  if (ref !== undefined) return commitReply(world.commits[ref]);
  const [, file] = /^\/contents\/(.+)$/.exec(path) ?? [];
  if (file !== undefined) {
    const there = world.files.includes(file) && Object.values(world.commits).includes(query.get('ref') ?? '');
    return there ? { ...(exampleOf(`${REPO}/contents/{path}`) as Json), path: file } : undefined;
  }
  return fixed[path];
}

function rulesOn(branch: string, repository: string, { rulesets }: Repository): Json[] {
  const patterns = ['~ALL', `refs/heads/${branch}`, ...(branch === 'main' ? ['~DEFAULT_BRANCH'] : [])];
  return rulesets
    .filter(({ enforcement, target }) => enforcement === 'active' && target === 'branch')
    .filter(({ conditions: { ref_name: ref } }) => ref.include.some((each) => patterns.includes(each)))
    .filter(({ conditions: { ref_name: ref } }) => ref.exclude.length === 0)
    .flatMap(({ id, rules }) =>
      rules.map((rule) => ({
        ...rule,
        ruleset_source_type: 'Repository',
        ruleset_source: repository,
        ruleset_id: id,
      })),
    );
}

function commitReply(sha: string | undefined): Json | undefined {
  if (sha === undefined) return undefined;
  return { ...(exampleOf(`${REPO}/commits/{ref}`) as Json), sha, files: undefined };
}

function repositoryReply(name: string): Json {
  return {
    ...(exampleOf(REPO) as Json),
    full_name: name,
    default_branch: 'main',
    // The description demands what its own example lacks.
    language: null,
    parent: undefined,
    source: undefined,
    template_repository: undefined,
  };
}
