import { checkExchange, closeHeld, heldTo } from './gitlab-openapi.ts';
import { type Reply, type Seen, startServer } from './json-server.ts';

/*
 * A fake of the part of GitLab's API that is asked. No real GitLab can run here: each exchange is held against GitLab's
 * published description (gitlab-openapi.ts). GraphQL has none there; its one answer follows app/graphql/types of GitLab's sources.
 */

type Json = Record<string, unknown>;

export const MERGED = 'a'.repeat(40);
export const HEAD = 'b'.repeat(40);
export const BASE = 'd'.repeat(40);
/** What `landBeneath` lands upon. */
export const DEPLOYED = 'e'.repeat(40);
export const PEOPLE = { dev: 102, reviewer: 103, lead: 104, merger: 101 } as const;

const user = (id: number) => ({ id, username: `user-${id}`, name: 'x', state: 'active' });
const commit = (id: string, author: string, changes: Json = {}) => ({
  id,
  message: 'Change',
  author_email: author,
  committer_email: author,
  parent_ids: [BASE],
  created_at: '2026-01-31T08:00:00.000+01:00',
  ...changes,
});
const job = (id: number, name: string, changes: Json = {}, at: Where = PARENT): Json => ({
  id,
  name,
  status: 'success',
  created_at: '2026-01-31T07:40:00.000Z',
  started_at: '2026-01-31T08:05:00.000Z',
  user: user(PEOPLE.merger),
  pipeline: {
    id: at.pipeline,
    project_id: at.project,
    sha: at.sha,
    ref: 'main',
    status: 'running',
  },
  commit: commit(at.sha, 'merger@example.org'),
  runner: { id: 31, description: 'deploy runner', runner_type: 'project_type', is_shared: false },
  ...changes,
});
const approval = (by: number, changes: Json = {}): Json => ({
  user: user(by),
  status: 'approved',
  created_at: '2026-01-31T08:04:00.000Z',
  comment: '',
  ...changes,
});

/** A rule for branches; `push` is who may push: a level, `{ user_id: 5 }` and the like. */
const protectedBranch = (name: string, ...push: Json[]): Json => ({
  id: 100,
  name,
  push_access_levels: push.map((each) => ({ id: 1, access_level_description: 'x', ...each })),
  merge_access_levels: [{ id: 2, access_level: 40, access_level_description: 'Maintainers' }],
  allow_force_push: false,
});

/** A project and its one pipeline. */
export interface Where {
  project: number;
  path: string;
  pipeline: number;
  sha: string;
}
const PARENT: Where = { project: 7002, path: 'care/release', pipeline: 9002, sha: MERGED };

/** A commit of the branch, and the merge request that was merged as it. */
export interface Landing {
  commit: Json;
  mergeRequests: Json[];
  /** How the merge request became merged. */
  stateEvents: Json[];
  versions: Json[];
  mergeRequestCommits: Json[];
  /** What GraphQL knows: the account behind each commit's author. */
  authors: Json[];
  /** As many of them as a page of GraphQL holds. */
  authorsPerPage: number;
  approvals: Json;
}

export interface GitlabWorld extends Landing {
  project: Json;
  pipeline: Json;
  jobs: Json[];
  branch: Json;
  /** Rules that protect branches; one lets nobody push to `main`. */
  protectedBranches: Json[];
  head: string;
  mergeBase: string;
  /** What landed before, from new to old, after the deployed commit. */
  earlier: Landing[];
  /** Of the deployed commit and the run's. */
  deployedBase: string;
  /** The commits after the deployed one, where they are not those of the landings. */
  since: Json[] | null;
  deployments: Json[];
  /** Pipelines of other projects that jobs of this one started, and those projects. */
  bridges: Json[];
  children: GitlabWorld[];
  /** Attempts of jobs that were retried since. */
  retried: Json[];
  /** The merged configuration at the pipeline's commit. */
  lint: Json | null;
  /** The repository's files at the pipeline's commit, by path. */
  files: Map<string, string>;
  /** By a job's number. */
  artifacts: Map<number, Buffer>;
  /** Answers instead of the ordinary ones, by path; they are not held against the description. */
  instead: Map<string, Reply>;
  make: {
    user: typeof user;
    commit: typeof commit;
    job: typeof job;
    approval: typeof approval;
    protectedBranch: typeof protectedBranch;
  };
}

/** The world as GitLab sees it; a test changes what it is about. */
export function gitlabWorld(at: Where = PARENT): GitlabWorld {
  const merged = at.sha;
  const mergeRequest: Json = {
    id: 501,
    iid: 7,
    project_id: at.project,
    state: 'merged',
    target_branch: 'main',
    source_branch: 'topic',
    source_project_id: at.project,
    sha: HEAD,
    merge_commit_sha: merged,
    squash_commit_sha: null,
    author: user(PEOPLE.dev),
    merge_user: user(PEOPLE.merger),
    merged_at: '2026-01-31T07:30:00.000Z',
  };
  return {
    project: {
      id: at.project,
      path_with_namespace: at.path,
      default_branch: 'main',
      ci_config_path: '',
    } as Json,
    pipeline: {
      id: at.pipeline,
      iid: 4,
      project_id: at.project,
      sha: merged,
      ref: 'main',
      status: 'running',
      source: 'push',
      user: user(PEOPLE.merger),
    } as Json,
    jobs: [
      job(6001, 'gatehouse-gate-promote'),
      job(6002, 'gatehouse-approve'),
      job(6003, 'gatehouse-gate-deploy', { status: 'running' }),
    ],
    branch: { name: 'main', protected: true, developers_can_push: false, default: true } as Json,
    protectedBranches: [protectedBranch('main', { access_level: 0 })],
    head: merged,
    mergeBase: merged,
    earlier: [],
    deployedBase: DEPLOYED,
    since: null,
    commit: commit(merged, 'merger@example.org', {
      message: "Merge branch 'topic' into 'main'",
      parent_ids: [BASE, HEAD],
    }) as Json,
    mergeRequests: [mergeRequest],
    stateEvents: [
      {
        id: 61,
        user: user(PEOPLE.merger),
        created_at: '2026-01-31T07:30:00.000Z',
        resource_type: 'MergeRequest',
        resource_id: 501,
        source_commit: null,
        source_merge_request_id: null,
        state: 'merged',
      },
    ] as Json[],
    versions: [
      {
        id: 3,
        head_commit_sha: HEAD,
        base_commit_sha: BASE,
        start_commit_sha: BASE,
        created_at: '2026-01-31T07:10:00.000Z',
        state: 'collected',
      },
    ] as Json[],
    mergeRequestCommits: [commit(HEAD, 'dev@example.org')] as Json[],
    authors: [{ sha: HEAD, author: { id: `gid://gitlab/User/${PEOPLE.dev}` } }] as Json[],
    authorsPerPage: 100,
    approvals: {
      approved: true,
      approved_by: [{ user: user(PEOPLE.reviewer), approved_at: '2026-01-31T07:20:00.000Z' }],
    } as Json,
    deployments: [
      {
        id: 41,
        ref: 'main',
        sha: merged,
        status: 'success',
        environment: { id: 9, name: 'production' },
        deployable: job(6002, 'gatehouse-approve'),
        pending_approval_count: 0,
        approvals: [approval(PEOPLE.lead)],
      },
    ] as Json[],
    bridges: [],
    children: [],
    retried: [],
    lint: null,
    files: new Map(),
    artifacts: new Map(),
    instead: new Map(),
    make: { user, commit, job, approval, protectedBranch },
  };
}

/** Merges a reviewed request of this author beneath all that has landed: request 6 as commit 666…, of one commit 6f6f…. */
export function landBeneath(world: GitlabWorld, iid: number, author: number): Landing {
  const [sha, head] = [`${iid}`.repeat(40), `${iid}f`.repeat(20)];
  const address = `author-${author}@example.org`;
  const made: Landing = {
    commit: commit(sha, 'merger@example.org', { parent_ids: [DEPLOYED, head] }),
    mergeRequests: [
      { ...world.mergeRequests[0], id: 500 - iid, iid, sha: head, merge_commit_sha: sha, author: user(author) },
    ],
    stateEvents: [{ ...world.stateEvents[0], resource_id: 500 - iid }],
    versions: world.versions.map((each) => ({ ...each, head_commit_sha: head })),
    mergeRequestCommits: [commit(head, address, { parent_ids: [DEPLOYED] })],
    authors: [{ sha: head, author: { id: `gid://gitlab/User/${author}` } }],
    authorsPerPage: 100,
    approvals: world.approvals,
  };
  world.earlier.push(made);
  return made;
}

export interface FakeGitlab {
  /** Base address of the REST API. */
  url: string;
  seen: Seen[];
  world: GitlabWorld;
  /** What was asked or answered against the description. The answer is a 500 then, which a test that expects one would hide. */
  violations: string[];
  /** Throws where there are violations: every suite that starts a fake ends it. */
  close(): Promise<void>;
}

export async function startGitlab(): Promise<FakeGitlab> {
  const violations: string[] = [];
  const server = await startServer((seen) => heldTo(violations, () => answer(fake.world, seen)));
  const fake: FakeGitlab = {
    url: `${server.url}/api/v4`,
    seen: server.seen,
    world: gitlabWorld(),
    violations,
    close: () => closeHeld(server, violations),
  };
  return fake;
}

function answer(world: GitlabWorld, { method, path, query, headers, body }: Seen): Reply {
  const instead = world.instead.get(path);
  if (instead !== undefined) return instead;
  if (headers['private-token'] !== 'gitlab-token') return { status: 401, json: { message: '401 Unauthorized' } };
  if (path === '/api/graphql' && method === 'POST') return graphql(world, JSON.parse(body.toString()));
  const reply = restReply(world, path, query);
  checkExchange(method, path, query, reply.status === undefined ? reply.json : undefined);
  return reply;
}

function restReply(world: GitlabWorld, path: string, query: URLSearchParams): Reply {
  const [, number, rest = ''] = /^\/api\/v4\/projects\/(\d+)(\/.*)?$/.exec(path) ?? [];
  const own =
    number === String(PARENT.project) ? world : world.children.find(({ project }) => String(project.id) === number);
  const archive = own?.artifacts.get(Number(/^\/jobs\/(\d+)\/artifacts$/.exec(rest)?.[1]));
  if (archive !== undefined) return { bytes: archive, headers: { 'content-type': 'application/zip' } };
  const file = /^\/repository\/files\/([^/]+)\/raw$/.exec(rest)?.[1];
  const text = query.get('ref') === own?.pipeline.sha ? own?.files.get(decodeURIComponent(file ?? '')) : undefined;
  if (text !== undefined) return { bytes: Buffer.from(text), headers: { 'content-type': 'text/plain' } };
  const found = own === undefined ? undefined : bodyOf(own, rest, query);
  if (found === undefined) return { status: 404, json: { message: '404 Not found' } };
  return paged(found, query);
}

function bodyOf(world: GitlabWorld, path: string, query: URLSearchParams): unknown {
  const { project, pipeline, branch, jobs, deployments } = world;
  const [, sha] = /^\/repository\/commits\/(\w+)/.exec(path) ?? [];
  const [, number] = /^\/merge_requests\/(\d+)/.exec(path) ?? [];
  const at = landingsOf(world).find((each) => each.commit.id === sha);
  const landing = requestIn(world, number);
  const request = landing?.mergeRequests.find(({ iid }) => String(iid) === number);
  const fixed: Record<string, unknown> = {
    '': project,
    [`/pipelines/${pipeline.id}`]: pipeline,
    [`/pipelines/${pipeline.id}/jobs`]: query.get('include_retried') === 'true' ? [...jobs, ...world.retried] : jobs,
    [`/pipelines/${pipeline.id}/bridges`]: world.bridges,
    '/ci/lint': query.get('content_ref') === pipeline.sha ? (world.lint ?? undefined) : undefined,
    [`/repository/branches/${branch.name}`]: { ...branch, commit: commit(world.head, 'merger@example.org') },
    '/protected_branches': world.protectedBranches,
    '/repository/merge_base': commit(
      query.getAll('refs[]').includes(DEPLOYED) ? world.deployedBase : world.mergeBase,
      'merger@example.org',
    ),
    '/repository/commits': query.get('ref_name') === `${DEPLOYED}..${pipeline.sha}` ? since(world) : [],
    [`/repository/commits/${sha}`]: at?.commit,
    [`/repository/commits/${sha}/merge_requests`]: at?.mergeRequests ?? [],
    [`/merge_requests/${number}`]: request,
    [`/merge_requests/${number}/resource_state_events`]: landing?.stateEvents,
    [`/merge_requests/${number}/versions`]: landing?.versions,
    [`/merge_requests/${number}/commits`]: landing?.mergeRequestCommits,
    [`/merge_requests/${number}/approvals`]: landing?.approvals,
    '/deployments': deployments
      .filter(({ environment }) => (environment as Json).name === query.get('environment'))
      .map(({ pending_approval_count, approvals, approval_summary, ...rest }) => rest),
  };
  const asked = jobs.find(({ id }) => path === `/jobs/${id}`);
  const deployed = deployments.find(({ id }) => path === `/deployments/${id}`);
  return asked ?? deployed ?? fixed[path];
}

function landingsOf(world: GitlabWorld): Landing[] {
  return [world, ...world.earlier];
}

/** The landing that tells of a request: the earliest, where it claims the commits of several. */
function requestIn(world: GitlabWorld, number: unknown): Landing | undefined {
  return landingsOf(world).findLast(({ mergeRequests }) => mergeRequests.some(({ iid }) => String(iid) === number));
}

function since(world: GitlabWorld): Json[] {
  return world.since ?? landingsOf(world).flatMap((each) => [each.commit, ...each.mergeRequestCommits]);
}

function paged(found: unknown, query: URLSearchParams): Reply {
  if (!Array.isArray(found)) return { json: found };
  const size = Number(query.get('per_page') ?? 20);
  const page = Number(query.get('page') ?? 1);
  const more = page * size < found.length;
  return {
    json: found.slice((page - 1) * size, page * size),
    headers: { 'x-next-page': more ? String(page + 1) : '', 'x-page': String(page), 'x-total': String(found.length) },
  };
}

function graphql(all: GitlabWorld, { query, variables }: { query: string; variables: Json }): Reply {
  const world = [all, ...all.children].find(({ project }) => project.path_with_namespace === variables.path) ?? all;
  const landing = requestIn(world, variables.iid);
  if (
    !query.includes('commits(first: 100, after: $after)') ||
    variables.path !== world.project.path_with_namespace ||
    landing === undefined
  ) {
    return { json: { data: { project: null } } };
  }
  const [from, to] = [Number(variables.after), Number(variables.after) + landing.authorsPerPage];
  const pageInfo = { hasNextPage: to < landing.authors.length, endCursor: String(to) };
  const commits = { nodes: landing.authors.slice(from, to), pageInfo };
  return { json: { data: { project: { mergeRequest: { commits } } } } };
}
