import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expectRefused, keyFlag, program, type Refused } from '../support/bad-input.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'opened');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

function file(content: string): string[] {
  const path = join(sandbox.folder('draft'), 'register.json');
  writeFileSync(path, content);
  return ['--file', path];
}

/** Attacks on registers are in test/attacks/register.test.ts. */
describe('register refuses', () => {
  it.each<Refused>([
    ['no action', () => ['register'], 2, 'inputs.invalid', /action: is required/],
    [
      'to publish nothing',
      (site) => ['register', 'publish', ...keyFlag(site, 'release')],
      2,
      'inputs.file',
      /publish needs --file/,
    ],
    [
      'a file that is not there',
      (site) => ['register', 'publish', '--file', '/nonexistent', ...keyFlag(site, 'release')],
      2,
      'file.unreadable',
      /cannot read register/,
    ],
    [
      'an empty file',
      (site) => ['register', 'publish', ...file(''), ...keyFlag(site, 'release')],
      2,
      'json.empty',
      /register .* is empty/,
    ],
    [
      'a repeated key',
      (site) => ['register', 'publish', ...file('{"people": [], "people": []}'), ...keyFlag(site, 'release')],
      2,
      'json.duplicate_key',
      /"people"/,
    ],
    [
      'half a register',
      (site) => ['register', 'publish', ...file('{"people": []}'), ...keyFlag(site, 'release')],
      2,
      'register.draft',
      /does not fit its schema: .*see schemas\/register\.json/,
    ],
    [
      'no key',
      (site) => ['register', 'publish', '--file', site.path('register.json')],
      2,
      'key.none',
      /no --key was given/,
    ],
    [
      'the gate’s key',
      (site) => ['register', 'publish', '--file', site.path('register.json'), ...keyFlag(site, 'gate')],
      2,
      'key.none',
      /does not belong to the public key demo-release/,
    ],
    [
      'to publish without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return ['register', 'publish', '--file', site.path('register.json'), ...keyFlag(site, 'release')];
      },
      3,
      'store.missing',
      /store folder .* does not exist: create it/,
    ],
    [
      'to show one without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return ['register', 'show'];
      },
      3,
      'store.missing',
      /does not exist/,
    ],
    [
      'a store that is a file',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        writeFileSync(site.path('store'), '');
        return ['register', 'publish', '--file', site.path('register.json'), ...keyFlag(site, 'release')];
      },
      3,
      'store.not_a_folder',
      /is not a folder/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });

  it('gives the entry of the release that runs, which needs neither store nor key', async () => {
    const { code, stdout } = await program(scene.at('ready'), ['register', 'release']);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({
      code: 0,
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      distDigest: expect.stringMatching(/^sha256:/),
      notAfter: null,
    });
  });
});
