import { cpSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkGithub } from '../../src/commands/doctor/github-checks.ts';
import { checkGitlab } from '../../src/commands/doctor/gitlab-checks.ts';
import { ownContract, runningRelease } from '../../src/commands/release.ts';
import type { Run } from '../../src/contract/run.ts';
import { releaseOf } from '../../src/facts/release.ts';
import { exec } from '../../src/lib/exec.ts';
import { http } from '../../src/lib/http.ts';
import { readApplication } from '../../src/platform/github/protection/application.ts';
import { readCompliance } from '../../src/platform/github/protection/compliance.ts';
import { readPipelineProject, readProject } from '../../src/platform/gitlab/protection.ts';
import { GITHUB_CLAIMS } from '../support/claims.ts';
import { startGithub } from '../support/fake-github.ts';
import { APPLICATION, type FakeProtection, startGithubProtection, TOKEN } from '../support/fake-github-protection.ts';
import { type FakeGitlabProtection, startGitlabProtection } from '../support/fake-gitlab-protection.ts';
import {
  type Block,
  blocksOf,
  CURRENT,
  checkSent,
  cleanSite,
  edited,
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
import { startIssuer } from '../support/issuer.ts';
import { cleanEnvironment, run } from '../support/sandbox.ts';
import { selfSigned } from '../support/self-signed.ts';
import { describeWith, toolPath } from '../support/tools.ts';
import { type S3Server, startLocalstack } from './store-servers.ts';

const blocks = blocksOf(readFileSync('docs/fork.md', 'utf8'));
const COMPLIANCE = `${ORG}/compliance-workflows`;
const WORKFLOW = `${COMPLIANCE}/.github/workflows/promote.yml`;
/** STAND-IN for whoever reviews the pull request and merges it. */
const MERGED: Block = { kind: '', line: 0, text: 'git -C "$FORK" update-ref refs/heads/main refs/heads/release-1.0.1' };
/** The blocks that lead to a fork; `authority` is the certificate of its time stamping authority. */
const asked = (authority: string) =>
  blocks
    .filter(({ kind }) => kind !== 'doctor')
    .flatMap((block) => {
      if (block.text.includes('/pulls"')) return [block, MERGED];
      return block.text.includes('r ../keys/public.yml') ? [block, edited(authority)] : [block];
    });
/** Line at which the fork stands and the next release begins. */
const NEXT = readFileSync('docs/fork.md', 'utf8').split('\n').indexOf('## The next release') + 1;
let site: Site;
let walked: Block[];
let ended: Awaited<ReturnType<typeof runBlocks>>;
let released: Record<'v1.0.0' | 'v1.0.1', Released>;
let github: FakeProtection;
let gitlab: FakeGitlabProtection;
let cloud: S3Server;
const TOOLS = ['localstack', 'aws'];
const guided = describeWith(...TOOLS);
beforeAll(async () => {
  if (guided !== describe) return;
  github = await startGithubProtection(COMPLIANCE);
  gitlab = await startGitlabProtection();
  // On a disk: what npm installs is more than half a gigabyte.
  const folder = mkdtempSync('/var/tmp/gatehouse-fork-');
  mkdirSync(join(folder, 'cloud'));
  cloud = await startLocalstack(join(folder, 'cloud'));
  site = laySite(folder, cloud);
  walked = asked(selfSigned(folder).cert);
  ended = await runBlocks(site, walked);
  if (ended.code !== 0) throw new Error(`the guide ended after ${ended.done.at(-1)}: ${ended.stderr.slice(-2000)}`);
  released = {
    'v1.0.0': await runRelease(site, 'v1.0.0', SUITES),
    'v1.0.1': await runRelease(site, 'v1.0.1', CURRENT),
  };
}, 1_800_000);
afterAll(async () => {
  if (guided !== describe) return;
  await Promise.all([github.close(), gitlab.close(), cloud.stop()]);
  cleanSite(site);
});

const inFork = (): Block => ({
  kind: '',
  line: 0,
  text: `set -eu\ncd '${site.fork}'\ngatehouse() { node dist/gatehouse.js "$@"; }\n`,
});
const git = (...words: string[]) => run('git', ['-C', site.fork, ...words], { env: site.env }).stdout.trim();
const aws = (...words: string[]) =>
  JSON.parse(run(toolPath('aws'), [...words, '--region', 'us-east-1', '--output', 'json'], { env: site.env }).stdout);

guided('the guide to forking', () => {
  it('runs from top to bottom', () => {
    expect([ended.code, ended.stderr.slice(-2000)]).toEqual([0, expect.not.stringContaining('error:')]);
    expect(ended.done).toEqual(walked.map(({ line }) => line));
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

  it('is told by contract check what is still of the example, and then nothing', () => {
    expect(ended.stdout).toMatch(/weak: trust\.timestamp\.certificates\[0\]: still of the example/);
    const { stdout } = run(process.execPath, [join(site.fork, 'dist', 'gatehouse.js'), 'contract', 'check', '--json'], {
      env: site.env,
    });
    expect(JSON.parse(stdout)).toMatchObject({ status: 'valid', weak: [] });
  });

  it('leaves a key a role, in a KMS but for the notary’s, and no private half in the repository', () => {
    const contract = git('show', 'v1.0.0:contract.yml');
    for (const role of ['gate', 'build', 'scan', 'deploy', 'release'])
      expect(contract).toMatch(
        new RegExp(`^    ${role}:\n      - id: ${role}-1\n.*\n        url: awskms:///arn:aws:kms:us-east-1:`, 'm'),
      );
    expect(contract).toMatch(/^ {4}notary:\n {6}- id: notary-1$/m);
    const own = readFileSync(join(site.fork, '..', 'keys', 'notary.pem'), 'utf8');
    expect(git('grep', '-lF', own.split('\n')[1] ?? '', 'v1.0.0')).toBe('');
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

guided('what an auditor gets', () => {
  it('is the keys of release and notary and the first tree head, by which the store verifies', () => {
    const words = ['ledger', 'verify', '--store', site.env.STORE as string, '--trust', '../trust.json', '--json'];
    const { code, stdout } = run(process.execPath, ['dist/gatehouse.js', ...words], { cwd: site.fork, env: site.env });
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      status: 'clean',
      anchor: { origin: `${ORG}/evidence`, size: expect.any(Number) },
    });
  });
});

guided('the roles in AWS', () => {
  const ROLES = ['gate', 'build', 'scan', 'deploy'];
  const named = (role: string) => ['--role-name', `gatehouse-4711-${role}`];

  it.each(ROLES)('%s trusts its environment in the workflow at the tag, whole, and nothing else', (role) => {
    const { Role } = aws('iam', 'get-role', ...named(role));
    expect(Role.AssumeRolePolicyDocument.Statement).toEqual([
      expect.objectContaining({
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: {
          StringEquals: {
            'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
            'token.actions.githubusercontent.com:sub': [
              `repository_id:4711:environment:gatehouse-${role}:job_workflow_ref:${WORKFLOW}@refs/tags/v1.0.1`,
            ],
          },
        },
      }),
    ]);
    const variable = ended.sent.find(({ path }) => path.endsWith(`/environments/gatehouse-${role}/variables`));
    expect(variable?.body).toEqual({ name: 'GATEHOUSE_STORE_ROLE', value: Role.Arn });
  });

  it.each(ROLES)('%s signs with its own key, and neither deletes nor goes beyond its store', (role) => {
    const { PolicyDocument } = aws('iam', 'get-role-policy', ...named(role), '--policy-name', `gatehouse-${role}`);
    const [sign, ...rest] = PolicyDocument.Statement as { Action: string | string[]; Resource: string | string[] }[];
    const arn = readFileSync(join(site.fork, '..', 'keys', `${role}.arn`), 'utf8');
    expect(sign).toEqual({ Effect: 'Allow', Action: 'kms:Sign', Resource: arn });
    expect(git('show', 'v1.0.0:contract.yml')).toContain(`url: awskms:///${arn}?`);
    for (const { Action, Resource } of rest) {
      for (const action of [Action].flat())
        expect(['s3:PutObject', 's3:GetObject', 's3:GetObjectVersion', 's3:ListBucketVersions']).toContain(action);
      for (const resource of [Resource].flat())
        expect(resource).toMatch(/^arn:aws:s3:::acme-health-evidence(\/prod\/v1\/|$)/);
    }
    expect(JSON.stringify(rest)).not.toMatch(/BUCKET|PREFIX|REPOSITORY|KEY/);
    expect(JSON.stringify(rest)).toContain('/repo=github~github.com~4711/*');
  });
});

guided('a job of the fork', () => {
  const servers: { close(): Promise<void> }[] = [];
  afterAll(async () => {
    await Promise.all(servers.map((each) => each.close()));
  });

  /** Opens a run as job open of promote.yml does, by this contract; issuer and API are of this machine. */
  async function open(change: (contract: string) => string) {
    const [issuer, api] = [await startIssuer(), await startGithub()];
    servers.push(issuer, api);
    const folder = mkdtempSync(join(site.folder, 'job-'));
    cpSync(join(site.fork, 'dist'), join(folder, 'dist'), { recursive: true });
    const contract = git('show', 'v1.0.1:contract.yml')
      .replace('https://api.github.com', api.url)
      .replace('https://token.actions.githubusercontent.com', issuer.url);
    writeFileSync(join(folder, 'contract.yml'), change(contract));
    const claims = {
      ...GITHUB_CLAIMS,
      job_workflow_ref: `${WORKFLOW}@refs/tags/v1.0.1`,
      job_workflow_sha: git('rev-parse', 'v1.0.1^{commit}'),
    };
    issuer.runnerToken = (aud) => issuer.sign({ ...claims, aud });
    const { Role } = aws('iam', 'get-role', '--role-name', 'gatehouse-4711-gate');
    const env = cleanEnvironment(folder, {
      ...issuer.runnerEnv,
      GITHUB_TOKEN: 'github-token',
      GITHUB_ACTION: 'open',
      AWS_ROLE_ARN: Role.Arn,
    });
    const words = ['evidence-emit', '--type', 'run.opened', '--environment', 'production', '--json'];
    const said = await exec(process.execPath, [join(folder, 'dist', 'gatehouse.js'), ...words], { cwd: folder, env });
    return { code: said.code, json: JSON.parse(said.stdout) };
  }

  it('opens a run with the key that the KMS keeps, by its ID token alone', async () => {
    const { code, json } = await open((contract) => contract);
    expect([code, json]).toEqual([0, expect.objectContaining({ schema: 'gatehouse/receipt/1' })]);
  });

  it('cannot with keys in files, which contract check calls weak', async () => {
    const { code, json } = await open((contract) => contract.replaceAll(/\n +url: awskms:.*/g, ''));
    expect([code, json.code]).toEqual([2, 'key.none']);
  });
});

guided('what release.yml does on the tags of the guide', () => {
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

guided('on GitLab, by docs/gitlab.md', () => {
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

guided('what the guide sends to a platform', () => {
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

guided('after the guide', () => {
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
  /**
   * What lets callers and teams in, lists the actions, clears the way, stands before a release, is for AWS (above) or of a project that
   * nobody deploys from is nothing that doctor could miss.
   */
  const BESIDE = new RegExp(
    [
      'permissions/(access|selected-actions)$',
      'protected_branches/main$',
      'environments/release(/|$)',
      'teams/[^/]+/repos/',
      'customization/sub$',
      'variables$',
      'care%2Fcompliance-',
    ].join('|'),
  );

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
