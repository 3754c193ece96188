import { PassThrough } from 'node:stream';
import { digestOf } from '../../../src/lib/digest.ts';
import { createRegistryClient } from '../../../src/registry/client.ts';
import { serveRegistry } from '../../../src/registry/server/serve.ts';
import { startRegistry } from '../../../src/registry/server/start.ts';
import { imageParts, pushTiny, REPOSITORY, scenes } from './scene.ts';
import { descriptorOf, INDEX, json, MANIFEST, tinyImage, tinyIndex } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const image = tinyImage();
const bytes = Buffer.from('0123456789');
const digest = digestOf(bytes);

async function codeOf(response: Response): Promise<[number, string | undefined]> {
  const body = (await response.json()) as { errors?: { code: string }[] };
  return [response.status, body.errors?.[0]?.code];
}

async function begin(url: string): Promise<string> {
  const response = await fetch(`${url}/v2/${REPOSITORY}/blobs/uploads/`, { method: 'POST' });
  expect(response.status).toBe(202);
  return `${url}${response.headers.get('location')}`;
}

describe('the registry', () => {
  it('says that it is one', async () => {
    const { server } = await scene.open();
    const response = await fetch(`${server.url}/v2/`);
    expect([response.status, response.headers.get('docker-distribution-api-version')]).toEqual([200, 'registry/2.0']);
  });

  it('takes a blob in pieces', async () => {
    const { server, client } = await scene.open();
    const upload = await begin(server.url);
    const first = await fetch(upload, {
      method: 'PATCH',
      body: bytes.subarray(0, 4),
      headers: { 'content-range': '0-3' },
    });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-3']);
    const status = await fetch(upload);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-3']);
    await fetch(upload, { method: 'PATCH', body: bytes.subarray(4, 6) });
    const done = await fetch(`${upload}?digest=${digest}`, {
      method: 'PUT',
      body: bytes.subarray(6),
      headers: { 'content-range': '6-9' },
    });
    expect([done.status, done.headers.get('docker-content-digest')]).toEqual([201, digest]);
    expect(await client.getBlob(REPOSITORY, { digest, size: 10 }, 10)).toEqual(bytes);
  });

  it.each([
    ['leaves a gap', '5-6', 416],
    ['repeats one', '0-1', 416],
    ['cannot be placed', 'from 4 on', 416],
  ])('refuses a piece that %s, and says where it is', async (_, range, expected) => {
    const { server } = await scene.open();
    const upload = await begin(server.url);
    await fetch(upload, { method: 'PATCH', body: bytes.subarray(0, 4) });
    expect(
      await codeOf(await fetch(upload, { method: 'PATCH', body: 'xx', headers: { 'content-range': range } })),
    ).toEqual([expected, 'BLOB_UPLOAD_INVALID']);
  });

  it('takes a blob at once, and mounts one from another repository', async () => {
    const { server, client } = await scene.open();
    expect(
      (await fetch(`${server.url}/v2/${REPOSITORY}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes }))
        .status,
    ).toBe(201);
    expect(await client.headBlob('acme/other', digest)).toBeNull();
    expect(
      (await fetch(`${server.url}/v2/acme/other/blobs/uploads/?mount=${digest}&from=${REPOSITORY}`, { method: 'POST' }))
        .status,
    ).toBe(201);
    expect(await client.headBlob('acme/other', digest)).toBe(10);
    expect(
      (await fetch(`${server.url}/v2/acme/third/blobs/uploads/?mount=${digest}&from=acme/nothing`, { method: 'POST' }))
        .status,
    ).toBe(202);
  });

  it('forgets an upload that was cancelled, and knows none that never began', async () => {
    const { server } = await scene.open();
    const upload = await begin(server.url);
    expect((await fetch(upload, { method: 'DELETE' })).status).toBe(204);
    expect(await codeOf(await fetch(`${upload}?digest=${digest}`, { method: 'PUT', body: bytes }))).toEqual([
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ]);
  });

  it('does not let an upload be ended in another repository', async () => {
    const { server } = await scene.open();
    const upload = (await begin(server.url)).replace(REPOSITORY, 'acme/other');
    expect(await codeOf(await fetch(`${upload}?digest=${digest}`, { method: 'PUT', body: bytes }))).toEqual([
      404,
      'BLOB_UPLOAD_UNKNOWN',
    ]);
  });

  it.each([
    [
      'a blob that is not its digest',
      'PUT',
      (upload: string) => `${upload}?digest=${digestOf('x')}`,
      [400, 'DIGEST_INVALID'],
    ],
    ['a blob without digest', 'PUT', (upload: string) => upload, [400, 'DIGEST_INVALID']],
    [
      'a blob of another algorithm',
      'PUT',
      (upload: string) => `${upload}?digest=sha512:${'a'.repeat(128)}`,
      [400, 'DIGEST_INVALID'],
    ],
  ])('refuses %s', async (_, method, address, expected) => {
    const { server } = await scene.open();
    expect(await codeOf(await fetch(address(await begin(server.url)), { method, body: bytes }))).toEqual(expected);
  });

  const other = { ...image, manifest: JSON.parse(image.manifest.toString()) };
  it.each<[string, string, string, Buffer, [number, string]]>([
    ['whose blobs are missing', image.digest, MANIFEST, image.manifest, [404, 'MANIFEST_BLOB_UNKNOWN']],
    ['of another digest', digestOf('x'), MANIFEST, image.manifest, [400, 'DIGEST_INVALID']],
    ['of no known type', 'v1', 'application/json', image.manifest, [400, 'MANIFEST_INVALID']],
    ['of another type inside', 'v1', INDEX, image.manifest, [400, 'MANIFEST_INVALID']],
    ['that is no JSON', 'v1', MANIFEST, Buffer.from('x'), [400, 'MANIFEST_INVALID']],
    ['that lists missing children', 'v1', INDEX, tinyIndex([image]), [404, 'MANIFEST_UNKNOWN']],
    ['with a tag that is none', '-v1', MANIFEST, image.manifest, [400, 'MANIFEST_INVALID']],
    [
      'with too many bytes',
      'v1',
      MANIFEST,
      json({ ...other.manifest, annotations: { a: 'x'.repeat(4 * 1024 * 1024) } }),
      [413, 'MANIFEST_INVALID'],
    ],
  ])('refuses a manifest %s', async (_, reference, type, body, expected) => {
    const { server } = await scene.open();
    const response = await fetch(`${server.url}/v2/${REPOSITORY}/manifests/${reference}`, {
      method: 'PUT',
      body,
      headers: { 'content-type': type },
    });
    expect(await codeOf(response)).toEqual(expected);
  });

  it('refuses a manifest that says another size of a blob', async () => {
    const { server, client } = await scene.open();
    await pushTiny(client, scene.layout(imageParts()));
    const [layer] = other.manifest.layers;
    const body = json({ ...other.manifest, layers: [{ ...layer, size: layer.size + 1 }] });
    const response = await fetch(`${server.url}/v2/${REPOSITORY}/manifests/v1`, {
      method: 'PUT',
      body,
      headers: { 'content-type': MANIFEST },
    });
    expect(await codeOf(response)).toEqual([400, 'SIZE_INVALID']);
  });

  it.each([
    ['/v2/Acme/app/manifests/v1', [400, 'NAME_INVALID']],
    ['/v2/acme/a%2fb/manifests/v1', [400, 'NAME_INVALID']],
    ['/v2/_blobs/manifests/v1', [400, 'NAME_INVALID']],
    ['/v2/acme/app/blobs/sha256:abc', [400, 'DIGEST_INVALID']],
    ['/v2/acme/app/manifests/v1', [404, 'MANIFEST_UNKNOWN']],
    ['/v2/acme/app/tags/list', [404, 'NAME_UNKNOWN']],
    ['/v2/acme/app/tags/other', [404, 'UNSUPPORTED']],
    ['/v2/acme/app/other/x', [404, 'UNSUPPORTED']],
    ['/v2/_catalog', [404, 'UNSUPPORTED']],
    ['/', [404, 'UNSUPPORTED']],
  ])('answers %s with %j', async (path, expected) => {
    const { server } = await scene.open();
    expect(await codeOf(await fetch(`${server.url}${path}`))).toEqual(expected);
  });

  it.each(['DELETE', 'PATCH'])('does not offer %s of a manifest', async (method) => {
    const { server } = await scene.open();
    expect(await codeOf(await fetch(`${server.url}/v2/${REPOSITORY}/manifests/v1`, { method }))).toEqual([
      405,
      'UNSUPPORTED',
    ]);
  });

  it('lists tags in pages', async () => {
    const { server, client } = await scene.open();
    await pushTiny(client, scene.layout(imageParts()));
    for (const tag of ['b', 'a', 'C'])
      await client.putTag(REPOSITORY, tag, { mediaType: MANIFEST, bytes: image.manifest }, null);
    const first = await fetch(`${server.url}/v2/${REPOSITORY}/tags/list?n=2`);
    expect(await first.json()).toEqual({ name: REPOSITORY, tags: ['C', 'a'] });
    const next = /<(.*)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1];
    const second = await fetch(`${server.url}${next}`);
    expect([await second.json(), second.headers.get('link')]).toEqual([{ name: REPOSITORY, tags: ['b'] }, null]);
  });

  it('lists referrers, of one type where that is asked, and says so', async () => {
    const { server, client } = await scene.open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    await client.putBytes(REPOSITORY, Buffer.from('{}'));
    const config = descriptorOf(Buffer.from('{}'), 'application/vnd.oci.empty.v1+json');
    const subject = { mediaType: MANIFEST, digest: top.digest, size: top.size };
    const put = (extra: object) => {
      const body = json({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [], subject, ...extra });
      return fetch(`${server.url}/v2/${REPOSITORY}/manifests/${digestOf(body)}`, {
        method: 'PUT',
        body,
        headers: { 'content-type': MANIFEST },
      });
    };
    const response = await put({ artifactType: 'application/a', annotations: { k: 'v' } });
    expect(response.headers.get('oci-subject')).toBe(top.digest);
    await put({});
    const address = `${server.url}/v2/${REPOSITORY}/referrers/${top.digest}`;
    const all = await fetch(address);
    expect(all.headers.get('content-type')).toBe(INDEX);
    const { manifests } = (await all.json()) as { manifests: { artifactType: string; annotations?: object }[] };
    expect(manifests.map(({ artifactType }) => artifactType).sort()).toEqual([
      'application/a',
      'application/vnd.oci.empty.v1+json',
    ]);
    const filtered = await fetch(`${address}?artifactType=application/a`);
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(await filtered.json()).toMatchObject({
      manifests: [{ artifactType: 'application/a', annotations: { k: 'v' } }],
    });
    expect(await (await fetch(`${server.url}/v2/${REPOSITORY}/referrers/${digestOf('x')}`)).json()).toMatchObject({
      manifests: [],
    });
  });

  it('without the referrers API says 404 and nothing of subjects', async () => {
    const { server } = await scene.open({ referrersApi: false });
    expect((await fetch(`${server.url}/v2/${REPOSITORY}/referrers/${digest}`)).status).toBe(404);
  });

  it('lets a token read that was given for reading, and not write', async () => {
    const auth = { username: 'u', password: 'p', scheme: 'bearer' as const };
    const { server } = await scene.open({ auth });
    const basic = `Basic ${Buffer.from('u:p').toString('base64')}`;
    const reply = await fetch(`${server.url}/token?scope=repository:${REPOSITORY}:pull`, {
      headers: { authorization: basic },
    });
    const { token } = (await reply.json()) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const statuses = await Promise.all([
      fetch(`${server.url}/v2/${REPOSITORY}/manifests/v1`, { headers }),
      fetch(`${server.url}/v2/acme/other/manifests/v1`, { headers }),
      fetch(`${server.url}/v2/${REPOSITORY}/blobs/uploads/`, { method: 'POST', headers }),
      fetch(`${server.url}/v2/${REPOSITORY}/manifests/v1`, { headers: { authorization: basic } }),
      fetch(`${server.url}/token`),
    ]);
    expect(statuses.map(({ status }) => status)).toEqual([404, 401, 401, 401, 401]);
  });

  it('in a folder keeps its content when it is started again', async () => {
    const folder = scene.folder('registry');
    const first = await scene.open({ folder });
    const top = await pushTiny(first.client, scene.layout(imageParts()));
    await first.client.putTag(REPOSITORY, 'v1', { mediaType: MANIFEST, bytes: image.manifest }, null);
    await first.server.close();
    const second = await scene.open({ folder });
    expect(await second.client.resolveTag(REPOSITORY, 'v1')).toBe(top.digest);
  });

  it('refuses a port that is taken', async () => {
    const { server } = await scene.open();
    await expect(startRegistry({ port: Number(new URL(server.url).port) })).rejects.toThrow('EADDRINUSE');
  });

  it('as a process says where it is and ends with its parent', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const ended = serveRegistry({}, input, output);
    const [line] = (await output.take(1).toArray()) as [Buffer];
    const { url } = JSON.parse(line.toString()) as { url: string };
    expect(line.toString()).toMatch(/^\{"url":"http:\/\/127\.0\.0\.1:\d+"\}\n$/);
    const client = createRegistryClient({ registry: new URL(url).host, attempts: 1 });
    expect(await client.findManifest(REPOSITORY, 'v1')).toBeNull();
    input.end();
    await ended;
    await expect(client.findManifest(REPOSITORY, 'v1')).rejects.toMatchObject({ code: 'registry.unavailable' });
  });
});
