import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, nobodyListens, program, type Refused } from '../support/bad-input.ts';
import { keysIn, type Point, playRun, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const TARGET = ['--target', 'demo/lab-results/Deployment/lab-results'];
const words = (site: Site, image = scene.image, ...more: string[]) => [
  'status',
  image,
  '--environment',
  'production',
  ...TARGET,
  '--run',
  site.path('run.json'),
  ...keyFlag(site, 'gate'),
  ...more,
];

describe('status refuses', () => {
  it.each<Refused>([
    ['no image', () => ['status', '--environment', 'production'], 2, 'inputs.invalid', /image: is required/],
    ['no environment', () => ['status', scene.image], 2, 'inputs.invalid', /environment: is required/],
    ['a tag', (site) => words(site, `${scene.registry.host}/care/lab-results:latest`), 2, 'reference.tag', /is a tag/],
    [
      'an image that is not there',
      (site) => words(site, `${scene.registry.host}/care/lab-results@sha256:${'1'.repeat(64)}`),
      3,
      'registry.not_found',
      /has no manifest sha256:1{64}/,
    ],
    [
      'without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return words(site);
      },
      3,
      'store.missing',
      /does not exist/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('scanned'), row);
  });

  it('a registry where nobody listens, within seconds', async () => {
    await nobodyListens(scene, scene.at('scanned'), (site, image) => words(site, image));
  });
});

describe('status', () => {
  it.each<[string, Point, number, string[]]>([
    ['before anything but the signature', 'unscanned', 1, ['approval.present', 'evidence.recorded', 'scan.present']],
    ['before the promotion', 'scanned', 1, ['approval.present', 'evidence.recorded']],
    ['before the approval', 'promoted', 1, ['approval.present', 'evidence.recorded']],
    ['after it', 'approved', 1, ['evidence.recorded']],
    ['after the decision', 'decided', 0, []],
  ])('%s says what is missing, and leaves nothing behind', async (_, point, code, rules) => {
    const site = scene.at(point);
    const before = keysIn(site);
    const ended = await program(site, words(site));
    const { ready, missing } = JSON.parse(ended.stdout);
    expect({ code: ended.code, ready, rules: missing.map(({ rule }: { rule: string }) => rule) }).toEqual({
      code,
      ready: code === 0,
      rules,
    });
    for (const { fix } of missing) expect(fix).toEqual(expect.any(String));
    expect(keysIn(site)).toEqual(before);
  });
});
