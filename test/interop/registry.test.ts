import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { attachAll } from '../../src/registry/attach.ts';
import { readAttachments } from '../../src/registry/attachments.ts';
import { createRegistryClient } from '../../src/registry/client.ts';
import { copyImage } from '../../src/registry/copy.ts';
import { dockerCredentials } from '../../src/registry/docker-config.ts';
import { readLayout } from '../../src/registry/layout.ts';
import { pushLayout } from '../../src/registry/push-layout.ts';
import { cleanEnvironment, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';
import { NOW, ready, readySignature } from '../unit/registry/artifacts.ts';
import { fakeTiming, imageParts, pushTiny, REPOSITORY, scenes } from '../unit/registry/scene.ts';
import { indexParts, MANIFEST, tinyImage, writeLayout } from '../unit/registry/tiny-layout.ts';
import { runTool, startGoRegistry, startProcess } from './registry-servers.ts';

const scene = scenes();
const sandbox = sandboxes();
const stopping: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stopping.splice(0)) await stop();
  await scene.clean();
  sandbox.clean();
});

const credentials = { username: 'robot', password: 'secret' };
const auths = [
  ['without authentication', undefined],
  ['with Basic', { ...credentials, scheme: 'basic' as const }],
  ['with Bearer', { ...credentials, scheme: 'bearer' as const }],
] as const;

describe.each(auths)('our registry %s', (_, auth) => {
  const open = async () => {
    const opened = await scene.open(auth === undefined ? {} : { auth }, { credentials });
    const home = sandbox.folder('home');
    const crane = (...args: string[]) => runTool('crane', args, home, { DOCKER_CONFIG: home });
    if (auth !== undefined)
      await crane('auth', 'login', opened.server.host, '-u', credentials.username, '-p', credentials.password);
    return { ...opened, home, crane };
  };

  itWith('crane')('serves crane: push, digest, list, validate, copy, pull', async () => {
    const { server, home, crane } = await open();
    const image = `${server.host}/${REPOSITORY}`;
    const layout = writeLayout(join(home, 'in'), indexParts());
    await crane('push', layout, `${image}:v1`);
    const { digest } = readLayout(layout).top.descriptor;
    expect((await crane('digest', `${image}:v1`)).trim()).toBe(digest);
    expect((await crane('ls', image)).trim()).toBe('v1');
    await crane('copy', `${image}:v1`, `${server.host}/acme/copy:v1`);
    expect(await crane('validate', '--remote', `${server.host}/acme/copy:v1`)).toContain('PASS');
    await crane('pull', '--format=oci', `${server.host}/acme/copy:v1`, join(home, 'out'));
    const back = readLayout(join(home, 'out'));
    expect([back.top.descriptor.digest, back.children.length]).toEqual([digest, 2]);
  });

  itWith('skopeo')('serves skopeo: copy in, inspect, copy out', async () => {
    const { server, home } = await open();
    const image = `docker://${server.host}/${REPOSITORY}:v1`;
    const login = (flag: string) =>
      auth === undefined ? [] : [flag, `${credentials.username}:${credentials.password}`];
    const layout = writeLayout(join(home, 'in'), imageParts());
    const skopeo = (...args: string[]) => runTool('skopeo', args, home);
    await skopeo(
      '--insecure-policy',
      'copy',
      '--dest-tls-verify=false',
      ...login('--dest-creds'),
      `oci:${layout}`,
      image,
    );
    const seen = JSON.parse(await skopeo('inspect', '--tls-verify=false', ...login('--creds'), image));
    expect(seen).toMatchObject({ Digest: tinyImage().digest, RepoTags: ['v1'], Architecture: 'amd64' });
    await skopeo(
      '--insecure-policy',
      'copy',
      '--src-tls-verify=false',
      ...login('--src-creds'),
      image,
      `oci:${join(home, 'out')}:v1`,
    );
    expect(readLayout(join(home, 'out')).top.descriptor.digest).toBe(tinyImage().digest);
  });

  itWith('crane')('and our client use the login that crane has left', async () => {
    const { server, home, client } = await open();
    const file = auth === undefined ? null : readFileSync(join(home, 'config.json'));
    const found = await dockerCredentials(file, server.host, () => Promise.reject(new Error('no helper')));
    expect(found).toEqual(auth === undefined ? null : credentials);
    await pushTiny(client, scene.layout(imageParts()));
    const own = createRegistryClient({ registry: server.host, credentials: found });
    expect((await own.getManifest(REPOSITORY, tinyImage().digest)).digest).toBe(tinyImage().digest);
  });
});

describe.each([
  ['with the referrers API', true],
  ['without it', false],
])("go-containerregistry's registry %s", (_, referrers) => {
  const open = async () => {
    const { host, stop } = await startGoRegistry(referrers);
    stopping.push(stop);
    return { host, client: createRegistryClient({ registry: host, timing: fakeTiming() }) };
  };

  itWith('registry', 'crane')('takes what our client pushes', async () => {
    const { host, client } = await open();
    const [top] = await pushLayout(client, readLayout(scene.layout(indexParts())), REPOSITORY);
    const home = sandbox.folder('home');
    expect(await runTool('crane', ['validate', '--remote', `${host}/${REPOSITORY}@${top?.digest}`], home)).toContain(
      'PASS',
    );
    expect(await client.getManifest(REPOSITORY, String(top?.digest))).toMatchObject({ digest: top?.digest });
    expect(await client.findManifest(REPOSITORY, 'v1')).toBeNull();
  });

  itWith('registry')('keeps what our client attaches, and a copy of it', async () => {
    const { host, client } = await open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    await attachAll(client, REPOSITORY, top, [ready('one'), readySignature('two')], NOW);
    await attachAll(client, REPOSITORY, top, [ready('three')], NOW);
    const kinds = async (repository: string) =>
      (await readAttachments(client, repository, top.digest)).map(({ kind, source }) => `${kind} ${source}`).sort();
    const place = referrers ? 'referrers-api' : 'referrers-tag';
    const expected = [
      ...Array(3).fill(`bundle ${place}`),
      ...Array(2).fill('legacy-attestation attestation-tag'),
      'legacy-signature signature-tag',
    ];
    expect(await kinds(REPOSITORY)).toEqual(expected);
    const copied = await copyImage({ client, repository: REPOSITORY }, top.digest, {
      client: createRegistryClient({ registry: host, timing: fakeTiming() }),
      repository: 'prod/app',
    });
    expect(copied).toMatchObject({ images: [top.digest], left: [] });
    expect(await kinds('prod/app')).toEqual(expected);
  });

  itWith('registry')('keeps what eight processes attach at once', async () => {
    const { host, client } = await open();
    const top = await pushTiny(client, scene.layout(imageParts()));
    const script = join(import.meta.dirname, 'registry-attacher.js');
    const attach = (name: string) =>
      promisify(execFile)(process.execPath, [script, host, REPOSITORY, top.digest, name], {
        env: cleanEnvironment('/nonexistent'),
      });
    await Promise.all(Array.from({ length: 8 }, (_, i) => attach(`process-${i}`)));
    const found = await readAttachments(client, REPOSITORY, top.digest);
    const count = (kind: string) => found.filter((entry) => entry.kind === kind).length;
    expect([count('bundle'), count('legacy-attestation'), count('legacy-signature'), found.length]).toEqual([
      8, 8, 8, 24,
    ]);
  });
});

describe.each([
  ['with the referrers API', true],
  ['without it', false],
])('cosign on our registry %s', (_, referrersApi) => {
  itWith('cosign3', 'cosign2')('signs and attests in both formats, and our reader finds all of it', async () => {
    const { server, client } = await scene.open({ referrersApi });
    const top = await pushTiny(client, scene.layout(imageParts()));
    const home = sandbox.folder('cosign');
    const image = `${server.host}/${REPOSITORY}@${top.digest}`;
    writeFileSync(join(home, 'predicate.json'), '{}');
    const cosign = (version: 'cosign2' | 'cosign3', ...args: string[]) =>
      runTool(version, args, home, { COSIGN_PASSWORD: '' });
    await cosign('cosign3', 'generate-key-pair', '--output-key-prefix', join(home, 'key'));
    const key = ['--key', join(home, 'key.key'), '--tlog-upload=false', '--allow-http-registry', '-y'];
    const attest = ['attest', '--type', 'custom', '--predicate', join(home, 'predicate.json')];
    await cosign('cosign3', 'sign', ...key, '--use-signing-config=false', image);
    await cosign('cosign3', ...attest, ...key, '--use-signing-config=false', image);
    await cosign('cosign2', 'sign', ...key, image);
    await cosign('cosign2', ...attest, ...key, image);
    const found = await readAttachments(client, REPOSITORY, top.digest);
    const place = referrersApi ? 'referrers-api' : 'referrers-tag';
    expect(found.map(({ kind, source }) => [kind, source])).toEqual([
      ['bundle', place],
      ['bundle', place],
      ['legacy-signature', 'signature-tag'],
      ['legacy-attestation', 'attestation-tag'],
    ]);
    // What cosign appends to must still be read by cosign after we have appended too.
    await attachAll(client, REPOSITORY, top, [ready('ours'), readySignature('ours')], NOW);
    const verify = ['--key', join(home, 'key.pub'), '--insecure-ignore-tlog', '--allow-http-registry'];
    expect(await cosign('cosign3', 'verify', ...verify, '--new-bundle-format=false', image)).toContain(top.digest);
    expect(await readAttachments(client, REPOSITORY, top.digest)).toHaveLength(8);
  });
});

describe('a registry behind TLS with a certificate authority of its own', () => {
  const itOpenssl = spawnSync('openssl', ['version']).status === 0 ? it : it.skip;

  itOpenssl('is spoken to when that authority is given, and not otherwise (needs openssl)', async () => {
    const folder = sandbox.folder('tls');
    const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
    openssl(
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      'key.pem',
      '-out',
      'cert.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test',
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
    );
    const [key, ca] = ['key.pem', 'cert.pem'].map((file) => readFileSync(join(folder, file), 'utf8')) as [
      string,
      string,
    ];
    const image = tinyImage();
    const server = process.getBuiltinModule('node:https').createServer({ key, cert: ca }, (request, response) => {
      const redirected = request.url === '/v2/acme/app/manifests/moved';
      if (redirected) response.writeHead(307, { location: 'http://127.0.0.1:1/x' }).end();
      else response.writeHead(200, { 'content-type': MANIFEST }).end(image.manifest);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stopping.push(
      async () => void server.closeAllConnections(),
      () => new Promise((resolve) => server.close(() => resolve())),
    );
    const registry = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const timing = fakeTiming();
    const trusting = createRegistryClient({ registry, ca, timing });
    expect((await trusting.getManifest(REPOSITORY, image.digest)).digest).toBe(image.digest);
    await expect(trusting.getManifest(REPOSITORY, 'moved')).rejects.toMatchObject({ code: 'registry.unsafe_address' });
    const unknown = createRegistryClient({ registry, http: false, timing });
    await expect(unknown.getManifest(REPOSITORY, image.digest)).rejects.toMatchObject({
      exit: 3,
      code: 'registry.unreachable',
    });
    expect(timing.slept).toEqual([]);
  });
});

describe('our registry as a process of its own', () => {
  it('keeps a folder, serves a client and ends when its parent closes its input', async () => {
    const folder = sandbox.folder('served');
    mkdirSync(folder, { recursive: true });
    const code = `import { serveRegistry } from ${JSON.stringify(join(import.meta.dirname, '../../src/registry/server/serve.js'))}; await serveRegistry({ folder: ${JSON.stringify(folder)} });`;
    const serve = () => startProcess(process.execPath, ['--input-type=module', '-e', code]);
    const first = await serve();
    const top = await pushTiny(
      createRegistryClient({ registry: first.host, timing: fakeTiming() }),
      scene.layout(imageParts()),
    );
    await first.stop();
    const second = await serve();
    stopping.push(second.stop);
    const client = createRegistryClient({ registry: second.host, timing: fakeTiming() });
    expect((await client.getManifest(REPOSITORY, top.digest)).digest).toBe(top.digest);
  });
});
