import { writeFileSync } from 'node:fs';
import { digestOf } from '../../../src/lib/digest.ts';
import { readLayout } from '../../../src/registry/layout.ts';
import { pushLayout } from '../../../src/registry/push-layout.ts';
import { REPOSITORY, scenes, thrownBy } from './scene.ts';
import { blobFile, INDEX, imageParts, indexParts, MANIFEST, tinyImage, tinyIndex } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const images = [tinyImage('amd64'), tinyImage('arm64')];
const index = tinyIndex(images);

describe('pushing a layout', () => {
  it('gives the top first, then each child with its platform', async () => {
    const { client } = await scene.open();
    expect(await pushLayout(client, readLayout(scene.layout(indexParts(images))), REPOSITORY)).toEqual([
      { digest: digestOf(index), platform: null, mediaType: INDEX, size: index.length },
      ...images.map(({ digest, manifest, platform }) => ({
        digest,
        platform: `linux/${platform.architecture}`,
        mediaType: MANIFEST,
        size: manifest.length,
      })),
    ]);
  });

  it('never stores what points at something missing, and writes no tag', async () => {
    const { client, seen } = await scene.open();
    await pushLayout(client, readLayout(scene.layout(indexParts(images))), REPOSITORY);
    const stored = seen
      .filter(({ method }) => method === 'PUT')
      .map(({ path }) => (path.includes('/uploads/') ? 'blob' : path.replace(/.*\/manifests\//, '')));
    expect(stored).toEqual(['blob', 'blob', 'blob', 'blob', ...images.map(({ digest }) => digest), digestOf(index)]);
  });

  it('again changes nothing', async () => {
    const { client, seen } = await scene.open();
    const layout = readLayout(scene.layout(imageParts()));
    const first = await pushLayout(client, layout, REPOSITORY);
    seen.length = 0;
    expect(await pushLayout(client, layout, REPOSITORY)).toEqual(first);
    expect(seen.filter(({ path, method }) => method === 'PUT' && path.includes('/uploads/'))).toEqual([]);
  });

  it('of a layer that was changed after it was checked is refused', async () => {
    const { client } = await scene.open();
    const folder = scene.layout(imageParts());
    const layout = readLayout(folder);
    const layer = tinyImage().blobs[1] as Buffer;
    writeFileSync(blobFile(folder, digestOf(layer)), Buffer.alloc(layer.length, 1));
    expect(await thrownBy(() => pushLayout(client, layout, REPOSITORY))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
  });

  const [config, layer] = tinyImage().blobs as [Buffer, Buffer];
  it.each([
    [
      'serves another manifest',
      'GET',
      `/manifests/${tinyImage().digest}`,
      { status: 200, headers: { 'content-type': MANIFEST }, body: tinyImage('arm64').manifest },
      'registry.digest_mismatch',
    ],
    [
      'serves the manifest as something else',
      'GET',
      `/manifests/${tinyImage().digest}`,
      { status: 200, headers: { 'content-type': INDEX }, body: tinyImage().manifest },
      'push.not_kept',
    ],
    ['has lost the manifest', 'GET', `/manifests/${tinyImage().digest}`, 404, 'registry.not_found'],
    [
      'serves another config',
      'GET',
      `/blobs/${digestOf(config)}`,
      { status: 200, body: Buffer.from('{}') },
      'registry.size_mismatch',
    ],
    [
      'serves a config of the same size',
      'GET',
      `/blobs/${digestOf(config)}`,
      { status: 200, body: Buffer.alloc(config.length) },
      'registry.digest_mismatch',
    ],
    [
      'names another digest for what was stored',
      'PUT',
      `/manifests/${tinyImage().digest}`,
      { status: 201, headers: { 'docker-content-digest': digestOf('x') } },
      'registry.digest_mismatch',
    ],
  ])('to a registry that %s is refused', async (_, method, path, fault, code) => {
    const { client } = await scene.open({
      faults: (request) => (request.method === method && request.path.endsWith(path) ? fault : null),
    });
    expect(await thrownBy(() => pushLayout(client, readLayout(scene.layout(imageParts())), REPOSITORY))).toMatchObject({
      code,
    });
  });

  it.each([
    ['lost a layer', 404],
    ['cut a layer', { status: 200, headers: { 'content-length': 1 } }],
  ])('to a registry that %s on the way is refused', async (_, fault) => {
    let heads = 0;
    const { client } = await scene.open({
      faults: ({ method, path }) => (method === 'HEAD' && path.endsWith(digestOf(layer)) && ++heads > 1 ? fault : null),
    });
    expect(await thrownBy(() => pushLayout(client, readLayout(scene.layout(imageParts())), REPOSITORY))).toMatchObject({
      name: 'Denied',
      code: 'push.not_kept',
    });
  });
});
