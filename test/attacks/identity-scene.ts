import type { ContractFile } from '../../src/contract/contract-file.ts';
import { type TrustedRun, trustedRun } from '../../src/identity/trusted-run.ts';
import { http } from '../../src/lib/http.ts';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW, GITLAB_CLAIMS, GITLAB_WORKFLOW } from '../support/claims.ts';
import { type FakeGithub, githubWorld, startGithub } from '../support/fake-github.ts';
import { type FakeGitlab, gitlabWorld, startGitlab } from '../support/fake-gitlab.ts';
import { type Claims, type Issuer, startIssuer } from '../support/issuer.ts';

/** An issuer, a stranger's issuer, and the platforms, all on loopback; GitHub and GitLab are fakes (see test/support). */
export interface IdentityScene {
  issuer: Issuer;
  stranger: Issuer;
  github: FakeGithub;
  gitlab: FakeGitlab;
  /** The token that GitHub's runner gives; honest until a test changes it. */
  sent: () => Promise<string>;
  onGithub(env?: Record<string, string>): Promise<TrustedRun>;
  onGitlab(claims?: Claims): Promise<TrustedRun>;
}

/** Sets the scene for one test file: every test finds an honest world and changes what it attacks. */
export function identityScene(): IdentityScene {
  const scene = {
    onGithub: (env = scene.issuer.runnerEnv) => runOf(env, { kind: 'job', value: 'github-token' }),
    onGitlab: async (claims = {}) =>
      runOf(
        { GATEHOUSE_ID_TOKEN: await scene.issuer.sign({ ...GITLAB_CLAIMS, ...claims }) },
        { kind: 'private', value: 'gitlab-token' },
      ),
  } as IdentityScene;

  const runOf = (env: Record<string, string>, apiToken: { kind: 'job' | 'private'; value: string }) =>
    trustedRun(contractOf(scene), 'gate', { env, http, now: Date.now, sleep: async () => undefined, apiToken });

  beforeAll(async () => {
    const [issuer, stranger, github, gitlab] = await Promise.all([
      startIssuer(),
      startIssuer(),
      startGithub(),
      startGitlab(),
    ]);
    Object.assign(scene, { issuer, stranger, github, gitlab });
  });
  afterAll(() => Promise.all([scene.issuer, scene.stranger, scene.github, scene.gitlab].map((each) => each.close())));
  beforeEach(() => {
    scene.issuer.answers.clear();
    scene.github.world = githubWorld();
    scene.gitlab.world = gitlabWorld();
    scene.sent = () => scene.issuer.sign(GITHUB_CLAIMS);
    scene.issuer.runnerToken = () => scene.sent();
  });
  return scene;
}

function contractOf({ github, gitlab, issuer }: IdentityScene): ContractFile {
  const platforms = [
    { kind: 'github', host: 'github.com', api: github.url, issuer: issuer.url, 'workflow-ref': GITHUB_WORKFLOW },
    {
      kind: 'gitlab',
      host: 'gitlab.example.org',
      api: gitlab.url,
      issuer: issuer.url,
      'workflow-ref': GITLAB_WORKFLOW,
    },
  ];
  return { platforms, trust: { 'max-skew': '5m' } } as unknown as ContractFile;
}
