import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, nobodyListens, program, type Refused } from '../support/bad-input.ts';
import { LAYOUT } from '../support/direct.ts';
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

const DIGEST = `sha256:${'1'.repeat(64)}`;
const sign = (more: (site: Site) => string[]) => (site: Site) => [
  'build-sign',
  '--phase',
  'sign',
  '--run',
  site.path('run.json'),
  ...keyFlag(site, 'build'),
  ...more(site),
];
const to = (name = 'care/lab-results') => `${scene.registry.host}/${name}`;
/** The sample's layout with something done to it. */
function layout(change: (folder: string) => void): string {
  const folder = sandbox.folder('layout');
  cpSync(LAYOUT, folder, { recursive: true });
  change(folder);
  return folder;
}

describe('build-sign refuses', () => {
  it.each<Refused>([
    ['no image', sign(() => ['--layout', LAYOUT]), 2, 'inputs.image', /phase sign needs --image/],
    [
      'a layout without its digest',
      sign(() => ['--layout', LAYOUT, '--image', to()]),
      2,
      'inputs.digest',
      /phase sign needs --digest with --layout/,
    ],
    ['an unknown phase', () => ['build-sign', '--phase', 'publish'], 2, 'inputs.invalid', /phase: expected one of/],
    [
      'phase build without a layout',
      () => ['build-sign', '--phase', 'build'],
      2,
      'inputs.layout',
      /phase build needs --layout/,
    ],
    [
      'a layout that is not there',
      () => ['build-sign', '--phase', 'build', '--layout', '/nonexistent'],
      2,
      'layout.missing',
      /there is no folder \/nonexistent: .*buildx build/,
    ],
    [
      'a layout that is a file',
      () => ['build-sign', '--phase', 'build', '--layout', 'package.json'],
      2,
      'layout.missing',
      /package\.json is a file: .*unpack/,
    ],
    [
      'an empty folder',
      () => ['build-sign', '--phase', 'build', '--layout', sandbox.folder('empty')],
      2,
      'layout.malformed',
      /oci-layout|index\.json/,
    ],
    [
      'a digest that the layout has not',
      sign(() => ['--layout', LAYOUT, '--digest', DIGEST, '--image', to()]),
      1,
      'build.digest',
      /holds sha256:331e.*, not sha256:1{64} that was built: .*nothing was pushed or signed/,
    ],
    [
      'a short digest',
      sign(() => ['--layout', LAYOUT, '--digest', 'sha256:abc', '--image', to()]),
      2,
      'inputs.digest',
      /--digest sha256:abc is not sha256:<64 hex>/,
    ],
    [
      'a tag for the image',
      sign(() => ['--layout', LAYOUT, '--digest', scene.digest, '--image', `${to()}:1.0.0`]),
      2,
      'reference.repository',
      /expected lower-case letters/,
    ],
    [
      'a digest for the place',
      sign(() => ['--layout', LAYOUT, '--digest', scene.digest, '--image', `${to()}@${DIGEST}`]),
      2,
      'reference.repository',
      /expected lower-case/,
    ],
    [
      'no registry',
      sign(() => ['--layout', LAYOUT, '--digest', scene.digest, '--image', 'lab-results']),
      2,
      'reference.registry',
      /does not start with a registry host/,
    ],
    [
      'a registry that the contract does not list',
      sign(() => ['--layout', LAYOUT, '--digest', scene.digest, '--image', 'evil.example.org/care/lab-results']),
      1,
      'registry.not_listed',
      /is not in a registry of contract\.yml/,
    ],
    [
      'to adopt by tag',
      sign(() => ['--image', `${to()}:latest`]),
      2,
      'reference.tag',
      /a tag may mean another image a moment later/,
    ],
    [
      'to adopt from elsewhere',
      sign(() => ['--image', `evil.example.org/x@${DIGEST}`]),
      1,
      'registry.not_listed',
      /evil\.example\.org/,
    ],
    [
      'to adopt what is not there',
      sign(() => ['--image', `${to()}@${DIGEST}`]),
      3,
      'registry.not_found',
      /has no manifest sha256:1{64}: check the name and the digest/,
    ],
    [
      'a layer that was changed',
      sign(() => [
        '--layout',
        layout((folder) => {
          const { manifests } = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8'));
          const manifest = JSON.parse(
            readFileSync(join(folder, 'blobs', 'sha256', manifests[0].digest.slice(7)), 'utf8'),
          );
          const path = join(folder, 'blobs', 'sha256', manifest.layers[0].digest.slice(7));
          const bytes = readFileSync(path);
          bytes[bytes.length - 9] = (bytes[bytes.length - 9] as number) ^ 1;
          writeFileSync(path, bytes);
        }),
        '--digest',
        scene.digest,
        '--image',
        to('care/changed'),
      ]),
      2,
      'layout.malformed',
      /sha256:/,
    ],
    [
      'a layer that is gone',
      sign(() => [
        '--layout',
        layout((folder) => rmSync(join(folder, 'blobs'), { recursive: true })),
        '--digest',
        scene.digest,
        '--image',
        to('care/gone'),
      ]),
      2,
      'layout.malformed',
      /blobs/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });

  it('a registry where nobody listens, within seconds', async () => {
    await nobodyListens(scene, scene.at('opened'), (site, image) =>
      sign(() => ['--layout', LAYOUT, '--digest', scene.digest, '--image', image.split('@')[0] as string])(site),
    );
  });
});

describe('build-sign', () => {
  it('in phase build needs neither key nor run nor store, and gives digest and platforms', async () => {
    const site = scene.at('opened');
    rmSync(site.path('store'), { recursive: true });
    const { code, stdout } = await program(site, ['build-sign', '--phase', 'build', '--layout', LAYOUT]);
    expect({ code, ...JSON.parse(stdout) }).toEqual({ code: 0, digest: scene.digest, platforms: ['linux/amd64'] });
  });
});
