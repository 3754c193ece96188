import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { layDemo, REFUSED_BY, type Seen, type Step, watchKeys } from '../support/demo.ts';
import { pageCommand } from '../support/page-command.ts';
import { cleanEnvironment, type Ended, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

describe('the demo', () => {
  let ended: Ended;
  let steps: Step[];
  let kept: string;
  let release: string;

  beforeAll(() => {
    release = sandbox.folder('release');
    layDemo(release);
    kept = join(sandbox.folder('kept'), 'demo');
    const script = pageCommand('README.md', 'npm run demo').slice('npm run '.length);
    const [node, ...words] = JSON.parse(readFileSync('package.json', 'utf8')).scripts[script].split(' ');
    expect(node).toBe('node');
    ended = run(process.execPath, [...words, '--keep', kept, '--json'], {
      cwd: release,
      env: cleanEnvironment(sandbox.folder('home')),
    });
    steps = JSON.parse(ended.stdout).steps;
  }, 120_000);

  it('ends with exit 0 and every step as it must be', () => {
    expect(steps.filter((step) => !step.ok)).toEqual([]);
    expect(ended.code).toBe(0);
  });

  it('refuses eight runs that differ in one fact, each by exactly one rule', () => {
    expect(steps.flatMap((step) => (step.rules === undefined ? [] : [step.rules]))).toEqual(REFUSED_BY);
  });

  it('goes on without an auditor’s questions where DuckDB is not installed, and says so', () => {
    expect(steps.at(-1)).toMatchObject({
      title: 'an auditor asks',
      ok: true,
      detail: expect.stringContaining('npm ci'),
    });
  });

  it('commits the digest to the GitOps repository with the id of the decision', () => {
    const log = run('git', ['-C', join(kept, 'site', 'gitops'), 'log', '-1', '--format=%B']).stdout;
    expect(log).toMatch(
      /^Deploy 127\.0\.0\.1:\d+\/care\/lab-results@sha256:[0-9a-f]{64} to production\n\nGatehouse-Decision: [0-9a-f-]{36}/,
    );
    expect(readFileSync(join(kept, 'site', 'gitops', 'kustomization.yaml'), 'utf8')).toContain(
      /@(sha256:[0-9a-f]{64})/.exec(log)?.[1] as string,
    );
  });

  it('leaves a signed record of each stage, also of what was refused', () => {
    const types = (site: string) =>
      readdirSync(join(kept, site, 'store'), { recursive: true, encoding: 'utf8' }).flatMap(
        (file) => /-([a-z]+\.[a-z]+)-[0-9a-f]{32}\.json$/.exec(file)?.[1] ?? [],
      );
    const all = [
      'run.opened',
      'build.completed',
      'sbom.created',
      'artifact.signed',
      'artifact.published',
      'scan.completed',
      'change.reviewed',
      'approval.decided',
      'gate.decided',
      'deploy.intent',
      'deploy.outcome',
    ];
    expect(new Set(types('site'))).toEqual(new Set(all));
    expect(types('refusal-6')).toContain('deploy.outcome');
    expect(types('refusal-6')).not.toContain('deploy.intent');
  });

  it('leaves no private key behind', () => {
    const files = filesIn(kept);
    expect(files.length).toBeGreaterThan(20);
    const key = /-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{16}/;
    expect(files.filter((file) => key.test(readFileSync(file, 'latin1')))).toEqual([]);
    expect(key.test(ended.stdout + ended.stderr)).toBe(false);
  });

  it('ends its registry and keeps its folder', () => {
    expect(run('ps', ['-eo', 'args']).stdout).not.toContain(release);
    expect(existsSync(kept)).toBe(true);
  });
});

describe('the demo refuses', () => {
  const laid = (what: string) => {
    const folder = sandbox.folder(what);
    cpSync('build/dist', join(folder, 'dist'), { recursive: true });
    return folder;
  };
  const withSample = () => {
    const folder = laid('whole');
    mkdirSync(join(folder, 'sample', 'image'), { recursive: true });
    writeFileSync(join(folder, 'sample', 'image', 'index.json'), '{}');
    return folder;
  };
  it.each<[string, () => string, (folder: string) => string[], Record<string, string>, number, string, RegExp]>([
    ['an unknown option', withSample, () => ['--kept', 'x'], {}, 2, 'cli.unknown_flag', /did you mean --keep\?/],
    ['a word too many', withSample, () => ['now'], {}, 2, 'cli.too_many_words', /cannot place "now"/],
    [
      'to run from half a checkout',
      () => laid('half'),
      () => [],
      {},
      2,
      'demo.sample',
      /the sample .* is not there: run the demo from a whole checkout/,
    ],
    [
      'to keep in a folder that is there',
      withSample,
      (folder) => ['--keep', folder],
      {},
      2,
      'inputs.keep',
      /exists already: name a folder that does not/,
    ],
    [
      'to keep below a file',
      withSample,
      (folder) => ['--keep', join(folder, 'dist', 'index.js', 'kept')],
      {},
      2,
      'inputs.keep',
      /cannot make .*: .*; name a folder that you may make/,
    ],
    [
      'where nothing may be written',
      withSample,
      () => [],
      { TMPDIR: '/nonexistent' },
      3,
      'demo.temporary',
      /cannot make a folder in \/nonexistent: .*; set TMPDIR/,
    ],
  ])('%s', (_, lay, words, env, code, error, message) => {
    const folder = lay();
    expectNothing(folder, [process.execPath], words(folder), env, code, error, message);
  });

  it('to keep in a folder where it may not write', () => {
    const folder = withSample();
    mkdirSync(join(folder, 'closed'), { mode: 0o555 });
    // root may write everywhere, so the child gives up its rights first.
    const rights = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-all', '--inh-caps=-all'] : [];
    const keep = ['--keep', join(folder, 'closed', 'kept')];
    expectNothing(folder, [...rights, process.execPath], keep, {}, 2, 'inputs.keep', /permission denied/);
  });

  function expectNothing(
    folder: string,
    [program = '', ...start]: string[],
    words: string[],
    env: Record<string, string>,
    code: number,
    error: string,
    message: RegExp,
  ): void {
    const before = filesIn(folder);
    const given = [...start, join(folder, 'dist', 'gatehouse.js'), 'demo', ...words, '--json'];
    const { stdout, stderr, ...ended } = run(program, given, { env: cleanEnvironment(folder, env) });
    expect(ended.code).toBe(code);
    expect(JSON.parse(stdout)).toEqual({ status: 'error', code: error, message: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/\n\s+at |node:internal|defect/);
    expect(filesIn(folder)).toEqual(before);
  }
});

describe('the demo on a terminal', () => {
  let ended: Ended;
  let temporary: string;
  let seen: Seen[];

  beforeAll(() => {
    const [release, notes] = [sandbox.folder('release'), sandbox.folder('notes')];
    temporary = sandbox.folder('temporary');
    const program = layDemo(release);
    // As in a checkout after npm ci: an auditor's questions take DuckDB.
    symlinkSync(resolve('node_modules'), join(release, 'node_modules'));
    const read = watchKeys(program, join(notes, 'seen'));
    // Of util-linux: gives a program a terminal, and its exit code back.
    ended = run('script', ['-qec', `'${process.execPath}' '${program}' demo`, '/dev/null'], {
      env: cleanEnvironment(notes, { TMPDIR: temporary, TERM: 'xterm', SHELL: '/bin/sh' }),
    });
    seen = read();
  }, 120_000);

  it('shows each step as it is worked on, then its outcome in colour', () => {
    expect({ code: ended.code, end: ended.stdout.slice(-1500) }).toMatchObject({ code: 0 });
    const title = 'refused: the manifest names the image by a tag';
    const working = ended.stdout.indexOf(`\r\u001b[K… ${title}`);
    const outcome = ended.stdout.indexOf(`\u001b[32m⛔\u001b[39m \u001b[1m${title}\u001b[22m`);
    expect(working).toBeGreaterThan(0);
    expect(outcome).toBeGreaterThan(working);
    expect(ended.stdout.match(/⛔/g)).toHaveLength(REFUSED_BY.length);
    expect(ended.stdout).not.toContain('\ufffd');
  });

  it('ends with what came out and what to look at next', () => {
    const [, ending] = ended.stdout.split('One image promoted, 8 refused, one altered record found, in ');
    expect(ending).toMatch(/^\d+ s\.\s+What next\s+gatehouse policy-gate --help .*--keep FOLDER/s);
  });

  it('asks five questions of an auditor and says where the report for an assessor is', () => {
    expect(ended.stdout.match(/✔\S* \S*an auditor asks: /g)).toHaveLength(5);
    const report = join(temporary, 'gatehouse-demo-report.html');
    expect(ended.stdout).toContain(report);
    expect(readFileSync(report, 'utf8')).toContain('lead-1');
  });

  it('leaves nothing but that in the folder for temporary files', () => {
    expect(readdirSync(temporary)).toEqual(['gatehouse-demo-report.html']);
  });

  it('has no key on disk while a step runs but that of its own role, readable by nobody else', () => {
    const roleOf = ({ words: [verb, ...rest] }: Seen) =>
      new Map([
        ['build-sign', rest.includes('sign') ? 'build' : undefined],
        ['scan', 'scan'],
        ['policy-gate', 'gate'],
        ['evidence-emit', 'gate'],
        ['deploy-by-digest', 'deploy'],
        ['ledger', rest[0] === 'checkpoint' ? 'notary' : undefined],
        ['register', rest[0] === 'publish' ? 'release' : undefined],
      ]).get(verb as string);
    const found = seen.map((step) => [step.words[0], step.keys.map(([path, mode]) => `${roleIn(path)} ${mode}`)]);
    const own = seen.map((step) => [step.words[0], roleOf(step) === undefined ? [] : [`${roleOf(step)} 600`]]);
    expect(found).toEqual(own);
    expect(new Set(found.flat(2))).toEqual(
      new Set([
        ...seen.map(({ words: [verb] }) => verb),
        ...['gate', 'build', 'scan', 'deploy', 'notary', 'release'].map((role) => `${role} 600`),
      ]),
    );
  });
});

const roleIn = (path: string) => /\/key-([a-z]+)-[^/]+\/key\.pem$/.exec(path)?.[1] ?? path;

describe('a demo that is ended', () => {
  let program: string;
  beforeAll(() => {
    program = layDemo(sandbox.folder('release'));
  });

  /** Starts the demo and ends it while a key lies on the disk. `group`: as a terminal does, with all that it has started. */
  async function end(signal: NodeJS.Signals, group: boolean, keep: boolean) {
    const temporary = sandbox.folder('temporary');
    const kept = join(temporary, 'kept');
    const child = spawn(process.execPath, [program, 'demo', ...(keep ? ['--keep', kept] : [])], {
      env: cleanEnvironment(temporary, { TMPDIR: temporary }),
      detached: true,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const closed = once(child, 'close');
    const until = Date.now() + 60_000;
    while (keysBelow(temporary).length === 0 && Date.now() < until) await pause(2);
    const before = keysBelow(temporary).length;
    process.kill(group ? -(child.pid as number) : (child.pid as number), signal);
    const [code] = await closed;
    return { before, code, stderr, temporary };
  }

  it.each<[NodeJS.Signals, boolean]>([
    ['SIGINT', true],
    ['SIGTERM', false],
    ['SIGHUP', true],
  ])('by %s (to all of it: %j) leaves neither key nor folder', async (signal, group) => {
    const { before, code, stderr, temporary } = await end(signal, group, false);
    expect({ before, code, stderr }).toEqual({
      before: 1,
      code: 3,
      stderr: expect.stringContaining(`the demo was ended by ${signal}`),
    });
    expect(readdirSync(temporary)).toEqual([]);
  });

  it('leaves no key in a folder that is kept', async () => {
    const { before, code, temporary } = await end('SIGTERM', false, true);
    expect({ before, code }).toEqual({ before: 1, code: 3 });
    expect(existsSync(join(temporary, 'kept', 'site', 'store'))).toBe(true);
    expect(keysBelow(temporary)).toEqual([]);
  });
});

/** Files with a key, and the folders that are made for one. */
function keysBelow(temporary: string): string[] {
  return readdirSync(temporary).flatMap((name) => {
    const site = join(temporary, name, 'site');
    return existsSync(site) ? readdirSync(site).filter((entry) => entry.startsWith('key-')) : [];
  });
}

/** All files below a folder, or the file itself. */
function filesIn(place: string): string[] {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
