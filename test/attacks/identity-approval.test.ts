import { boundApprovals } from '../../src/identity/approvals.ts';
import { githubWorld, PEOPLE } from '../support/fake-github.ts';
import { identityScene } from './identity-scene.ts';

/* An approval counts for one environment, one run and what it promoted. */

const scene = identityScene();
const { approval, job } = githubWorld().make;
const REPOSITORY = '/repos/care/lab-results';

async function githubApprovals(
  promotedAt = Date.parse('2026-01-31T07:55:00Z'),
  before: { userId: string; state: 'approved' }[] = [],
) {
  const found = await scene.onGithub();
  if (!found.ok) throw new Error(found.why);
  return boundApprovals(await found.platform.approvals(found.identity.run, 'production'), before, promotedAt);
}

describe('an approval cannot be borrowed', () => {
  it('honestly it is bound to the run', async () => {
    expect(await githubApprovals()).toMatchObject([{ userId: '103', state: 'approved', strength: 'run' }]);
  });

  it.each<[string, () => void]>([
    [
      'from another environment',
      () => (scene.github.world.approvals = [approval(PEOPLE.lead, { environments: [{ name: 'staging' }] })]),
    ],
    [
      'from one in other letters',
      () => (scene.github.world.approvals = [approval(PEOPLE.lead, { environments: [{ name: 'Production' }] })]),
    ],
    [
      'from a reviewer who is still asked',
      () => (scene.github.world.approvals = [approval(PEOPLE.lead, { state: 'pending' })]),
    ],
    [
      'while the approve job waits',
      () =>
        Object.assign(scene.github.world.jobs[1] as object, {
          status: 'waiting',
          conclusion: null,
          completed_at: null,
        }),
    ],
    [
      'from another use of the workflow in the same run',
      () => Object.assign(scene.github.world.jobs[1] as object, { name: 'other / approve' }),
    ],
    [
      'from a job that an earlier attempt ran',
      () => Object.assign(scene.github.world.jobs[1] as object, { created_at: '2026-01-31T08:06:00Z' }),
    ],
  ])('%s', async (_, attack) => {
    attack();
    expect(await githubApprovals()).toEqual([]);
  });

  it('from an earlier attempt: what was given before the run was opened does not count', async () => {
    scene.github.world.approvals = [approval(105), approval(PEOPLE.lead)];
    expect(await githubApprovals(undefined, [{ userId: '105', state: 'approved' }])).toMatchObject([{ userId: '103' }]);
  });

  it('from a job of the caller, given before the promotion, when the approve job then waits for nobody', async () => {
    expect(await githubApprovals(undefined, [{ userId: '103', state: 'approved' }])).toEqual([]);
  });

  it('from a job of the caller under the same environment: of two approvals neither is surely of this promotion', async () => {
    scene.github.world.approvals = [approval(105), approval(PEOPLE.lead)];
    expect(await githubApprovals()).toMatchObject([{ strength: 'job' }, { strength: 'job' }]);
  });

  it('from before the promote decision: it is worth a job’s only', async () => {
    expect(await githubApprovals(Date.parse('2026-01-31T08:00:01Z'))).toMatchObject([{ strength: 'job' }]);
  });

  it.each<[string, () => void, string]>([
    [
      'by a job of the caller with the same name',
      () => scene.github.world.jobs.push(job(5009, 'promote / approve', {})),
      'platform.ambiguous',
    ],
    [
      'by jobs on a page that is hidden',
      () =>
        scene.github.world.instead.set(`${REPOSITORY}/actions/runs/9001/attempts/1/jobs`, {
          json: { total_count: 130, jobs: scene.github.world.jobs },
        }),
      'platform.incomplete',
    ],
    [
      'by a list without the job that asks',
      () =>
        scene.github.world.instead.set(`${REPOSITORY}/actions/runs/9001/attempts/1/jobs`, {
          json: { total_count: 1, jobs: [scene.github.world.jobs[1]] },
        }),
      'platform.incomplete',
    ],
  ])('%s', async (_, attack, code) => {
    attack();
    await expect(githubApprovals()).rejects.toMatchObject({ code });
  });

  it('of an account that is gone is nobody’s', async () => {
    scene.github.world.instead.set(`${REPOSITORY}/actions/runs/9001/approvals`, {
      json: [{ ...approval(1), user: null }],
    });
    expect(await githubApprovals()).toMatchObject([{ userId: null }]);
  });
});
