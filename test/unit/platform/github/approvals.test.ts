import { type FakeGithub, githubWorld, OLDER, PEOPLE, startGithub } from '../../../support/fake-github.ts';
import { githubAt } from '../../../support/hosted-run.ts';

let github: FakeGithub;
let world: FakeGithub['world'];
const { job } = githubWorld().make;

beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
beforeEach(() => {
  github.world = githubWorld();
  world = github.world;
});
// Whatever a test makes of the world, what is asked and answered is GitHub's published API.
afterEach(() => expect(github.violations.splice(0)).toEqual([]));

async function approvals() {
  const platform = githubAt(github.url);
  return await platform.approvals((await platform.identify()).run, 'production');
}

describe('approvals', () => {
  it('carry the times of job approve: asked for at its creation, given at its start', async () => {
    expect(await approvals()).toEqual([
      {
        userId: '103',
        state: 'approved',
        at: '2026-01-31T08:05:00.000Z',
        atFrom: 'job-start',
        digest: null,
        strength: 'job',
        givenAfter: '2026-01-31T08:00:00.000Z',
      },
    ]);
  });

  it('list rejections too, and leave out what is pending', async () => {
    world.approvals = [
      world.make.approval(PEOPLE.lead, { state: 'rejected' }),
      world.make.approval(105, { state: 'pending' }),
    ];
    expect(await approvals()).toMatchObject([{ userId: '103', state: 'rejected' }]);
  });

  it.each([
    ['is not there yet', () => (world.jobs = world.jobs.filter(({ id }) => id !== 5002))],
    ['still waits', () => change(5002, { status: 'waiting', conclusion: null, completed_at: null })],
    ['was rejected', () => change(5002, { conclusion: 'failure' })],
    ['was skipped', () => change(5002, { conclusion: 'skipped' })],
    ['was taken over from an earlier attempt', () => change(5002, { created_at: '2026-01-31T09:00:00Z' })],
    ['is of another commit', () => change(5002, { head_sha: OLDER })],
    ['is of another caller of the workflow', () => change(5002, { name: 'other / approve' })],
    ['only ends in the same letters', () => change(5002, { name: 'promote / disapprove' })],
  ])('are none where job approve %s', async (_, make) => {
    make();
    expect(await approvals()).toEqual([]);
  });

  it('that were given so far are told without it, for the record of the run', async () => {
    world.jobs = world.jobs.filter(({ id }) => id !== 5002);
    const platform = githubAt(github.url);
    const { run } = await platform.identify();
    expect(await platform.approvalsGiven(run, 'production')).toEqual([{ userId: '103', state: 'approved' }]);
    expect(await platform.approvalsGiven(run, 'staging')).toEqual([]);
  });

  it('are found in a workflow that nobody calls, where job names have no prefix', async () => {
    for (const each of world.jobs) each.name = String(each.name).replace('promote / ', '');
    expect(await approvals()).toHaveLength(1);
  });

  const change = (id: number, changes: object) =>
    Object.assign(world.jobs.find((each) => each.id === id) as object, changes);
  it('look through all pages of jobs', async () => {
    world.jobs = [...Array.from({ length: 130 }, (_, i) => job(7000 + i, `promote / scan (${i})`, {})), ...world.jobs];
    expect(await approvals()).toHaveLength(1);
  });
});
