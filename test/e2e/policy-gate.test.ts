import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cases, factsOf } from '../fixtures/gate/cases.ts';
import { allowed, NOW } from '../fixtures/gate/facts.ts';
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

describe('the contract', () => {
  it('beside the running bundle is what is read: an edit is seen', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    const ask = () => JSON.parse(gatehouse(['contract', 'check', '--json'], join(folder, 'dist')).stdout);
    const before = ask();
    writeFileSync(
      join(folder, 'contract.yml'),
      readFileSync(join(folder, 'contract.yml'), 'utf8').replace('max-age: 24h', 'max-age: 48h'),
    );
    const after = ask();
    expect(before.weak).toEqual([]);
    expect(after.weak).toMatchObject([{ path: 'register.max-age' }]);
    expect(after.digest).not.toBe(before.digest);
  });

  it('that is broken blocks with line, path and a guess', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    const text = readFileSync(join(folder, 'contract.yml'), 'utf8').replace('deny-severities', 'deny-severity');
    writeFileSync(join(folder, 'contract.yml'), text);
    const { code, stderr } = gatehouse(['policy-gate', '--stage', 'promote'], join(folder, 'dist'));
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /contract\.yml:\d+: environments\.production\.deny-severity: unknown key; did you mean "deny-severities"\?/,
    );
  });

  it('that is missing blocks', () => {
    const folder = sandbox.folder('release');
    layRelease(folder);
    rmSync(join(folder, 'contract.yml'));
    const { code, stderr } = gatehouse(['policy-gate', '--stage', 'promote'], join(folder, 'dist'));
    expect(code).toBe(2);
    expect(stderr).toContain('there is no such file');
  });
});

describe('the start', () => {
  const LISTEN =
    "import { registerHooks } from 'node:module'; registerHooks({ load(u, c, n) { process.stderr.write(`LOADED ${u}\\n`); return n(u, c); } });";

  it('of the gate loads no SDK, no toolkit and no network part', () => {
    const hook = join(sandbox.folder('hook'), 'loaded.mjs');
    writeFileSync(hook, LISTEN);
    const { code, stderr } = run(
      process.execPath,
      [
        '--import',
        hook,
        'build/dist/gatehouse.js',
        'policy-gate',
        '--facts',
        factsFile(allowed()),
        '--contract',
        CONTRACT,
        '--now',
        TIME,
      ],
      { env: cleanEnvironment('/nonexistent') },
    );
    expect(code).toBe(0);
    const loaded = [...stderr.matchAll(/^LOADED (.*)$/gm)].map((match) => match[1] as string);
    expect(loaded.length).toBeGreaterThan(3);
    expect(loaded.filter((url) => /^node:(https?|net|tls|dns|http2)$/.test(url))).toEqual([]);
    const text = loaded
      .filter((url) => url.startsWith('file:'))
      .map((url) => readFileSync(new URL(url), 'utf8'))
      .join('');
    expect(text).toContain('gatehouse/facts/1');
    for (const foreign of ['GITHUB_STEP_SUMMARY', 'aws-sdk', 'duckdb', 'undici', '/v2/'])
      expect(text).not.toContain(foreign);
  });

  it('for help loads no schema', () => {
    const hook = join(sandbox.folder('hook'), 'loaded.mjs');
    writeFileSync(hook, LISTEN);
    const { code, stdout, stderr } = run(
      process.execPath,
      ['--import', hook, 'build/dist/gatehouse.js', 'policy-gate', '--help'],
      { env: cleanEnvironment('/nonexistent') },
    );
    expect(code).toBe(0);
    expect(stdout).toContain('usage: gatehouse policy-gate');
    const text = [...stderr.matchAll(/^LOADED (file:.*)$/gm)]
      .map((match) => readFileSync(new URL(match[1] as string), 'utf8'))
      .join('');
    expect(text).not.toContain('gatehouse/facts/1');
  });
});
