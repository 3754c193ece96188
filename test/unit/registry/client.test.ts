import { digestOf } from '../../../src/lib/digest.ts';
import { createRegistryClient } from '../../../src/registry/client.ts';
import { fakeTiming, imageParts, pushTiny, REPOSITORY, scenes, thrownBy } from './scene.ts';
import { json, MANIFEST, tinyImage } from './tiny-layout.ts';

const scene = scenes();
afterEach(scene.clean);

const image = tinyImage();
const bytes = Buffer.from('some content');
const digest = digestOf(bytes);
const blob = { digest, size: bytes.length };

describe('a registry client', () => {
  it('reads back what it stored, by digest and by tag', async () => {
    const { client } = await scene.open();
    await pushTiny(client, scene.layout(imageParts(image)));
    expect(await client.putTag(REPOSITORY, 'v1', { mediaType: MANIFEST, bytes: image.manifest }, null)).toBe(true);
    expect(await client.resolveTag(REPOSITORY, 'v1')).toBe(image.digest);
    expect(await client.getManifest(REPOSITORY, image.digest)).toMatchObject({
      digest: image.digest,
      mediaType: MANIFEST,
      bytes: image.manifest,
    });
    expect(await client.headManifest(REPOSITORY, 'v1')).toEqual({
      digest: image.digest,
      mediaType: MANIFEST,
      size: image.manifest.length,
    });
    expect(await client.findManifest(REPOSITORY, 'v2')).toBeNull();
    expect(await client.headManifest(REPOSITORY, 'v2')).toBeNull();
  });

  it('stores a blob once', async () => {
    const { client, seen } = await scene.open();
    await client.putBytes(REPOSITORY, bytes);
    await client.putBytes(REPOSITORY, bytes);
    expect(await client.getBlob(REPOSITORY, blob, 100)).toEqual(bytes);
    expect(seen.filter(({ method }) => method === 'PUT')).toHaveLength(1);
  });

  it('writes a tag only in the state it was read in', async () => {
    const { client } = await scene.open();
    await pushTiny(client, scene.layout(imageParts(image)));
    const manifest = { mediaType: MANIFEST, bytes: image.manifest };
    expect(await client.putTag(REPOSITORY, 'v1', manifest, 'absent')).toBe(true);
    expect(await client.putTag(REPOSITORY, 'v1', manifest, 'absent')).toBe(false);
    expect(await client.putTag(REPOSITORY, 'v1', manifest, { etag: '"other"' })).toBe(false);
    const { etag } = await client.getManifest(REPOSITORY, 'v1');
    expect(await client.putTag(REPOSITORY, 'v1', manifest, { etag: String(etag) })).toBe(true);
  });

  it('says that an image is not there as something to look into, not as a judgement', async () => {
    const { client } = await scene.open();
    expect(await thrownBy(() => client.getManifest(REPOSITORY, image.digest))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.not_found',
    });
    expect(await thrownBy(() => client.resolveTag(REPOSITORY, 'v1'))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.not_found',
    });
    expect(await thrownBy(() => client.getBlob(REPOSITORY, blob, 100))).toMatchObject({
      name: 'RegistryRefused',
      code: 'registry.not_found',
    });
  });

  it.each([
    ['ghcr.io/acme', 'registry.name'],
    ['GHCR.io', 'registry.name'],
    ['', 'registry.name'],
    ['user@ghcr.io', 'registry.name'],
  ])('refuses the registry name "%s"', async (registry, code) => {
    expect(await thrownBy(() => createRegistryClient({ registry }))).toMatchObject({ name: 'BadInput', code });
  });

  it.each(['ghcr.io', '10.0.0.1:5000', '127.0.0.2:5000', 'localhost.example.org'])(
    'refuses to speak plain http with %s',
    async (registry) => {
      expect(await thrownBy(() => createRegistryClient({ registry, http: true }))).toMatchObject({
        name: 'BadInput',
        code: 'registry.plain_http',
      });
    },
  );

  it.each([
    ['../other', image.digest],
    ['Acme', image.digest],
    ['acme/app', 'v1/../../other'],
    ['acme/app', 'sha256:abc/../..'],
    ['acme/app', ''],
  ])('asks nothing for the repository %j and the reference %j', async (repository, reference) => {
    const { client, seen } = await scene.open();
    expect(await thrownBy(() => client.getManifest(repository, reference))).toMatchObject({
      name: 'BadInput',
      code: 'registry.reference',
    });
    expect(seen).toEqual([]);
  });
});

describe('retries', () => {
  it.each([408, 429, 500, 502, 503, 504, 'reset' as const])('mend a passing %s', async (fault) => {
    let faults = 3;
    const { client, timing } = await scene.open({ faults: () => (faults-- > 0 ? fault : null) });
    expect(await client.findManifest(REPOSITORY, 'v1')).toBeNull();
    expect(timing.slept).toEqual([250, 500, 1000]);
  });

  it('end after four attempts, and say so', async () => {
    const { client, seen } = await scene.open({ faults: () => 503 });
    const { name, code, message } = await thrownBy(() => client.findManifest(REPOSITORY, 'v1'));
    expect({ name, code }).toEqual({ name: 'CouldNot', code: 'registry.unavailable' });
    expect(message).toMatch(/503.*tried 4 times/);
    expect(seen).toHaveLength(4);
  });

  it('wait as long as the registry asks, within reason', async () => {
    const waits = ['7', '3600', 'Wed, 21 Oct 2026 07:28:00 GMT'];
    const { client, timing } = await scene.open({
      faults: () => {
        const wait = waits.shift();
        return wait === undefined ? null : { status: 429, headers: { 'retry-after': wait } };
      },
    });
    await client.findManifest(REPOSITORY, 'v1');
    expect(timing.slept).toEqual([7000, 30_000, 1000]);
  });

  it.each([400, 403, 405, 418])('are not made for %i, which the same request will get again', async (status) => {
    const { client, seen } = await scene.open({
      faults: () => ({ status, body: json({ errors: [{ code: 'DENIED', message: 'no\u001b[31m way' }] }) }),
    });
    const { name, message } = await thrownBy(() => client.findManifest(REPOSITORY, 'v1'));
    expect(name).toBe('RegistryRefused');
    expect(message).toContain(`${status} (DENIED: no [31m way)`);
    expect(seen).toHaveLength(1);
  });

  it('begin an upload again that was cut off', async () => {
    let cuts = 2;
    const { client } = await scene.open({ faults: ({ method }) => (method === 'PUT' && cuts-- > 0 ? 'reset' : null) });
    await client.putBytes(REPOSITORY, bytes);
    expect(await client.getBlob(REPOSITORY, blob, 100)).toEqual(bytes);
  });

  it('never write a tag twice on their own', async () => {
    const { client, seen } = await scene.open({ faults: ({ method }) => (method === 'PUT' ? 503 : null) });
    expect(
      await thrownBy(() => client.putTag(REPOSITORY, 'v1', { mediaType: MANIFEST, bytes: image.manifest }, null)),
    ).toMatchObject({ message: expect.stringContaining('503') });
    expect(seen).toHaveLength(1);
  });

  it('read again what was cut off', async () => {
    let cuts = 1;
    const { host } = await scene.scripted((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      if (cuts-- > 0) response.write(bytes.subarray(0, 4), () => response.destroy());
      else response.end(bytes);
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming() });
    expect(await client.getBlob(REPOSITORY, blob, 100)).toEqual(bytes);
  });

  it('do not go on for ever with a registry that always cuts off', async () => {
    const { host } = await scene.scripted((_, response) => {
      response.writeHead(200, { 'content-length': bytes.length });
      response.write(bytes.subarray(0, 4), () => response.destroy());
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming() });
    expect(await thrownBy(() => client.getBlob(REPOSITORY, blob, 100))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.unavailable',
    });
  });

  it.each([
    ['nothing is answered', { idleTimeout: 30 }, () => {}],
    ['only half is answered', { idleTimeout: 30 }, (response: { write(text: string): void }) => response.write('{')],
  ])('end when %s', async (_, options, answer) => {
    const { host } = await scene.scripted((_request, response) => answer(response));
    const client = createRegistryClient({ registry: host, timing: fakeTiming(), attempts: 2, ...options });
    expect(await thrownBy(() => client.findManifest(REPOSITORY, 'v1'))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.unavailable',
    });
  });

  it('end when a registry trickles without end', async () => {
    const dripping = new Set<NodeJS.Timeout>();
    const { host } = await scene.scripted((_, response) => {
      const drip = setInterval(() => response.write(' '), 5);
      dripping.add(drip);
      response.on('close', () => clearInterval(drip));
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming(), attempts: 1, deadline: 60 });
    expect(await thrownBy(() => client.findManifest(REPOSITORY, 'v1'))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.unavailable',
    });
    for (const drip of dripping) clearInterval(drip);
  });

  it('end when nobody listens', async () => {
    const { client, server } = await scene.open();
    await server.close();
    const { code, message } = await thrownBy(() => client.findManifest(REPOSITORY, 'v1'));
    expect(code).toBe('registry.unavailable');
    expect(message).toContain('ECONNREFUSED');
  });
});

describe('authentication', () => {
  const auth = { username: 'robot', password: 'päss:word' };
  const credentials = { username: 'robot', password: 'päss:word' };

  it.each(['basic', 'bearer'] as const)('with %s lets a whole push through', async (scheme) => {
    const { client } = await scene.open({ auth: { ...auth, scheme } }, { credentials });
    const { digest: pushed } = await pushTiny(client, scene.layout(imageParts(image)));
    expect(pushed).toBe(image.digest);
  });

  it('asks for a token once for each scope', async () => {
    const { client, seen } = await scene.open({ auth: { ...auth, scheme: 'bearer' } }, { credentials });
    await pushTiny(client, scene.layout(imageParts(image)));
    const scopes = seen
      .filter(({ path }) => path.startsWith('/token'))
      .map(({ path }) => new URL(path, 'http://x').searchParams.get('scope'));
    expect(scopes.sort()).toEqual([`repository:${REPOSITORY}:pull`, `repository:${REPOSITORY}:pull,push`]);
  });

  it('asks for another token when the old one has expired', async () => {
    const { client, seen, timing } = await scene.open({ auth: { ...auth, scheme: 'bearer' } }, { credentials });
    await client.findManifest(REPOSITORY, 'v1');
    await timing.sleep(299_000);
    await client.findManifest(REPOSITORY, 'v1');
    expect(seen.filter(({ path }) => path.startsWith('/token'))).toHaveLength(2);
  });

  it('asks for another token when the old one was revoked', async () => {
    const tokens: string[] = [];
    const { host } = await scene.scripted((request, response) => {
      if (request.url?.startsWith('/token')) {
        tokens.push(`token-${tokens.length + 1}`);
        response.end(JSON.stringify({ token: tokens.at(-1) }));
      } else if (
        request.headers.authorization === (request.url?.endsWith('/v1') ? 'Bearer token-1' : 'Bearer token-2')
      ) {
        response.writeHead(404).end();
      } else
        response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end();
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming() });
    expect(await client.findManifest(REPOSITORY, 'v1')).toBeNull();
    expect(await client.findManifest(REPOSITORY, 'v2')).toBeNull();
    expect(tokens).toEqual(['token-1', 'token-2']);
  });

  it('sends nothing to a registry that does not ask', async () => {
    const { client, seen } = await scene.open({}, { credentials });
    await client.findManifest(REPOSITORY, 'v1');
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined]);
  });

  it.each([
    ['basic', null, 'registry.credentials_missing'],
    ['bearer', null, 'registry.unauthorized'],
    ['basic', { username: 'robot', password: 'wrong' }, 'registry.unauthorized'],
    ['bearer', { username: 'robot', password: 'wrong' }, 'registry.unauthorized'],
  ] as const)('with %s and the credentials %j says what is missing', async (scheme, given, code) => {
    const { client } = await scene.open({ auth: { ...auth, scheme } }, { credentials: given });
    const thrown = await thrownBy(() => client.findManifest(REPOSITORY, 'v1'));
    expect(thrown.code).toBe(code);
    expect(thrown.message).not.toContain('wrong');
  });

  it('refuses a user name that Basic cannot carry', async () => {
    const { server } = await scene.open({ auth });
    const given = { username: 'a:b', password: 'c' };
    expect(await thrownBy(() => createRegistryClient({ registry: server.host, credentials: given }))).toMatchObject({
      name: 'BadInput',
      code: 'registry.username',
    });
  });

  it.each([
    ['no challenge', undefined, 'registry.challenge'],
    ['a scheme that is not spoken here', 'Negotiate', 'registry.challenge'],
    ['a token service without an address', 'Bearer service="x"', 'registry.realm'],
    ['a token service that is no web address', 'Bearer realm="ftp://127.0.0.1/token"', 'registry.realm'],
    [
      'a token service over plain http elsewhere',
      'Bearer realm="http://auth.example.org/token"',
      'registry.unsafe_address',
    ],
  ])('stops at %s', async (_, challenge, code) => {
    const { host } = await scene.scripted((_request, response) => {
      response.writeHead(401, challenge === undefined ? {} : { 'www-authenticate': challenge }).end();
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming(), credentials });
    expect(await thrownBy(() => client.findManifest(REPOSITORY, 'v1'))).toMatchObject({ name: 'CouldNot', code });
  });

  it.each([
    ['is no JSON', 'token'],
    ['has no token', '{}'],
    ['has a token that would add a header', JSON.stringify({ token: 'a\r\nx: y' })],
  ])('stops when the answer of the token service %s', async (_, body) => {
    const { host } = await scene.scripted((request, response) => {
      if (request.url?.startsWith('/token')) response.end(body);
      else response.writeHead(401, { 'www-authenticate': `Bearer realm="http://${request.headers.host}/token"` }).end();
    });
    const client = createRegistryClient({ registry: host, timing: fakeTiming(), credentials });
    expect(await thrownBy(() => client.findManifest(REPOSITORY, 'v1'))).toMatchObject({
      name: 'CouldNot',
      code: 'registry.token',
    });
  });
});

describe('an upload', () => {
  it.each([
    ['relative', (host: string) => `/up?_state=a%20b&x=1#${host}`],
    ['absolute', (host: string) => `http://${host}/up?_state=a%20b&x=1`],
  ])('goes on at a location that is %s, with what is there kept as it is', async (_, location) => {
    const paths: string[] = [];
    const { host } = await scene.scripted((request, response) => {
      paths.push(`${request.method} ${request.url}`);
      if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'POST')
        response.writeHead(202, { location: location(host).replace(/#.*/, '') }).end();
      else response.writeHead(201).end();
    });
    await createRegistryClient({ registry: host, timing: fakeTiming() }).putBytes(REPOSITORY, bytes);
    expect(paths.at(-1)).toBe(`PUT /up?_state=a%20b&x=1&digest=${encodeURIComponent(digest)}`);
  });

  it('without a location is given up', async () => {
    const { host } = await scene.scripted((request, response) =>
      response.writeHead(request.method === 'HEAD' ? 404 : 202).end(),
    );
    const client = createRegistryClient({ registry: host, timing: fakeTiming() });
    expect(await thrownBy(() => client.putBytes(REPOSITORY, bytes))).toMatchObject({ code: 'registry.location' });
  });

  it('of content that is not what its digest says is refused before the registry has all of it', async () => {
    const { client } = await scene.open();
    const other = async function* () {
      yield Buffer.from('some c0ntent');
    };
    expect(await thrownBy(() => client.putBlob(REPOSITORY, blob, other))).toMatchObject({
      name: 'Denied',
      code: 'registry.digest_mismatch',
    });
    expect(await client.headBlob(REPOSITORY, digest)).toBeNull();
  });

  it('of 3 MB in pieces arrives whole', async () => {
    const { client } = await scene.open();
    const large = Buffer.alloc(3_000_000, 'abc');
    const name = { digest: digestOf(large), size: large.length };
    await client.putBlob(REPOSITORY, name, async function* () {
      for (let at = 0; at < large.length; at += 100_000) yield large.subarray(at, at + 100_000);
    });
    expect((await client.getBlob(REPOSITORY, name, large.length)).equals(large)).toBe(true);
  });
});

describe('the referrers API', () => {
  it('is read over all its pages', async () => {
    const { client } = await scene.open({ referrersPage: 2 });
    const top = await pushTiny(client, scene.layout(imageParts(image)));
    await client.putBytes(REPOSITORY, Buffer.from('{}'));
    const subject = { mediaType: MANIFEST, digest: top.digest, size: top.size };
    const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: digestOf('{}'), size: 2 };
    for (let i = 0; i < 5; i++) {
      await client.putManifest(REPOSITORY, {
        mediaType: MANIFEST,
        bytes: json({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [], subject, annotations: { i: `${i}` } }),
      });
    }
    const listed = await client.listReferrers(REPOSITORY, top.digest);
    expect(listed?.map(({ annotations }) => annotations?.i).sort()).toEqual(['0', '1', '2', '3', '4']);
  });

  it.each([400, 404, 405, 406, 501])('is absent where it answers %i', async (status) => {
    const { client } = await scene.open({ faults: () => status });
    expect(await client.listReferrers(REPOSITORY, image.digest)).toBeNull();
  });

  it.each([401, 403, 410, 500])('that answers %i is not taken for absent', async (status) => {
    const { client } = await scene.open({ faults: () => status });
    expect((await thrownBy(() => client.listReferrers(REPOSITORY, image.digest))).code).toMatch(
      /^registry\.(challenge|forbidden|status|unavailable)$/,
    );
  });
});
