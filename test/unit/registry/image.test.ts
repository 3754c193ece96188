import { digestOf } from '../../../src/lib/digest.ts';
import { readConfig, readImage, readLayers } from '../../../src/registry/image.ts';
import { EMPTY } from './artifacts.ts';
import { pushTiny, REPOSITORY, scenes, thrownBy } from './scene.ts';
import { descriptorOf, INDEX, imageParts, indexParts, json, MANIFEST, tinyImage, tinyIndex } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const amd = tinyImage('amd64');
const arm = tinyImage('arm64');
const images = [amd, arm];

/** A registry with both images, and this index over some of them, which no layout could hold. */
async function withIndex(manifests: object[]) {
  const { client } = await scene.open();
  await pushTiny(client, scene.layout(indexParts(images)));
  const index = json({ schemaVersion: 2, mediaType: INDEX, manifests });
  await client.putManifest(REPOSITORY, { mediaType: INDEX, bytes: index });
  return { client, digest: digestOf(index) };
}

describe('an image in a registry', () => {
  it('of one platform is one subject', async () => {
    const { client } = await scene.open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    const [read, ...others] = await readImage(client, REPOSITORY, top.digest);
    expect(others).toEqual([]);
    expect(read).toMatchObject({ descriptor: { digest: top.digest, size: top.size }, platform: 'linux/amd64' });
    const image = read?.image;
    if (!image) throw new Error('no image');
    expect(await readConfig(client, REPOSITORY, image)).toMatchObject({ config: { Entrypoint: ['/hello.txt'] } });
    const layers: string[] = [];
    for await (const { bytes } of readLayers(client, REPOSITORY, image)) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of bytes) chunks.push(chunk);
      layers.push(digestOf(Buffer.concat(chunks)));
    }
    expect(layers).toEqual(tinyImage().blobs.slice(1).map(digestOf));
  });

  it('of two platforms is three subjects', async () => {
    const { client } = await scene.open();
    const top = await pushTiny(client, scene.layout(indexParts(images)));
    const read = await readImage(client, REPOSITORY, top.digest);
    expect(read.map(({ platform, descriptor, image }) => [platform, descriptor.digest, image === null])).toEqual([
      [null, top.digest, true],
      ['linux/amd64', amd.digest, false],
      ['linux/arm64', arm.digest, false],
    ]);
  });

  const child = descriptorOf(amd.manifest, MANIFEST);
  it.each<[string, object[], string]>([
    ['that lists no image', [], 'image.empty'],
    ['that lists an index', [descriptorOf(tinyIndex(images), INDEX)], 'image.nested'],
    [
      'that lists an image for another platform',
      [{ ...child, platform: { os: 'linux', architecture: 'amd' } }],
      'image.platform',
    ],
    [
      'that lists an image for nobody',
      [{ ...child, platform: { os: 'unknown', architecture: 'unknown' } }],
      'image.platform',
    ],
  ])('%s is refused', async (_, manifests, code) => {
    const { client, digest } = await withIndex(manifests);
    expect(await thrownBy(() => readImage(client, REPOSITORY, digest))).toMatchObject({ name: 'Denied', code });
  });

  it('that is another artifact is refused', async () => {
    const { client } = await scene.open();
    const empty = Buffer.from('{}');
    await client.putBytes(REPOSITORY, empty);
    const manifest = json({ schemaVersion: 2, mediaType: MANIFEST, config: descriptorOf(empty, EMPTY), layers: [] });
    await client.putManifest(REPOSITORY, { mediaType: MANIFEST, bytes: manifest });
    const thrown = await thrownBy(() => readImage(client, REPOSITORY, digestOf(manifest)));
    expect(thrown).toMatchObject({ name: 'Denied', code: 'image.config' });
  });
});
