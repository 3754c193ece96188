import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GITHUB_WORKFLOW, GITLAB_WORKFLOW } from '../support/claims.ts';
import { type FakeProtection, protectionWorld, startGithubProtection } from '../support/fake-github-protection.ts';
import {
  type FakeGitlabProtection,
  gitlabProtection,
  startGitlabProtection,
} from '../support/fake-gitlab-protection.ts';
import { cleanEnvironment, type Ended, runAside, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let github: FakeProtection;
let gitlab: FakeGitlabProtection;
beforeAll(async () => {
  github = await startGithubProtection();
  gitlab = await startGitlabProtection();
});
afterAll(async () => {
  await Promise.all([github.close(), gitlab.close()]);
  sandbox.clean();
});
beforeEach(() => {
  github.world = protectionWorld();
  gitlab.world = gitlabProtection();
});

const onGithub = () => `  - { kind: github, host: github.com, api: '${github.url}',
      issuer: https://issuer.example.org, workflow-ref: ${GITHUB_WORKFLOW} }`;
const onGitlab = () => `  - { kind: gitlab, host: gitlab.example.org, api: '${gitlab.url}',
      issuer: https://gitlab.example.org, workflow-ref: ${GITLAB_WORKFLOW} }`;

/** A fork with our contract on these platforms; gives the folder of its program. */
function fork(platforms: string, change = (contract: string) => contract): string {
  const folder = sandbox.folder('fork');
  mkdirSync(join(folder, 'dist'));
  cpSync('build/dist', join(folder, 'dist'), { recursive: true });
  const ours = readFileSync('test/fixtures/contract.yml', 'utf8');
  const contract = ours.replace(/platforms:\n[\s\S]*?\n\n/, `platforms:\n${platforms}\n\n`);
  writeFileSync(join(folder, 'contract.yml'), change(contract));
  return join(folder, 'dist', 'gatehouse.js');
}

const ON_GITHUB = ['--repository', 'care/lab-results', '--environment', 'production'];
const doctor = (program: string, words: string[], env: Record<string, string> = {}): Promise<Ended> =>
  runAside(process.execPath, [program, 'doctor', '--platform', ...words], cleanEnvironment('/nonexistent', env));
const GITHUB_TOKEN = { GATEHOUSE_API_TOKEN: 'github-token' };
const GITLAB_TOKEN = { GATEHOUSE_API_TOKEN: 'gitlab-token' };

describe('doctor of GitHub', () => {
  it('is fit where every demand holds', async () => {
    const { code, stdout } = await doctor(fork(onGithub()), [...ON_GITHUB, '--json'], GITHUB_TOKEN);
    const json = JSON.parse(stdout);
    expect({ code, ...json, checks: json.checks.length }).toEqual({
      code: 0,
      status: 'fit',
      platform: 'github',
      host: 'github.com',
      compliance: 'example-health/compliance-workflows',
      application: 'care/lab-results',
      environment: 'production',
      checks: 23,
    });
    expect(github.violations).toEqual([]);
  });

  it('prints what holds, what does not and what is needed, and ends with 1', async () => {
    github.world.application.environments.pop();
    const { code, stdout } = await doctor(fork(onGithub()), ['--repository', 'care/lab-results'], GITHUB_TOKEN);
    expect(code).toBe(1);
    expect(stdout).toContain('trusted workflow: example-health/compliance-workflows');
    expect(stdout).toMatch(/✔ ok {4,}compliance branch {2,}main, by ruleset main/);
    expect(stdout).toMatch(/✖ fails {2,}production reviewers {2,}environment production does not exist/);
    expect(stdout).toMatch(/\n {8,}needed: at least one\n/);
    expect(stdout).toContain('4 demands not shown to hold');
    expect(stdout).toContain('docs/fork.md');
  });

  it('a demand that cannot be seen ends with 1 too', async () => {
    github.world.instead.set('/orgs/care/actions/runner-groups', { status: 403, json: {} });
    const { code, stdout } = await doctor(fork(onGithub()), [...ON_GITHUB, '--json'], GITHUB_TOKEN);
    expect(code).toBe(1);
    expect(JSON.parse(stdout).checks.at(-1)).toMatchObject({
      check: 'runner group gatehouse-build',
      status: 'unknown',
    });
  });

  it('what holds and somebody answers for (weak) is named and fit', async () => {
    Object.assign(github.world.application.actions, { allowed_actions: 'all' });
    const { code, stdout } = await doctor(fork(onGithub()), ON_GITHUB, GITHUB_TOKEN);
    expect(code).toBe(0);
    expect(stdout).toMatch(/! weak .*application actions/);
  });

  it('never prints its token', async () => {
    github.world.instead.set('/repos/care/lab-results/environments', {
      status: 403,
      json: { message: 'github-token' },
    });
    const { stdout, stderr } = await doctor(fork(onGithub()), ON_GITHUB, GITHUB_TOKEN);
    expect(stdout + stderr).not.toContain('github-token');
  });
});

describe('doctor of GitLab', () => {
  const pool = (contract: string) => contract.replace('[gatehouse-deploy, gatehouse-build]', "['31']");

  it('is fit where every demand holds, and names what does not', async () => {
    const program = fork(onGitlab(), pool);
    const good = await doctor(program, [...ON_GITHUB, '--json'], GITLAB_TOKEN);
    expect([good.code, JSON.parse(good.stdout)]).toMatchObject([
      0,
      { status: 'fit', platform: 'gitlab', host: 'gitlab.example.org', compliance: 'care/release' },
    ]);
    Object.assign(gitlab.world.runner, { run_untagged: true });
    const bad = await doctor(program, ON_GITHUB, GITLAB_TOKEN);
    expect(bad.code).toBe(1);
    expect(bad.stdout).toMatch(/✖ fails {2,}runner 31 {2,}jobs that name no tag run on it/);
  });

  it('takes a project with its whole path', async () => {
    const { code, stdout } = await doctor(fork(onGitlab(), pool), ['--repository', 'care/a/b', '--json'], GITLAB_TOKEN);
    expect([code, JSON.parse(stdout)]).toMatchObject([3, { code: 'platform.refused' }]);
    expect(gitlab.seen.at(-1)?.path).toBe('/api/v4/projects/care%2Fa%2Fb');
  });
});

describe('doctor --platform refuses', () => {
  const both = () => `${onGithub()}\n${onGitlab()}`;
  it.each<[string, () => string, string[], Record<string, string>, number, string, RegExp]>([
    ['no token', onGithub, ON_GITHUB, {}, 2, 'inputs.token', /GATEHOUSE_API_TOKEN is not set.*administration/],
    ['no repository', onGithub, [], GITHUB_TOKEN, 2, 'inputs.repository', /say --repository OWNER\/NAME/],
    [
      'half a repository',
      onGithub,
      ['--repository', 'x'],
      GITHUB_TOKEN,
      2,
      'inputs.repository',
      /"x" is no repository/,
    ],
    [
      'a way out of its repository',
      onGithub,
      ['--repository', 'care/x/../..'],
      GITHUB_TOKEN,
      2,
      'inputs.repository',
      /is no repository/,
    ],
    [
      'an environment that the contract does not have',
      onGithub,
      ['--repository', 'care/lab-results', '--environment', 'toString'],
      GITHUB_TOKEN,
      2,
      'inputs.environment',
      /no environment toString: say --environment production/,
    ],
    [
      'two platforms',
      both,
      ON_GITHUB,
      GITHUB_TOKEN,
      2,
      'inputs.host',
      /names 2 platforms: say --host github\.com or gitlab\.example\.org/,
    ],
    [
      'another host',
      both,
      [...ON_GITHUB, '--host', 'evil.example.org'],
      GITHUB_TOKEN,
      2,
      'inputs.host',
      /names no platform evil\.example\.org: say --host /,
    ],
    [
      'inputs of the store',
      onGithub,
      [...ON_GITHUB, '--store', 'file:///x'],
      GITHUB_TOKEN,
      2,
      'inputs.platform',
      /--store/,
    ],
    [
      'a bent environment',
      onGithub,
      ON_GITHUB,
      { ...GITHUB_TOKEN, HTTPS_PROXY: 'http://127.0.0.1:1' },
      2,
      'environment.redirected',
      /HTTPS_PROXY/,
    ],
    ['a token that is none', onGithub, ON_GITHUB, { GATEHOUSE_API_TOKEN: 'x' }, 3, 'platform.refused', /answered 401/],
  ])('%s', async (_, platforms, words, env, exit, error, message) => {
    const { code, stdout, stderr } = await doctor(fork(platforms()), [...words, '--json'], env);
    expect([code, JSON.parse(stdout)]).toMatchObject([
      exit,
      { status: 'error', code: error, message: expect.stringMatching(message) },
    ]);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('with --host it takes one of two', async () => {
    const { code } = await doctor(fork(both()), [...ON_GITHUB, '--host', 'github.com'], GITHUB_TOKEN);
    expect(code).toBe(0);
  });

  it('inputs of the platform without --platform', async () => {
    const program = fork(onGithub());
    const { code, stdout } = await runAside(
      process.execPath,
      [program, 'doctor', '--repository', 'care/lab-results', '--json'],
      cleanEnvironment('/nonexistent'),
    );
    expect([code, JSON.parse(stdout).code]).toEqual([2, 'inputs.platform']);
  });

  it.each([
    ['github', () => onGithub().replace(GITHUB_WORKFLOW, 'promote.yml')],
    ['gitlab', () => onGitlab().replace(GITLAB_WORKFLOW, GITLAB_WORKFLOW.replace('gitlab.example.org', 'gitlab.com'))],
  ])('a workflow-ref of %s that is of no known form', async (_, platforms) => {
    const { code, stdout } = await doctor(fork(platforms()), [...ON_GITHUB, '--json'], GITHUB_TOKEN);
    expect([code, JSON.parse(stdout).code]).toEqual([2, 'contract.workflow_ref']);
  });
});
