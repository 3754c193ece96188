import { githubWorld, HEAD, MERGED, NOTHING, OLDER, PEOPLE } from '../support/fake-github.ts';
import { identityScene } from './identity-scene.ts';

/* Nobody must get facts about a change that GitHub did not state. */

const scene = identityScene();
const { user, commit, parents, review, pushed, event } = githubWorld().make;
const MALLORY = 666;
const REPOSITORY = '/repos/care/lab-results';

async function githubSource() {
  const found = await scene.onGithub();
  if (!found.ok) throw new Error(found.why);
  return await found.platform.source(found.identity.run, null);
}
describe('a change cannot be made to look reviewed', () => {
  const approving = async () => (await githubSource()).reviews.filter(({ state }) => state === 'approved');

  it('honestly it is, by somebody who did not write it', async () => {
    expect(await approving()).toMatchObject([{ userId: '102' }]);
  });

  it.each<[string, () => void]>([
    [
      'by a review of an older commit',
      () => (scene.github.world.reviews = [review(PEOPLE.reviewer, { commit_id: OLDER })]),
    ],
    ['by a review of no commit', () => (scene.github.world.reviews = [review(PEOPLE.reviewer, { commit_id: null })])],
    [
      'by a review that was dismissed',
      () => (scene.github.world.reviews = [review(PEOPLE.reviewer, { state: 'DISMISSED' })]),
    ],
    [
      'by a request into another branch',
      () =>
        Object.assign(scene.github.world.pulls[0] as object, {
          base: { ...(scene.github.world.pull.base as object), ref: 'topic' },
        }),
    ],
    [
      'by a request of a fork’s own repository',
      () =>
        Object.assign(scene.github.world.pulls[0] as object, {
          base: {
            ...(scene.github.world.pull.base as object),
            repo: { ...(scene.github.world.pull.base as { repo: object }).repo, id: 1 },
          },
        }),
    ],
    ['by a request that is open', () => Object.assign(scene.github.world.pulls[0] as object, { merged_at: null })],
    [
      'by a request that was merged as another commit',
      () => Object.assign(scene.github.world.pulls[0] as object, { merge_commit_sha: OLDER }),
    ],
    [
      'by a merge made at home, with more in it than was reviewed',
      () => Object.assign(scene.github.world.activity[0] as object, { activity_type: 'push' }),
    ],
    [
      'by a review of the request while its base was another branch, with the rest in it already',
      () => scene.github.world.events.push(event('base_ref_changed', '2026-01-31T07:25:00Z')),
    ],
    [
      'by a review of the request while its base was a branch that GitHub took away',
      () => scene.github.world.events.push(event('automatic_base_change_succeeded', '2026-01-31T07:25:00Z')),
    ],
    [
      'by a review of the request while its base held the rest for a moment',
      () => scene.github.world.events.push(event('base_ref_force_pushed', '2026-01-31T07:25:00Z')),
    ],
    [
      'by a review of the request before it was closed, until its base no longer held the rest',
      () => scene.github.world.events.push(event('reopened', '2026-01-31T07:25:00Z')),
    ],
    [
      'by a request whose head is not what GitHub merged',
      () => Object.assign(scene.github.world.commit, { parents: parents(OLDER, 'f'.repeat(40)) }),
    ],
    ['by a commit of which nobody knows how it landed', () => (scene.github.world.activity = [])],
  ])('%s', async (_, attack) => {
    attack();
    expect(await approving()).toEqual([]);
  });

  it('by a reviewer whose account is gone: the approval is nobody’s', async () => {
    scene.github.world.reviews = [review(0, { user: null })];
    expect(await approving()).toMatchObject([{ userId: null }]);
  });

  it('by hiding the objection behind a hundred comments', async () => {
    scene.github.world.reviews = [
      ...Array.from({ length: 100 }, () => review(PEOPLE.reviewer, { state: 'COMMENTED' })),
      review(105, { state: 'CHANGES_REQUESTED' }),
    ];
    expect((await githubSource()).reviews.at(-1)).toMatchObject({ userId: '105', state: 'changes_requested' });
  });

  it.each<[string, () => void, string]>([
    ['by more commits than GitHub lists', () => (scene.github.world.pull.commits = 251), 'platform.incomplete'],
    [
      'by a list of commits without the last',
      () => (scene.github.world.pullCommits = [commit(OLDER, 101, user(101))]),
      'platform.incomplete',
    ],
    [
      'by two requests for one commit',
      () => scene.github.world.pulls.push({ ...scene.github.world.pulls[0], number: 8 }),
      'platform.ambiguous',
    ],
    [
      'by a request that changes while it is read',
      () => (scene.github.world.pull.merge_commit_sha = OLDER),
      'platform.inconsistent',
    ],
    [
      'by a page of people’s words',
      () => scene.github.world.instead.set(`${REPOSITORY}/pulls/7/reviews`, { bytes: '<html>approved</html>' }),
      'platform.reply',
    ],
    [
      'by an object in the place of a list',
      () => scene.github.world.instead.set(`${REPOSITORY}/pulls/7/reviews`, { json: { state: 'APPROVED' } }),
      'platform.reply',
    ],
    [
      'by a state that nobody knows',
      () => (scene.github.world.reviews = [review(PEOPLE.reviewer, { state: 'BLESSED' })]),
      'platform.reply',
    ],
    ['by events that are cut off before the merge', () => scene.github.world.events.pop(), 'platform.incomplete'],
    ['by no events at all', () => (scene.github.world.events = []), 'platform.incomplete'],
    [
      'by an event without a time',
      () =>
        scene.github.world.instead.set(`${REPOSITORY}/issues/7/events`, {
          json: [{ event: 'base_ref_changed' }, ...scene.github.world.events],
        }),
      'platform.reply',
    ],
    [
      'by hiding its events from the token',
      () => scene.github.world.instead.set(`${REPOSITORY}/issues/7/events`, { status: 404, json: {} }),
      'platform.refused',
    ],
    [
      'by hiding it from the token',
      () => scene.github.world.instead.set(`${REPOSITORY}/pulls/7/reviews`, { status: 404, json: {} }),
      'platform.refused',
    ],
  ])('%s', async (_, attack, code) => {
    attack();
    await expect(githubSource()).rejects.toMatchObject({ code });
  });

  it.each<[string, () => void, string]>([
    [
      'an author whom GitHub does not know',
      () => (scene.github.world.pullCommits = [commit(HEAD, null, user(PEOPLE.dev))]),
      'author',
    ],
    [
      'an unsigned commit in GitHub’s own name',
      () =>
        (scene.github.world.pullCommits = [
          {
            ...commit(HEAD, PEOPLE.dev, user(1, 'web-flow')),
            commit: { ...commit(HEAD, PEOPLE.dev, null).commit, verification: undefined },
          },
        ]),
      'committer',
    ],
    [
      'a co-author by address',
      () =>
        (scene.github.world.pullCommits = [
          commit(HEAD, PEOPLE.dev, user(PEOPLE.dev), 'x\n\nCO-AUTHORED-BY: y <y@example.org>\n\nand more'),
        ]),
      'coauthor',
    ],
  ])('without its people: %s leaves a gap, which denies', async (_, attack, as) => {
    attack();
    expect((await githubSource()).contributors).toContainEqual({ userId: null, as });
  });
});

describe('a commit in somebody else’s name does not hide who pushed it', () => {
  const inBobsName = (sha: string) => {
    const made = commit(sha, PEOPLE.dev, user(PEOPLE.dev));
    return { ...made, commit: { ...made.commit, verification: { ...made.commit.verification, verified: false } } };
  };
  const bobs = pushed(PEOPLE.dev, NOTHING, OLDER, 'branch_creation');
  const pushedBy = async () =>
    (await githubSource()).contributors.filter(({ as }) => as === 'pusher').map(({ userId }) => userId);

  it.each<[string, object[], string | null]>([
    ['onto his branch', [pushed(MALLORY, OLDER, HEAD), bobs], String(MALLORY)],
    [
      'and waited until he rebased it',
      [pushed(PEOPLE.dev, 'f'.repeat(40), HEAD, 'force_push'), pushed(MALLORY, OLDER, 'f'.repeat(40)), bobs],
      String(MALLORY),
    ],
    [
      'and waited until he restored his branch',
      [
        pushed(PEOPLE.dev, NOTHING, HEAD, 'branch_creation'),
        pushed(PEOPLE.dev, HEAD, NOTHING, 'branch_deletion'),
        pushed(MALLORY, OLDER, HEAD),
        bobs,
      ],
      String(MALLORY),
    ],
    ['by a push that GitHub no longer shows', [bobs], null],
  ])('%s', async (_, activity, pusher) => {
    scene.github.world.pull.commits = 2;
    scene.github.world.pullCommits = [inBobsName(OLDER), inBobsName(HEAD)];
    scene.github.world.activity.splice(1, 1, ...(activity as typeof scene.github.world.activity));
    expect(await pushedBy()).toContain(pusher);
  });
});

it('the commit that is judged is the one of the token, whatever the branch says', async () => {
  scene.github.world.head = 'f'.repeat(40);
  scene.github.world.comparison = 'diverged';
  expect(await githubSource()).toMatchObject({ protected: true, reachableFromProtected: false });
  expect(scene.github.seen.some(({ path }) => path.includes(`...${MERGED}`))).toBe(true);
});
