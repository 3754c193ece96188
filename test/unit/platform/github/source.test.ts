import { http } from '../../../../src/lib/http.ts';
import { githubPlatform } from '../../../../src/platform/github/github.ts';
import { type FakeGithub, startGithub } from '../../../support/fake-github.ts';

let github: FakeGithub;
beforeAll(async () => {
  github = await startGithub();
});
afterAll(() => github.close());
it('x', async () => {
  const claimed = {
    run: {
      platform: 'github',
      host: 'github.com',
      repository: 'care/lab-results',
      repositoryId: '7001',
      id: '9001',
      attempt: 1,
      parent: null,
      caller: null,
      workflow: null,
      ref: 'refs/heads/main',
      sha: 'a'.repeat(40),
      event: 'push',
      job: '5003',
    },
    workflow: { callerRef: null, callerSha: null, jobRef: null, jobSha: null },
    actor: '104',
    owner: '70',
    runner: { id: null, environment: 'self-hosted', hosted: false },
  } as const;
  const p = githubPlatform(
    { http, api: github.url, token: 'github-token', sleep: async () => undefined },
    claimed as never,
  );
  const identity = await p.identify();
  console.log(
    github.violations,
    JSON.stringify(identity),
    JSON.stringify(await p.source(identity.run), null, 1),
    await p.approvals(identity.run, 'production'),
  );
});
