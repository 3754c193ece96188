import { githubWorld, OLDER } from '../support/fake-github.ts';
import { identityScene } from './identity-scene.ts';

/* A genuine token is only good for the very run, job and repository that it names. */

const scene = identityScene();
const { user } = githubWorld().make;

describe('a token that the platform’s API does not confirm is of another run', () => {
  const sets = (where: 'repository' | 'run', changes: object) => () =>
    void Object.assign(scene.github.world[where], changes);
  const own = (changes: object) => () => void Object.assign(scene.github.world.jobs[2] as object, changes);

  it.each<[string, () => void, RegExp]>([
    [
      'a repository that was deleted and made anew under its name',
      sets('repository', { id: 7999 }),
      /id 7999 in the API and 7001 in the token/,
    ],
    [
      'an owner that gave up its name',
      sets('repository', { owner: { ...(githubWorld().repository.owner as object), id: 71 } }),
      /owner/,
    ],
    ['a repository that was moved', sets('repository', { full_name: 'care/other' }), /is now care\/other/],
    [
      'a run of another repository',
      sets('run', { repository: { ...(githubWorld().run.repository as object), id: 7999 } }),
      /repository id/,
    ],
    ['a run of another commit', sets('run', { head_sha: OLDER }), /commit/],
    ['a run of another event', sets('run', { event: 'workflow_dispatch' }), /event/],
    [
      'a person who neither started nor re-ran it',
      sets('run', { actor: user(1), triggering_actor: user(2) }),
      /actor 104/,
    ],
    ['a job of another run', own({ run_id: 9999 }), /run of the job/],
    ['a job of another attempt', own({ run_attempt: 2 }), /attempt of the job/],
    ['a job of another commit', own({ head_sha: OLDER }), /commit of the job/],
    [
      'a job that has ended',
      own({ status: 'completed', conclusion: 'success', completed_at: '2026-01-31T08:07:00Z' }),
      /has ended/,
    ],
  ])('%s', async (_, change, why) => {
    change();
    await expect(scene.onGithub()).rejects.toMatchObject({
      code: 'platform.mismatch',
      exit: 1,
      message: expect.stringMatching(why),
    });
  });

  it.each<[string, () => void, RegExp]>([
    ['a project that was made anew under its path', () => (scene.gitlab.world.project.id = 7003), /project is 7002/],
    ['a pipeline of another project', () => (scene.gitlab.world.pipeline.project_id = 7003), /project of the pipeline/],
    ['a pipeline of another commit', () => (scene.gitlab.world.pipeline.sha = OLDER), /commit/],
    [
      'a job that somebody else plays',
      () => Object.assign(scene.gitlab.world.jobs[2] as object, { user: { id: 7 } }),
      /user of the job/,
    ],
    [
      'a job on another runner',
      () => Object.assign(scene.gitlab.world.jobs[2] as object, { runner: { id: 32, description: 'other' } }),
      /runner/,
    ],
    [
      'a job that has ended',
      () => Object.assign(scene.gitlab.world.jobs[2] as object, { status: 'success' }),
      /has ended/,
    ],
  ])('on GitLab: %s', async (_, change, why) => {
    change();
    await expect(scene.onGitlab()).rejects.toMatchObject({
      code: 'platform.mismatch',
      exit: 1,
      message: expect.stringMatching(why),
    });
  });
});
