import { digestOf } from '../../../src/lib/digest.ts';
import { attachAll } from '../../../src/registry/attach.ts';
import { type Attachment, readAttachments } from '../../../src/registry/attachments.ts';
import { createRegistryClient } from '../../../src/registry/client.ts';
import { BUNDLE, EMPTY, LIMIT, NOW, pushReferrer, putIndexTag, ready, readySignature } from './artifacts.ts';
import { fakeTiming, imageParts, pushTiny, REPOSITORY, scenes, thrownBy } from './scene.ts';
import { INDEX, json, MANIFEST } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const contents = (found: Attachment[]) =>
  found.map((entry) => ('bytes' in entry ? entry.bytes.toString() : entry.kind)).sort();

describe.each([
  ['with the referrers API', true],
  ['with the referrers tag', false],
])('attaching to a registry %s', (_, referrersApi) => {
  const open = async () => {
    const opened = await scene.open({ referrersApi });
    return { ...opened, top: await pushTiny(opened.client, scene.layout(imageParts())) };
  };

  it('keeps bundles, envelopes and payloads, each where its readers look', async () => {
    const { client, top } = await open();
    await attachAll(client, REPOSITORY, top, [ready('provenance'), readySignature('signature')], NOW);
    const found = await readAttachments(client, REPOSITORY, top.digest);
    expect(found.map(({ kind, source }) => [kind, source])).toEqual([
      ['bundle', referrersApi ? 'referrers-api' : 'referrers-tag'],
      ['bundle', referrersApi ? 'referrers-api' : 'referrers-tag'],
      ['legacy-signature', 'signature-tag'],
      ['legacy-attestation', 'attestation-tag'],
    ]);
    expect(contents(found)).toEqual([
      '{"bundle":"provenance"}',
      '{"bundle":"signature"}',
      '{"envelope":"provenance"}',
      '{"payload":"signature"}',
    ]);
    expect(found[2]).toMatchObject({ signature: Buffer.from('signature').toString('base64') });
    expect(found[3]).toMatchObject({ annotations: { predicateType: 'https://example.org/provenance' } });
  });

  it('writes the manifest of a bundle as cosign 3 does', async () => {
    const { client, top } = await open();
    const { bundles } = await attachAll(client, REPOSITORY, top, [ready('provenance')], NOW);
    const bundle = json({ bundle: 'provenance' });
    const { bytes } = await client.getManifest(REPOSITORY, String(bundles[0]?.digest));
    expect(JSON.parse(bytes.toString())).toEqual({
      schemaVersion: 2,
      mediaType: MANIFEST,
      artifactType: BUNDLE,
      config: { mediaType: EMPTY, digest: digestOf('{}'), size: 2 },
      layers: [{ mediaType: BUNDLE, digest: digestOf(bundle), size: bundle.length }],
      subject: { mediaType: MANIFEST, digest: top.digest, size: top.size },
      annotations: {
        'dev.sigstore.bundle.content': 'dsse-envelope',
        'dev.sigstore.bundle.predicateType': 'https://example.org/provenance',
        'org.opencontainers.image.created': '2026-01-31T08:00:00Z',
      },
    });
    const listed = referrersApi
      ? await client.listReferrers(REPOSITORY, top.digest)
      : JSON.parse((await client.getManifest(REPOSITORY, top.digest.replace(':', '-'))).bytes.toString()).manifests;
    expect(listed).toEqual(bundles);
    expect(bundles[0]).toMatchObject({
      artifactType: BUNDLE,
      annotations: { 'dev.sigstore.bundle.content': 'dsse-envelope' },
    });
  });

  it('counts sizes in bytes, not in characters', async () => {
    const { client, top } = await open();
    const attachment = { bundleBytes: json({ name: 'é€😀' }), predicateType: 'https://example.org/é' };
    const { bundles } = await attachAll(client, REPOSITORY, top, [attachment], NOW);
    const { bytes } = await client.getManifest(REPOSITORY, String(bundles[0]?.digest));
    expect(bundles[0]?.size).toBe(bytes.length);
    expect(JSON.parse(bytes.toString()).layers[0].size).toBe(attachment.bundleBytes.length);
  });

  it('a second time keeps what the first time left', async () => {
    const { client, top } = await open();
    await attachAll(client, REPOSITORY, top, [ready('one'), readySignature('one')], NOW);
    const { attestationManifest } = await attachAll(
      client,
      REPOSITORY,
      top,
      [ready('two'), readySignature('two')],
      NOW,
    );
    expect(contents(await readAttachments(client, REPOSITORY, top.digest))).toHaveLength(8);
    const manifest = JSON.parse((await client.getManifest(REPOSITORY, String(attestationManifest))).bytes.toString());
    const config = JSON.parse((await client.getBlob(REPOSITORY, manifest.config, 4096)).toString());
    expect(config.rootfs.diff_ids).toEqual([digestOf(json({ envelope: 'one' })), digestOf(json({ envelope: 'two' }))]);
    expect(config.history).toHaveLength(2);
  });

  it('keeps two signatures of one payload', async () => {
    const { client, top } = await open();
    const payload = json({ payload: 'same' });
    const signed = ['YQ==', 'Yg=='].map((signature) => ({
      ...readySignature(signature),
      simpleSigning: { payload, signature },
    }));
    await attachAll(client, REPOSITORY, top, signed.slice(0, 1), NOW);
    await attachAll(client, REPOSITORY, top, signed, NOW);
    const found = await readAttachments(client, REPOSITORY, top.digest);
    expect(found.flatMap((entry) => (entry.kind === 'legacy-signature' ? [entry.signature] : []))).toEqual([
      'YQ==',
      'Yg==',
    ]);
  });

  it('the same again changes nothing', async () => {
    const { client, top } = await open();
    const first = await attachAll(client, REPOSITORY, top, [ready('one'), readySignature('one')], NOW);
    expect(await attachAll(client, REPOSITORY, top, [ready('one'), readySignature('one')], NOW)).toEqual(first);
    expect(await readAttachments(client, REPOSITORY, top.digest)).toHaveLength(4);
  });

  it('eight at once keeps eight', async () => {
    const { client, server, top } = await open();
    const others = Array.from({ length: 7 }, () =>
      createRegistryClient({ registry: server.host, timing: fakeTiming() }),
    );
    await Promise.all(
      [client, ...others].map((each, i) =>
        attachAll(each, REPOSITORY, top, [ready(`at-once-${i}`), readySignature(`at-once-${i}`)], NOW),
      ),
    );
    const found = await readAttachments(client, REPOSITORY, top.digest);
    const count = (kind: string) => found.filter((entry) => entry.kind === kind).length;
    expect([count('bundle'), count('legacy-attestation'), count('legacy-signature'), found.length]).toEqual([
      16, 8, 8, 32,
    ]);
  });

  it('nothing writes nothing', async () => {
    const { client, top, seen } = await open();
    seen.length = 0;
    expect(await attachAll(client, REPOSITORY, top, [], NOW)).toEqual({
      bundles: [],
      signatureManifest: null,
      attestationManifest: null,
    });
    expect(seen.filter(({ method }) => method !== 'GET')).toEqual([]);
  });
});

describe('attaching', () => {
  it('to a registry whose API lists nothing also writes the referrers tag', async () => {
    const nothing = {
      status: 200,
      headers: { 'content-type': INDEX },
      body: json({ schemaVersion: 2, mediaType: INDEX, manifests: [] }),
    };
    const { client } = await scene.open({ faults: ({ path }) => (path.includes('/referrers/') ? nothing : null) });
    const top = await pushTiny(client, scene.layout(imageParts()));
    await attachAll(client, REPOSITORY, top, [ready('provenance')], NOW);
    expect((await readAttachments(client, REPOSITORY, top.digest))[0]).toMatchObject({
      kind: 'bundle',
      source: 'referrers-tag',
    });
  });

  it.each([
    ['an empty bundle', { bundleBytes: Buffer.alloc(0), predicateType: 'x' }, 'attach.size'],
    [
      'a bundle that no reader takes',
      { bundleBytes: Buffer.alloc(10 * 1024 * 1024 + 1), predicateType: 'x' },
      'attach.size',
    ],
    ['an empty envelope', { ...ready('x'), envelope: Buffer.alloc(0) }, 'attach.size'],
    [
      'a signature that is not base64',
      { ...ready('x'), simpleSigning: { payload: Buffer.from('x'), signature: 'not base64!' } },
      'attach.signature',
    ],
    [
      'no signature',
      { ...ready('x'), simpleSigning: { payload: Buffer.from('x'), signature: '' } },
      'attach.signature',
    ],
  ])('%s is refused before anything is sent', async (_, attachment, code) => {
    const { client, seen } = await scene.open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    seen.length = 0;
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [attachment], NOW))).toMatchObject({
      name: 'BadInput',
      code,
    });
    expect(seen).toEqual([]);
  });

  it.each([
    ['is not there', { digest: digestOf('x') }, 'registry.not_found'],
    ['has another size', { size: 1 }, 'attach.subject'],
    ['is of another type', { mediaType: INDEX }, 'attach.subject'],
  ])('to a subject that %s is refused', async (_, change, code) => {
    const { client } = await scene.open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    expect(await thrownBy(() => attachAll(client, REPOSITORY, { ...top, ...change }, [ready('x')], NOW))).toMatchObject(
      { code },
    );
  });

  it('to a repository with immutable tags says what to change there', async () => {
    const refused = {
      status: 400,
      body: json({ errors: [{ code: 'TAG_INVALID', message: 'The image tag is immutable' }] }),
    };
    const { client } = await scene.open({
      faults: ({ method, path }) => (method === 'PUT' && path.endsWith('.att') ? refused : null),
    });
    const top = await pushTiny(client, scene.layout(imageParts()));
    const { name, code, message } = await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('x')], NOW));
    expect({ name, code }).toEqual({ name: 'CouldNot', code: 'registry.tag_refused' });
    expect(message).toMatch(/TAG_INVALID.*immutable.*sha256-\*/);
  });

  it.each(['', '.sig', '.att'])(
    'never overwrites what is not a list of signatures, at sha256-<hex>%s',
    async (suffix) => {
      const { client } = await scene.open({ referrersApi: false });
      const top = await pushTiny(client, scene.layout(imageParts()));
      const own = await pushReferrer(client, top);
      const tag = `${top.digest.replace(':', '-')}${suffix}`;
      if (suffix === '') await client.putTag(REPOSITORY, tag, { mediaType: MANIFEST, bytes: own }, null);
      else await putIndexTag(client, top, [], suffix);
      const before = await client.resolveTag(REPOSITORY, tag);
      expect(
        await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('x'), readySignature('x')], NOW)),
      ).toMatchObject({ name: 'Denied' });
      expect(await client.resolveTag(REPOSITORY, tag)).toBe(before);
    },
  );

  it('to a registry that forgets what it was given fails', async () => {
    const { client } = await scene.open({
      faults: ({ method, path }) => (method === 'PUT' && path.endsWith('.att') ? 201 : null),
    });
    const top = await pushTiny(client, scene.layout(imageParts()));
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('x')], NOW))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.tag_contended',
    });
  });

  it('writes again what is not there when it is read back: somebody overwrote the tag meanwhile', async () => {
    const bundle = digestOf(json({ bundle: 'x' }));
    let lost = 0;
    const { client, seen } = await scene.open({
      faults: ({ method, path }) => (method === 'GET' && path.endsWith(bundle) && lost++ === 0 ? 404 : null),
    });
    const top = await pushTiny(client, scene.layout(imageParts()));
    await attachAll(client, REPOSITORY, top, [ready('x')], NOW);
    expect(lost).toBeGreaterThan(1);
    expect(seen.filter(({ method, path }) => method === 'PUT' && path.endsWith('.att'))).toHaveLength(1);
  });

  it('to a registry that serves another bundle than it was given fails', async () => {
    const bundle = json({ bundle: 'x' });
    const other = { status: 200, body: Buffer.alloc(bundle.length, ' ') };
    const { client } = await scene.open({
      faults: ({ method, path }) => (method === 'GET' && path.endsWith(digestOf(bundle)) ? other : null),
    });
    const top = await pushTiny(client, scene.layout(imageParts()));
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('x')], NOW))).toMatchObject({
      name: 'CouldNot',
      code: 'attach.not_kept',
    });
  });

  it('more than readers read is refused instead of making the image unreadable', async () => {
    const { client } = await scene.open({ referrersApi: false });
    const top = await pushTiny(client, scene.layout(imageParts()));
    const many = Array.from({ length: LIMIT }, (_, i) => ready(`n${i}`));
    await attachAll(client, REPOSITORY, top, many, NOW);
    expect(await thrownBy(() => attachAll(client, REPOSITORY, top, [ready('one more')], NOW))).toMatchObject({
      name: 'Denied',
      code: 'attachments.too_many',
    });
    expect(await readAttachments(client, REPOSITORY, top.digest)).toHaveLength(2 * LIMIT);
  });
});
