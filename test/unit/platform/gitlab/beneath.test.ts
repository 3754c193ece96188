import {
  DEPLOYED,
  type FakeGitlab,
  gitlabWorld,
  HEAD,
  landBeneath,
  MERGED,
  PEOPLE,
  startGitlab,
} from '../../../support/fake-gitlab.ts';
import { gitlabAt } from '../../../support/hosted-run.ts';

/* What a deploy of MERGED would bring along: requests 6 and 5 were merged beneath it after the deployed commit. */

let gitlab: FakeGitlab;
let world: FakeGitlab['world'];
let six: ReturnType<typeof landBeneath>;
const { commit } = gitlabWorld().make;
const [SIX, FIVE] = ['6'.repeat(40), '5'.repeat(40)];

beforeAll(async () => {
  gitlab = await startGitlab();
});
afterAll(() => gitlab.close());
beforeEach(() => {
  gitlab.world = gitlabWorld();
  world = gitlab.world;
  six = landBeneath(world, 6, 121);
  landBeneath(world, 5, 122);
  gitlab.seen.length = 0;
});

async function source(sha: string | null = DEPLOYED, ref = 'refs/heads/main') {
  const platform = gitlabAt(gitlab.url);
  return await platform.source((await platform.identify()).run, sha === null ? null : { sha, ref });
}
const beneath = async (...deployed: Parameters<typeof source>) => (await source(...deployed)).beneath ?? [];
const shas = async (...deployed: Parameters<typeof source>) => (await beneath(...deployed)).map(({ sha }) => sha);

describe('what landed since the deployed commit', () => {
  it('is told request by request, each with its people and reviews', async () => {
    expect(await beneath()).toEqual([
      {
        sha: SIX,
        contributors: [
          { userId: '121', as: 'author' },
          { userId: '121', as: 'committer' },
          { userId: '101', as: 'committer' },
        ],
        reviews: [{ userId: '103', state: 'approved', at: expect.any(String) }],
      },
      expect.objectContaining({ sha: FIVE, reviews: [expect.objectContaining({ state: 'approved' })] }),
    ]);
  });

  it.each([
    ['nothing is', null],
    ['this very commit is', MERGED],
  ])('is nothing, and nobody is asked, where %s deployed', async (_, sha) => {
    expect(await beneath(sha)).toEqual([]);
    expect(gitlab.seen.filter(({ query }) => String(query).includes(DEPLOYED))).toEqual([]);
  });

  it('is nothing where a later commit is deployed', async () => {
    world.deployedBase = MERGED;
    expect(await beneath()).toEqual([]);
  });

  it('is read to the end of its commits', async () => {
    const many = Array.from({ length: 99 }, (_, i) => commit(`${i}`.padStart(40, '0'), 'dev@example.org'));
    world.mergeRequestCommits.push(...many);
    world.authors.push(...many.map(({ id }) => ({ sha: id, author: null })));
    expect(await shas()).toEqual([SIX, FIVE]);
  });

  it('is one request where its commits were squashed, the squashing commit being merged too', async () => {
    const squashed = '7'.repeat(40);
    Object.assign(six.mergeRequests[0] as object, { squash_commit_sha: squashed });
    six.commit.parent_ids = [DEPLOYED, squashed];
    world.since = [
      world.commit,
      six.commit,
      commit(squashed, 'merger@example.org'),
      (world.earlier[1] as typeof six).commit,
    ];
    expect(await shas()).toEqual([SIX, FIVE]);
  });

  it('is one request where it was merged by fast-forward: its last commit stands for all', async () => {
    const first = '7'.repeat(40);
    Object.assign(six.mergeRequests[0] as object, { merge_commit_sha: null, sha: SIX });
    six.mergeRequestCommits = [six.commit, commit(first, 'author-121@example.org')];
    six.versions = six.versions.map((each) => ({ ...each, head_commit_sha: SIX }));
    six.authors = [SIX, first].map((sha) => ({ sha, author: { id: 'gid://gitlab/User/121' } }));
    expect(await shas()).toEqual([SIX, FIVE]);
  });
});

describe('a commit that no request brought', () => {
  it.each([
    ['because none was merged as it', () => (six.mergeRequests = [])],
    [
      'because its request was merged elsewhere',
      () => Object.assign(six.mergeRequests[0] as object, { target_branch: 'next' }),
    ],
    [
      'because its request is of another project',
      () => Object.assign(six.mergeRequests[0] as object, { project_id: 8 }),
    ],
    ['because its request is open', () => Object.assign(six.mergeRequests[0] as object, { state: 'opened' })],
  ])('has no reviews and its own people: %s', async (_, change) => {
    change();
    const found = await beneath();
    expect(found.map(({ sha }) => sha)).toContain(SIX);
    expect(found.find(({ sha }) => sha === SIX)).toMatchObject({
      reviews: [],
      contributors: [
        { userId: null, as: 'author' },
        { userId: null, as: 'committer' },
      ],
    });
  });

  it('is told wherever in history it stands, also behind a second parent', async () => {
    const old = commit('7'.repeat(40), 'dev@example.org');
    world.since = [world.commit, ...world.mergeRequestCommits, old, six.commit, ...six.mergeRequestCommits];
    expect(await beneath()).toMatchObject([
      { sha: old.id, reviews: [] },
      { sha: SIX, reviews: [{ state: 'approved' }] },
    ]);
  });

  it('is not hidden by what lands above it', async () => {
    world.mergeRequests = [];
    expect((await beneath()).map(({ sha, reviews }) => [sha, reviews.length])).toEqual([
      [HEAD, 0],
      [SIX, 1],
      [FIVE, 1],
    ]);
  });
});

describe('a comparison', () => {
  it('with what is no part of the history is a denial: the branch was rewritten', async () => {
    world.deployedBase = HEAD;
    await expect(beneath()).rejects.toMatchObject({
      code: 'source.rewritten',
      exit: 1,
      message: expect.stringMatching(/ was allowed to be deployed from .* by a reviewed revert/),
    });
  });

  it('with what was deployed from another branch tells what that lacks', async () => {
    world.deployedBase = HEAD;
    expect(await shas(DEPLOYED, 'refs/heads/hotfix')).toEqual([SIX, FIVE]);
  });

  it.each([
    ['empty', () => []],
    ['without the newest commit', () => [six.commit]],
  ])('whose list of commits is %s is no answer', async (_, list) => {
    world.since = list();
    await expect(beneath()).rejects.toMatchObject({ code: 'platform.incomplete', exit: 3 });
  });

  it('with more commits than are read is no answer', async () => {
    world.since = [world.commit, ...Array.from({ length: 1_000 }, () => six.commit)];
    await expect(beneath()).rejects.toMatchObject({
      code: 'platform.too_many',
      exit: 3,
      message: expect.stringContaining('deploy an earlier commit of the branch first'),
    });
  });

  it('with a commit that GitLab no longer has is no answer', async () => {
    world.instead.set('/api/v4/projects/7002/repository/merge_base', { status: 404, json: {} });
    await expect(beneath()).rejects.toMatchObject({ code: 'platform.refused', exit: 3 });
  });

  it('with a commit as which several requests were merged is no answer', async () => {
    six.mergeRequests.push({ ...six.mergeRequests[0], id: 1, iid: 8, sha: FIVE, squash_commit_sha: '6f'.repeat(20) });
    await expect(beneath()).rejects.toMatchObject({
      code: 'platform.ambiguous',
      exit: 3,
      message: expect.stringContaining(`put the branch back to before commit ${SIX}`),
    });
  });

  it.each([
    ['REST', () => six.mergeRequestCommits.push(...Array.from({ length: 1_000 }, () => six.commit))],
    ['GraphQL', () => (six.authorsPerPage = 0)],
  ])('with a request of more commits than %s shows names the way out', async (_, change) => {
    change();
    world.since = [world.commit, ...world.mergeRequestCommits, six.commit];
    await expect(beneath()).rejects.toMatchObject({
      code: 'platform.too_many',
      message: expect.stringContaining(`put the branch back to before commit ${SIX}`),
    });
  });
});

it('people of the change itself are none of those beneath', async () => {
  const { contributors } = await source();
  expect(contributors).toContainEqual({ userId: String(PEOPLE.dev), as: 'author' });
  expect(contributors).not.toContainEqual({ userId: '121', as: 'author' });
});
