import { boundApprovals } from '../../src/identity/approvals.ts';
import { OLDER } from '../support/fake-github.ts';
import { HEAD, MERGED } from '../support/fake-gitlab.ts';
import { identityScene } from './identity-scene.ts';

/* The same of changes and approvals on GitLab. */

const scene = identityScene();

describe('nothing of it on GitLab either', () => {
  const opened = async () => {
    const found = await scene.onGitlab();
    if (!found.ok) throw new Error(found.why);
    return found;
  };
  const source = async () => {
    const { platform, identity } = await opened();
    return await platform.source(identity.run, null);
  };
  const approvals = async () => {
    const { platform, identity } = await opened();
    return boundApprovals(await platform.approvals(identity.run, 'production'), [], Date.parse('2026-01-31T08:00:00Z'));
  };
  const request = (changes: object) => Object.assign(scene.gitlab.world.mergeRequests[0] as object, changes);
  const another = (changes: object) =>
    scene.gitlab.world.mergeRequests.push({ ...scene.gitlab.world.mergeRequests[0], iid: 8, ...changes });
  const deployed = (changes: object) => Object.assign(scene.gitlab.world.deployments[0] as object, changes);

  it('honestly it is reviewed and approved', async () => {
    expect((await source()).reviews).toMatchObject([{ userId: '103', state: 'approved' }]);
    expect(await approvals()).toMatchObject([{ userId: '104', strength: 'run' }]);
  });

  it('the player of a manual job never gets more than a job’s strength', async () => {
    deployed({ approvals: [] });
    expect(await approvals()).toMatchObject([{ atFrom: 'job', strength: 'job' }]);
  });

  it('an approval from before the promote decision is worth a job’s', async () => {
    deployed({ approvals: [scene.gitlab.world.make.approval(104, { created_at: '2026-01-31T07:59:00Z' })] });
    expect(await approvals()).toMatchObject([{ strength: 'job' }]);
  });

  it.each<[string, () => void, string]>([
    [
      'approvals that are still missing though the job ran',
      () => deployed({ pending_approval_count: 1 }),
      'platform.inconsistent',
    ],
    ['a deployment of another commit', () => deployed({ sha: OLDER }), 'platform.inconsistent'],
    [
      'two approve jobs',
      () => scene.gitlab.world.jobs.push(scene.gitlab.world.make.job(6009, 'gatehouse-approve')),
      'platform.ambiguous',
    ],
    [
      'an approval in a state that nobody knows',
      () => deployed({ approvals: [{ ...scene.gitlab.world.make.approval(104), status: 'blessed' }] }),
      'platform.reply',
    ],
  ])('%s is no approval', async (_, attack, code) => {
    attack();
    await expect(approvals()).rejects.toMatchObject({ code });
  });

  it.each<[string, () => void, string]>([
    ['a list of authors that never ends', () => (scene.gitlab.world.authorsPerPage = 0), 'platform.too_many'],
    [
      'authors of other commits',
      () => (scene.gitlab.world.authors = [{ sha: OLDER, author: null }]),
      'platform.incomplete',
    ],
    [
      'an error in the place of authors',
      () => scene.gitlab.world.instead.set('/api/graphql', { json: { errors: [{ message: 'x' }] } }),
      'platform.reply',
    ],
    [
      'a token that may not ask GraphQL',
      () => scene.gitlab.world.instead.set('/api/graphql', { status: 401, json: {} }),
      'platform.refused',
    ],
    [
      'two requests for one commit, of different commits',
      () => another({ sha: OLDER, squash_commit_sha: HEAD }),
      'platform.ambiguous',
    ],
    [
      'a request whose versions end before its last commit',
      () => Object.assign(scene.gitlab.world.versions[0] as object, { head_commit_sha: OLDER }),
      'platform.inconsistent',
    ],
  ])('%s: the change has no people', async (_, attack, code) => {
    attack();
    await expect(source()).rejects.toMatchObject({ code });
  });

  it.each([
    ['pushed while the branch was open for a moment', { source_commit: MERGED }],
    ['merged by fast-forward as the last commit of another request', { source_merge_request_id: 508 }],
  ])('a merge made at home, of a reviewed request, is not reviewed: %s', async (_, changes) => {
    Object.assign(scene.gitlab.world.stateEvents[0] as object, changes);
    expect(await source()).toMatchObject({ reviews: [], contributors: [{ userId: null }, { userId: null }] });
  });

  it('a GitLab that does not say how a request was merged is no answer', async () => {
    scene.gitlab.world.instead.set('/api/v4/projects/7002/merge_requests/7/resource_state_events', {
      json: [{ state: 'merged' }],
    });
    await expect(source()).rejects.toMatchObject({ code: 'platform.reply' });
  });

  it('a request is not merged by a merge of something else, though GitLab says so', async () => {
    request({ sha: OLDER });
    expect(await source()).toMatchObject({ reviews: [] });
  });

  it('a merge that a maintainer may have made by hand is not of a protected branch, whatever GitLab says of its request', async () => {
    const { world } = scene.gitlab;
    expect(await source()).toMatchObject({ protected: true, reachableFromProtected: true });
    world.protectedBranches = [world.make.protectedBranch('main', { access_level: 40 })];
    expect(await source()).toMatchObject({ protected: false, reachableFromProtected: false });
  });

  it('an approval that was given before the last push is a comment', async () => {
    Object.assign(scene.gitlab.world.versions[0] as object, { created_at: '2026-01-31T07:21:00.000Z' });
    expect((await source()).reviews).toMatchObject([{ state: 'commented' }]);
  });
});
