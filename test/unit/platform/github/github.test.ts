import { readFileSync } from 'node:fs';
import * as replies from '../../../../src/platform/github/replies.ts';
import type { Contributor, RunIdentity } from '../../../../src/platform/platform.ts';
import {
  BASE,
  type FakeGithub,
  githubWorld,
  HEAD,
  MERGED,
  NOTHING,
  OLDER,
  PEOPLE,
  startGithub,
} from '../../../support/fake-github.ts';
import { PROTECTION_PATHS } from '../../../support/fake-github-protection.ts';
import { exampleOf } from '../../../support/github-openapi.ts';
import { githubAt } from '../../../support/hosted-run.ts';

let github: FakeGithub;
let world: FakeGithub['world'];
const { user, commit, parents, review, pushed, event } = githubWorld().make;

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  github.world = githubWorld();
  github.seen.length = 0;
  world = github.world;
});
// Whatever a test makes of the world, what is asked and answered is GitHub's published API.
afterEach(() => expect(github.violations.splice(0)).toEqual([]));

async function identity(): Promise<RunIdentity> {
  return await githubAt(github.url).identify();
}
async function source() {
  return await githubAt(github.url).source((await identity()).run, null);
}
async function approvals() {
  return await githubAt(github.url).approvals((await identity()).run, 'production');
}
const named = (people: Contributor[], as: string) =>
  people.filter((each) => each.as === as).map(({ userId }) => userId);

describe('the run', () => {
  it('is completed with its runner group and who started it', async () => {
    expect(await identity()).toMatchObject({
      run: {
        id: '9001',
        attempt: 1,
        runner: { name: 'deploy-12', pool: 'gatehouse-deploy', environment: 'self-hosted', hosted: false, image: null },
      },
      triggeredBy: '104',
      reranBy: null,
    });
  });

  it('that was re-run names who did', async () => {
    Object.assign(world.run, { run_attempt: 2, triggering_actor: user(PEOPLE.lead) });
    world.jobs = world.jobs.map((each) => ({ ...each, run_attempt: 2 }));
    expect(await githubAt(github.url, { run_attempt: '2' }).identify()).toMatchObject({
      triggeredBy: '104',
      reranBy: '103',
    });
  });

  it('that its own starter re-ran names them twice', async () => {
    Object.assign(world.run, { run_attempt: 2 });
    world.jobs = world.jobs.map((each) => ({ ...each, run_attempt: 2 }));
    expect(await githubAt(github.url, { run_attempt: '2' }).identify()).toMatchObject({
      triggeredBy: '104',
      reranBy: '104',
    });
  });

  it.each([
    ['no runner yet', { runner_name: null }],
    ['no runner group', { runner_group_name: null }],
  ])('with %s has no pool, which is not guessed', async (_, changes) => {
    world.jobs = world.jobs.map((each) => (each.id === 5003 ? { ...each, ...changes } : each));
    await expect(identity()).rejects.toMatchObject({ code: 'platform.runner', exit: 3 });
  });
});

describe('other calls of the workflow in the run', () => {
  const namesakes = async (...names: string[]) => {
    world.jobs = [...world.jobs, ...names.map((name, i) => ({ ...world.jobs[0], id: 6000 + i, name }))];
    return await githubAt(github.url).namesakes?.((await identity()).run);
  };

  it('are told by jobs of the same name below another caller', async () => {
    expect(await namesakes('again / gate-deploy', 'x / y / gate-deploy')).toEqual([
      'again / gate-deploy',
      'x / y / gate-deploy',
    ]);
  });

  it.each(['gate-deploy', 'again / scan', 'promote / gate-deploy'])('and not by a job %s', async (name) => {
    expect(await namesakes(name)).toEqual([]);
  });
});

it('a run that does not fit a record is refused, not cut to fit', async () => {
  world.jobs = world.jobs.map((each) => ({ ...each, runner_name: 'x'.repeat(257) }));
  await expect(identity()).rejects.toMatchObject({
    code: 'platform.mismatch',
    message: expect.stringContaining('runner.name'),
  });
});

describe('where the commit stands', () => {
  it.each([
    ['a protected branch whose head it is', {}, [true, true]],
    ['a protected branch, further back', { head: 'f'.repeat(40), comparison: 'behind' }, [true, true]],
    ['no part of the branch', { head: 'f'.repeat(40), comparison: 'diverged' }, [true, false]],
    ['ahead of the branch', { head: 'f'.repeat(40), comparison: 'ahead' }, [true, false]],
  ])('%s', async (_, changes, [isProtected, reachable]) => {
    Object.assign(world, changes);
    expect(await source()).toMatchObject({ protected: isProtected, reachableFromProtected: reachable });
  });

  const rule = (type: string) => ({
    ...(exampleOf('/repos/{owner}/{repo}/rules/branches/{branch}') as object[])[0],
    type,
    parameters: undefined,
  });
  it.each([
    ['without any rule', [], false],
    ['with a rule against removal only', ['deletion'], false],
    ['with a rule against rewriting only', ['non_fast_forward'], false],
    ['with both', ['deletion', 'non_fast_forward'], true],
  ])('an unprotected branch %s', async (_, types, isProtected) => {
    world.branch.protected = false;
    world.rules = types.map(rule);
    expect(await source()).toMatchObject({ protected: isProtected, reachableFromProtected: isProtected });
  });

  it('a tag is never protected here, and the branch of its name is not asked', async () => {
    const platform = githubAt(github.url, { ref: 'refs/tags/main' });
    const { run } = await platform.identify();
    expect(await platform.source(run, null)).toMatchObject({ protected: false, reachableFromProtected: false });
    expect(github.seen.filter(({ path }) => path.includes('/branches/'))).toEqual([]);
  });
});

describe('the people of a change', () => {
  it('are the request’s authors, who opened it, who merged it and who made it land', async () => {
    const { contributors, base } = await source();
    expect(contributors).toEqual([
      { userId: '104', as: 'author' },
      { userId: '104', as: 'committer' },
      { userId: '101', as: 'author' },
      { userId: '101', as: 'committer' },
      { userId: '101', as: 'pusher' },
      { userId: '104', as: 'pusher' },
    ]);
    expect(base).toBe('d'.repeat(40));
  });

  it('name who made this very commit land, not who came after', async () => {
    const [own] = world.activity;
    world.activity = [
      { ...own, after: 'f'.repeat(40), actor: user(120) },
      { ...own, ref: 'refs/heads/topic', actor: user(121) },
      { ...own },
      pushed(PEOPLE.dev, NOTHING, HEAD),
    ];
    expect(named((await source()).contributors, 'pusher')).toEqual(['101', '104']);
  });

  it('include everybody of every commit of the request', async () => {
    world.pull.commits = 3;
    world.pullCommits = [
      commit(OLDER, 111, user(112)),
      commit('1'.repeat(40), 113, user(113)),
      commit(HEAD, PEOPLE.dev, user(PEOPLE.dev)),
    ];
    const { contributors } = await source();
    expect(named(contributors, 'author')).toEqual(expect.arrayContaining(['111', '113', '101']));
    expect(named(contributors, 'committer')).toContain('112');
  });

  it.each([
    ['the no-reply address of an account', '12345+dev@users.noreply.github.com', '12345'],
    ['an address of an author of the same change', '101@example.org', '101'],
    ['an address that GitHub did not resolve', 'somebody@example.org', null],
    ['a no-reply address without a number', 'dev@users.noreply.github.com', null],
    ['a no-reply address at another host', '12345+dev@users.noreply.github.com.evil.net', null],
  ])('count a co-author with %s', async (_, email, userId) => {
    world.pullCommits = [commit(HEAD, PEOPLE.dev, user(PEOPLE.dev), `Change\n\nCo-authored-by: Somebody <${email}>`)];
    expect(named((await source()).contributors, 'coauthor')).toEqual([userId]);
  });

  it.each([
    ['unknown to GitHub (null)', null],
    ['unknown to GitHub (an empty object)', {}],
  ])('have a gap where an author is %s', async (_, author) => {
    world.pullCommits = [{ ...commit(HEAD, null, user(PEOPLE.dev)), author }];
    expect(named((await source()).contributors, 'author')).toContain(null);
  });

  it.each([
    ['signed by GitHub: its author sat at the keyboard', true, '101'],
    ['unsigned: anybody may use that name', false, null],
  ])('of a commit in GitHub’s own name, %s', async (_, verified, committer) => {
    const made = commit(HEAD, PEOPLE.dev, user(19864447, 'web-flow'));
    world.pullCommits = [
      { ...made, commit: { ...made.commit, verification: { ...made.commit.verification, verified } } },
    ];
    expect(named((await source()).contributors, 'committer')).toContain(committer);
  });

  it.each([
    [
      'an account that is gone opened it (the description knows no such request)',
      () => world.instead.set('/repos/care/lab-results/pulls/7', { json: { ...world.pull, user: null } }),
      'author',
    ],
    ['an account that is gone merged it', () => (world.pull.merged_by = null), 'committer'],
    ['nobody knows who pushed', () => (world.activity = []), 'pusher'],
    ['an account that is gone pushed', () => Object.assign(world.activity[0] as object, { actor: null }), 'pusher'],
  ])('have a gap where %s', async (_, change, as) => {
    change();
    expect(named((await source()).contributors, as)).toContain(null);
  });
});

describe('the reviews of a change', () => {
  it.each([
    ['of the last commit', {}, 'approved'],
    ['of an older commit', { commit_id: OLDER }, 'commented'],
    ['of a commit that is gone', { commit_id: null }, 'commented'],
    [
      'that asks for changes, of an older commit',
      { state: 'CHANGES_REQUESTED', commit_id: OLDER },
      'changes_requested',
    ],
    ['that was dismissed', { state: 'DISMISSED' }, 'dismissed'],
    ['that only comments', { state: 'COMMENTED' }, 'commented'],
  ])('one %s', async (_, changes, state) => {
    world.reviews = [review(PEOPLE.reviewer, changes)];
    expect((await source()).reviews).toEqual([{ userId: '102', state, at: '2026-01-31T07:20:00.000Z' }]);
  });

  it.each([
    ['before the base was changed', 'base_ref_changed', '07:25:00', 'commented'],
    ['in the second of the change', 'base_ref_changed', '07:20:00', 'commented'],
    ['before the base was changed by GitHub', 'automatic_base_change_succeeded', '07:25:00', 'commented'],
    ['before the base was rewritten', 'base_ref_force_pushed', '07:25:00', 'commented'],
    ['before the base was removed', 'base_ref_deleted', '07:25:00', 'commented'],
    ['before it was opened again, whatever its base was meanwhile', 'reopened', '07:25:00', 'commented'],
    ['after the base was changed', 'base_ref_changed', '07:19:59', 'approved'],
    ['before the base was rewritten, when all was merged', 'base_ref_force_pushed', '07:30:01', 'approved'],
    ['before the head was rewritten to what was reviewed', 'head_ref_force_pushed', '07:25:00', 'approved'],
  ])('one given %s', async (_, kind, time, state) => {
    world.events.push(event(kind, `2026-01-31T${time}Z`), event('base_ref_changed', '2026-01-31T07:10:00Z'));
    expect((await source()).reviews).toMatchObject([{ state }]);
  });

  it('an objection stays one, whatever becomes of the base', async () => {
    world.events.push(event('base_ref_changed', '2026-01-31T07:25:00Z'));
    world.reviews = [review(PEOPLE.reviewer, { state: 'CHANGES_REQUESTED' })];
    expect((await source()).reviews).toMatchObject([{ state: 'changes_requested' }]);
  });

  it('leave out one that is not sent yet', async () => {
    world.reviews = [review(PEOPLE.reviewer, { state: 'PENDING', submitted_at: undefined })];
    expect((await source()).reviews).toEqual([]);
  });

  it('name nobody where the account is gone', async () => {
    world.reviews = [review(0, { user: null })];
    expect((await source()).reviews).toMatchObject([{ userId: null, state: 'approved' }]);
  });

  it.each([[99], [100], [250], [998]])('are read to the end: %d of them', async (number) => {
    world.reviews = Array.from({ length: number }, (_, i) => review(1000 + i, { state: 'COMMENTED' }));
    (world.reviews as object[]).push(review(PEOPLE.reviewer, { state: 'CHANGES_REQUESTED' }));
    expect((await source()).reviews.at(-1)).toMatchObject({ userId: '102', state: 'changes_requested' });
  });

  it('are refused where there are too many to read', async () => {
    world.reviews = Array.from({ length: 1001 }, (_, i) => review(1000 + i));
    await expect(source()).rejects.toMatchObject({ code: 'platform.too_many', exit: 3 });
  });

  it('of a commit that no request brought are none', async () => {
    world.pulls = [];
    expect(await source()).toMatchObject({ reviews: [], base: 'd'.repeat(40) });
  });

  it.each([
    ['merged by GitHub', 'pr_merge', 1],
    ['merged by the merge queue', 'merge_queue_merge', 1],
    ['merged at home and pushed, with anything in it', 'push', 0],
    ['force-pushed', 'force_push', 0],
  ])('count where it was %s', async (_, activity_type, count) => {
    Object.assign(world.activity[0] as object, { activity_type });
    expect((await source()).reviews).toHaveLength(count);
  });

  it.each([
    [HEAD, 1],
    [OLDER, 0],
  ])('count where the request’s last commit is what GitHub merged: %s', async (second, count) => {
    Object.assign(world.commit, { parents: parents(OLDER, second) });
    expect((await source()).reviews).toHaveLength(count);
  });

  it('count where the very commit that was reviewed was pushed', async () => {
    Object.assign(world.activity[0] as object, { activity_type: 'push' });
    world.pull.head = { ...(world.pull.head as object), sha: MERGED };
    world.since.commits = [commit(MERGED, PEOPLE.dev, user(PEOPLE.dev))];
    world.reviews = [review(PEOPLE.reviewer, { commit_id: MERGED })];
    expect((await source()).reviews).toMatchObject([{ state: 'approved' }]);
  });
});

describe('a request of many commits', () => {
  const ofCommits = (number: number) => {
    const first = Array.from({ length: number - 1 }, (_, i) =>
      commit(`${i}`.padStart(40, '0'), 1000 + i, user(1000 + i)),
    );
    world.pullCommits = [...first, commit(HEAD, PEOPLE.dev, user(PEOPLE.dev))];
    world.pull.commits = number;
  };

  it.each([100, 101, 251, 1000])('is read to the end: %d of them', async (number) => {
    ofCommits(number);
    expect(named((await source()).contributors, 'author')).toHaveLength(number + 1);
  });

  it('has those that the branch had not before, whatever the request’s base was', async () => {
    world.pull.base = { ...(world.pull.base as object), sha: OLDER };
    await source();
    const asked = github.seen.map(({ path }) => path).filter((path) => path.includes('/compare/'));
    expect(asked).toEqual([`/repos/care/lab-results/compare/${BASE}...${HEAD}`]);
  });

  it('is refused where there are too many to read, with a way out', async () => {
    ofCommits(1001);
    await expect(source()).rejects.toMatchObject({
      code: 'platform.too_many',
      exit: 3,
      message: expect.stringContaining(`put the branch back to before commit ${MERGED}`),
    });
  });

  it('is refused where the branch had them before', async () => {
    const path = `/repos/care/lab-results/compare/${BASE}...${HEAD}`;
    const example = exampleOf('/repos/{owner}/{repo}/compare/{basehead}') as object;
    world.instead.set(path, { json: { ...example, status: 'behind', total_commits: 0, commits: [] } });
    await expect(source()).rejects.toMatchObject({ code: 'platform.inconsistent', exit: 3 });
  });
});

describe('of several requests that were closed by one merge', () => {
  const closed = (number: number, sha: string, merged_at = '2026-01-31T07:30:02Z') => ({
    ...world.pulls[0],
    number,
    merged_at,
    head: { ...(world.pull.head as object), sha },
  });
  const mergeOf = (...shas: string[]) => Object.assign(world.commit, { parents: parents(...shas) });

  it.each<[string, () => void]>([
    ['of one with part of the commits', () => world.pulls.unshift(closed(6, OLDER, '2026-01-31T07:29:00Z'))],
    ['of the same head, closed by it afterwards', () => world.pulls.unshift(closed(6, HEAD))],
    [
      'of the same head, in the same second, opened later',
      () => world.pulls.unshift(closed(8, HEAD, '2026-01-31T07:30:00Z')),
    ],
  ])('the one is meant that was merged, and not another %s', async (_, attack) => {
    mergeOf(BASE, HEAD);
    attack();
    expect((await source()).reviews).toMatchObject([{ state: 'approved' }]);
    expect(github.seen.filter(({ path }) => /\/(pulls|issues)\/[68]/.test(path))).toEqual([]);
  });

  it('the one is meant whose head arrived, where that was pushed', async () => {
    mergeOf(BASE, OLDER);
    Object.assign(world.activity[0] as object, { activity_type: 'push' });
    world.pulls = [closed(6, OLDER), closed(7, MERGED)];
    world.pull.head = { ...(world.pull.head as object), sha: MERGED };
    world.since.commits = [commit(MERGED, PEOPLE.dev, user(PEOPLE.dev))];
    world.reviews = [review(PEOPLE.reviewer, { commit_id: MERGED })];
    expect((await source()).reviews).toMatchObject([{ state: 'approved' }]);
  });

  it('none is meant where it merges another head', async () => {
    mergeOf(BASE, 'f'.repeat(40));
    world.pulls.push(closed(8, OLDER));
    await expect(source()).rejects.toMatchObject({
      code: 'platform.ambiguous',
      exit: 3,
      message: expect.stringContaining(`put the branch back to before commit ${MERGED}`),
    });
  });
});

describe('the published description', () => {
  it('names each question that is asked', async () => {
    await source();
    await approvals();
    world.head = 'f'.repeat(40);
    world.branch.protected = false;
    await source();
    const { paths } = JSON.parse(readFileSync('test/fixtures/github/openapi.json', 'utf8'));
    const { templateOf } = await import('../../../support/github-openapi.ts');
    const others = Object.keys(paths).filter((path) => !PROTECTION_PATHS.includes(path));
    expect(new Set(github.seen.map(({ path }) => templateOf(path)))).toEqual(new Set(others));
  });

  it.each([
    ['/repos/{owner}/{repo}', replies.repository],
    ['/repos/{owner}/{repo}/actions/runs/{run_id}/attempts/{attempt_number}', replies.runAttempt],
    ['/repos/{owner}/{repo}/actions/runs/{run_id}/approvals', replies.approvals],
    ['/repos/{owner}/{repo}/rules/branches/{branch}', replies.rules],
    ['/repos/{owner}/{repo}/compare/{basehead}', replies.comparison],
    ['/repos/{owner}/{repo}/compare/{basehead}', replies.commitComparison],
    ['/repos/{owner}/{repo}/issues/{issue_number}/events', replies.issueEvents],
    ['/repos/{owner}/{repo}/pulls/{pull_number}', replies.pull],
  ])('gives an example of %s that can be read', (path, schema) => {
    const parsed = schema.safeParse(exampleOf(path));
    expect(
      parsed.error?.issues.filter(
        ({ path: at }) => !['sha', 'head_sha', 'merge_commit_sha'].includes(String(at.at(-1))),
      ) ?? [],
    ).toEqual([]);
  });
});
