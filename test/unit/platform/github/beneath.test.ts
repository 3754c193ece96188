import {
  DEPLOYED,
  type FakeGithub,
  githubWorld,
  landBeneath,
  MERGED,
  NOTHING,
  PEOPLE,
  startGithub,
} from '../../../support/fake-github.ts';
import { githubAt } from '../../../support/hosted-run.ts';

/* What a deploy of MERGED would bring along: requests 6 and 5 were merged beneath it after the deployed commit. */

let github: FakeGithub;
let world: FakeGithub['world'];
const { user, commit } = githubWorld().make;
const MAIN = { sha: DEPLOYED, ref: 'refs/heads/main' };
const [SIX, FIVE] = ['6'.repeat(40), '5'.repeat(40)];

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  github.world = githubWorld();
  world = github.world;
  landBeneath(world, 6, 121);
  landBeneath(world, 5, 122);
  github.seen.length = 0;
});
afterEach(() => expect(github.violations.splice(0)).toEqual([]));

async function beneath(sha: string | null = DEPLOYED, ref = 'refs/heads/main') {
  const platform = githubAt(github.url);
  const { beneath: found } = await platform.source((await platform.identify()).run, sha === null ? null : { sha, ref });
  return found ?? [];
}
const landing = (sha: string) => world.activity.find(({ after }) => after === sha) as { [key: string]: unknown };

describe('what landed since the deployed commit', () => {
  it('is told request by request, each with its people and reviews', async () => {
    expect(await beneath()).toEqual([
      expect.objectContaining({
        sha: SIX,
        contributors: expect.arrayContaining([
          { userId: '121', as: 'author' },
          { userId: '104', as: 'pusher' },
        ]),
        reviews: [{ userId: '102', state: 'approved', at: expect.any(String) }],
      }),
      expect.objectContaining({ sha: FIVE, reviews: [expect.objectContaining({ state: 'approved' })] }),
    ]);
  });

  it.each([
    ['nothing is', null],
    ['this very commit is', MERGED],
  ])('is nothing, and nobody is asked, where %s deployed', async (_, sha) => {
    expect(await beneath(sha)).toEqual([]);
    expect(github.seen.filter(({ path }) => path.endsWith(`...${MERGED}`))).toEqual([]);
  });

  it.each(['identical', 'behind'])('is nothing where the commit is %s', async (status) => {
    world.since = { status, commits: [], total_commits: null };
    expect(await beneath()).toEqual([]);
  });

  it('ends where the history of the deployed commit begins', async () => {
    landing(SIX).before = DEPLOYED;
    expect((await beneath()).map(({ sha }) => sha)).toEqual([SIX]);
  });

  it('is read to the end of its commits', async () => {
    world.since.commits.unshift(
      ...Array.from({ length: 250 }, (_, i) => commit(`${i}`.padStart(40, '0'), 130, user(130))),
    );
    expect((await beneath()).map(({ sha }) => sha)).toEqual([SIX, FIVE]);
  });

  it.each([
    [150, [SIX, FIVE]],
    [1000, [SIX]],
  ])('is told beyond the first page of what happened to the branch: %d activities before', async (count, told) => {
    const others = Array.from({ length: count }, () => ({ ...landing(MERGED), after: 'f'.repeat(40) }));
    world.activity.splice(1, 0, ...others);
    expect((await beneath()).map(({ sha }) => sha)).toEqual(told);
  });

  it('is told past a branch that was put back to one of it', async () => {
    const putBack = (sha: string) => ({
      ...landing(MERGED),
      before: 'f'.repeat(40),
      after: sha,
      activity_type: 'force_push',
    });
    world.activity.splice(1, 0, putBack(SIX));
    world.activity.unshift(putBack(MERGED));
    expect(await beneath()).toMatchObject([
      { sha: SIX, reviews: [{ state: 'approved' }] },
      { sha: FIVE, reviews: [{ state: 'approved' }] },
    ]);
    const platform = githubAt(github.url);
    const { reviews } = await platform.source((await platform.identify()).run, MAIN);
    expect(reviews).toMatchObject([{ state: 'approved' }]);
  });

  it('is commit by commit where a merge queue landed several at once', async () => {
    Object.assign(landing(MERGED), { activity_type: 'merge_queue_merge', before: FIVE });
    world.activity = world.activity.filter(({ after }) => after !== SIX);
    expect(await beneath()).toMatchObject([
      { sha: SIX, reviews: [{ state: 'approved' }] },
      { sha: FIVE, reviews: [{ state: 'approved' }] },
    ]);
  });
});

describe('a landing that was no merge of a request', () => {
  it('has no reviews, and names who pushed', async () => {
    Object.assign(landing(SIX), { activity_type: 'push', actor: user(666) });
    expect((await beneath())[0]).toMatchObject({
      sha: SIX,
      reviews: [],
      contributors: expect.arrayContaining([{ userId: '666', as: 'pusher' }]),
    });
  });

  it.each([
    ['that is not shown', () => (world.activity = world.activity.filter(({ after }) => after !== SIX))],
    ['that rewrote the branch', () => Object.assign(landing(SIX), { activity_type: 'force_push' })],
    ['that made the branch', () => Object.assign(landing(SIX), { activity_type: 'branch_creation', before: NOTHING })],
    [
      'of which a merge queue is shown up to there only',
      () => {
        Object.assign(landing(MERGED), { activity_type: 'merge_queue_merge', before: SIX });
        world.activity = world.activity.filter(({ after }) => after !== SIX);
      },
    ],
  ])('is a gap, and the last that is told: one %s', async (_, change) => {
    change();
    const found = await beneath();
    expect(found).toMatchObject([{ sha: SIX, reviews: [] }]);
    expect(found[0]?.contributors).toContainEqual({ userId: null, as: 'pusher' });
  });

  it.each(['force_push', 'branch_creation'])('leaves a gap in the change itself where it was a %s', async (type) => {
    Object.assign(landing(MERGED), { activity_type: type });
    const platform = githubAt(github.url);
    const { contributors, reviews } = await platform.source((await platform.identify()).run, MAIN);
    expect(contributors).toContainEqual({ userId: null, as: 'pusher' });
    expect(reviews).toEqual([]);
  });
});

describe('a comparison', () => {
  it('with what is no part of the history is a denial: the branch was rewritten', async () => {
    world.since.status = 'diverged';
    await expect(beneath()).rejects.toMatchObject({ code: 'source.rewritten', exit: 1 });
  });

  it('with what was deployed from another branch tells what that lacks', async () => {
    world.since.status = 'diverged';
    expect((await beneath(DEPLOYED, 'refs/heads/hotfix')).map(({ sha }) => sha)).toEqual([SIX, FIVE]);
  });

  it.each<[string, Partial<typeof world.since>]>([
    ['fewer commits than there are', { total_commits: 300 }],
    ['no commit of those that there are', { commits: [], total_commits: 3 }],
    ['no commit where one is ahead', { commits: [] }],
    ['others than the one that is ahead', { commits: [commit(FIVE, 130, user(130))] }],
    ['one twice', { commits: [MERGED, SIX, SIX].map((sha) => commit(sha, 130, user(130))) }],
    ['commits where it is behind', { status: 'behind' }],
    ['as many commits as it counts, yet none where it is behind', { status: 'behind', commits: [], total_commits: 3 }],
  ])('with %s is no answer', async (_, since) => {
    Object.assign(world.since, since);
    await expect(beneath()).rejects.toMatchObject({ code: 'platform.incomplete', exit: 3 });
  });

  it('with more than a thousand commits is no answer', async () => {
    world.since.total_commits = 1001;
    await expect(beneath()).rejects.toMatchObject({ code: 'platform.too_many', exit: 3 });
  });

  it.each([0, 2000])('of a rewritten branch is a denial, also with %d commits', async (total_commits) => {
    world.since = { status: 'diverged', commits: [], total_commits };
    await expect(beneath()).rejects.toMatchObject({ code: 'source.rewritten', exit: 1 });
  });

  it('with a commit that GitHub no longer has is no answer', async () => {
    world.instead.set(`/repos/care/lab-results/compare/${DEPLOYED}...${MERGED}`, { status: 404, json: {} });
    await expect(beneath()).rejects.toMatchObject({ code: 'platform.refused', exit: 3 });
  });
});

it('people of the change itself are none of those beneath', async () => {
  const platform = githubAt(github.url);
  const { contributors } = await platform.source((await platform.identify()).run, MAIN);
  expect(contributors).toContainEqual({ userId: String(PEOPLE.dev), as: 'author' });
  expect(contributors).not.toContainEqual({ userId: '121', as: 'author' });
});
