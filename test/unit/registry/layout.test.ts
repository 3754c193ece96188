import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../../src/lib/digest.ts';
import { readLayout } from '../../../src/registry/layout.ts';
import { scenes, thrownBy } from './scene.ts';
import {
  blobFile,
  CONFIG,
  descriptorOf,
  INDEX,
  imageParts,
  indexParts,
  json,
  type LayoutParts,
  MANIFEST,
  tinyImage,
  tinyIndex,
  topIndex,
  writeLayout,
} from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const image = tinyImage();
const [config, layer] = image.blobs as [Buffer, Buffer];
const manifest = JSON.parse(image.manifest.toString());

/** The layout of an image whose manifest was changed, digests and sizes right again. */
function withManifest(change: object, blobs = image.blobs): LayoutParts {
  const changed = json({ ...manifest, ...change });
  return { ...imageParts(), index: topIndex(descriptorOf(changed, MANIFEST)), blobs: [...blobs, changed] };
}

/** The layout of an image whose config was changed. */
function withConfig(bytes: Buffer): LayoutParts {
  return withManifest({ config: descriptorOf(bytes, CONFIG) }, [bytes, layer]);
}

/** The layout of an index whose list was changed. */
function withList(change: (manifests: Record<string, unknown>[]) => unknown[]): LayoutParts {
  const images = [tinyImage('amd64'), tinyImage('arm64')];
  const list = JSON.parse(tinyIndex(images).toString());
  return indexParts(images, json({ ...list, manifests: change(list.manifests) }));
}

describe('an image layout', () => {
  it('of one image gives its manifest, platform and blobs', () => {
    const { top, children } = readLayout(scene.layout(imageParts()));
    expect(children).toEqual([]);
    expect(top.descriptor).toMatchObject({ digest: image.digest, size: image.manifest.length, mediaType: MANIFEST });
    expect(top.platform).toBe('linux/amd64');
    expect(top.bytes.equals(image.manifest)).toBe(true);
    expect(top.blobs.map(({ digest }) => digest)).toEqual([digestOf(config), digestOf(layer)]);
  });

  it('of two platforms gives the index and each child', () => {
    const { top, children } = readLayout(scene.layout(indexParts()));
    expect(top).toMatchObject({ platform: null, blobs: [], descriptor: { mediaType: INDEX } });
    expect(children.map(({ platform, descriptor }) => [platform, descriptor.digest])).toEqual([
      ['linux/amd64', tinyImage('amd64').digest],
      ['linux/arm64', tinyImage('arm64').digest],
    ]);
  });

  it('keeps the variant that only the index knows', () => {
    const parts = withList(([, arm]) => [{ ...arm, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }]);
    expect(readLayout(scene.layout(parts)).children.map(({ platform }) => platform)).toEqual(['linux/arm64/v8']);
  });

  it('takes the platform of the config where the index says none', () => {
    const parts = withList((list) => list.map(({ platform: _, ...rest }) => rest));
    expect(readLayout(scene.layout(parts)).children.map(({ platform }) => platform)).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
  });

  it('of an artifact that is no image has no platform', () => {
    const empty = Buffer.from('{}');
    const parts = withManifest({ config: descriptorOf(empty, 'application/vnd.oci.empty.v1+json') }, [empty, layer]);
    expect(readLayout(scene.layout(parts)).top.platform).toBeNull();
  });

  it('of several images gives the one that was asked for', () => {
    const other = tinyImage('arm64');
    const parts = imageParts();
    const index = topIndex(descriptorOf(image.manifest, MANIFEST), descriptorOf(other.manifest, MANIFEST));
    const folder = scene.layout({ ...parts, index, blobs: [...parts.blobs, ...other.blobs, other.manifest] });
    expect(readLayout(folder, other.digest).top.descriptor.digest).toBe(other.digest);
  });

  const wrongDigest = { ...descriptorOf(layer, manifest.layers[0].mediaType), digest: `sha256:${'0'.repeat(64)}` };
  it.each<[string, LayoutParts, string]>([
    ['the marker is empty', { ...imageParts(), marker: Buffer.alloc(0) }, 'oci-layout'],
    ['the marker has no version', { ...imageParts(), marker: json({}) }, 'imageLayoutVersion'],
    [
      'the marker has another version',
      { ...imageParts(), marker: json({ imageLayoutVersion: '2.0.0' }) },
      'imageLayoutVersion',
    ],
    ['the index is empty', { ...imageParts(), index: Buffer.alloc(0) }, 'index.json'],
    ['the index is cut', { ...imageParts(), index: imageParts().index.subarray(0, 40) }, 'index.json'],
    ['the index is null', { ...imageParts(), index: json(null) }, 'index.json'],
    ['the index has no list', { ...imageParts(), index: json({ schemaVersion: 2 }) }, 'manifests'],
    ['the index lists none', { ...imageParts(), index: topIndex() }, 'lists none'],
    [
      'the index lists two',
      {
        ...imageParts(),
        index: topIndex(descriptorOf(image.manifest, MANIFEST), descriptorOf(tinyImage('arm64').manifest, MANIFEST)),
      },
      '2 images',
    ],
    [
      'the top is of no known type',
      { ...imageParts(), index: topIndex(descriptorOf(image.manifest, 'application/json')) },
      'no image',
    ],
    [
      'the top calls itself another type',
      { ...imageParts(), index: topIndex(descriptorOf(image.manifest, INDEX)) },
      'calls itself',
    ],
    [
      'the digest of the top climbs',
      {
        ...imageParts(),
        index: topIndex({ ...descriptorOf(image.manifest, MANIFEST), digest: 'sha256:../../../etc/passwd' }),
      },
      'sha256',
    ],
    [
      'the size of the top is wrong',
      { ...imageParts(), index: topIndex({ ...descriptorOf(image.manifest, MANIFEST), size: 1 }) },
      'descriptor says 1',
    ],
    ['the manifest is missing', { ...imageParts(), blobs: image.blobs }, 'is missing'],
    ['the config is missing', { ...imageParts(), blobs: [layer, image.manifest] }, 'is missing'],
    ['a layer is missing', { ...imageParts(), blobs: [config, image.manifest] }, 'is missing'],
    ['the digest of a layer is wrong', withManifest({ layers: [wrongDigest] }), 'is missing'],
    [
      'the size of a layer is wrong',
      withManifest({ layers: [{ ...manifest.layers[0], size: layer.length + 1 }] }),
      'descriptor says',
    ],
    ['the size of the config is wrong', withManifest({ config: { ...manifest.config, size: 1 } }), 'descriptor says 1'],
    ['the manifest has no layers', withManifest({ layers: undefined }), 'layers'],
    ['the manifest has layers and manifests', withManifest({ manifests: [] }), 'both'],
    ['the config is no JSON', withConfig(Buffer.from('x')), 'config'],
    ['the config says no platform', withConfig(json({ os: 'linux' })), 'os and architecture'],
    ['the list lists nothing', withList(() => []), 'lists no image'],
    ['the list lists an image twice', withList(([one]) => [one, one]), 'twice'],
    ['the list lists an index', withList(([one]) => [{ ...one, mediaType: INDEX }]), 'another index'],
    [
      'the list lies about a platform',
      withList(([one]) => [{ ...one, platform: { os: 'linux', architecture: 's390x' } }]),
      's390x',
    ],
    ['the list lies about a size', withList(([one]) => [{ ...one, size: 7 }]), 'descriptor says 7'],
    [
      'the list names what is missing',
      withList(([one]) => [{ ...one, digest: `sha256:${'1'.repeat(64)}` }]),
      'is missing',
    ],
  ])('is refused when %s', async (_, parts, says) => {
    const { name, code, message } = await thrownBy(() => readLayout(scene.layout(parts)));
    expect({ name, code }).toEqual({ name: 'BadInput', code: expect.stringMatching(/^layout\./) });
    expect(message).toContain(says);
  });

  it('is refused when it does not have the digest that was asked for', async () => {
    const folder = scene.layout(imageParts());
    const thrown = await thrownBy(() => readLayout(folder, `sha256:${'2'.repeat(64)}`));
    expect(thrown).toMatchObject({ code: 'layout.no_image', message: expect.stringContaining(image.digest) });
  });

  it.each([
    ['a byte of a layer was changed', digestOf(layer), 'hashes to'],
    ['a byte of the config was changed', digestOf(config), 'hashes to'],
    ['a byte of the manifest was changed', image.digest, 'hashes to'],
  ])('is refused when %s', async (_, digest, says) => {
    const folder = scene.layout(imageParts());
    const bytes = Buffer.from([...image.blobs, image.manifest].find((blob) => digestOf(blob) === digest) as Buffer);
    bytes[5] = (bytes[5] as number) ^ 1;
    writeFileSync(blobFile(folder, digest), bytes);
    expect((await thrownBy(() => readLayout(folder))).message).toContain(says);
  });

  it.each<[string, (folder: string, outside: string) => void]>([
    ['the marker', (folder, outside) => relink(join(folder, 'oci-layout'), join(outside, 'oci-layout'))],
    ['the index', (folder, outside) => relink(join(folder, 'index.json'), join(outside, 'index.json'))],
    ['the folder of blobs', (folder, outside) => relink(join(folder, 'blobs'), join(outside, 'blobs'))],
    [
      'the folder of digests',
      (folder, outside) => relink(join(folder, 'blobs', 'sha256'), join(outside, 'blobs', 'sha256')),
    ],
    ['a blob', (folder, outside) => relink(blobFile(folder, digestOf(layer)), blobFile(outside, digestOf(layer)))],
  ])('is refused when %s is a link out of it, though what it leads to is right', async (_, plant) => {
    const outside = scene.layout(imageParts());
    const folder = scene.layout(imageParts());
    plant(folder, outside);
    expect(await thrownBy(() => readLayout(folder))).toMatchObject({
      code: 'layout.malformed',
      message: expect.stringContaining('link'),
    });
  });

  it('is refused when a blob is a pipe, instead of waiting for a writer', async () => {
    const folder = scene.layout(imageParts());
    rmSync(blobFile(folder, digestOf(layer)));
    execFileSync('mkfifo', [blobFile(folder, digestOf(layer))]);
    expect((await thrownBy(() => readLayout(folder))).message).toContain('is not a file');
  });

  it('is refused when a blob is a folder', async () => {
    const folder = scene.layout(imageParts());
    rmSync(blobFile(folder, digestOf(layer)));
    mkdirSync(blobFile(folder, digestOf(layer)));
    expect((await thrownBy(() => readLayout(folder))).message).toContain('is not a file');
  });

  it('is refused when its manifest is larger than any manifest may be', async () => {
    const parts = withManifest({ annotations: { padding: 'x'.repeat(5 * 1024 * 1024) } });
    expect((await thrownBy(() => readLayout(scene.layout(parts)))).message).toContain('more than the');
  });

  it.each<[what: string, change: (folder: string) => void, code: string, message: RegExp]>([
    ['there is no folder', (folder) => renameSync(folder, `${folder}-gone`), 'layout.missing', /there is no folder/],
    [
      'it is an archive',
      (folder) => {
        renameSync(folder, `${folder}-gone`);
        writeFileSync(folder, 'tar');
      },
      'layout.missing',
      /is a file: .*unpack/,
    ],
    ['there are no blobs', (folder) => rmSync(join(folder, 'blobs'), { recursive: true }), 'layout.malformed', /blobs/],
  ])('is refused when %s', async (_, change, code, message) => {
    const folder = writeLayout(join(scene.folder('gone'), 'layout'), imageParts());
    change(folder);
    const refusal = { name: 'BadInput', code, message: expect.stringMatching(message) };
    expect(await thrownBy(() => readLayout(folder))).toMatchObject(refusal);
  });
});

function relink(path: string, target: string): void {
  rmSync(path, { recursive: true });
  symlinkSync(target, path);
}
