import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { REPOSITORY, TARGET } from '../../src/commands/demo/site.ts';
import { type RegistryServer, startRegistry } from '../../src/registry/server/start.ts';
import { LAYOUT, REPORTS, SOURCE_REPORTS } from '../support/direct.ts';
import { keysIn, recordAt } from '../support/gate-scene.ts';
import { layReports } from '../support/report-folder.ts';
import { cleanEnvironment, commitAll, commitAllAs, run, runAside, sandboxes } from '../support/sandbox.ts';
import {
  COMMIT,
  commandsIn,
  DIGEST,
  deployWords,
  gateWords,
  layWorkflowScene,
  scanWords,
  signWords,
  type WorkflowScene,
} from './workflow-scene.ts';

/* What reaches a trusted job in inputs, variables, files and names: none of it may be believed, run or spoken to the runner. */

const sandbox = sandboxes();
let scene: WorkflowScene;
let unlisted: RegistryServer;
const askedElsewhere: (string | undefined)[] = [];
beforeAll(async () => {
  scene = await layWorkflowScene(sandbox, 'approved');
  unlisted = await startRegistry({
    auth: { username: 'x', password: 'hunter2' },
    faults: ({ headers }) => {
      askedElsewhere.push(headers.authorization);
      return null;
    },
  });
});
afterAll(async () => {
  await scene.close();
  await unlisted.close();
  sandbox.clean();
});

const to = () => `${scene.registry.host}/${REPOSITORY}`;
const GATE = () => ({ stage: 'promote', environment: 'production', image: scene.image });

describe('F06 inputs that are for the command line alone', () => {
  it('change nothing in an action that allows', async () => {
    const evil = sandbox.folder('evil');
    for (const name of ['facts.json', 'contract.yml', 'run.json', 'key.pem']) writeFileSync(join(evil, name), '{}');
    const { code, outputs } = await scene.action(
      'policy-gate',
      { role: 'gate' },
      {
        ...GATE(),
        facts: join(evil, 'facts.json'),
        contract: join(evil, 'contract.yml'),
        now: '2020-01-01T00:00:00Z',
        run: join(evil, 'run.json'),
        key: `file://${join(evil, 'key.pem')}`,
      },
    );
    expect({ code, decision: outputs.decision }).toEqual({ code: 0, decision: 'allow' });
    const { data, run: of } = recordAt(scene.hosted.site, outputs['decision-key'] as string);
    expect(data).toMatchObject({ simulated: false });
    expect(Math.abs(Date.parse(String(data.now)) - Date.now())).toBeLessThan(3_600_000);
    expect(of).toMatchObject({ platform: 'github', id: '9001' });
  });

  it('open nothing in a job of the caller: facts of one’s own that would be allowed are not looked at', async () => {
    const folder = sandbox.folder('facts');
    const facts = join(folder, 'facts.json');
    const key = (await scene.allowed('promote')) as string;
    const attachment = recordAt(scene.hosted.site, key).attachments.find(({ role }) => role === 'facts');
    cpSync(scene.hosted.site.path('store', ...String(attachment?.key).split('/')), facts);
    const before = scene.state();
    const { code, outputs, log } = await scene.action(
      'policy-gate',
      { role: 'none' },
      {
        ...GATE(),
        facts,
        now: new Date().toISOString(),
      },
    );
    expect({ code, decision: outputs.decision }).toEqual({ code: 1, decision: 'deny' });
    expect(outputs).not.toHaveProperty('decision-key');
    expect(log).toContain('workflow_untrusted');
    expect(scene.state()).toEqual(before);
  });

  it.each([
    ['build-sign', 'build', () => ({ phase: 'sign', layout: LAYOUT, digest: DIGEST, image: to() })],
    [
      'scan',
      'scan',
      () => ({
        phase: 'record',
        report: join(REPORTS, 'trivy.json'),
        sidecar: join(REPORTS, 'trivy.sidecar.json'),
        subject: scene.image,
      }),
    ],
  ])('a key and a run of one’s own are not those of %s', async (action, role, inputs) => {
    const evil = sandbox.folder('evil');
    writeFileSync(join(evil, 'run.json'), JSON.stringify({ id: '1', attempt: 1, jobKey: 'x', nextStep: 1 }));
    const known = new Set(keysIn(scene.hosted.site));
    const { code, log } = await scene.action(
      action,
      { role },
      {
        ...inputs(),
        key: `file://${join(evil, 'none.pem')}`,
        run: join(evil, 'run.json'),
      },
    );
    expect({ code, log: code === 0 ? '' : log }).toEqual({ code: 0, log: '' });
    const records = keysIn(scene.hosted.site).filter((key) => !known.has(key) && key.startsWith('v1/records/'));
    expect(records.map((key) => recordAt(scene.hosted.site, key).run.id)).toEqual(records.map(() => '9001'));
    expect(JSON.parse(readFileSync(join(evil, 'run.json'), 'utf8')).nextStep).toBe(1);
  });
});

describe('F80 a value that would speak to the runner', () => {
  const SET = '::set-output name=decision::allow';
  const OLD = '##[set-output name=decision]allow';
  const row = (action: string, role: string, inputs: () => Record<string, string>) => ({ action, role, inputs });
  const deploy = (changes: Record<string, string>) => () => ({
    decision: 'v1/records/x',
    image: scene.image,
    environment: 'production',
    target: TARGET,
    manifest: scene.hosted.site.path('gitops', 'kustomization.yaml'),
    ...changes,
  });

  it.each([
    row('policy-gate', 'gate', () => ({ ...GATE(), stage: `deploy\n${SET}` })),
    row('policy-gate', 'gate', () => ({ ...GATE(), image: `${scene.image}\n${SET}` })),
    row('policy-gate', 'gate', () => ({ ...GATE(), image: `${to()}:a ${OLD}` })),
    row('policy-gate', 'gate', () => ({
      ...GATE(),
      stage: 'deploy',
      target: `a/b/Deployment/\u001b]0;x\u0007 ${OLD}`,
    })),
    row('policy-gate', 'gate', () => ({ ...GATE(), environment: `production ${OLD}` })),
    row('build-sign', 'none', () => ({ phase: 'build', layout: `${LAYOUT}/x\n${SET}` })),
    row('build-sign', 'build', () => ({ phase: 'sign', layout: LAYOUT, digest: `${DIGEST}\n${SET}`, image: to() })),
    row('build-sign', 'build', () => ({ phase: 'sign', layout: LAYOUT, digest: DIGEST, image: `${to()} ${OLD}` })),
    row('scan', 'scan', () => ({ phase: 'record', reports: `/nowhere ${OLD}`, digest: DIGEST })),
    row('evidence-emit', 'gate', () => ({ type: 'run.opened', environment: `x\r${SET}\n${OLD}` })),
    row('deploy-by-digest', 'deploy', deploy({ decision: `v1/records/${OLD}` })),
    row('deploy-by-digest', 'deploy', deploy({ target: `x\n${SET}` })),
    row('deploy-by-digest', 'deploy', deploy({ image: `${'x'.repeat(9000)}` })),
  ])('is bad input: $action %#', async ({ action, role, inputs }) => {
    const { store: _, ...before } = scene.state();
    const { code, log, outputs, env, summary } = await scene.action(action, { role }, inputs());
    expect([1, 2]).toContain(code);
    const own = commandsIn(log).filter((line) => !line.startsWith(`::error title=gatehouse ${action}::`));
    expect(own).toEqual([]);
    expect(Object.values(outputs)).not.toContain('allow');
    expect({ env, escape: log.includes('\u0007'), summary: commandsIn(summary) }).toEqual({
      env: '',
      escape: false,
      summary: [],
    });
    // A denial is on record; nothing else is different.
    expect(scene.state()).toMatchObject(before);
  });

  const hostileReport = (version: string) => {
    const report = JSON.parse(readFileSync(join(REPORTS, 'trivy.json'), 'utf8'));
    report.Trivy = { Version: version };
    report.ArtifactName = `x ${OLD}`;
    const file = join(sandbox.folder('report'), 'trivy.json');
    writeFileSync(file, JSON.stringify(report));
    return file;
  };
  it.each([
    ['in the middle of a line', '1 ##[set-output name=status]complete'],
    ['as a mask for our own words', '1 ##[add-mask]error'],
    ['behind a colour', '1\u001b[0m##[add-path]/tmp'],
    ['that stops all others', '1 ##[stop-commands]x'],
    ['at the start of a line', '1\n::add-mask::error'],
    ['behind other line ends', '1\u0085::add-mask::error\u2028::add-mask::x\r::add-mask::y'],
  ])('in a scanner’s report is words in the log: %s', async (_, version) => {
    const { log, outputs, env } = await scene.action('scan', {}, { report: hostileReport(version), tool: 'trivy' });
    const said = commandsIn(log).filter((line) => !line.startsWith('::error title=gatehouse scan::'));
    expect({ said, env, outputs: Object.keys(outputs) }).toEqual({ said: [], env: '', outputs: ['status'] });
  });

  it('in a manifest is words in the refusal', async () => {
    const folder = sandbox.folder('manifest');
    const file = join(folder, 'web.yaml');
    const name = JSON.stringify(`web\n${SET}\n${OLD}`);
    writeFileSync(file, `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}}\nspec: {}\n`);
    commitAll(folder);
    const decision = await scene.allowed('deploy');
    const { store: _, ...before } = scene.state();
    const { code, log, outputs, summary } = await scene.action(
      'deploy-by-digest',
      { role: 'deploy' },
      deploy({ decision, manifest: file })(),
    );
    expect([1, 2]).toContain(code);
    expect(commandsIn(summary)).toEqual([]);
    expect(commandsIn(log).filter((line) => !line.startsWith('::error title=gatehouse deploy-by-digest::'))).toEqual(
      [],
    );
    expect(outputs).toEqual({});
    expect(scene.state()).toMatchObject(before);
  });
});

describe('F42 a variable that could bend the job', () => {
  const VERBS: [string, string, () => string[]][] = [
    ['policy-gate', 'gate', () => gateWords('promote', scene.image)],
    ['build-sign', 'build', () => signWords(LAYOUT, DIGEST, to())],
    ['scan', 'scan', () => scanWords(scene.image)],
    ['deploy-by-digest', 'deploy', () => deployWords(scene, 'v1/records/x')],
  ];
  const VARIABLES = {
    NODE_OPTIONS: '--no-warnings',
    NODE_EXTRA_CA_CERTS: '/nowhere/ca.pem',
    NODE_DEBUG: '*',
    NODE_USE_ENV_PROXY: '1',
    LD_PRELOAD: '/nowhere/evil.so',
    LD_LIBRARY_PATH: '/nowhere',
    HTTPS_PROXY: 'http://127.0.0.1:9',
    all_proxy: 'http://127.0.0.1:9',
  };
  it.each(
    VERBS.flatMap(([verb, role, words]) =>
      Object.entries(VARIABLES).map(([name, value]) => ({ verb, role, words, name, value })),
    ),
  )('$name stops $verb before it asks anybody', async ({ role, words, name, value }) => {
    const before = { state: scene.state(), api: scene.github.seen.length };
    const said = await scene.verb({ role, env: { [name]: value } }, ...words());
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 2, says: 'environment.redirected' });
    expect(said.json.message).toContain(`${name} is set`);
    expect(said.log).not.toMatch(/runner-password|github-token/);
    expect({ state: scene.state(), api: scene.github.seen.length }).toEqual(before);
  });

  it('F71 what variables say of repository, commit, ref, run and person is not believed', async () => {
    const known = new Set(keysIn(scene.hosted.site));
    const lies = {
      GITHUB_REPOSITORY: 'evil/x',
      GITHUB_SHA: 'f'.repeat(40),
      GITHUB_REF: 'refs/heads/evil',
      GITHUB_RUN_ID: '1',
      GITHUB_RUN_ATTEMPT: '7',
      GITHUB_ACTOR_ID: String(103),
      GITHUB_JOB: 'gate-deploy',
      GITHUB_API_URL: 'http://127.0.0.1:9',
      GITHUB_SERVER_URL: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
    };
    const said = await scene.verb({ role: 'scan', env: lies }, ...scanWords(scene.image));
    expect({ exit: said.exit, log: said.exit === 0 ? '' : said.log }).toEqual({ exit: 0, log: '' });
    const [key] = keysIn(scene.hosted.site).filter((each) => !known.has(each) && each.startsWith('v1/records/'));
    expect(recordAt(scene.hosted.site, key as string)).toMatchObject({
      run: { id: '9001', attempt: 1, repository: 'care/lab-results', sha: 'a'.repeat(40), ref: 'refs/heads/main' },
      actor: { triggeredBy: '104' },
    });
  });

  it('a profile of AWS runs no program for the store’s credentials', async () => {
    const home = sandbox.folder('aws');
    const mark = join(home, 'ran');
    const file = join(home, 'config');
    writeFileSync(file, `[default]\ncredential_process = touch ${mark}\n`);
    const fork = join(home, 'fork');
    cpSync(scene.hosted.site.path('fork'), fork, { recursive: true });
    const contract = readFileSync(join(fork, 'contract.yml'), 'utf8').replace(
      /file:\/\/[^"]*\/store"/,
      's3://evidence?region=eu-central-1"',
    );
    writeFileSync(join(fork, 'contract.yml'), contract);
    const env = {
      ...(await scene.token({ role: 'build' })),
      AWS_CONFIG_FILE: file,
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_SDK_LOAD_CONFIG: '1',
    };
    const ended = await runAside(
      process.execPath,
      [join(fork, 'dist', 'gatehouse.js'), ...signWords(LAYOUT, DIGEST, to()), '--json'],
      cleanEnvironment(home, env),
    );
    expect({ code: ended.code, error: JSON.parse(ended.stdout).code, ran: existsSync(mark) }).toEqual({
      code: 2,
      error: 'store.credentials',
      ran: false,
    });
  });
});

describe('F98 credentials for a registry', () => {
  const auths = (...hosts: string[]) =>
    JSON.stringify({ auths: Object.fromEntries(hosts.map((host) => [host, { username: 'x', password: 'hunter2' }])) });
  /** A credential helper on the PATH that leaves a mark when somebody starts it. */
  const helper = () => {
    const folder = sandbox.folder('helper');
    const mark = join(folder, 'ran');
    const program = join(folder, 'docker-credential-evil');
    writeFileSync(program, `#!/bin/sh\necho "$@" > '${mark}'\necho '{"Username":"x","Secret":"hunter2"}'\n`);
    chmodSync(program, 0o755);
    return { mark, folder, PATH: `${folder}${delimiter}${cleanEnvironment('/nonexistent').PATH}` };
  };

  it.each([
    ['for all registries', () => ({ credsStore: 'evil' })],
    ['for this registry', () => ({ credHelpers: { [scene.registry.host]: 'evil' } })],
  ])('a helper that DOCKER_AUTH_CONFIG names %s is not started', async (_, config) => {
    const { mark, PATH } = helper();
    const before = scene.state();
    const said = await scene.verb(
      { role: 'build', env: { PATH, DOCKER_AUTH_CONFIG: JSON.stringify(config()) } },
      ...signWords(LAYOUT, DIGEST, to()),
    );
    expect({ exit: said.exit, says: said.says, ran: existsSync(mark) }).toEqual({
      exit: 2,
      says: 'docker_config.helper',
      ran: false,
    });
    expect(scene.state()).toEqual(before);
  });

  it('nor is one that a folder of DOCKER_CONFIG names', async () => {
    const { mark, PATH, folder } = helper();
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ credsStore: 'evil' }));
    const before = scene.state();
    const said = await scene.verb(
      { role: 'build', env: { PATH, DOCKER_CONFIG: folder } },
      ...signWords(LAYOUT, DIGEST, to()),
    );
    expect({ exit: said.exit, ran: existsSync(mark) }).toEqual({ exit: 2, ran: false });
    expect(scene.state()).toEqual(before);
  });

  it('what it says in plain is taken, also beside a helper', async () => {
    const { mark, PATH } = helper();
    const config = JSON.stringify({ ...JSON.parse(auths(scene.registry.host)), credsStore: 'evil' });
    const said = await scene.verb(
      { role: 'build', env: { PATH, DOCKER_AUTH_CONFIG: config } },
      ...signWords(LAYOUT, DIGEST, to()),
    );
    expect({ exit: said.exit, ran: existsSync(mark) }).toEqual({ exit: 0, ran: false });
  });

  it.each<[string, string, () => string[], string]>([
    ['build-sign', 'build', () => signWords(LAYOUT, DIGEST, `${unlisted.host}/care/x`), 'registry.not_listed'],
    [
      'build-sign, adopting',
      'build',
      () => ['build-sign', '--phase', 'sign', '--image', `${unlisted.host}/care/x@${DIGEST}`],
      'registry.not_listed',
    ],
    ['scan', 'scan', () => scanWords(`${unlisted.host}/care/x@${DIGEST}`), 'registry.not_listed'],
    ['policy-gate', 'gate', () => gateWords('promote', `${unlisted.host}/care/x@${DIGEST}`), 'registry.not_listed'],
    ['policy-gate, by tag', 'gate', () => gateWords('promote', `${unlisted.host}/care/x:latest`), 'reference.tag'],
  ])('go to no registry that the contract does not list: %s', async (_, role, words, code) => {
    askedElsewhere.length = 0;
    const before = scene.state();
    const said = await scene.verb(
      { role, env: { DOCKER_AUTH_CONFIG: auths(unlisted.host, scene.registry.host) } },
      ...words(),
    );
    expect({ says: said.says, asked: askedElsewhere }).toEqual({ says: code, asked: [] });
    expect(said.exit).toBeGreaterThan(0);
    expect(scene.state()).toMatchObject({ registry: before.registry });
  });
});

describe('F93 method kubernetes, by a manifest that the caller has checked out', () => {
  const layManifest = (commit: (folder: string) => unknown) => {
    const folder = sandbox.folder('manifest');
    const file = join(folder, 'app.yaml');
    cpSync(scene.hosted.site.path('gitops', 'deployment.yaml'), file);
    commit(folder);
    return file;
  };
  const deploy = async (manifest: string) =>
    await scene.verb(
      { role: 'deploy' },
      ...deployWords(scene, await scene.allowed('deploy'), { manifest, method: 'kubernetes' }),
    );

  it.each<[string, (folder: string) => unknown]>([
    ['of another repository or branch', commitAll],
    ['of no repository', () => {}],
    [
      'of the commit, with another command',
      (folder) => {
        commitAllAs(folder, COMMIT);
        const file = join(folder, 'app.yaml');
        writeFileSync(file, readFileSync(file, 'utf8').replace('containers:', 'hostPID: true\n      containers:'));
      },
    ],
  ])('%s is refused, on record', async (_, commit) => {
    const file = layManifest(commit);
    const before = keysIn(scene.hosted.site);
    const said = await deploy(file);
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: ['deploy.target'] });
    expect(said.json.reasons[0].message).toContain(`is not as commit ${COMMIT} has it`);
    const added = keysIn(scene.hosted.site).filter((key) => !before.includes(key));
    expect(added.some((key) => key.startsWith('v1/once/'))).toBe(false);
    expect(added.filter((key) => key.includes('-deploy.'))).toEqual([expect.stringContaining('-deploy.outcome-')]);
  });

  it('of the run’s own commit goes on: to the cluster, which this contract does not describe', async () => {
    const said = await deploy(layManifest((folder) => commitAllAs(folder, COMMIT)));
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 2, says: 'kubernetes.cluster' });
  });
});

describe('F80 a repository that brings programs for git', () => {
  /** A GitOps repository like the honest one; `evil` is a program that leaves a mark when somebody starts it. */
  const layRepository = (below = '.') => {
    const root = sandbox.folder('gitops');
    const programs = sandbox.folder('programs');
    const mark = join(programs, 'ran');
    const evil = join(programs, 'evil');
    writeFileSync(evil, `#!/bin/sh\necho "$0 $*" >> '${mark}'\n`);
    chmodSync(evil, 0o755);
    const folder = join(root, below);
    mkdirSync(folder, { recursive: true });
    for (const file of ['deployment.yaml', 'network-policy.yaml', 'kustomization.yaml'])
      cpSync(scene.hosted.site.path('gitops', file), join(folder, file));
    commitAll(root);
    const followed = scene.publish(root);
    return {
      root,
      followed,
      folder,
      evil,
      mark,
      manifest: join(folder, 'kustomization.yaml'),
      ran: () => (existsSync(mark) ? readFileSync(mark, 'utf8') : ''),
    };
  };
  const configure = (root: string, ...settings: [string, string][]) => {
    for (const [name, value] of settings) run('git', ['-C', root, 'config', name, value]);
  };
  const deploy = async (manifest: string, env: Record<string, string> = {}) =>
    await scene.verb({ role: 'deploy', env }, ...deployWords(scene, await scene.allowed('deploy'), { manifest }));

  it.each<[string, (folder: string, evil: string) => void, (folder: string, evil: string) => Record<string, string>]>([
    [
      'hooks, a monitor and a signer',
      (folder, evil) => {
        for (const hook of ['reference-transaction', 'post-index-change', 'post-commit']) {
          mkdirSync(join(folder, '.git', 'hooks'), { recursive: true });
          cpSync(evil, join(folder, '.git', 'hooks', hook));
        }
        configure(folder, ['core.fsmonitor', evil], ['commit.gpgSign', 'true'], ['gpg.program', evil]);
        configure(
          folder,
          ['filter.x.clean', evil],
          ['filter.x.smudge', evil],
          ['core.pager', evil],
          ['core.editor', evil],
        );
        writeFileSync(join(folder, '.git', 'info', 'attributes'), '* filter=x\n');
      },
      () => ({}),
    ],
    [
      'a home with settings',
      () => {},
      (folder, evil) => {
        const home = join(folder, '..', 'home');
        mkdirSync(home, { recursive: true });
        writeFileSync(join(home, '.gitconfig'), `[core]\n\tfsmonitor = ${evil}\n\thooksPath = ${home}\n`);
        cpSync(evil, join(home, 'reference-transaction'));
        return { HOME: home, XDG_CONFIG_HOME: home, GIT_CONFIG_GLOBAL: join(home, '.gitconfig') };
      },
    ],
    [
      'variables of git',
      () => {},
      (_, evil) => ({
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: 'core.fsmonitor',
        GIT_CONFIG_VALUE_0: evil,
        GIT_EXEC_PATH: '/nowhere',
        GIT_TRACE: '1',
        GIT_EDITOR: evil,
        GIT_DIR: '/nowhere',
      }),
    ],
    [
      'a program named git, under a PATH that begins where the job stands',
      (folder, evil) => cpSync(evil, join(folder, 'git')),
      () => ({ PATH: `.${delimiter}${delimiter}${cleanEnvironment('/nonexistent').PATH}` }),
    ],
  ])('runs none of them: %s', async (_, inside, env) => {
    const laid = layRepository();
    inside(laid.root, laid.evil);
    const said = await deploy(laid.manifest, env(laid.root, laid.evil));
    expect({ exit: said.exit, ran: laid.ran(), log: said.exit === 0 ? '' : said.log }).toEqual({
      exit: 0,
      ran: '',
      log: '',
    });
    expect(run('git', ['-C', laid.followed, 'show', 'main:kustomization.yaml']).stdout).toContain(DIGEST);
  });

  it('a folder of it that poses as a repository of its own is none: its settings run nothing, and nothing is committed to it', async () => {
    const laid = layRepository('web');
    const { folder } = laid;
    // A bare repository may be committed like any folder; its settings name a program that fetches what it lacks.
    for (const each of ['objects', 'refs/heads']) mkdirSync(join(folder, each), { recursive: true });
    writeFileSync(join(folder, 'objects', 'keep'), '');
    writeFileSync(join(folder, 'HEAD'), 'ref: refs/heads/main\n');
    writeFileSync(join(folder, 'refs', 'heads', 'main'), `${'a'.repeat(40)}\n`);
    writeFileSync(
      join(folder, 'config'),
      `[core]\n\trepositoryformatversion = 1\n\tbare = false\n\tworktree = .\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = .\n\tpromisor = true\n\tuploadpack = touch '${laid.mark}'; false\n`,
    );
    commitAll(laid.root);
    const before = run('git', ['-C', laid.root, 'rev-parse', 'HEAD']).stdout;
    const said = await deploy(laid.manifest);
    expect({ exit: said.exit, says: said.says, ran: laid.ran() }).toEqual({
      exit: 2,
      says: 'gitops.repository',
      ran: '',
    });
    expect(run('git', ['-C', laid.root, 'rev-parse', 'HEAD']).stdout).toBe(before);
  });
});

describe('F81 a preview', () => {
  const folderOf = (...names: string[]) => layReports(join(sandbox.folder('reports'), 'reports'), names);
  const inputsOf = (names: string[]) => {
    const { reports, digest } = folderOf(...names);
    return { stage: 'preview', environment: 'production', reports, digest };
  };
  const ALL = [...SOURCE_REPORTS, 'trivy'];
  /** Nobody was asked, nothing is put out, and no word of it reads as a decision. */
  const expectMere = async (inputs: Record<string, string>, env: Record<string, string>, role = 'gate') => {
    const before = {
      state: scene.state(),
      api: scene.github.seen.length,
      issuer: scene.hosted.issuer.seen.length,
      registry: scene.asked.length,
    };
    const ran = await scene.action('policy-gate', { role, env }, inputs);
    expect(ran.outputs).toEqual({});
    expect(ran.log + ran.summary).not.toMatch(/\bALLOW\b|gatehouse\/decision|"outcome": *"allow"/);
    expect(ran.env).toBe('');
    expect({
      state: scene.state(),
      api: scene.github.seen.length,
      issuer: scene.hosted.issuer.seen.length,
      registry: scene.asked.length,
    }).toEqual(before);
    return ran;
  };

  it.each<[string, () => Record<string, string>, Record<string, string>, number]>([
    ['of clean scans, in a job that could be the gate’s', () => inputsOf(ALL), {}, 0],
    [
      'that is asked about an image and a target as well',
      () => ({ ...inputsOf(ALL), image: scene.image, target: TARGET }),
      {},
      0,
    ],
    [
      'with facts, a contract, a time, a key and a run',
      () => ({
        ...inputsOf(ALL),
        facts: '/dev/null',
        contract: '/dev/null',
        now: '2020-01-01T00:00:00Z',
        key: 'file:///x',
        run: '/x',
      }),
      {},
      0,
    ],
    [
      'with credentials of everything',
      () => inputsOf(ALL),
      { GITHUB_TOKEN: 'github-token', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x', DOCKER_AUTH_CONFIG: '{}' },
      0,
    ],
    [
      'under variables that would say allow',
      () => inputsOf(ALL),
      { INPUT_DECISION: 'allow', DECISION: 'allow', GATEHOUSE_DECISION: 'allow', GATEHOUSE_ID_TOKEN: 'x' },
      0,
    ],
    ['of a critical finding', () => inputsOf([...SOURCE_REPORTS, 'trivy-critical']), {}, 1],
    ['of another environment', () => ({ ...inputsOf(ALL), environment: 'staging' }), {}, 2],
    ['whose stage is written otherwise', () => ({ ...inputsOf(ALL), stage: 'Preview' }), {}, 2],
    ['without reports', () => ({ stage: 'preview', environment: 'production', digest: DIGEST }), {}, 2],
  ])('is no decision and asks nobody: %s', async (_, inputs, env, exit) => {
    expect((await expectMere(inputs(), env)).code).toBe(exit);
  });

  it.each<[string, (sidecar: Record<string, unknown>) => void]>([
    ['a waiver in a sidecar', (sidecar) => Object.assign(sidecar, { waivers: [{ fingerprint: '*' }] })],
    ['an importer of its own choice', (sidecar) => Object.assign(sidecar, { importer: 'trusted' })],
    ['a subject that is everything', (sidecar) => Object.assign(sidecar, { subject: { image: '*' } })],
  ])('takes no word beside the schema: %s', async (_, change) => {
    const { folderDigest } = await import('../../src/lib/file.ts');
    const { reports } = folderOf(...ALL);
    const file = join(reports, 'trivy.sidecar.json');
    const sidecar = JSON.parse(readFileSync(file, 'utf8'));
    change(sidecar);
    writeFileSync(file, JSON.stringify(sidecar));
    const inputs = { stage: 'preview', environment: 'production', reports, digest: folderDigest(reports, 'reports') };
    expect((await expectMere(inputs, {})).code).toBe(2);
  });

  it('gives nothing that could be deployed with', async () => {
    const preview = await expectMere(inputsOf(ALL), {});
    const before = scene.state();
    const { code, log } = await scene.action(
      'deploy-by-digest',
      { role: 'deploy' },
      {
        decision: Object.values(preview.outputs).join(''),
        image: scene.image,
        environment: 'production',
        target: TARGET,
        manifest: scene.hosted.site.path('gitops', 'kustomization.yaml'),
      },
    );
    expect(code).toBe(2);
    expect(log).toMatch(/decision: is required/);
    expect(scene.state()).toEqual(before);
  });
});
