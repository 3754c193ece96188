import { Denied } from '../../../src/lib/errors.ts';
import { fitsPlatform, parseManifest, platformOf } from '../../../src/registry/manifest.ts';
import { thrownBy } from './scene.ts';
import { INDEX, json, MANIFEST, tinyImage, tinyIndex } from './tiny-layout.ts';

const image = JSON.parse(tinyImage().manifest.toString());
const index = JSON.parse(tinyIndex([tinyImage()]).toString());
const parse = (bytes: Buffer, type: string) =>
  parseManifest(bytes, type, 'the manifest', (code, message, cause) => new Denied(code, message, cause));

describe('a manifest', () => {
  it.each([
    ['an OCI image', image, MANIFEST, 'image'],
    ['an OCI index', index, INDEX, 'index'],
    ['without a media type of its own', { ...image, mediaType: undefined }, MANIFEST, 'image'],
    ["Docker's", { ...image, mediaType: undefined }, 'application/vnd.docker.distribution.manifest.v2+json', 'image'],
    [
      "Docker's list",
      { ...index, mediaType: undefined },
      'application/vnd.docker.distribution.manifest.list.v2+json',
      'index',
    ],
    ['with fields that are not known here', { ...image, future: true }, MANIFEST, 'image'],
    ['with annotations null, as Go writes them', { ...image, annotations: null, subject: null }, MANIFEST, 'image'],
  ])('is read: %s', (_, document, type, kind) => {
    expect(parse(json(document), type).kind).toBe(kind);
  });

  const layer = image.layers[0];
  it.each([
    ['of another type than it was served as', image, INDEX, 'manifest.ambiguous'],
    ['of an unknown type', image, 'application/json', 'manifest.type'],
    ["of Docker's schema 1", image, 'application/vnd.docker.distribution.manifest.v1+prettyjws', 'manifest.type'],
    ['that is an image and an index', { ...image, manifests: index.manifests }, MANIFEST, 'manifest.ambiguous'],
    ['that is an index with layers', { ...index, layers: [] }, INDEX, 'manifest.ambiguous'],
    ['null', null, MANIFEST, 'manifest.malformed'],
    ['a list', [image], MANIFEST, 'manifest.malformed'],
    ['without schemaVersion', { ...image, schemaVersion: undefined }, MANIFEST, 'manifest.malformed'],
    ['with schemaVersion 1', { ...image, schemaVersion: 1 }, MANIFEST, 'manifest.malformed'],
    ['without config', { ...image, config: undefined }, MANIFEST, 'manifest.malformed'],
    ['without layers', { ...image, layers: undefined }, MANIFEST, 'manifest.malformed'],
    [
      'with a layer without a digest',
      { ...image, layers: [{ ...layer, digest: undefined }] },
      MANIFEST,
      'manifest.malformed',
    ],
    [
      'with a digest that climbs',
      { ...image, layers: [{ ...layer, digest: 'sha256:../../etc/passwd' }] },
      MANIFEST,
      'manifest.malformed',
    ],
    ['with a size as text', { ...image, layers: [{ ...layer, size: '5' }] }, MANIFEST, 'manifest.malformed'],
    ['with a negative size', { ...image, layers: [{ ...layer, size: -1 }] }, MANIFEST, 'manifest.malformed'],
    ['with a size that is no integer', { ...image, layers: [{ ...layer, size: 1.5 }] }, MANIFEST, 'manifest.malformed'],
    ['with a subject that is no descriptor', { ...image, subject: 'sha256:abc' }, MANIFEST, 'manifest.malformed'],
    ['with an annotation that is no text', { ...image, annotations: { a: 1 } }, MANIFEST, 'manifest.malformed'],
    ['an index without manifests', { ...index, manifests: undefined }, INDEX, 'manifest.malformed'],
    ['an index with manifests null', { ...index, manifests: null }, INDEX, 'manifest.malformed'],
  ])('is refused %s', async (_, document, type, code) => {
    expect(await thrownBy(() => parse(json(document), type))).toMatchObject({ name: 'Denied', code });
  });

  it.each([
    ['empty', ''],
    ['cut', JSON.stringify(image).slice(0, -5)],
    ['with a key twice', `{"config":{},${JSON.stringify(image).slice(1)}`],
  ])('is refused when it is %s', async (_, text) => {
    expect(await thrownBy(() => parse(Buffer.from(text), MANIFEST))).toMatchObject({
      name: 'Denied',
      code: 'manifest.malformed',
    });
  });

  it.each([
    [{ os: 'linux', architecture: 'amd64' }, 'linux/amd64'],
    [{ os: 'linux', architecture: 'arm64', variant: 'v8' }, 'linux/arm64/v8'],
    [null, null],
    [undefined, null],
  ])('for the platform %j is for %s', (platform, text) => {
    expect(platformOf({ platform })).toBe(text);
  });

  it.each([
    ['linux/amd64', 'linux/amd64', true],
    ['linux/arm64/v8', 'linux/arm64', true],
    ['linux/arm64', 'linux/arm64/v8', true],
    ['linux/arm/v7', 'linux/arm/v7', true],
    ['linux/arm/v6', 'linux/arm/v7', false],
    ['linux/arm64', 'linux/arm', false],
    ['linux/arm', 'linux/arm64', false],
    ['windows/amd64', 'linux/amd64', false],
    ['', 'linux/amd64', false],
  ])('listed for %s and built for %s fits: %s', (said, own, fits) => {
    expect(fitsPlatform(said, own)).toBe(fits);
  });
});
