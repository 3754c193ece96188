import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { cases, factsOf } from '../fixtures/gate/cases.ts';
import { allowed, NOW } from '../fixtures/gate/facts.ts';
import { expectRefused, keyFlag, nobodyListens, program, type Refused } from '../support/bad-input.ts';
import { editContract } from '../support/direct.ts';
import { FAKE_CREDENTIALS } from '../support/fake-s3.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { loadedBy } from '../support/loaded.ts';
import { layRelease } from '../support/release.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);
const CONTRACT = 'test/fixtures/gate/contract.yml';
const TIME = new Date(NOW).toISOString();

function gatehouse(args: string[], home = 'build/dist') {
  return run(process.execPath, [join(home, 'gatehouse.js'), ...args], { env: cleanEnvironment('/nonexistent') });
}
function factsFile(facts: unknown): string {
  const file = join(sandbox.folder('facts'), 'facts.json');
  writeFileSync(file, typeof facts === 'string' ? facts : JSON.stringify(facts));
  return file;
}
const judge = (file: string, ...more: string[]) =>
  gatehouse(['policy-gate', '--facts', file, '--contract', CONTRACT, '--now', TIME, ...more]);

describe('the pure judge on the command line', () => {
  it('allows with exit 0, one JSON document on stdout, text on stderr', () => {
    const { code, stdout, stderr } = judge(factsFile(allowed()), '--json');
    const decision = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(decision).toMatchObject({ outcome: 'allow', simulated: true, stage: 'deploy' });
    expect(decision.reasons.every((reason: { controls: string[] }) => reason.controls.length > 0)).toBe(true);
    expect(stderr).toContain('ALLOW (simulated)');
  });

  it('denies with exit 1, the rule, its fix and a citation', () => {
    const denied = cases.find((each) => each.name === 'approver who is the author');
    const { code, stdout } = judge(factsFile(factsOf(denied as (typeof cases)[number])));
    expect(code).toBe(1);
    expect(stdout).toMatch(/✖ approval.independent .*\n {4}fix: .*\n {4}supports 45 CFR 164\.308/);
  });

  it('facts that do not fit deny and name the path', () => {
    const { code, stdout } = judge(factsFile({ ...allowed(), signatures: null }), '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout).reasons).toMatchObject([{ rule: 'facts.schema', outcome: 'fail' }]);
    expect(stdout).toContain('signatures');
  });
});

describe('bad input', () => {
  it.each([
    [
      'no such facts file',
      ['--facts', '/nonexistent/facts.json', '--contract', CONTRACT, '--now', TIME],
      'no such file',
    ],
    ['facts that are a folder', ['--facts', '.', '--contract', CONTRACT, '--now', TIME], 'it is a folder'],
    [
      'no such contract',
      ['--facts', '@facts', '--contract', '/nonexistent/contract.yml', '--now', TIME],
      'cannot read contract',
    ],
    ['no time', ['--facts', '@facts', '--contract', CONTRACT], 'RFC 3339'],
    [
      'a time with an offset',
      ['--facts', '@facts', '--contract', CONTRACT, '--now', '2026-06-01T12:00:00+02:00'],
      'RFC 3339',
    ],
    ['30 February', ['--facts', '@facts', '--contract', CONTRACT, '--now', '2026-02-30T12:00:00Z'], 'RFC 3339'],
    ['facts that are not JSON', ['--facts', '@broken', '--contract', CONTRACT, '--now', TIME], 'not JSON'],
    ['empty facts', ['--facts', '@empty', '--contract', CONTRACT, '--now', TIME], 'is empty'],
    ['facts with a repeated key', ['--facts', '@repeated', '--contract', CONTRACT, '--now', TIME], 'schema'],
    ['a contract without facts', ['--contract', CONTRACT], 'go with --facts only'],
    ['an unknown flag', ['--fact', 'x'], 'did you mean --facts'],
    ['a repeated flag', ['--stage', 'promote', '--stage', 'deploy'], 'given 2 times'],
    ['an unknown stage', ['--stage', 'production'], 'stage'],
    ['a word too many', ['now'], 'cannot place "now"'],
  ])('%s is exit 2 with a message that helps', (_, args, message) => {
    const files: Record<string, () => string> = {
      '@facts': () => factsFile(allowed()),
      '@broken': () => factsFile('{"schema": '),
      '@empty': () => factsFile(' \n'),
      '@repeated': () => factsFile('{"schema": 1, "schema": 2}'),
    };
    const { code, stdout, stderr } = gatehouse(['policy-gate', ...args.map((arg) => files[arg]?.() ?? arg)]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('an unknown verb is exit 2 and names the nearest', () => {
    const { code, stderr } = gatehouse(['policygate']);
    expect(code).toBe(2);
    expect(stderr).toContain('did you mean policy-gate?');
  });

  it('prints one JSON document for an error too', () => {
    const { code, stdout } = gatehouse(['policy-gate', '--contract', CONTRACT, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'error', code: 'inputs.facts' });
  });
});

describe('the gate over evidence refuses', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'scanned');
  });
  afterAll(() => scene.registry.close());
  const words = (site: Site, changes: { [name: string]: string | null } = {}) => {
    const all = {
      stage: 'promote',
      environment: 'production',
      image: scene.image,
      run: site.path('run.json'),
      ...changes,
    };
    const flags = Object.entries(all).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]));
    return ['policy-gate', ...flags, ...keyFlag(site, 'gate')];
  };
  const given = (changes: { [name: string]: string | null }) => (site: Site) => words(site, changes);
  const named = (rest: string) => `${scene.registry.host}/care/lab-results${rest}`;

  it.each<Refused>([
    ['no stage', given({ stage: null }), 2, 'inputs.missing', /stage/],
    ['no environment', given({ environment: null }), 2, 'inputs.missing', /environment/],
    ['no image', given({ image: null }), 2, 'inputs.missing', /image/],
    ['an empty image: a variable that was never set', given({ image: '' }), 2, 'inputs.missing', /image/],
    ['no run', given({ run: null }), 2, 'inputs.run', /a local run needs its file/],
    ['a tag', (site) => words(site, { image: named(':1') }), 2, 'reference.tag', /is a tag/],
    ['a short digest', (site) => words(site, { image: named('@sha256:abc') }), 2, 'reference.digest', /sha256:/],
    [
      'without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return words(site);
      },
      3,
      'store.missing',
      /store folder .* does not exist: create it/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('scanned'), row);
  });

  /** That the gate was asked and could not judge is on record. */
  const ASKED = ['change.reviewed success', 'gate.decided error'];

  it('a store where nobody listens, within two minutes', async () => {
    const site = scene.at('scanned');
    const nowhere = 's3://evidence/prod?region=us-east-1&endpoint=http://127.0.0.1:9';
    await editContract(site, (contract) => Object.assign(contract.evidence, { store: nowhere }), false);
    const before = scene.published();
    const started = Date.now();
    const { code, stdout, stderr } = await program(site, words(site), FAKE_CREDENTIALS);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'error', code: expect.stringMatching(/^store\./) });
    expect(stderr).toMatch(/^error: .*127\.0\.0\.1:9/m);
    expect(stderr).not.toMatch(/\n\s+at |node:internal/);
    expect(scene.published()).toEqual(before);
    expect(Date.now() - started).toBeLessThan(120_000);
  });

  it('an image that is not there', async () => {
    const image = named(`@sha256:${'1'.repeat(64)}`);
    const row: Refused = ['', given({ image }), 3, 'registry.not_found', /has no manifest sha256:1{64}/];
    await expectRefused(scene, scene.at('scanned'), row, ASKED);
  });

  it('a registry where nobody listens, within seconds', async () => {
    await nobodyListens(scene, scene.at('scanned'), (site, image) => words(site, { image }), ASKED);
  });
});

/** What is well asked; the contract of these tests is for GitHub and GitLab. */
const ASKED_GITHUB = [
  ...['policy-gate', '--stage', 'promote', '--environment', 'production'],
  ...['--image', `ghcr.io/example-health/web@sha256:${'1'.repeat(64)}`],
];
const ASKED_STATUS = ['status', `ghcr.io/example-health/web@sha256:${'1'.repeat(64)}`, '--environment', 'production'];

describe('outside of a job of GitHub and GitLab', () => {
  it.each([
    ['the gate', ASKED_GITHUB],
    ['status', ASKED_STATUS],
    ['whoever seals', ['evidence-emit', '--type', 'run.sealed']],
  ])('%s says so, and that one machine takes profile local', (_, words) => {
    const { code, stdout } = gatehouse([...words, '--json']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 'platform.none',
      message: expect.stringMatching(/no job of GitHub or GitLab.* profile local/),
    });
    expect(code).toBe(2);
  });

  it.each([
    ['the gate without an image', ASKED_GITHUB.slice(0, -2), 'inputs.missing', /--image/],
    ['the gate with a tag', [...ASKED_GITHUB.slice(0, -1), 'example.org/a:1'], 'reference.tag', /is a tag/],
    ['the gate with half a target', [...ASKED_GITHUB, '--target', 'web'], 'inputs.target', /cluster\/namespace/],
    ['status with half a target', [...ASKED_STATUS, '--target', 'web'], 'inputs.target', /cluster\/namespace/],
    ['status with half an image', ['status', 'web', '--environment', 'production'], 'reference.registry', /host/],
    ['who signs half an image', ['build-sign', '--image', 'web', '--layout', 'x'], 'reference.registry', /host/],
    [
      'who signs by half a digest',
      ['build-sign', '--image', 'example.org/a', '--layout', 'x', '--digest', 'sha256:1'],
      'inputs.digest',
      /is not sha256/,
    ],
    ['who records no report', ['scan', '--phase', 'record'], 'inputs.report', /needs --report, .* or --reports/],
    ['who says nothing', ['evidence-emit', '--type', 'test.completed'], 'inputs.data', /needs --data/],
  ])('%s is told what is wrong with the words first', (_, words, error, message) => {
    const { code, stdout } = gatehouse([...words, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ code: error, message: expect.stringMatching(message) });
    expect(code).toBe(2);
  });
});

describe('in a job without an ID token', () => {
  it.each([
    ['GITHUB_ACTIONS', /id-token: write/],
    ['GITLAB_CI', /GATEHOUSE_ID_TOKEN/],
  ])('of %s the gate denies, and says how the job gets one', (name, message) => {
    const { code, stdout } = run(process.execPath, ['build/dist/gatehouse.js', ...ASKED_GITHUB, '--json'], {
      env: cleanEnvironment('/nonexistent', { [name]: 'true' }),
    });
    const { outcome, reasons } = JSON.parse(stdout);
    expect({ code, outcome, reasons }).toMatchObject({
      code: 1,
      outcome: 'deny',
      reasons: [{ rule: 'workflow_untrusted', message: expect.stringMatching(message) }],
    });
  });
});

describe('the contract', () => {
  /** What the bundle in this release says of its contract, before and after an edit of the file beside it. */
  function editSeen(folder: string) {
    const ask = () => JSON.parse(gatehouse(['contract', 'check', '--json'], join(folder, 'dist')).stdout);
    const before = ask();
    writeFileSync(
      join(folder, 'contract.yml'),
      readFileSync(join(folder, 'contract.yml'), 'utf8').replace('max-age: 24h', 'max-age: 48h'),
    );
    const after = ask();
    const added = after.weak.slice(0, after.weak.length - before.weak.length);
    return { added, changed: after.digest !== before.digest };
  }

  it('beside the running bundle is what is read: an edit is seen', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    expect(editSeen(folder)).toMatchObject({ added: [{ path: 'register.max-age' }], changed: true });
  });

  it('that a bundler has frozen into the bundle would be found: an edit is not seen', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    // What ncc makes of `new URL('../contract.yml', import.meta.url)`: a copy of the file that was there when it was built.
    const frozen = join(folder, 'dist', 'frozen');
    mkdirSync(join(frozen, 'dist'), { recursive: true });
    cpSync(join(folder, 'contract.yml'), join(frozen, 'contract.yml'));
    const launcher = join(folder, 'dist', 'gatehouse.js');
    const text = readFileSync(launcher, 'utf8');
    expect(text).toContain('import.meta.dirname');
    writeFileSync(launcher, text.replace('import.meta.dirname', JSON.stringify(join(frozen, 'dist'))));
    expect(editSeen(folder)).toEqual({ added: [], changed: false });
  });

  it('that is broken blocks with line, path and a guess', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    const text = readFileSync(join(folder, 'contract.yml'), 'utf8').replace('deny-severities', 'deny-severity');
    writeFileSync(join(folder, 'contract.yml'), text);
    const { code, stderr } = gatehouse(ASKED_GITHUB, join(folder, 'dist'));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /contract\.yml:\d+: environments\.production\.deny-severity: unknown key; did you mean "deny-severities"\?/,
    );
  });

  it('that is missing blocks', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    rmSync(join(folder, 'contract.yml'));
    const { code, stderr } = gatehouse(ASKED_GITHUB, join(folder, 'dist'));
    expect(code).toBe(2);
    expect(stderr).toContain('there is no such file');
  });
});

describe('the start', () => {
  const NETWORK = /^node:(https?|net|tls|dns|http2)$/;
  const FOREIGN = ['GITHUB_STEP_SUMMARY', 'aws-sdk', 'duckdb', 'undici', '/v2/'];

  it('of the pure judge loads no SDK, no toolkit and no network part', async () => {
    const facts = ['--facts', factsFile(allowed()), '--contract', CONTRACT, '--now', TIME];
    const { code, urls, text } = await loadedBy(sandbox, ['policy-gate', ...facts]);
    expect(code).toBe(0);
    expect(urls.length).toBeGreaterThan(3);
    expect(urls.filter((url) => NETWORK.test(url))).toEqual([]);
    expect(text).toContain('gatehouse/facts/1');
    for (const foreign of FOREIGN) expect(text).not.toContain(foreign);
  });

  it('of an action loads toolkit and network, and of verify what speaks to a registry: they would be seen', async () => {
    const action = await loadedBy(sandbox, [], {}, 'build/dist/scan.js');
    expect(action.urls.filter((url) => NETWORK.test(url))).not.toEqual([]);
    for (const foreign of ['GITHUB_STEP_SUMMARY', 'undici']) expect(action.text).toContain(foreign);
    const verify = await loadedBy(sandbox, ['verify', `127.0.0.1:9/x@sha256:${'1'.repeat(64)}`]);
    expect(verify.text).toContain('/v2/');
  });

  it('for help loads no schema', async () => {
    const { code, stdout, text } = await loadedBy(sandbox, ['policy-gate', '--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('usage: gatehouse policy-gate');
    expect(text).not.toContain('gatehouse/facts/1');
  });
});
