import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layRelease } from '../support/release.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const check = (...words: string[]) =>
  run(process.execPath, ['build/dist/gatehouse.js', 'contract', ...words, '--json'], {
    env: cleanEnvironment('/nonexistent'),
  });
function file(content: string | Buffer): string {
  const path = join(sandbox.folder('contract'), 'contract.yml');
  writeFileSync(path, content);
  return path;
}
const OURS = readFileSync('test/fixtures/contract.yml', 'utf8');

describe('contract check', () => {
  it('of ours says valid, its digest, and what of it is still the example', () => {
    const { code, stdout } = check('check', '--file', file(OURS));
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      status: 'valid',
      weak: expect.arrayContaining([expect.objectContaining({ path: 'trust.timestamp.url' })]),
      digest: expect.stringMatching(/^sha256:/),
    });
  });

  it('lists what is valid and weak, and still exits 0', () => {
    const { code, stdout, stderr } = check(
      'check',
      '--file',
      file(OURS.replace('reviews: 1', '').replace('max-skew: 5m', 'max-skew: 10m')),
    );
    expect(code).toBe(0);
    expect(JSON.parse(stdout).weak[0]).toMatchObject({ path: 'trust.max-skew' });
    expect(stderr).toContain('weak: trust.max-skew');
  });

  it.each<[string, string[] | (() => string[]), string, RegExp]>([
    ['no word', [], 'inputs.invalid', /action: is required: check: /],
    ['another word', ['show'], 'inputs.invalid', /action: expected "check"/],
    [
      'a file that is not there',
      ['check', '--file', '/nonexistent.yml'],
      'file.unreadable',
      /cannot read contract .*no such file/,
    ],
    ['a folder', ['check', '--file', '.'], 'file.unreadable', /it is a folder/],
    ['a device', ['check', '--file', '/dev/zero'], 'file.too_large', /has no end/],
    ['an empty file', () => ['check', '--file', file('')], 'contract.yaml', /is empty: /],
    ['no YAML', () => ['check', '--file', file('{')], 'contract.yaml', /is not YAML/],
    [
      'some text',
      () => ['check', '--file', file('License\nof it: all\n')],
      'contract.yaml',
      /is not YAML: .* at line \d+, column \d+$/,
    ],
    ['one word', () => ['check', '--file', file('text')], 'contract.yaml', /is no map of keys and values/],
    [
      'a picture',
      () => ['check', '--file', file(Buffer.from([0x89, 0x50, 0x4e, 0x47]))],
      'contract.yaml',
      /is not UTF-8/,
    ],
    ['an alias', () => ['check', '--file', file(`x: &a 1\ny: *a\n${OURS}`)], 'contract.yaml', /alias on line 2/],
    [
      'brackets without end',
      () => ['check', '--file', file(`a: ${'['.repeat(100_000)}`)],
      'contract.yaml',
      /nested too deeply/,
    ],
    [
      'a misspelt key',
      () => ['check', '--file', file(OURS.replace('deny-severities', 'deny-severity'))],
      'contract.invalid',
      /contract\.yml:\d+: environments\.production\.deny-severity: unknown key; did you mean "deny-severities"/,
    ],
  ])('of %s is exit 2 and says what to do', (_, words, error, message) => {
    const { code, stdout, stderr } = check(...(typeof words === 'function' ? words() : words));
    expect(code).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'error', code: error, message: expect.stringMatching(message) });
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it('that lies in the caller’s folder is never read', () => {
    const release = sandbox.folder('release');
    layRelease(release);
    const workspace = sandbox.folder('workspace');
    writeFileSync(
      join(workspace, 'contract.yml'),
      OURS.replace('deny-severities: [critical, high]', 'deny-severities: [critical]'),
    );
    mkdirSync(join(workspace, 'dist'));
    const at = (cwd: string) =>
      JSON.parse(
        run(process.execPath, [join(release, 'dist', 'gatehouse.js'), 'contract', 'check', '--json'], {
          cwd,
          env: cleanEnvironment('/nonexistent'),
        }).stdout,
      );
    expect(at(workspace)).toEqual(at(release));
    rmSync(join(release, 'contract.yml'));
    expect(at(workspace)).toMatchObject({ status: 'error', code: 'file.unreadable' });
  });
});
