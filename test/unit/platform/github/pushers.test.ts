import {
  BASE,
  type FakeGithub,
  githubWorld,
  HEAD,
  NOTHING,
  OLDER,
  PEOPLE,
  startGithub,
} from '../../../support/fake-github.ts';
import { githubAt } from '../../../support/hosted-run.ts';

/* Whose pushes made the branch of the merged request. Its last commit is HEAD, below it OLDER, below that the base. */

const { user, commit, pushed } = githubWorld().make;
const [dev, helper, early, merger] = [PEOPLE.dev, 120, 121, String(PEOPLE.merger)];
const OTHER = '9'.repeat(40);

let github: FakeGithub;
let world: FakeGithub['world'];

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  github.world = githubWorld();
  world = github.world;
  world.pull.commits = 2;
  world.pullCommits = [unsigned(OLDER), unsigned(HEAD)];
});
afterEach(() => expect(github.violations.splice(0)).toEqual([]));

function unsigned(sha: string) {
  const made = commit(sha, PEOPLE.dev, user(PEOPLE.dev));
  return { ...made, commit: { ...made.commit, verification: { ...made.commit.verification, verified: false } } };
}

/** Those who pushed to the request's branch, newest first; who merged it is left out. */
async function pushers(...activity: object[]) {
  const [merge] = world.activity;
  world.activity = [merge, ...activity] as typeof world.activity;
  const platform = githubAt(github.url);
  const { contributors } = await platform.source((await platform.identify()).run, null);
  return contributors.filter(({ as, userId }) => as === 'pusher' && userId !== merger).map(({ userId }) => userId);
}
const branchOfDev = [pushed(dev, OLDER, HEAD), pushed(dev, NOTHING, OLDER, 'branch_creation')];

describe('whoever pushed to the branch of a request', () => {
  it.each<[string, object[], number[]]>([
    ['in one push that made the branch', [pushed(dev, NOTHING, HEAD, 'branch_creation')], [dev]],
    ['in two pushes', [pushed(helper, OLDER, HEAD), pushed(dev, NOTHING, OLDER, 'branch_creation')], [helper, dev]],
    ['not after what was merged', [pushed(helper, HEAD, OTHER), ...branchOfDev], [dev]],
    ['not before there was anything of it', [pushed(dev, BASE, HEAD), pushed(early, OTHER, BASE)], [dev]],
    [
      'also before it was rewritten, back to its creation',
      [
        pushed(dev, OTHER, HEAD, 'force_push'),
        pushed(helper, BASE, OTHER),
        pushed(early, NOTHING, BASE, 'branch_creation'),
      ],
      [dev, helper, early],
    ],
    [
      'by merging another request into it',
      [pushed(helper, OLDER, HEAD, 'pr_merge'), pushed(dev, BASE, OLDER)],
      [helper, dev],
    ],
    [
      'also before it was deleted and restored',
      [
        pushed(dev, NOTHING, HEAD, 'branch_creation'),
        pushed(dev, HEAD, NOTHING, 'branch_deletion'),
        pushed(helper, BASE, HEAD),
      ],
      [dev, helper],
    ],
    [
      'not while another branch had its name',
      [
        pushed(dev, NOTHING, HEAD, 'branch_creation'),
        pushed(early, OTHER, NOTHING, 'branch_deletion'),
        pushed(early, BASE, OTHER),
      ],
      [dev],
    ],
  ])('is a contributor: %s', async (_, activity, ids) => {
    expect(await pushers(...activity)).toEqual(ids.map(String));
  });

  const unknown: [string, object[]][] = [
    ['no push is there', []],
    ['the first pushes are forgotten', [pushed(dev, OLDER, HEAD)]],
    ['a push in between is missing', [pushed(dev, OLDER, HEAD), pushed(dev, NOTHING, BASE, 'branch_creation')]],
    ['a rewritten branch does not reach back to its creation', [pushed(dev, OTHER, HEAD, 'force_push')]],
    [
      'there are more pushes than are listed',
      [
        ...Array.from({ length: 98 }, () => pushed(helper, HEAD, OTHER)),
        pushed(dev, NOTHING, HEAD, 'branch_creation'),
        pushed(dev, HEAD, NOTHING, 'branch_deletion'),
      ],
    ],
  ];
  it.each(unknown)('is a gap where %s', async (_, activity) => {
    expect(await pushers(...activity)).toEqual([null]);
  });

  it.each(unknown)('need not be known of signed commits where %s', async (_, activity) => {
    world.pullCommits = [OLDER, HEAD].map((sha) => commit(sha, PEOPLE.dev, user(PEOPLE.dev)));
    expect(await pushers(...activity)).toEqual([]);
  });

  it('is a gap where one of the commits is not signed', async () => {
    world.pullCommits = [commit(OLDER, PEOPLE.dev, user(PEOPLE.dev)), unsigned(HEAD)];
    expect(await pushers()).toEqual([null]);
  });

  it('is a gap where the account is gone', async () => {
    expect(await pushers({ ...pushed(dev, NOTHING, HEAD, 'branch_creation'), actor: null })).toEqual([null]);
  });
});

describe('the branch of a fork', () => {
  const forkOf = (full_name: string) => {
    const { repo, ...head } = world.pull.head as { repo: object };
    world.pull.head = { ...head, repo: { ...repo, id: 7002, full_name } };
  };

  it('is asked for where it is', async () => {
    forkOf('dev/lab-results');
    world.instead.set('/repos/dev/lab-results/activity', { json: [pushed(helper, NOTHING, HEAD, 'branch_creation')] });
    expect(await pushers(...branchOfDev)).toEqual([String(helper)]);
  });

  it.each([403, 404])('is a gap where the token cannot read it (%d)', async (status) => {
    forkOf('dev/lab-results');
    world.instead.set('/repos/dev/lab-results/activity', { status, json: {} });
    expect(await pushers(...branchOfDev)).toEqual([null]);
  });

  it('is a gap where it is gone', async () => {
    world.pull.head = { ...(world.pull.head as object), repo: null };
    world.instead.set('/repos/care/lab-results/pulls/7', { json: world.pull });
    expect(await pushers(...branchOfDev)).toEqual([null]);
  });

  it('that does not answer for the moment is no gap but a failure', async () => {
    forkOf('dev/lab-results');
    world.instead.set('/repos/dev/lab-results/activity', { status: 503, json: {} });
    await expect(pushers(...branchOfDev)).rejects.toMatchObject({ code: 'platform.unavailable', exit: 3 });
  });
});
