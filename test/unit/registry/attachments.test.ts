import { type Attachment, readAttachments } from '../../../src/registry/attachments.ts';
import { BUNDLE, digestOf, EMPTY, pushReferrer, putIndexTag } from './artifacts.ts';
import { imageParts, pushTiny, REPOSITORY, type Scene, scenes } from './scene.ts';
import { descriptorOf, INDEX, json, MANIFEST, tinyImage } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

async function open(...given: Parameters<typeof scene.open>) {
  const opened = await scene.open(...given);
  return { ...opened, top: await pushTiny(opened.client, scene.layout(imageParts())) };
}

async function read({ client }: Scene, digest: string): Promise<Attachment[]> {
  return await readAttachments(client, REPOSITORY, digest);
}

const summary = (found: Attachment[]) =>
  found.map((entry) => [entry.kind, entry.source, entry.kind === 'unreadable' ? entry.error.code : '']);
const good = Buffer.from('{"good":true}');

describe('what is attached to an image', () => {
  it('is nothing where nothing is', async () => {
    const opened = await open();
    expect(await read(opened, opened.top.digest)).toEqual([]);
  });

  it('is the union of the referrers API and the referrers tag, each artifact once', async () => {
    const listed: object[] = [];
    const opened = await open({
      referrersApi: false,
      faults: ({ path }) =>
        path.includes('/referrers/')
          ? {
              status: 200,
              headers: { 'content-type': INDEX },
              body: json({ schemaVersion: 2, mediaType: INDEX, manifests: listed }),
            }
          : null,
    });
    const [inApi, inBoth, inTag] = await Promise.all(
      ['api', 'both', 'tag'].map((name) => pushReferrer(opened.client, opened.top, {}, Buffer.from(name))),
    );
    const descriptor = (bytes: Buffer | undefined) => descriptorOf(bytes as Buffer, MANIFEST);
    listed.push(descriptor(inApi), descriptor(inBoth));
    await putIndexTag(opened.client, opened.top, [descriptor(inBoth), descriptor(inTag)]);
    const found = await read(opened, opened.top.digest);
    expect(found.map((entry) => entry.kind === 'bundle' && [entry.bytes.toString(), entry.source])).toEqual([
      ['api', 'referrers-api'],
      ['both', 'referrers-api'],
      ['tag', 'referrers-tag'],
    ]);
  });

  it('is what the tag lists where the API lists nothing', async () => {
    const nothing = {
      status: 200,
      headers: { 'content-type': INDEX },
      body: json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
    };
    const opened = await open({ faults: ({ path }) => (path.includes('/referrers/') ? nothing : null) });
    const one = await pushReferrer(opened.client, opened.top);
    await putIndexTag(opened.client, opened.top, [descriptorOf(one, MANIFEST)]);
    expect(summary(await read(opened, opened.top.digest))).toEqual([['bundle', 'referrers-tag', '']]);
  });

  it.each([
    ['without a type', undefined],
    ['of the empty type, as cosign up to 3.1.1 lists it', EMPTY],
    ['of a foreign type', 'application/spdx+json'],
  ])('is found also where the list calls it %s', async (_, artifactType) => {
    const opened = await open({ referrersApi: false });
    const one = await pushReferrer(opened.client, opened.top);
    await putIndexTag(opened.client, opened.top, [{ ...descriptorOf(one, MANIFEST), artifactType }]);
    expect(await read(opened, opened.top.digest)).toMatchObject([
      { kind: 'bundle', mediaType: BUNDLE, bytes: Buffer.from('{"by":"hand"}') },
    ]);
  });

  it('also names what is no bundle', async () => {
    const opened = await open();
    const sbom = Buffer.from('{"spdxVersion":"SPDX-2.3"}');
    await pushReferrer(
      opened.client,
      opened.top,
      { artifactType: 'application/spdx+json', layers: [descriptorOf(sbom, 'application/spdx+json')] },
      sbom,
    );
    const subject = { mediaType: MANIFEST, digest: opened.top.digest, size: opened.top.size };
    await opened.client.putManifest(REPOSITORY, {
      mediaType: INDEX,
      bytes: json({ schemaVersion: 2, mediaType: INDEX, manifests: [], subject, artifactType: 'application/x.index' }),
    });
    const found = await read(opened, opened.top.digest);
    expect(found.map((entry) => entry.kind === 'other' && entry.artifactType).sort()).toEqual([
      'application/spdx+json',
      'application/x.index',
    ]);
  });

  it.each([
    'application/vnd.dev.sigstore.bundle.v0.3+json',
    'application/vnd.dev.sigstore.bundle.v0.4+json',
    'application/vnd.dev.sigstore.bundle+json;version=0.2',
  ])('is a bundle in a layer of type %s: its reader judges the version', async (mediaType) => {
    const opened = await open();
    await pushReferrer(opened.client, opened.top, { layers: [descriptorOf(good, mediaType)] }, good);
    expect(await read(opened, opened.top.digest)).toMatchObject([{ kind: 'bundle', mediaType, bytes: good }]);
  });
});

describe('one broken artifact', () => {
  const foreign = tinyImage('arm64');
  const subjectOf = (bytes: Buffer) => ({ ...descriptorOf(bytes, MANIFEST) });
  const large = Buffer.alloc(10 * 1024 * 1024 + 1, ' ');

  it.each<[string, string, (opened: Scene & { top: Awaited<ReturnType<typeof pushTiny>> }) => Promise<Buffer>]>([
    [
      'whose manifest names another image',
      'attachment.foreign_subject',
      ({ client, top }) => pushReferrer(client, top, { subject: subjectOf(foreign.manifest) }),
    ],
    [
      'whose manifest names no image',
      'attachment.foreign_subject',
      ({ client, top }) => pushReferrer(client, top, { subject: undefined }),
    ],
    [
      'with two layers',
      'attachment.malformed',
      ({ client, top }) =>
        pushReferrer(client, top, { layers: [descriptorOf(good, BUNDLE), descriptorOf(good, BUNDLE)] }, good),
    ],
    [
      'that is too large',
      'registry.too_large',
      ({ client, top }) => pushReferrer(client, top, { layers: [descriptorOf(large, BUNDLE)] }, large),
    ],
  ])('%s is reported and hides no other', async (_, code, plant) => {
    const opened = await open({ referrersApi: false });
    const broken = await plant(opened);
    const fine = await pushReferrer(opened.client, opened.top, {}, good);
    await putIndexTag(opened.client, opened.top, [descriptorOf(broken, MANIFEST), descriptorOf(fine, MANIFEST)]);
    const found = await read(opened, opened.top.digest);
    expect(summary(found)).toEqual([
      ['unreadable', 'referrers-tag', code],
      ['bundle', 'referrers-tag', ''],
    ]);
    expect(found[0]).toMatchObject({ from: digestOf(broken), error: { name: 'Denied' } });
  });

  it.each([
    ['is gone', 404, 'registry.not_found'],
    ['may not be read', 403, 'registry.forbidden'],
    ['cannot be read now', 503, 'registry.unavailable'],
    ['has other bytes', { status: 200, body: Buffer.from('{"by":"hanD"}') }, 'registry.digest_mismatch'],
    ['is cut', { status: 200, body: Buffer.from('{"by"') }, 'registry.size_mismatch'],
    ['goes on', { status: 200, body: Buffer.from('{"by":"hand"} ') }, 'registry.size_mismatch'],
  ])('whose content %s is reported and hides no other', async (_, fault, code) => {
    const opened = await open({
      faults: ({ method, path }) => (method === 'GET' && path.endsWith(digestOf('{"by":"hand"}')) ? fault : null),
    });
    const broken = await pushReferrer(opened.client, opened.top);
    await pushReferrer(opened.client, opened.top, {}, good);
    const found = await read(opened, opened.top.digest);
    expect(found.map((entry) => entry.kind).sort()).toEqual(['bundle', 'unreadable']);
    expect(found.find((entry) => entry.kind === 'unreadable')).toMatchObject({
      from: digestOf(broken),
      error: { code },
    });
  });

  it('at .sig or .att is reported and hides no other', async () => {
    const opened = await open();
    const { client, top } = opened;
    const type = 'application/vnd.dev.cosign.simplesigning.v1+json';
    await client.putBytes(REPOSITORY, good);
    await client.putBytes(REPOSITORY, Buffer.from('{}'));
    const signed = { ...descriptorOf(good, type), annotations: { 'dev.cosignproject.cosign/signature': 'YQ==' } };
    const layers = [descriptorOf(good, 'text/plain'), signed, descriptorOf(good, type)];
    const manifest = json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: descriptorOf(Buffer.from('{}'), EMPTY),
      layers,
    });
    await client.putTag(
      REPOSITORY,
      `${top.digest.replace(':', '-')}.sig`,
      { mediaType: MANIFEST, bytes: manifest },
      null,
    );
    await putIndexTag(client, top, [], '.att');
    const found = await read(opened, top.digest);
    expect(summary(found)).toEqual([
      ['unreadable', 'signature-tag', 'attachment.malformed'],
      ['legacy-signature', 'signature-tag', ''],
      ['legacy-signature', 'signature-tag', ''],
      ['unreadable', 'attestation-tag', 'attachment.malformed'],
    ]);
    expect(found.map((entry) => (entry.kind === 'legacy-signature' ? entry.signature : null))).toEqual([
      null,
      'YQ==',
      '',
      null,
    ]);
  });

  it('list at the referrers tag is reported beside what the API lists', async () => {
    const opened = await open();
    const one = await pushReferrer(opened.client, opened.top);
    await opened.client.putTag(
      REPOSITORY,
      opened.top.digest.replace(':', '-'),
      { mediaType: MANIFEST, bytes: one },
      null,
    );
    expect(summary(await read(opened, opened.top.digest))).toEqual([
      ['unreadable', 'referrers-tag', 'referrers.not_an_index'],
      ['bundle', 'referrers-api', ''],
    ]);
  });
});
