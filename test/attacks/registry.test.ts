import { symlinkSync, unlinkSync } from 'node:fs';
import { digestOf } from '../../src/lib/digest.ts';
import { attachAll } from '../../src/registry/attach.ts';
import { readAttachments } from '../../src/registry/attachments.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import { copyImage } from '../../src/registry/copy.ts';
import { readLayout } from '../../src/registry/layout.ts';
import { pushLayout } from '../../src/registry/push-layout.ts';
import { parseReference, requireDigest } from '../../src/registry/reference.ts';
import type { Fault, SeenRequest } from '../../src/registry/server/start.ts';
import {
  BUNDLE,
  EMPTY,
  LIMIT,
  NOW,
  pushReferrer,
  putIndexTag,
  ready,
  readySignature,
} from '../unit/registry/artifacts.ts';
import { fakeTiming, imageParts, pushTiny, REPOSITORY, scenes, thrownBy } from '../unit/registry/scene.ts';
import {
  blobFile,
  CONFIG,
  descriptorOf,
  INDEX,
  indexParts,
  json,
  MANIFEST,
  tinyImage,
  tinyIndex,
  topIndex,
} from '../unit/registry/tiny-layout.ts';

/*
 * A registry is not trusted: it, whoever may push to it, and whoever wrote the layout that goes into it play here against the
 * reader. Each attack names the reason for which it is refused.
 */

const scene = scenes();
afterEach(scene.clean);

const approved = tinyImage('amd64', 'approved');
const evil = tinyImage('amd64', 'evil');

async function pushed(faults: (request: SeenRequest) => Fault = () => null, referrersApi = true) {
  const none: (request: SeenRequest) => Fault = () => null;
  const now = { faults: none };
  const opened = await scene.open({ referrersApi, faults: (request) => now.faults(request) });
  const top = await pushTiny(opened.client, scene.layout(imageParts(approved)));
  now.faults = faults;
  return { ...opened, top };
}

const answer = (body: Buffer, type: string, headers: object = {}): Fault => ({
  status: 200,
  headers: { 'content-type': type, ...headers },
  body,
});
const ends = (path: string, fault: Fault) => (request: SeenRequest) =>
  request.method === 'GET' && request.path.endsWith(path) ? fault : null;

describe('a registry that serves something else', () => {
  it("another image's manifest under the approved digest", async () => {
    const { client } = await pushed(
      ends(approved.digest, answer(evil.manifest, MANIFEST, { 'docker-content-digest': approved.digest })),
    );
    expect(await thrownBy(() => client.getManifest(REPOSITORY, approved.digest))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
  });

  it('a manifest that differs in one space', async () => {
    const { client } = await pushed(
      ends(approved.digest, answer(Buffer.concat([approved.manifest, Buffer.from(' ')]), MANIFEST)),
    );
    expect(await thrownBy(() => client.getManifest(REPOSITORY, approved.digest))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
  });

  it('one image under a tag while its header names another', async () => {
    const { client } = await pushed(
      ends('/v1', answer(evil.manifest, MANIFEST, { 'docker-content-digest': approved.digest })),
    );
    expect(await thrownBy(() => client.resolveTag(REPOSITORY, 'v1'))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
  });

  it('the approved bytes as another type, so that a reader takes them for something else', async () => {
    const { client, top } = await pushed(ends(approved.digest, answer(approved.manifest, INDEX)));
    const target = await scene.open();
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('x')], NOW))).toMatchObject({
      name: 'Denied',
      code: 'attach.subject',
    });
    const copy = () =>
      copyImage({ client, repository: REPOSITORY }, top.digest, { client: target.client, repository: REPOSITORY });
    expect(await thrownBy(copy)).toMatchObject({ name: 'Denied', code: 'manifest.ambiguous' });
  });

  it('a document that is an index to one reader and an image to another (CVE-2021-41190)', async () => {
    const { client } = await scene.open();
    const both = json({
      ...JSON.parse(approved.manifest.toString()),
      mediaType: undefined,
      manifests: [descriptorOf(evil.manifest, MANIFEST)],
    });
    const liar = await scene.open({ faults: () => answer(both, MANIFEST) });
    const copy = () =>
      copyImage({ client: liar.client, repository: REPOSITORY }, digestOf(both), { client, repository: REPOSITORY });
    expect(await thrownBy(copy)).toMatchObject({ name: 'Denied', code: 'manifest.ambiguous' });
  });

  it('a config with another entry point', async () => {
    const config = approved.blobs[0] as Buffer;
    const { client } = await pushed(ends(digestOf(config), answer(Buffer.alloc(config.length, 'x'), CONFIG)));
    expect(await thrownBy(() => client.getBlob(REPOSITORY, descriptorOf(config, CONFIG), 4096))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
  });

  it('a blob without end', async () => {
    const { host } = await scene.scripted((_, response) => {
      const pour = () => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.on('drain', pour);
      pour();
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming() });
    const blob = { digest: digestOf('x'), size: null };
    expect(await thrownBy(() => client.getBlob(REPOSITORY, blob, 1_000_000))).toMatchObject({
      name: 'Denied',
      code: 'registry.too_large',
    });
  });

  it('a manifest larger than any may be', async () => {
    const { client } = await pushed(ends(approved.digest, answer(Buffer.alloc(4 * 1024 * 1024 + 1, ' '), MANIFEST)));
    expect(await thrownBy(() => client.getManifest(REPOSITORY, approved.digest))).toMatchObject({
      name: 'Denied',
      code: 'registry.too_large',
    });
  });

  it('another child than the index lists', async () => {
    const images = [approved, tinyImage('arm64', 'approved')];
    const { client } = await scene.open({ faults: ends(approved.digest, answer(evil.manifest, MANIFEST)) });
    const push = () => pushLayout(client, readLayout(scene.layout(indexParts(images))), REPOSITORY);
    expect(await thrownBy(push)).toMatchObject({ name: 'Denied', code: 'registry.digest_mismatch' });
  });
});

describe('a registry that wants credentials for somebody else', () => {
  const credentials = { username: 'robot', password: 'secret' };
  const blob = { digest: digestOf('x'), size: 1 };

  it.each(['basic', 'bearer'] as const)(
    'redirects a blob to its own host and gets no %s credentials there',
    async (scheme) => {
      const stolen: (string | undefined)[] = [];
      const thief = await scene.scripted((request, response) => {
        stolen.push(request.headers.authorization);
        response.end('x');
      });
      // The redirect comes only after the credentials have been accepted.
      const faults = ({ path, headers }: SeenRequest) =>
        path.includes('/blobs/') && headers.authorization !== undefined
          ? { status: 307, headers: { location: `${thief.url}/x` } }
          : null;
      const { client } = await scene.open({ auth: { ...credentials, scheme }, faults }, { credentials });
      expect((await client.getBlob(REPOSITORY, blob, 10)).toString()).toBe('x');
      expect(stolen).toEqual([undefined]);
    },
  );

  /** A host that asks for credentials as a registry would: for itself, or for a token service of its own. */
  const thief = async (scheme: 'basic' | 'bearer') => {
    const stolen: (string | undefined)[] = [];
    const { url } = await scene.scripted((request, response) => {
      stolen.push(request.headers.authorization);
      const realm = `http://${request.headers.host}/token`;
      const challenge = scheme === 'basic' ? 'Basic realm="registry"' : `Bearer realm="${realm}",service="registry"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
    });
    return { url, stolen };
  };

  it.each(['basic', 'bearer'] as const)('redirects to a host that asks for %s credentials itself', async (scheme) => {
    const { url, stolen } = await thief(scheme);
    const faults = () => ({ status: 307, headers: { location: `${url}/x` } });
    const { client } = await scene.open({ faults }, { credentials });
    expect(await thrownBy(() => client.getBlob(REPOSITORY, blob, 10))).toMatchObject({ code: 'registry.unauthorized' });
    expect(stolen).toEqual([undefined]);
  });

  it.each(['basic', 'bearer'] as const)(
    'has an upload go on, after a login, at a host that asks for %s credentials',
    async (scheme) => {
      const { url, stolen } = await thief(scheme);
      const faults = ({ method, headers }: SeenRequest) =>
        method === 'POST' && headers.authorization !== undefined
          ? { status: 202, headers: { location: `${url}/x` } }
          : null;
      const { client } = await scene.open({ auth: { ...credentials, scheme }, faults }, { credentials });
      expect(await thrownBy(() => client.putBytes(REPOSITORY, Buffer.from('x')))).toMatchObject({
        code: 'registry.unauthorized',
      });
      expect(stolen).toEqual([undefined]);
    },
  );

  it.each([
    ['a token service without TLS', { 'www-authenticate': 'Bearer realm="http://auth.example.org/token"' }, 401],
    ['a redirect into the network of the runner', { location: 'http://169.254.169.254/latest/meta-data' }, 307],
  ])('%s is not asked', async (_, headers, status) => {
    const { client } = await scene.open({ faults: () => ({ status, headers }) }, { credentials });
    expect(await thrownBy(() => client.findManifest(REPOSITORY, 'v1'))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.unsafe_address',
    });
  });
});

describe('somebody who may push', () => {
  it("attaches another image's bundle by lying in the list", async () => {
    const { client, top } = await pushed(undefined, false);
    const lie = await pushReferrer(client, top, { subject: descriptorOf(evil.manifest, MANIFEST) });
    await putIndexTag(client, top, [{ ...descriptorOf(lie, MANIFEST), artifactType: BUNDLE }]);
    expect(await readAttachments(client, REPOSITORY, top.digest)).toMatchObject([
      { kind: 'unreadable', error: { name: 'Denied', code: 'attachment.foreign_subject' } },
    ]);
  });

  it.each([true, false])(
    'hides an artifact among %s referrers of the API, one more than are read',
    async (referrersApi) => {
      const { client, top } = await pushed(undefined, referrersApi);
      const manifests = await Promise.all(
        Array.from({ length: LIMIT + 1 }, (_, i) => pushReferrer(client, top, { annotations: { i: `${i}` } })),
      );
      if (!referrersApi)
        await putIndexTag(
          client,
          top,
          manifests.map((bytes) => descriptorOf(bytes, MANIFEST)),
        );
      expect(await thrownBy(() => readAttachments(client, REPOSITORY, top.digest))).toMatchObject({
        name: 'Denied',
        code: 'attachments.too_many',
      });
    },
  );

  it.each(['sig', 'att'])('hides a signature among too many at .%s', async (suffix) => {
    const { client, top } = await pushed();
    await client.putBytes(REPOSITORY, Buffer.from('{}'));
    const layer = descriptorOf(Buffer.from('{}'), EMPTY);
    const manifest = json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: layer,
      layers: Array.from({ length: LIMIT + 1 }, () => layer),
    });
    await client.putTag(
      REPOSITORY,
      `${top.digest.replace(':', '-')}.${suffix}`,
      { mediaType: MANIFEST, bytes: manifest },
      null,
    );
    expect(await thrownBy(() => readAttachments(client, REPOSITORY, top.digest))).toMatchObject({
      name: 'Denied',
      code: 'attachments.too_many',
    });
  });

  it('puts junk beside a signature so that readers stop at the junk', async () => {
    const { client, top } = await pushed();
    await pushReferrer(
      client,
      top,
      { layers: [descriptorOf(Buffer.from('x'), BUNDLE), descriptorOf(Buffer.from('x'), BUNDLE)] },
      Buffer.from('x'),
    );
    await pushReferrer(client, top, {}, Buffer.from('not json'));
    await attachAll(client, REPOSITORY, top, [readySignature('real')], NOW);
    const found = await readAttachments(client, REPOSITORY, top.digest);
    expect(found.filter((entry) => 'bytes' in entry && entry.bytes.equals(json({ bundle: 'real' })))).toHaveLength(1);
    expect(found.filter((entry) => entry.kind === 'unreadable')).toMatchObject([
      { error: { code: 'attachment.malformed' } },
    ]);
  });

  it('writes something else under the tag of signatures, so that attaching would destroy it', async () => {
    const { client, top } = await pushed();
    await putIndexTag(client, top, [], '.sig');
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [readySignature('x')], NOW))).toMatchObject({
      name: 'Denied',
      code: 'attachment.malformed',
    });
  });

  it.each([
    ['twice', 2, 'kept'],
    ['for ever', 99, 'registry.tag_contended'],
  ])('overwrites the list %s right after we have written it', async (_, times, outcome) => {
    const { client, server, top } = await pushed(undefined, false);
    const timing = fakeTiming();
    let overwrites = 0;
    const sleep = async () => {
      if (overwrites++ < times) await putIndexTag(client, top, []);
    };
    const ours = createRegistryClient({ registry: server.host, timing: { ...timing, sleep } });
    const { code } = await thrownBy(() =>
      attachAll(ours, REPOSITORY, top, [{ bundleBytes: json({ bundle: 'ours' }), predicateType: 'x' }], NOW),
    );
    const found = await readAttachments(client, REPOSITORY, top.digest);
    expect([code === 'none' ? 'kept' : code, found.length]).toEqual([outcome, outcome === 'kept' ? 1 : 0]);
  });
});

describe('a registry that hides', () => {
  it('referrers from its API, while the tag has them', async () => {
    const { client, top } = await pushed((request) =>
      request.path.includes('/referrers/')
        ? answer(json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), INDEX)
        : null,
    );
    const bundle = await pushReferrer(client, top);
    await putIndexTag(client, top, [descriptorOf(bundle, MANIFEST)]);
    expect(await readAttachments(client, REPOSITORY, top.digest)).toMatchObject([
      { kind: 'bundle', source: 'referrers-tag' },
    ]);
  });

  it('a list behind an error, which is not the same as an empty one', async () => {
    const { client, top } = await pushed((request) => (request.path.includes('/referrers/') ? 500 : null));
    expect(await thrownBy(() => readAttachments(client, REPOSITORY, top.digest))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.unavailable',
    });
  });

  it.each([
    ['on the pages of another host', 'http://127.0.0.1:1/more', 'registry.foreign_page'],
    ['behind pages without end', `/v2/${REPOSITORY}/referrers/${approved.digest}?again`, 'registry.too_many_pages'],
  ])('referrers %s', async (_, next, code) => {
    const list = answer(json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }), INDEX, {
      link: `<${next}>; rel="next"`,
    });
    const { client, top } = await pushed((request) => (request.path.includes('/referrers/') ? list : null));
    expect(await thrownBy(() => readAttachments(client, REPOSITORY, top.digest))).toMatchObject({
      name: 'Denied',
      code,
    });
  });

  it.each([
    ['no list at all', Buffer.from('<html>'), 'manifest.malformed'],
    ['null', Buffer.from('null'), 'manifest.malformed'],
    ['an empty object', Buffer.from('{}'), 'manifest.malformed'],
  ])('referrers behind %s with status 200', async (_, body, code) => {
    const { client, top } = await pushed((request) =>
      request.path.includes('/referrers/') ? answer(body, INDEX) : null,
    );
    expect(await thrownBy(() => readAttachments(client, REPOSITORY, top.digest))).toMatchObject({
      name: 'Denied',
      code,
    });
  });
});

describe('a layout from a job that ran caller code', () => {
  it('links a blob to a file of the runner', async () => {
    const folder = scene.layout(imageParts(approved));
    const file = blobFile(folder, digestOf(approved.blobs[1] as Buffer));
    unlinkSync(file);
    symlinkSync('/etc/hostname', file);
    expect(await thrownBy(() => readLayout(folder))).toMatchObject({ name: 'BadInput', code: 'layout.malformed' });
  });

  it('names a file of the runner as a digest', async () => {
    const folder = scene.layout({
      ...imageParts(approved),
      index: topIndex({ ...descriptorOf(approved.manifest, MANIFEST), digest: 'sha256:../../../../etc/hostname' }),
    });
    expect(await thrownBy(() => readLayout(folder))).toMatchObject({ name: 'BadInput', code: 'layout.malformed' });
  });

  it('carries a second image beside the one that was built', async () => {
    const parts = imageParts(approved);
    const index = topIndex(descriptorOf(approved.manifest, MANIFEST), descriptorOf(evil.manifest, MANIFEST));
    const folder = scene.layout({ ...parts, index, blobs: [...parts.blobs, ...evil.blobs, evil.manifest] });
    expect(await thrownBy(() => readLayout(folder))).toMatchObject({ name: 'BadInput', code: 'layout.several_images' });
  });

  it('is another one than the build job named', async () => {
    expect(await thrownBy(() => readLayout(scene.layout(imageParts(evil)), approved.digest))).toMatchObject({
      name: 'BadInput',
      code: 'layout.no_image',
    });
  });

  it('calls an image by a platform that nobody scans', async () => {
    const list = json({
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: [{ ...descriptorOf(evil.manifest, MANIFEST), platform: { os: 'unknown', architecture: 'unknown' } }],
    });
    expect(await thrownBy(() => readLayout(scene.layout(indexParts([evil], list))))).toMatchObject({
      name: 'BadInput',
      code: 'layout.malformed',
    });
  });

  it('hides an image in an index of indexes', async () => {
    const inner = tinyIndex([evil]);
    const outer = json({ schemaVersion: 2, mediaType: INDEX, manifests: [descriptorOf(inner, INDEX)] });
    const parts = indexParts([evil], inner);
    const folder = scene.layout({
      ...parts,
      index: topIndex(descriptorOf(outer, INDEX)),
      blobs: [...parts.blobs, outer],
    });
    expect(await thrownBy(() => readLayout(folder))).toMatchObject({ name: 'BadInput', code: 'layout.malformed' });
  });
});

describe('a reference', () => {
  it.each([
    [
      'by a tag, which somebody moves between the check and the deploy',
      'registry.example.org/acme/app:v1',
      'reference.tag',
    ],
    [
      'by a tag and a digest that disagree',
      `registry.example.org/acme/app:v1@${evil.digest}`,
      'reference.tag_and_digest',
    ],
    ['with a digest from a variable that was never set', 'registry.example.org/acme/app@', 'reference.digest'],
    ['with a digest too short to be one', 'registry.example.org/acme/app@sha256:abc', 'reference.digest'],
    [
      'with a host in the place of a user',
      `registry.example.org@evil.example/acme/app@${evil.digest}`,
      'reference.digest',
    ],
  ])('%s', async (_, text, code) => {
    expect((await thrownBy(() => parseReference(text))).code).toBe(code);
  });

  it('by a tag is refused with the digest of now, which changes when the tag is moved', async () => {
    const { client, server } = await scene.open();
    const refused = () =>
      thrownBy(() =>
        requireDigest(`${server.host}/${REPOSITORY}:v1`, ({ repository, tag }) => client.resolveTag(repository, tag)),
      );
    for (const image of [approved, evil]) {
      await pushTiny(client, scene.layout(imageParts(image)));
      await client.putTag(REPOSITORY, 'v1', { mediaType: MANIFEST, bytes: image.manifest }, null);
      expect(await refused()).toMatchObject({
        code: 'reference.tag',
        message: expect.stringContaining(`${server.host}/${REPOSITORY}@${image.digest}`),
      });
    }
  });
});
