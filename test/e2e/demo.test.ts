import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layDemo, REFUSED_BY, type Step } from '../support/demo.ts';
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
  });

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
      'to push to an address',
      withSample,
      () => ['--registry', 'http://localhost:5000'],
      {},
      2,
      'reference.scheme',
      /leave out everything up to/,
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

  it('to go on without its registry, and leaves nothing', () => {
    const folder = withSample();
    for (const file of readdirSync(join(folder, 'dist'))) {
      const chunk = join(folder, 'dist', file);
      if (readFileSync(chunk, 'utf8').includes('createServer')) writeFileSync(chunk, 'process.exit(9);');
    }
    const temporary = sandbox.folder('no-registry');
    const env = cleanEnvironment(folder, { TMPDIR: temporary });
    const ended = run(process.execPath, [join(folder, 'dist', 'gatehouse.js'), 'demo', '--json'], { env });
    expect(JSON.parse(ended.stdout)).toMatchObject({
      code: 'demo.registry',
      message: expect.stringContaining('exit 9'),
    });
    expect(ended.code).toBe(3);
    expect(readdirSync(temporary)).toEqual([]);
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

/** All files below a folder, or the file itself. */
function filesIn(place: string): string[] {
  if (statSync(place).isFile()) return [place];
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
