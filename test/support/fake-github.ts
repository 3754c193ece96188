import { checkExchange, exampleOf } from './github-openapi.ts';
import { type Reply, type Seen, startServer } from './json-server.ts';

/*
 * A fake of the part of GitHub's REST API that is asked. No real GitHub can run here: what it answers is built upon the
 * examples of GitHub's published description, and every question and answer of the ordinary world is held against it.
 */

type Json = Record<string, unknown>;

export const MERGED = 'a'.repeat(40);
export const HEAD = 'b'.repeat(40);
export const OLDER = 'e'.repeat(40);
export const BASE = 'd'.repeat(40);
/** The commit that is deployed, where a test says that one is. */
export const DEPLOYED = BASE;
/** What a branch was before it was created. */
export const NOTHING = '0'.repeat(40);
export const PEOPLE = { dev: 101, reviewer: 102, lead: 103, merger: 104 } as const;

const REPO = '/repos/{owner}/{repo}';
const parents = (...shas: string[]) => shas.map((sha) => ({ sha, url: 'https://api.github.com/x' }));
const user = (id: number, login = `user-${id}`) => ({
  ...(first(exampleOf(`${REPO}/pulls/{pull_number}/reviews`)).user as Json),
  id,
  login,
});

/** The world as GitHub sees it; a test changes what it is about. Lists are cut into pages as GitHub does. */
export function githubWorld() {
  const commit = (sha: string, author: number | null, committer: Json | null, message = 'Change') => {
    const example = first((exampleOf(`${REPO}/compare/{basehead}`) as Json).commits);
    const git = example.commit as Json;
    return {
      ...example,
      sha,
      author: author === null ? null : user(author),
      committer,
      commit: {
        ...git,
        message,
        author: { name: 'x', email: `${author}@example.org`, date: '2026-01-31T07:00:00Z' },
        committer: { name: 'x', email: 'noreply@github.com', date: '2026-01-31T07:00:00Z' },
        verification: { ...(git.verification as Json), verified: true },
      },
      parents: parents(BASE),
    };
  };
  const pull = {
    ...(exampleOf(`${REPO}/pulls/{pull_number}`) as Json),
    number: 7,
    merged: true,
    merged_at: '2026-01-31T07:30:00Z',
    merge_commit_sha: MERGED,
    commits: 1,
    user: user(PEOPLE.dev),
    merged_by: user(PEOPLE.merger),
    requested_teams: [],
  } as Json;
  pull.base = {
    ...(pull.base as Json),
    ref: 'main',
    sha: BASE,
    repo: { ...((pull.base as Json).repo as Json), id: 7001 },
  };
  const { repo: headRepo } = pull.head as { repo: Json };
  pull.head = {
    ...(pull.head as Json),
    ref: 'topic',
    sha: HEAD,
    repo: { ...headRepo, id: 7001, full_name: 'care/lab-results' },
  };
  const repo = exampleOf(REPO) as Json;
  const run = exampleOf(`${REPO}/actions/runs/{run_id}/attempts/{attempt_number}`) as Json;
  return {
    repository: {
      ...repo,
      id: 7001,
      full_name: 'care/lab-results',
      owner: { ...(repo.owner as Json), id: 70, login: 'care' },
      // The description demands what its own example lacks.
      language: null,
      parent: undefined,
      source: undefined,
      template_repository: undefined,
    } as Json,
    run: {
      ...run,
      id: 9001,
      run_attempt: 1,
      head_sha: MERGED,
      event: 'push',
      actor: user(PEOPLE.merger),
      triggering_actor: user(PEOPLE.merger),
      repository: { ...(run.repository as Json), id: 7001 },
    } as Json,
    jobs: [
      job(5001, 'promote / gate-promote', { created_at: '2026-01-31T07:50:00Z', started_at: '2026-01-31T07:50:10Z' }),
      job(5002, 'promote / approve', {}),
      job(5003, 'promote / gate-deploy', { status: 'in_progress', conclusion: null, completed_at: null }),
      job(4998, 'promote / build', {}),
      job(4999, 'promote / scan', {}),
    ],
    approvals: [approval(PEOPLE.lead)],
    branch: { ...(exampleOf(`${REPO}/branches/{branch}`) as Json), name: 'main', protected: true } as Json,
    head: MERGED,
    rules: [] as Json[],
    comparison: 'behind',
    activity: [
      {
        ...first(exampleOf(`${REPO}/activity`)),
        ref: 'refs/heads/main',
        before: BASE,
        after: MERGED,
        activity_type: 'pr_merge',
        actor: user(PEOPLE.merger),
        timestamp: '2026-01-31T07:30:00Z',
      },
      pushed(PEOPLE.dev, NOTHING, HEAD, 'branch_creation'),
    ] as Json[],
    commit: commit(MERGED, PEOPLE.merger, user(19864447, 'web-flow'), 'Merge pull request #7'),
    pulls: [{ ...first(exampleOf(`${REPO}/commits/{commit_sha}/pulls`)), ...pickPull(pull) }] as Json[],
    pull,
    pullCommits: [commit(HEAD, PEOPLE.dev, user(PEOPLE.dev))] as Json[],
    reviews: [review(PEOPLE.reviewer)] as Json[],
    /** What happened to the request, from old to new. */
    events: [event('labeled', '2026-01-31T07:05:00Z'), event('merged', '2026-01-31T07:30:00Z')] as Json[],
    /** What was merged between the deployed commit and this one. */
    earlier: [] as Earlier[],
    /** How this commit compares with the deployed one. */
    since: { status: 'ahead', commits: [] as Json[], total_commits: null as number | null },
    /** Answers instead of the ordinary ones, by path; they are not held against the description. */
    instead: new Map<string, Reply>(),
    make: { user, commit, parents, review, approval, job, pushed, event },
  };
}
export type GithubWorld = ReturnType<typeof githubWorld>;

interface Earlier {
  commit: Json;
  pull: Json;
  pullCommits: Json[];
  reviews: Json[];
  events: Json[];
}

/** Lets a request of this number (one digit), by this author, have been merged beneath all that landed so far. */
export function landBeneath(world: GithubWorld, number: number, author: number): Earlier {
  const { commit, review, pushed } = world.make;
  const [sha, head] = [`${number}`.repeat(40), `${number}f`.repeat(20)];
  const pull = { ...world.pull, number, merge_commit_sha: sha, user: user(author), merged_by: user(PEOPLE.merger) };
  const made = {
    commit: commit(sha, PEOPLE.merger, user(19864447, 'web-flow'), `Merge pull request #${number}`),
    pull: { ...pull, head: { ...(world.pull.head as Json), sha: head } },
    pullCommits: [commit(head, author, user(author))],
    reviews: [review(PEOPLE.reviewer, { commit_id: head })],
    events: [world.make.event('merged', '2026-01-31T07:30:00Z')],
  };
  const landed = world.activity.filter(({ ref }) => ref === 'refs/heads/main').at(-1) as Json;
  landed.before = sha;
  const above = [world.commit, ...world.earlier.map((each) => each.commit)].at(-1) as { parents: Json[] };
  above.parents = [{ ...above.parents[0], sha }];
  world.activity.push({ ...landed, before: DEPLOYED, after: sha }, pushed(author, NOTHING, head, 'branch_creation'));
  if (world.earlier.length === 0) world.since.commits.push(world.commit, ...world.pullCommits);
  world.since.commits.push(made.commit, ...made.pullCommits);
  world.earlier.push(made);
  return made;
}

export interface FakeGithub {
  url: string;
  seen: Seen[];
  world: GithubWorld;
  /** Questions and answers that do not fit the description. */
  violations: string[];
  close(): Promise<void>;
}

export async function startGithub(): Promise<FakeGithub> {
  const server = await startServer((seen) => answer(fake, seen));
  const fake: FakeGithub = {
    url: server.url,
    seen: server.seen,
    world: githubWorld(),
    violations: [],
    close: server.close,
  };
  return fake;
}

function answer({ world, violations, url }: FakeGithub, { method, path, query, headers }: Seen): Reply {
  const instead = world.instead.get(path);
  if (instead !== undefined) return instead;
  if (
    method !== 'GET' ||
    headers.authorization !== 'Bearer github-token' ||
    headers['x-github-api-version'] === undefined
  ) {
    return { status: 401, json: { message: 'Requires authentication' } };
  }
  const found = bodyOf(world, path.replace('/repos/care/lab-results', ''));
  if (found === undefined) return { status: 404, json: { message: 'Not Found' } };
  const reply = path.endsWith('/activity') ? linked(found as Json[], url, path, query) : paged(found, path, query);
  try {
    checkExchange(path, query, reply.json);
  } catch (error) {
    violations.push((error as Error).message);
  }
  return reply;
}

function bodyOf(world: GithubWorld, path: string): unknown {
  const { repository, run, jobs, commit, pull, branch } = world;
  const fixed: Record<string, unknown> = {
    '': repository,
    [`/actions/runs/${run.id}/attempts/${run.run_attempt}`]: run,
    [`/actions/runs/${run.id}/attempts/${run.run_attempt}/jobs`]: jobs,
    [`/actions/runs/${run.id}/approvals`]: world.approvals,
    [`/branches/${branch.name}`]: { ...branch, commit: { ...(branch.commit as Json), sha: world.head } },
    [`/rules/branches/${branch.name}`]: world.rules,
    '/activity': world.activity,
    [`/commits/${commit.sha}`]: commit,
    [`/commits/${commit.sha}/pulls`]: world.pulls,
    [`/pulls/${pull.number}`]: pull,
    [`/pulls/${pull.number}/reviews`]: world.reviews,
    [`/issues/${pull.number}/events`]: world.events,
    [`/compare/${world.head}...${commit.sha}`]: {
      ...(exampleOf(`${REPO}/compare/{basehead}`) as Json),
      status: world.comparison,
    },
  };
  for (const { commit: landed, pull: merged, reviews, events } of world.earlier) {
    const at = `/pulls/${merged.number}`;
    const listed = { ...first(exampleOf(`${REPO}/commits/{commit_sha}/pulls`)), ...pickPull(merged) };
    Object.assign(fixed, {
      [`/commits/${landed.sha}/pulls`]: [listed],
      [at]: merged,
      [`${at}/reviews`]: reviews,
      [`/issues/${merged.number}/events`]: events,
    });
  }
  const asked = jobs.find(({ id }) => path === `/actions/jobs/${id}`);
  return asked ?? fixed[path] ?? comparisonOf(world, path);
}

/** The run's commit compared with whatever is deployed, or a request's last with the branch of before. */
function comparisonOf({ commit, since, pull, pullCommits, earlier }: GithubWorld, path: string): unknown {
  const to = /^\/compare\/[0-9a-f]{40}\.\.\.([0-9a-f]{40})$/.exec(path)?.[1];
  const requests = [{ pull, pullCommits }, ...earlier].map(
    ({ pull: { head, commits: total }, pullCommits: commits }) => ({
      sha: (head as Json).sha,
      status: 'ahead',
      commits,
      total_commits: total as number | null,
    }),
  );
  const found = [{ sha: commit.sha, ...since }, ...requests].find(({ sha }) => sha === to);
  if (found === undefined) return undefined;
  const { status, commits, total_commits: total } = found;
  return {
    ...(exampleOf(`${REPO}/compare/{basehead}`) as Json),
    status,
    commits,
    total_commits: total ?? commits.length,
  };
}

/** Lists by page, with GitHub's `link`; what the API does not page (approvals) whole. */
function paged(found: unknown, path: string, query: URLSearchParams): Reply {
  if (path.includes('/compare/') && query.has('page')) {
    const { json, headers = {} } = paged((found as Json).commits, path.replace('/compare/', '/'), query);
    return { json: { ...(found as Json), commits: json }, headers };
  }
  if (!Array.isArray(found) || path.endsWith('/approvals')) return { json: found };
  const size = Number(query.get('per_page') ?? 30);
  const page = Number(query.get('page') ?? 1);
  const part = found.slice((page - 1) * size, page * size);
  const more = page * size < found.length;
  return {
    json: path.endsWith('/jobs') ? { total_count: found.length, jobs: part } : part,
    headers: more ? { link: `<http://127.0.0.1${path}?per_page=${size}&page=${page + 1}>; rel="next"` } : {},
  };
}

/** An activity on the branch of the ordinary pull request. */
function pushed(by: number, before: string, after: string, type = 'push'): Json {
  return {
    ...first(exampleOf(`${REPO}/activity`)),
    ref: 'refs/heads/topic',
    before,
    after,
    activity_type: type,
    actor: user(by),
    timestamp: '2026-01-31T07:00:00Z',
  };
}

/** Activities are paged by a mark, which stands in the address of the next page. */
function linked(found: Json[], url: string, path: string, query: URLSearchParams): Reply {
  const from = Number(query.get('after')?.replace('mark-', '') ?? 0);
  const end = from + Number(query.get('per_page') ?? 30);
  const next = new URLSearchParams({ ...Object.fromEntries(query), after: `mark-${end}` });
  return {
    json: found.slice(from, end),
    headers: end < found.length ? { link: `<${url}${path}?${next}>; rel="next"` } : {},
  };
}

function job(id: number, name: string, changes: Json): Json {
  return {
    ...(exampleOf(`${REPO}/actions/jobs/{job_id}`) as Json),
    id,
    run_id: 9001,
    run_attempt: 1,
    head_sha: MERGED,
    name,
    status: 'completed',
    conclusion: 'success',
    created_at: '2026-01-31T08:00:00Z',
    started_at: '2026-01-31T08:05:00Z',
    completed_at: '2026-01-31T08:05:30Z',
    runner_id: 12,
    runner_name: 'deploy-12',
    runner_group_id: 3,
    runner_group_name: 'gatehouse-deploy',
    ...changes,
  };
}

function approval(by: number, changes: Json = {}): Json {
  const example = first(exampleOf(`${REPO}/actions/runs/{run_id}/approvals`));
  const [environment] = example.environments as [Json];
  return {
    ...example,
    state: 'approved',
    user: user(by),
    environments: [{ ...environment, name: 'production' }],
    ...changes,
  };
}

function review(by: number, changes: Json = {}): Json {
  const example = first(exampleOf(`${REPO}/pulls/{pull_number}/reviews`));
  return {
    ...example,
    user: user(by),
    state: 'APPROVED',
    submitted_at: '2026-01-31T07:20:00Z',
    commit_id: HEAD,
    ...changes,
  };
}

/** What happened to a pull request; the example is of a kind that names a label. */
function event(kind: string, at: string): Json {
  return { ...first(exampleOf(`${REPO}/issues/{issue_number}/events`)), event: kind, created_at: at };
}

function pickPull({ number, merged_at, merge_commit_sha, base, head, requested_teams }: Json): Json {
  return { number, merged_at, merge_commit_sha, base, head, requested_teams };
}

function first(list: unknown): Json {
  return (list as Json[])[0] as Json;
}
