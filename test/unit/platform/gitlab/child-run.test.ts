import type { Platform } from '../../../../src/platform/platform.ts';
import { DEPLOYED, type FakeGitlab, gitlabWorld, landBeneath, startGitlab } from '../../../support/fake-gitlab.ts';
import { addChild, CHILD } from '../../../support/gitlab-child.ts';
import { gitlabAt } from '../../../support/hosted-run.ts';

let gitlab: FakeGitlab;
beforeAll(async () => {
  gitlab = await startGitlab();
});
afterAll(() => gitlab.close());
beforeEach(() => {
  gitlab.world = gitlabWorld();
  addChild(gitlab.world);
});

async function childRun(path = CHILD.path) {
  const platform = gitlabAt(gitlab.url);
  return await (platform.child as NonNullable<Platform['child']>)(await platform.identify(), path);
}
const job = (name: string, status: string) => gitlab.world.make.job(6300 + gitlab.world.jobs.length, name, { status });

it('is of the child’s repository, pipeline and commit; who runs it stays the parent', async () => {
  const { identity } = await childRun();
  expect(identity).toMatchObject({
    run: {
      repository: 'care/lab-results',
      repositoryId: '7001',
      id: '9101',
      sha: CHILD.sha,
      ref: 'refs/heads/main',
      event: 'pipeline',
      parent: { host: 'gitlab.example.org', repositoryId: '7002', runId: '9002' },
      job: '6003',
      runner: { pool: '31' },
      workflow: { sha: 'a'.repeat(40) },
    },
    workflow: { jobSha: 'a'.repeat(40) },
    triggeredBy: '101',
  });
});

it('has the people of the child’s own change', async () => {
  const { platform, identity } = await childRun();
  const source = await platform.source(identity.run, null);
  expect(source).toMatchObject({ protected: true, reachableFromProtected: true, reviews: [{ userId: '103' }] });
  expect(source.contributors.filter(({ as }) => as === 'trigger')).toEqual([]);
});

it('has what landed beneath in the child’s repository', async () => {
  landBeneath(gitlab.world.children[0] as FakeGitlab['world'], 6, 121);
  const { platform, identity } = await childRun();
  const { beneath } = await platform.source(identity.run, { sha: DEPLOYED, ref: 'refs/heads/main' });
  expect(beneath).toMatchObject([{ sha: '6'.repeat(40), reviews: [{ userId: '103' }] }]);
});

it('counts whoever started the child by retrying its job among those with a part in it', async () => {
  Object.assign(gitlab.world.children[0]?.pipeline as object, { user: gitlab.world.make.user(105) });
  const { platform, identity } = await childRun();
  expect((await platform.source(identity.run, null)).contributors).toContainEqual({ userId: '105', as: 'trigger' });
});

it('asks the parent for approvals', async () => {
  const { platform, identity } = await childRun();
  expect(await platform.approvals(identity.run, 'production')).toMatchObject([{ userId: '104', state: 'approved' }]);
});

it('knows no runner by the name of a job', async () => {
  const { platform, identity } = await childRun();
  expect(await platform.poolOf?.(identity.run, 'build')).toBe(null);
});

it('is of nobody else', async () => {
  await expect(childRun('care/portal')).rejects.toMatchObject({ code: 'children.missing' });
});

describe('once a seal job has succeeded', () => {
  it('no other job begins', async () => {
    gitlab.world.jobs.push(job('gatehouse-lab-results-seal', 'success'));
    await expect(childRun()).rejects.toMatchObject({ code: 'run.sealed' });
  });

  it('no other job begins after the seal job was retried, which fails', async () => {
    gitlab.world.retried.push(job('gatehouse-lab-results-seal', 'success'));
    gitlab.world.jobs.push(job('gatehouse-lab-results-seal', 'failed'));
    await expect(childRun()).rejects.toMatchObject({ code: 'run.sealed' });
  });

  it('the seal of another repository of the run still does', async () => {
    gitlab.world.jobs.push(job('gatehouse-portal-seal', 'success'));
    Object.assign(gitlab.world.jobs.find(({ id }) => id === 6003) as object, { name: 'gatehouse-lab-results-seal' });
    expect((await childRun()).identity.run.id).toBe('9101');
  });

  it.each(['failed', 'canceled', 'created'])('one that is %s closes nothing', async (status) => {
    gitlab.world.jobs.push(job('gatehouse-lab-results-seal', status));
    expect((await childRun()).identity.run.id).toBe('9101');
  });
});

describe('how the parent pipeline went', () => {
  it.each<[string, string[], string, string]>([
    ['all succeeded', ['success', 'success'], 'success', 'success'],
    ['one failed', ['success', 'failed', 'skipped'], 'success', 'failure'],
    ['a child failed', ['skipped'], 'failed', 'failure'],
    ['one was cancelled', ['success', 'canceled'], 'success', 'cancelled'],
    ['one failed and one was cancelled', ['failed', 'canceled'], 'success', 'failure'],
    ['nobody approved', ['success', 'manual'], 'success', 'skipped'],
    ['one has not ended', ['success', 'running'], 'success', 'skipped'],
    ['a state that nobody knows', ['success', 'blessed'], 'success', 'skipped'],
  ])('%s', async (_, states, bridge, outcome) => {
    const own = gitlab.world.jobs.find(({ id }) => id === 6003) as object;
    Object.assign(own, { name: 'gatehouse-lab-results-seal' });
    gitlab.world.jobs = [
      own as Record<string, unknown>,
      ...states.map((status, i) => gitlab.world.make.job(6400 + i, `job-${i}`, { status })),
    ];
    Object.assign(gitlab.world.bridges[0] as object, { status: bridge });
    const { platform } = await childRun();
    expect(await platform.outcome?.()).toBe(outcome);
    // What seals the parent's own run, in a pipeline of single steps, has a name of its own.
    Object.assign(own, { name: 'seal' });
    expect(await gitlabAt(gitlab.url).outcome?.()).toBe(outcome);
  });
});
