import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGithub } from '../../src/commands/doctor/github-checks.ts';
import { checkGitlab } from '../../src/commands/doctor/gitlab-checks.ts';
import { ownContract, runningRelease } from '../../src/commands/release.ts';
import type { Run } from '../../src/contract/run.ts';
import { releaseOf } from '../../src/facts/release.ts';
import { http } from '../../src/lib/http.ts';
import { readApplication } from '../../src/platform/github/protection/application.ts';
import { readCompliance } from '../../src/platform/github/protection/compliance.ts';
import { readPipelineProject, readProject } from '../../src/platform/gitlab/protection.ts';
import { APPLICATION, type FakeProtection, startGithubProtection, TOKEN } from '../support/fake-github-protection.ts';
import { type FakeGitlabProtection, startGitlabProtection } from '../support/fake-gitlab-protection.ts';
import {
  type Block,
  blocksOf,
  CURRENT,
  checkSent,
  cleanSite,
  githubAfter,
  gitlabAfter,
  keptFromMoving,
  laySite,
  MADE_TOKEN,
  ORG,
  type Released,
  runBlocks,
  runRelease,
  type Sent,
  type Site,
  SUITES,
} from '../support/fork-guide.ts';
import { run } from '../support/sandbox.ts';

const blocks = blocksOf(readFileSync('docs/fork.md', 'utf8'));
const COMPLIANCE = `${ORG}/compliance-workflows`;
const WORKFLOW = `${COMPLIANCE}/.github/workflows/promote.yml`;
/** STAND-IN for whoever reviews the pull request and merges it. */
const MERGED: Block = { kind: '', line: 0, text: 'git -C "$FORK" update-ref refs/heads/main refs/heads/release-1.0.1' };
const asked = blocks
  .filter(({ kind }) => kind !== 'doctor' && kind !== 'aws')
  .flatMap((block) => (block.text.includes('/pulls"') ? [block, MERGED] : [block]));
/** Line at which the fork stands and the next release begins. */
const NEXT = readFileSync('docs/fork.md', 'utf8').split('\n').indexOf('## The next release') + 1;
let site: Site;
let ended: Awaited<ReturnType<typeof runBlocks>>;
let released: Record<'v1.0.0' | 'v1.0.1', Released>;
let github: FakeProtection;
let gitlab: FakeGitlabProtection;
beforeAll(async () => {
  github = await startGithubProtection(COMPLIANCE);
  gitlab = await startGitlabProtection();
  // On a disk: what npm installs is more than half a gigabyte.
  site = laySite(mkdtempSync('/var/tmp/gatehouse-fork-'));
  ended = await runBlocks(site, asked);
  if (ended.code !== 0) throw new Error(`the guide ended after ${ended.done.at(-1)}: ${ended.stderr.slice(-2000)}`);
  released = {
    'v1.0.0': await runRelease(site, 'v1.0.0', SUITES),
    'v1.0.1': await runRelease(site, 'v1.0.1', CURRENT),
  };
}, 1_800_000);
afterAll(async () => {
  cleanSite(site);
  await Promise.all([github.close(), gitlab.close()]);
});

const inFork = (): Block => ({
  kind: '',
  line: 0,
  text: `set -eu\ncd '${site.fork}'\ngatehouse() { node dist/gatehouse.js "$@"; }\n`,
});
const git = (...words: string[]) => run('git', ['-C', site.fork, ...words], { env: site.env }).stdout.trim();

describe('the guide to forking', () => {
  it('runs from top to bottom', () => {
    expect([ended.code, ended.stderr.slice(-2000)]).toEqual([0, expect.not.stringContaining('error:')]);
    expect(ended.done).toEqual(asked.map(({ line }) => line));
    expect(blocks.filter(({ kind }) => kind === '').length).toBeGreaterThan(6);
    expect(blocks.at(-1)?.kind).toBe('doctor');
  });

  it('has a block that fails end it', async () => {
    const planted: Block[] = [
      { kind: '', text: 'set -eu\n', line: 1 },
      { kind: '', text: 'false\n', line: 2 },
      { kind: '', text: 'true\n', line: 3 },
    ];
    expect(await runBlocks({ ...site, sent: join(site.folder, 'planted') }, planted)).toMatchObject({
      code: 1,
      done: [1],
    });
  });

  it('leaves a valid contract with a key a role, weak only in the store that the test gave it', () => {
    const { stdout } = run(process.execPath, [join(site.fork, 'dist', 'gatehouse.js'), 'contract', 'check', '--json'], {
      env: site.env,
    });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'valid', weak: [{ path: 'evidence.store' }] });
    const contract = git('show', 'v1.0.0:contract.yml');
    for (const role of ['gate', 'build', 'scan', 'deploy', 'release', 'notary']) {
      const own = readFileSync(join(site.fork, '..', 'keys', `${role}.pem`), 'utf8');
      expect(contract).toMatch(new RegExp(`^    ${role}:\n      - id: ${role}-1$`, 'm'));
      expect(git('grep', '-lF', own.split('\n')[1] ?? '', 'v1.0.0')).toBe('');
    }
  });

  it('pushes main and both tags, the second of what was merged', () => {
    const pushed = git('ls-remote', 'origin')
      .split('\n')
      .map((line) => line.split('\t')[1]);
    expect(pushed).toEqual(expect.arrayContaining(['refs/heads/main', 'refs/tags/v1.0.0', 'refs/tags/v1.0.1']));
    expect(git('rev-parse', 'v1.0.1^{commit}')).toBe(git('rev-parse', 'origin/main'));
    expect(git('show', 'v1.0.0:.github/CODEOWNERS')).toBe(`* @${ORG}/platform`);
  });

  it.each(['v1.0.0', 'v1.0.1'])(
    'leaves no name of ours in what callers of %s copy, and its own tag everywhere',
    (tag) => {
      const copied = ['workflows', 'actions', 'gitlab-components', 'contract.yml', 'scripts/published.ts'];
      expect(git('ls-tree', '-r', '--name-only', tag, ...copied).split('\n').length).toBeGreaterThan(20);
      expect(git('grep', '-n', 'example-health', tag, '--', ...copied)).toBe('');
      const named = git(
        'grep',
        '-hoE',
        '[A-Za-z-]+/compliance-(workflows|components)[^ `]*',
        tag,
        '--',
        ...copied,
      ).split('\n');
      expect(named.filter((each) => !each.startsWith(`${ORG}/`))).toEqual([]);
      const pinned = named.filter((each) => /@(refs\/tags\/)?v?\d+\.\d+\.\d+/.test(each));
      expect(pinned.length).toBeGreaterThan(5);
      expect(pinned.filter((each) => !each.endsWith(tag))).toEqual([]);
      // GitLab's components are pinned by a commit, which is known only when they are published.
      const included = named.filter((each) => /compliance-components\/[a-z-]+@/.test(each));
      expect(included.length).toBeGreaterThan(5);
      expect(included.filter((each) => !/@(<commit|0{40})$/.test(each))).toEqual([]);
    },
  );

  it('publishes a register that lists both tagged commits, allows the second alone and verifies', () => {
    const shown = run(process.execPath, [join(site.fork, 'dist', 'gatehouse.js'), 'register', 'show', '--json'], {
      env: site.env,
    });
    const at = (tag: string) => ({
      version: tag.slice(1),
      commits: [{ platform: 'github', host: 'github.com', sha: git('rev-parse', `${tag}^{commit}`) }],
    });
    expect(JSON.parse(shown.stdout).register).toMatchObject({
      number: 3,
      minimumVersion: '1.0.1',
      releases: [at('v1.0.1'), at('v1.0.0')],
      keys: ['gate', 'build', 'scan', 'deploy'].map((role) => ({ id: `${role}-1` })),
    });
  });
});

describe('what release.yml does on the tags of the guide', () => {
  it.each(['v1.0.0', 'v1.0.1'] as const)('%s is checked, laid out and published whole', (tag) => {
    const { code, stdout, stderr, releases, folder } = released[tag];
    if (code !== 0) throw new Error(`release.yml ended with ${code}: ${stdout.slice(-4000)}\n${stderr.slice(-4000)}`);
    expect(releases.map((words) => words.slice(0, 3))).toEqual([
      ['release', 'create', tag],
      ['release', 'edit', tag],
    ]);
    expect(releases[0]).toEqual(expect.arrayContaining(['release/SHA256SUMS', 'release/sbom.cdx.json']));
    expect(releases[1]).toContain('--draft=false');
    const sums = run('sha256sum', ['--check', '--quiet', 'release/SHA256SUMS'], { cwd: folder });
    expect([sums.code, sums.stdout]).toEqual([0, '']);
    expect(readFileSync(join(folder, 'release', 'notes.md'), 'utf8')).toContain('Digest of dist');
  });

  it('it may move v1, and nobody a released version', () => {
    const { rulesets } = githubAfter(ended.sent, []).compliance;
    expect(released['v1.0.1'].moved.length).toBeGreaterThan(0);
    for (const ref of released['v1.0.1'].moved)
      expect([ref, keptFromMoving(rulesets, ref)]).toEqual(['refs/tags/v1', []]);
    expect(keptFromMoving(rulesets, 'refs/tags/v1.0.0')).toEqual(['tags']);
  });

  it('publishes in an environment that the guide made: for versions only, with somebody who is asked', () => {
    const { environment } = released['v1.0.0'];
    const of = (end: string) =>
      ended.sent.find(({ path }) => path === `/repos/${COMPLIANCE}/environments/${environment}${end}`)?.body;
    expect(of('')).toMatchObject({ reviewers: [{ type: 'Team' }], prevent_self_review: true });
    expect(of('/deployment-branch-policies')).toEqual({ name: 'v*.*.*', type: 'tag' });
  });
});

describe('on GitLab, by docs/gitlab.md', () => {
  it('the fork becomes components, a parent that pins them, and a register that lists the parent', async () => {
    const page = blocksOf(readFileSync('docs/gitlab.md', 'utf8'));
    const { code, stderr, done, sent } = await runBlocks({ ...site, sent: join(site.folder, 'gitlab') }, [
      inFork(),
      ...page,
    ]);
    expect([code, stderr.slice(-2000)]).toEqual([0, expect.not.stringContaining('error:')]);
    expect(done).toEqual([0, ...page.map(({ line }) => line)]);
    for (const each of sent) expect(() => checkSent(each)).not.toThrow();
    expect(sent).toMatchObject([
      { path: '/projects/care%2Fgitops/access_tokens', body: { scopes: ['write_repository'] } },
      {
        path: '/projects/care%2Frelease/variables',
        body: {
          ...{ key: 'GATEHOUSE_GIT_TOKEN', value: MADE_TOKEN, environment_scope: 'gatehouse/deploy' },
          ...{ protected: true, masked_and_hidden: true },
        },
      },
    ]);
    const [components, parent] = ['compliance-components', 'pipeline'].map((name) => join(site.fork, '..', name));
    const head = (folder = '') => run('git', ['-C', folder, 'rev-parse', 'HEAD'], { env: site.env }).stdout.trim();
    const pipeline = readFileSync(join(parent as string, '.gitlab-ci.yml'), 'utf8');
    expect(pipeline).toContain(`component: $CI_SERVER_FQDN/${ORG}/compliance-components/promote@${head(components)}`);
    expect(pipeline).not.toMatch(/@0{40}/);
    const home = join(components as string, 'dist');
    const { register } = JSON.parse(
      run(process.execPath, [join(site.fork, 'dist', 'gatehouse.js'), 'register', 'show', '--json'], { env: site.env })
        .stdout,
    );
    const at = (jobSha: string) =>
      releaseOf(
        register,
        runningRelease(home, ownContract(home)),
        { run: { platform: 'gitlab', host: 'gitlab.example.org' } as Run, jobSha },
        Date.now(),
      );
    expect([at(head(parent)), at(head(components)), at(head(site.fork))]).toEqual(['1.0.1', null, null]);
  });
});

describe('what the guide sends to a platform', () => {
  it('is of its API: path, method and every key of the body', () => {
    for (const each of ended.sent) expect(() => checkSent(each)).not.toThrow();
    expect(new Set(ended.sent.map(({ tool }) => tool))).toEqual(new Set(['gh', 'glab']));
    expect(ended.sent.length).toBeGreaterThan(30);
  });

  it.each<[string, (sent: Sent[]) => Sent, RegExp]>([
    [
      'another path of GitHub',
      (sent) => ({ ...at(sent, 'gh', '/rulesets'), path: '/repos/a/b/rules' }),
      /is 0 paths of the description/,
    ],
    ['another method of GitHub', (sent) => ({ ...at(sent, 'gh', '/rulesets'), method: 'PUT' }), /is 0 paths/],
    [
      'a misspelt key of GitHub, deep down',
      (sent) => misspelt(at(sent, 'gh', '/rulesets'), 'require_code_owner_review'),
      /\.rules\[2\]\.parameters\.require_code_owner_reviewx|does not fit/,
    ],
    [
      'a misspelt key of GitHub that is not required',
      (sent) => misspelt(at(sent, 'gh', '/environments/production'), 'prevent_self_review'),
      /does not fit|has no \.prevent_self_reviewx/,
    ],
    [
      'a misspelt key of GitHub that its schema lets through',
      (sent) => misspelt(at(sent, 'gh', '/runner-groups'), 'restricted_to_workflows'),
      /has no \.restricted_to_workflowsx/,
    ],
    [
      'a body where there is none',
      (sent) => ({ ...at(sent, 'gh', '/immutable-releases'), body: { enabled: true } }),
      /takes no body/,
    ],
    [
      'another path of GitLab',
      (sent) => ({ ...at(sent, 'glab', '/push_rule'), path: '/projects/1/push_rules' }),
      /is 0 paths/,
    ],
    ['another method of GitLab', (sent) => ({ ...at(sent, 'glab', '/push_rule'), method: 'PATCH' }), /is 0 paths/],
    [
      'a misspelt key of GitLab, in a list',
      (sent) => misspelt(at(sent, 'glab', '/protected_environments'), 'access_level'),
      /has no \.deploy_access_levels\[0\]\.access_levelx/,
    ],
  ])('%s would be found', (_, plant, message) => {
    expect(() => checkSent(plant(ended.sent))).toThrow(message);
  });
});

const at = (sent: Sent[], tool: string, end: string) =>
  sent.find((each) => each.tool === tool && each.path.endsWith(end)) as Sent;
const misspelt = (sent: Sent, key: string): Sent => ({
  ...sent,
  body: JSON.parse(JSON.stringify(sent.body).replace(`"${key}"`, `"${key}x"`)),
});

describe('after the guide', () => {
  async function onGithub(sent: Sent[]): Promise<string[]> {
    github.world = githubAfter(sent, ['v1.0.0']);
    const access = { http, api: github.url, token: TOKEN, sleep: async () => undefined };
    const workflow = { repository: COMPLIANCE, path: '.github/workflows/promote.yml', ref: 'refs/tags/v1.0.0' };
    const found = checkGithub(
      await readCompliance(access, workflow),
      await readApplication(access, APPLICATION, ['main']),
      {
        workflow,
        workflowRef: `${WORKFLOW}@refs/tags/v1.0.0`,
        environment: 'production',
        refs: ['refs/heads/main'],
        runnerPools: ['gatehouse-deploy', 'gatehouse-build'],
      },
    );
    return found.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);
  }

  async function onGitlab(sent: Sent[]): Promise<string[]> {
    gitlab.world = gitlabAfter(sent);
    const token = { kind: 'PRIVATE-TOKEN', value: 'gitlab-token' } as const;
    const access = { http, api: gitlab.url, token, sleep: async () => undefined };
    const found = checkGitlab(
      await readPipelineProject(access, 'care/release', ['31']),
      await readProject(access, 'care/lab-results'),
      {
        workflow: { path: '.gitlab-ci.yml', ref: 'refs/heads/main' },
        environment: 'production',
        refs: ['refs/heads/main'],
        approvals: 1,
      },
    );
    return found.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);
  }

  const lookAt = { gh: onGithub, glab: onGitlab };
  /** What lets callers in, lists the actions, clears the way, or stands before a release (above) is nothing that doctor could miss. */
  const BESIDE = /permissions\/(access|selected-actions)$|protected_branches\/main$|environments\/release(\/|$)/;

  it.each(['gh', 'glab'] as const)(
    'nothing is weak by %s, and without any one of its requests something is',
    async (tool) => {
      const sent = ended.sent.filter((each) => each.tool === tool && each.method !== 'GET' && each.line < NEXT);
      expect(await lookAt[tool](sent)).toEqual([]);
      for (const each of sent.filter(({ path }) => !BESIDE.test(path)))
        expect([each.path, await lookAt[tool](sent.filter((other) => other !== each))]).toEqual([
          each.path,
          expect.arrayContaining([expect.any(String)]),
        ]);
      expect(await lookAt[tool]([])).not.toEqual([]);
    },
  );

  it('its last block, the doctor of the fork, agrees; and not while administrators may go past', async () => {
    const file = join(site.fork, 'contract.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('https://api.github.com', github.url));
    const last = blocks.filter(({ kind }) => kind === 'doctor');
    const doctored = { ...site, env: { ...site.env, GATEHOUSE_API_TOKEN: TOKEN }, sent: join(site.folder, 'doctored') };
    const sent = ended.sent.filter(({ tool }) => tool === 'gh');
    github.world = githubAfter(sent, ['v1.0.0', 'v1.0.1']);
    const fit = await runBlocks(doctored, [inFork(), ...last]);
    expect([fit.code, fit.stdout]).toEqual([0, expect.stringContaining('every demand holds')]);
    const ending = sent.at(-1)?.line ?? 0;
    github.world = githubAfter(
      sent.filter(({ line }) => line < ending),
      ['v1.0.0', 'v1.0.1'],
    );
    const before = await runBlocks(doctored, [inFork(), ...last]);
    expect(before.stdout).toMatch(
      /fails +runner group gatehouse-build +other workflows may run there: \S+@refs\/tags\/v1\.0\.0/,
    );
    github.world = githubAfter(sent, ['v1.0.0', 'v1.0.1']);
    for (const each of github.world.application.environments) each.can_admins_bypass = true;
    const unfit = await runBlocks(doctored, [inFork(), ...last]);
    expect(unfit.code).toBe(1);
    expect(unfit.stdout).toMatch(/fails +production administrators/);
  });
});
