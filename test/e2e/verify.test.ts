import { rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { expectRefused, program, type Refused } from '../support/bad-input.ts';
import { editRegister, playRun, type Scene } from '../support/gate-scene.ts';
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

const DIGEST = `sha256:${'1'.repeat(64)}`;

describe('verify refuses', () => {
  it.each<Refused>([
    ['no image', () => ['verify'], 2, 'inputs.invalid', /image: is required/],
    ['two images', () => ['verify', scene.image, scene.image], 2, 'cli.too_many_words', /cannot place/],
    ['a tag', () => ['verify', `${scene.registry.host}/care/lab-results:latest`], 2, 'reference.tag', /is a tag/],
    [
      'a digest that is too short',
      () => ['verify', `${scene.registry.host}/care/lab-results@sha256:abc`],
      2,
      'reference.digest',
      /does not end in a digest/,
    ],
    [
      'an image that is not there',
      () => ['verify', `${scene.registry.host}/care/lab-results@${DIGEST}`],
      3,
      'registry.not_found',
      /has no manifest sha256:1{64}/,
    ],
    [
      'a repository that is not there',
      () => ['verify', `${scene.registry.host}/none@${scene.digest}`],
      3,
      'registry.not_found',
      /none/,
    ],
    [
      'a registry where nobody listens',
      () => ['verify', `127.0.0.1:9/care/lab-results@${DIGEST}`],
      3,
      'registry.unavailable',
      /127\.0\.0\.1:9/,
    ],
    [
      'without a store',
      (site) => {
        rmSync(site.path('store'), { recursive: true });
        return ['verify', scene.image];
      },
      3,
      'store.missing',
      /does not exist/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('decided'), row);
  });
});

describe('verify', () => {
  const checks = async (site = scene.at('decided'), image = scene.image) => {
    const { code, stdout } = await program(site, ['verify', image]);
    return { code, ...JSON.parse(stdout) };
  };

  it('names each statement with role and signer, and what is missing', async () => {
    const { code, status, checks: found } = await checks();
    expect({ code, status }).toEqual({ code: 0, status: 'verified' });
    expect(
      found
        .map(({ type, role, status: one }: { type: string; role: string; status: string }) => `${type} ${role} ${one}`)
        .sort(),
    ).toEqual([
      'provenance build verified',
      'sbom build verified',
      'scan scan verified',
      'signature build verified',
      'verdict gate verified',
    ]);
  });

  it('fails when the key that signed is revoked', async () => {
    const site = scene.at('decided');
    await editRegister(site, ({ keys }) => ({
      keys: keys.map((key) => (key.id === 'demo-build' ? { ...key, revokedAt: key.from } : key)),
    }));
    const { code, status, checks: found } = await checks(site);
    expect({ code, status }).toEqual({ code: 1, status: 'failed' });
    expect(found).toContainEqual(
      expect.objectContaining({
        type: 'signature',
        status: 'failed',
        reason: expect.stringMatching(/has no signature by a key of role build/),
      }),
    );
  });

  it('fails when the keys of the store are gone', async () => {
    const site = scene.at('decided');
    rmSync(site.path('store', 'v1', 'keys'), { recursive: true });
    expect(await checks(site)).toMatchObject({ code: 1, status: 'failed' });
  });
});

describe('a tag', () => {
  const asked = async (image: string) => {
    const { code, stdout } = await program(scene.at('ready'), ['verify', image]);
    return { code, ...JSON.parse(stdout) };
  };

  it('is refused with the digest that it means now', async () => {
    const { host, url } = scene.registry;
    const manifests = `${url}/v2/care/lab-results/manifests`;
    const manifest = await fetch(`${manifests}/${scene.digest}`);
    const type = manifest.headers.get('content-type') as string;
    const tagged = { method: 'PUT', headers: { 'content-type': type }, body: await manifest.arrayBuffer() };
    expect((await fetch(`${manifests}/1.4.2`, tagged)).status).toBe(201);
    expect(await asked(`${host}/care/lab-results:1.4.2`)).toMatchObject({
      code: 'reference.tag',
      message: expect.stringContaining(`now ${host}/care/lab-results@${scene.digest}`),
    });
  });

  it('is refused unasked when the contract does not list its registry', async () => {
    const requests: string[] = [];
    const elsewhere = await startRegistry({
      faults: ({ path }) => {
        requests.push(path);
        return null;
      },
    });
    try {
      const { code, message } = await asked(`${elsewhere.host}/care/lab-results:1.4.2`);
      expect({ code, requests }).toEqual({ code: 'reference.tag', requests: [] });
      expect(message).toMatch(/could not be found out: .* is not in a registry of contract\.yml/);
    } finally {
      await elsewhere.close();
    }
  });
});
