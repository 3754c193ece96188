import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type CycloneDx, createSbom, type ImageContent } from '../../../../src/attestation/sbom/index.ts';
import type { Limits } from '../../../../src/attestation/sbom/limits.ts';
import {
  debian,
  type Entry,
  file,
  folder,
  GZIP,
  hardlink,
  imageOf,
  imageOfArchives,
  sha256,
  symlink,
  tarOf,
} from './image.ts';

const sbomOf = (image: ImageContent, limits: Partial<Limits> = {}): Promise<CycloneDx> =>
  createSbom(image, { toolVersion: '1.0.0', limits });

/** Names of the packages and paths of the files that the SBOM of these layers lists. */
async function names(...layers: Entry[][]): Promise<string[]> {
  const { components } = await sbomOf(imageOf(...layers));
  return components.filter(({ type }) => type === 'library' || type === 'file').map(({ name }) => name);
}

const STATUS = 'var/lib/dpkg/status';
const status = (name: string): Entry => file(STATUS, debian(name));
const elf = (path: string): Entry => file(path, '\x7fELF not really');

describe('layers over layers', () => {
  const cases: [string, Entry[][], string[]][] = [
    ['a file of a higher layer replaces that of a lower', [[status('old')], [status('new')]], ['new']],
    ['a whiteout removes a file', [[elf('bin/a'), elf('bin/b')], [file('bin/.wh.a')]], ['/bin/b']],
    ['a whiteout removes a folder', [[elf('opt/x/a'), elf('b')], [file('.wh.opt')]], ['/b']],
    ['a whiteout hides only what is below it', [[elf('a')], [file('.wh.a'), elf('a')]], ['/a']],
    ['its place in the archive does not matter', [[elf('a')], [elf('a'), file('.wh.a')]], ['/a']],
    [
      'an opaque folder hides what lower layers have in it',
      [
        [elf('x/a'), elf('b')],
        [folder('x'), elf('x/new'), file('x/.wh..wh..opq')],
      ],
      ['/b', '/x/new'],
    ],
    ['an opaque root hides everything', [[elf('a')], [file('.wh..wh..opq'), elf('b')]], ['/b']],
    ['a whiteout of nothing does nothing', [[elf('a')], [file('x/.wh.y')]], ['/a']],
    ["aufs's own files are none", [[elf('a'), file('.wh..wh.plnk', '\x7fELF')]], ['/a']],
    ['a folder keeps what a lower layer has in it', [[elf('x/a')], [folder('x/')]], ['/x/a']],
    ['a file in place of a folder removes it', [[elf('x/a')], [file('x', 'text')]], []],
    ['a folder in place of a file removes it', [[elf('x')], [folder('x')]], []],
    ['a link in place of a folder removes it', [[elf('x/a')], [symlink('x', 'y')]], []],
    [
      'paths are the same with ./ and / before them',
      [[file(`./${STATUS}`, debian('old'))], [file(`/${STATUS}`, debian('new'))]],
      ['new'],
    ],
    ['.. inside the image is followed', [[file(`opt/../${STATUS}`, debian('a'))]], ['a']],
  ];

  it.each(cases)('%s', async (_, layers, expected) => {
    expect(await names(...layers)).toEqual(expected);
  });
});

describe('links', () => {
  it('a layer that writes through a linked folder writes to where it leads', async () => {
    const lower = [folder('usr/lib'), symlink('lib', 'usr/lib')];
    expect(await names(lower, [elf('lib/a')])).toEqual(['/usr/lib/a']);
    expect(await names(lower, [elf('usr/lib/a')], [file('lib/.wh.a')])).toEqual([]);
  });

  it('an absolute link is absolute in the image, and none leads out of it', async () => {
    expect(
      await names([folder('data'), symlink('a', '/data'), symlink('b', '../../../data')], [elf('a/x'), elf('b/y')]),
    ).toEqual(['/data/x', '/data/y']);
  });

  it('a hard link is the same file, also when the first name is removed', async () => {
    expect(await names([elf('a'), hardlink('b', 'a')], [file('.wh.a')])).toEqual(['/b']);
  });

  it('a package list behind a link to an unread file makes the SBOM incomplete, not empty', async () => {
    const hidden = [file('opt/list', debian('hidden'))];
    for (const link of [symlink(STATUS, '/opt/list'), hardlink(STATUS, 'opt/list'), symlink('var/lib/dpkg', '/opt')]) {
      const list = link.path === STATUS ? hidden : [file('opt/status', debian('hidden'))];
      const { compositions, components } = await sbomOf(imageOf([...list, link]));
      expect(compositions[0]?.aggregate).toBe('incomplete');
      expect(components).toMatchObject([
        { type: 'file', name: `/${STATUS}`, properties: [{ name: 'gatehouse:unread' }] },
      ]);
    }
  });

  it('an os-release behind such a link makes it incomplete too', async () => {
    const { compositions } = await sbomOf(
      imageOf([file('opt/os', 'ID=debian'), symlink('etc/os-release', '../opt/os')]),
    );
    expect(compositions[0]?.aggregate).toBe('incomplete');
  });

  it('a package list that is linked to from where the other system keeps it is read once', async () => {
    const apk = file('usr/lib/apk/db/installed', 'P:musl\nV:1.2.4-r1\n\n');
    expect(await names([apk, symlink('lib', 'usr/lib')])).toEqual(['musl']);
  });

  it.each([
    ['links in a circle', [symlink('a', 'b'), symlink('b', 'a'), elf('a/x')], 'sbom.links'],
    ['a hard link to nothing', [hardlink('a', 'b')], 'sbom.links'],
    ['a hard link to a folder', [folder('b'), hardlink('a', 'b')], 'sbom.links'],
    ['a file where a folder has to be', [file('a', 'x'), elf('a/b')], 'sbom.layer'],
    ['a path out of the image', [elf('../etc/cron.d/x')], 'sbom.escape'],
    ['a hard link out of the image', [hardlink('a', '../../etc/shadow')], 'sbom.escape'],
  ])('%s are refused', async (_, entries, code) => {
    await expect(sbomOf(imageOf(entries))).rejects.toMatchObject({ code });
  });
});

describe('compression', () => {
  const archive = tarOf([elf('a')]);
  const image = (mediaType: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): ImageContent => ({
    ...imageOfArchives([archive]),
    layers: [{ mediaType, digest: `sha256:${'b'.repeat(64)}`, bytes }],
  });
  async function* chunks(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, 20);
    yield bytes.subarray(20);
  }

  it.each([
    ['application/vnd.oci.image.layer.v1.tar', archive],
    [GZIP, gzipSync(archive)],
    ['application/vnd.oci.image.layer.v1.tar+zstd', zstdCompressSync(archive)],
    ['application/vnd.docker.image.rootfs.diff.tar.gzip', gzipSync(archive)],
  ])('%s is read, whole or as a stream', async (mediaType, bytes) => {
    for (const form of [bytes, chunks(bytes)]) {
      expect((await sbomOf(image(mediaType, form))).components).toMatchObject([{ name: '/a' }]);
    }
  });

  it.each([
    ['an unknown media type', image('application/vnd.wasm.content.layer.v1+wasm', archive), 'sbom.media_type'],
    ['gzip that is none', image(GZIP, archive), 'sbom.unpack'],
    ['gzip cut off', image(GZIP, gzipSync(archive).subarray(0, 40)), 'sbom.unpack'],
    ['plain tar that is gzip', image('application/vnd.oci.image.layer.v1.tar', gzipSync(archive)), 'sbom.truncated'],
  ])('%s is refused', async (_, broken, code) => {
    await expect(sbomOf(broken)).rejects.toMatchObject({ code });
  });
});

describe('an image that contradicts its configuration is refused', () => {
  const good = imageOf([elf('a')], [elf('b')]);
  const layers = [...(good.layers as Iterable<ImageContent['layers'] extends Iterable<infer L> ? L : never>)];
  const swapped = imageOf([elf('a')], [elf('c')]);
  const extra = Buffer.concat([tarOf([elf('a')]), Buffer.from('behind the end')]);

  it.each([
    ['a layer is missing', { ...good, layers: layers.slice(0, 1) }],
    ['there is one more layer', { ...good, layers: [...layers, ...layers] }],
    ['the layers are in another order', { ...good, layers: [...layers].reverse() }],
    ['a layer has another content', { ...good, layers: swapped.layers }],
    ['bytes were put behind the end of a layer', { ...imageOf([elf('a')]), layers: imageOfArchives([extra]).layers }],
  ])('%s', async (_, image) => {
    await expect(sbomOf(image)).rejects.toMatchObject({ code: 'sbom.layers', exit: 1 });
  });

  it.each([
    ['an index of platforms', { manifests: [] }],
    ['no object', null],
    ['a broken diff_id', { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: ['latest'] } }],
  ])('the configuration is %s', async (_, config) => {
    await expect(sbomOf({ ...good, config })).rejects.toMatchObject({ code: 'sbom.config', exit: 2 });
  });
});

describe('a bomb is refused', () => {
  const zeros = file('zeros', Buffer.alloc(300_000));

  it.each([
    ['more bytes than allowed when unpacked', [zeros, zeros], { unpackedBytes: 500_000 }],
    ['more files than allowed', [elf('a'), elf('b'), elf('c')], { entries: 2 }],
    ['a larger executable than allowed', [file('a', `\x7fELF${'x'.repeat(3000)}`)], { executableBytes: 3000 }],
    [
      'more bytes of package lists than allowed',
      [status('a'), file('lib/apk/db/installed', 'P:b\n')],
      { listBytes: 76 },
    ],
    ['a longer path than allowed', [file('a'.repeat(90))], { pathBytes: 80 }],
  ])('%s', async (_, entries, limits) => {
    await expect(sbomOf(imageOf(entries))).resolves.toBeDefined();
    await expect(sbomOf(imageOf(entries), limits)).rejects.toMatchObject({ code: 'sbom.too_large', exit: 1 });
  });

  it('stops while it unpacks, not afterwards', async () => {
    const bytes = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const image = { ...imageOfArchives([]), layers: [{ mediaType: GZIP, digest: sha256(bytes), bytes }] };
    await expect(sbomOf(image, { unpackedBytes: 1_000_000 })).rejects.toMatchObject({ code: 'sbom.too_large' });
  });
});
