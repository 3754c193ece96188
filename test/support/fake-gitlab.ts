import { entity } from './gitlab-fields.ts';
import { type Reply, type Seen, startServer } from './json-server.ts';

/*
 * A fake of the part of GitLab's API that is asked. No real GitLab can run here; see gitlab-fields.ts for where the names of
 * its fields come from.
 */

type Json = Record<string, unknown>;

export const MERGED = 'a'.repeat(40);
export const HEAD = 'b'.repeat(40);
export const BASE = 'd'.repeat(40);
export const PEOPLE = { dev: 102, reviewer: 103, lead: 104, merger: 101 } as const;

const user = (id: number) => entity('user', { id, username: `user-${id}`, name: 'x', state: 'active' });
const commit = (id: string, author: string, changes: Json = {}) =>
  entity('commit', {
    id,
    message: 'Change',
    author_email: author,
    committer_email: author,
    parent_ids: [BASE],
    created_at: '2026-01-31T08:00:00.000+01:00',
    ...changes,
  });
const job = (id: number, name: string, changes: Json = {}): Json =>
  entity('job', {
    id,
    name,
    status: 'success',
    created_at: '2026-01-31T07:40:00.000Z',
    started_at: '2026-01-31T08:05:00.000Z',
    user: user(PEOPLE.merger),
    pipeline: entity('pipeline', { id: 9002, project_id: 7002, sha: MERGED, ref: 'main', status: 'running' }),
    commit: commit(MERGED, 'merger@example.org'),
    runner: entity('runner', { id: 31, description: 'deploy runner', runner_type: 'project_type', is_shared: false }),
    ...changes,
  });
const approval = (by: number, changes: Json = {}): Json =>
  entity('deploymentApproval', {
    user: user(by),
    status: 'approved',
    created_at: '2026-01-31T08:04:00.000Z',
    comment: '',
    ...changes,
  });

/** The world as GitLab sees it; a test changes what it is about. */
export function gitlabWorld() {
  const mergeRequest: Json = entity('mergeRequest', {
    id: 501,
    iid: 7,
    project_id: 7002,
    state: 'merged',
    target_branch: 'main',
    source_branch: 'topic',
    sha: HEAD,
    merge_commit_sha: MERGED,
    squash_commit_sha: null,
    author: user(PEOPLE.dev),
    merge_user: user(PEOPLE.merger),
    merged_at: '2026-01-31T07:30:00.000Z',
  });
  return {
    project: entity('project', { id: 7002, path_with_namespace: 'care/release', default_branch: 'main' }) as Json,
    pipeline: entity('pipeline', {
      id: 9002,
      iid: 4,
      project_id: 7002,
      sha: MERGED,
      ref: 'main',
      status: 'running',
      source: 'push',
      user: user(PEOPLE.merger),
    }) as Json,
    jobs: [
      job(6001, 'gatehouse-gate-promote'),
      job(6002, 'gatehouse-approve'),
      job(6003, 'gatehouse-gate-deploy', { status: 'running' }),
    ],
    branch: entity('branch', { name: 'main', protected: true, developers_can_push: false, default: true }) as Json,
    head: MERGED,
    mergeBase: MERGED,
    commit: commit(MERGED, 'merger@example.org', { message: "Merge branch 'topic' into 'main'" }) as Json,
    mergeRequests: [mergeRequest],
    versions: [
      entity('version', {
        id: 3,
        head_commit_sha: HEAD,
        base_commit_sha: BASE,
        start_commit_sha: BASE,
        created_at: '2026-01-31T07:10:00.000Z',
        state: 'collected',
      }),
    ] as Json[],
    mergeRequestCommits: [commit(HEAD, 'dev@example.org')] as Json[],
    /** What GraphQL knows: the account behind each commit's author. */
    authors: [{ sha: HEAD, author: { id: `gid://gitlab/User/${PEOPLE.dev}` } }] as Json[],
    moreAuthors: false,
    approvals: entity('mergeRequestApprovals', {
      approved: true,
      approved_by: [entity('approval', { user: user(PEOPLE.reviewer), approved_at: '2026-01-31T07:20:00.000Z' })],
    }) as Json,
    deployments: [
      entity('deployment', {
        id: 41,
        ref: 'main',
        sha: MERGED,
        status: 'success',
        environment: entity('environment', { id: 9, name: 'production' }),
        deployable: job(6002, 'gatehouse-approve'),
        pending_approval_count: 0,
        approvals: [approval(PEOPLE.lead)],
      }),
    ] as Json[],
    instead: new Map<string, Reply>(),
    make: { user, commit, job, approval },
  };
}
export type GitlabWorld = ReturnType<typeof gitlabWorld>;

export interface FakeGitlab {
  /** Base address of the REST API. */
  url: string;
  seen: Seen[];
  world: GitlabWorld;
  close(): Promise<void>;
}

export async function startGitlab(): Promise<FakeGitlab> {
  const server = await startServer((seen) => answer(fake.world, seen));
  const fake: FakeGitlab = {
    url: `${server.url}/api/v4`,
    seen: server.seen,
    world: gitlabWorld(),
    close: server.close,
  };
  return fake;
}

function answer(world: GitlabWorld, { method, path, query, headers, body }: Seen): Reply {
  const instead = world.instead.get(path);
  if (instead !== undefined) return instead;
  if (headers['private-token'] !== 'gitlab-token') return { status: 401, json: { message: '401 Unauthorized' } };
  if (path === '/api/graphql' && method === 'POST') return graphql(world, JSON.parse(body.toString()));
  const found = bodyOf(world, path.replace('/api/v4/projects/7002', ''), query);
  if (found === undefined) return { status: 404, json: { message: '404 Not found' } };
  return paged(found, query);
}

function bodyOf(world: GitlabWorld, path: string, query: URLSearchParams): unknown {
  const { project, pipeline, branch, commit: own, jobs, deployments } = world;
  const request = world.mergeRequests.find(({ iid }) => path.startsWith(`/merge_requests/${iid}`));
  const fixed: Record<string, unknown> = {
    '': project,
    [`/pipelines/${pipeline.id}`]: pipeline,
    [`/pipelines/${pipeline.id}/jobs`]: jobs,
    [`/repository/branches/${branch.name}`]: { ...branch, commit: commit(world.head, 'merger@example.org') },
    '/repository/merge_base': commit(world.mergeBase, 'merger@example.org'),
    [`/repository/commits/${own.id}`]: own,
    [`/repository/commits/${own.id}/merge_requests`]: world.mergeRequests,
    [`/merge_requests/${request?.iid}`]: request,
    [`/merge_requests/${request?.iid}/versions`]: world.versions,
    [`/merge_requests/${request?.iid}/commits`]: world.mergeRequestCommits,
    [`/merge_requests/${request?.iid}/approvals`]: world.approvals,
    '/deployments': deployments
      .filter(({ environment }) => (environment as Json).name === query.get('environment'))
      .map(({ pending_approval_count, approvals, approval_summary, ...rest }) => rest),
  };
  const asked = jobs.find(({ id }) => path === `/jobs/${id}`);
  const deployed = deployments.find(({ id }) => path === `/deployments/${id}`);
  return asked ?? deployed ?? fixed[path];
}

function paged(found: unknown, query: URLSearchParams): Reply {
  if (!Array.isArray(found)) return { json: found };
  const size = Number(query.get('per_page') ?? 20);
  const page = Number(query.get('page') ?? 1);
  const more = page * size < found.length;
  return {
    json: found.slice((page - 1) * size, page * size),
    headers: { 'x-next-page': more ? String(page + 1) : '', 'x-page': String(page) },
  };
}

function graphql(world: GitlabWorld, { query, variables }: { query: string; variables: Json }): Reply {
  const request = world.mergeRequests.find(({ iid }) => String(iid) === variables.iid);
  if (
    !query.includes('commits(first: 100)') ||
    variables.path !== world.project.path_with_namespace ||
    request === undefined
  ) {
    return { json: { data: { project: null } } };
  }
  const commits = { nodes: world.authors, pageInfo: { hasNextPage: world.moreAuthors } };
  return { json: { data: { project: { mergeRequest: { commits } } } } };
}
