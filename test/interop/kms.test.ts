import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import { CreateKeyCommand, DisableKeyCommand, GetPublicKeyCommand, type KeySpec, KMSClient } from '@aws-sdk/client-kms';
import { parse } from 'yaml';
import { findTool } from '../../scripts/tools/find.ts';
import { laySite, REPOSITORY, registerDraft, type Site } from '../../src/commands/demo/site.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { program } from '../support/bad-input.ts';
import { editContract, LAYOUT, REPORTS } from '../support/direct.ts';
import { blocksOf } from '../support/fork-guide.ts';
import { keysIn } from '../support/gate-scene.ts';
import { cleanEnvironment, runAside, sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';
import { itWith, toolPath } from '../support/tools.ts';
import { type S3Server, startLocalstack } from './store-servers.ts';

/*
 * A fork whose role keys were made in a KMS by the commands of docs/fork.md and never left it: LocalStack's, whose signatures
 * over digests verify (moto's do not). One role has RSA. The notary's key is a file: this KMS knows no Ed25519.
 */

const sandbox = sandboxes();
const test = itWith('localstack', 'aws');
let server: S3Server;
const ending: (() => unknown)[] = [];
let admin: KMSClient;
let site: Site;
let image: string;

type Keys = Record<'gate' | 'scan' | 'notary', [{ id: string; public: string; url?: string }]>;
let keys: Keys;

/** What the block of docs/fork.md that makes keys leaves under trust.keys, by the real command line of AWS. */
async function keysOfGuide(): Promise<Keys> {
  const folder = sandbox.folder('guide');
  mkdirSync(join(folder, 'fork'));
  const block = blocksOf(readFileSync('docs/fork.md', 'utf8')).find(({ text }) => text.includes('kms create-key'));
  const script = `set -eu\ncd '${join(folder, 'fork')}'\n${block?.text}`;
  const env = cleanEnvironment(folder, {
    ...server.env,
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_DEFAULT_REGION: 'us-east-1',
  });
  env.PATH = `${dirname(toolPath('aws'))}${delimiter}${env.PATH}`;
  const { code, stderr } = await runAside('bash', ['-c', script], env);
  if (code !== 0) throw new Error(`the block of docs/fork.md ended with exit ${code}: ${stderr}`);
  return parse(`keys:\n${readFileSync(join(folder, 'keys', 'public.yml'), 'utf8')}`).keys;
}

async function makeKey(spec: KeySpec): Promise<{ arn: string; pem: string }> {
  const { KeyMetadata: made } = await admin.send(new CreateKeyCommand({ KeySpec: spec, KeyUsage: 'SIGN_VERIFY' }));
  const { PublicKey: der } = await admin.send(new GetPublicKeyCommand({ KeyId: made?.KeyId }));
  const body = Buffer.from(der as Uint8Array)
    .toString('base64')
    .replace(/(.{64})(?=.)/g, '$1\n');
  return { arn: made?.Arn as string, pem: `-----BEGIN PUBLIC KEY-----\n${body}\n-----END PUBLIC KEY-----\n` };
}

const run = async (env: Record<string, string>, ...words: string[]) => {
  const { code, stdout } = await program(site, words, env);
  return { code, json: JSON.parse(stdout) };
};
const inRun = () => ['--run', site.path('run.json')];
const scan = (env: Record<string, string>, name: string, ...words: string[]) => {
  const report = [join(REPORTS, `${name}.json`), '--sidecar', join(REPORTS, `${name}.sidecar.json`)];
  return run(env, 'scan', '--phase', 'record', '--report', ...report, ...words, ...inRun());
};
const seal = () => run(server.env, 'evidence-emit', '--type', 'run.sealed', ...inRun());
async function succeed(...words: string[]) {
  const said = await run(server.env, ...words);
  if (said.code !== 0) throw new Error(`${words.join(' ')} ended with exit ${said.code}: ${JSON.stringify(said.json)}`);
  return said.json;
}

beforeAll(async () => {
  if (findTool('localstack') === null || findTool('aws') === null) return;
  server = await startLocalstack(sandbox.folder('kms'));
  const [accessKeyId, secretAccessKey] = Object.values(server.env) as [string, string];
  admin = new KMSClient({
    region: 'us-east-1',
    endpoint: server.endpoint,
    credentials: { accessKeyId, secretAccessKey },
  });
  ending.push(server.stop, () => admin.destroy());
  const registry = await startRegistry();
  ending.push(() => registry.close());
  const host = new URL(registry.url).host;
  site = laySite(join(sandbox.folder('site'), 'site'), resolve('build/dist'), REPORTS, host);
  keys = await keysOfGuide();
  const rsa = await makeKey('RSA_2048');
  Object.assign(keys.scan[0], { public: rsa.pem, url: `awskms:///${rsa.arn}` });
  const address = `endpoint=${server.endpoint}&sts=${server.endpoint}`;
  const here = Object.entries(keys).map(([role, [key]]) => [
    role,
    [{ ...key, id: `demo-${role}`, ...(key.url === undefined ? {} : { url: `${key.url}?${address}` }) }],
  ]);
  await editContract(site, ({ trust }) => (trust.keys = Object.fromEntries(here)), false);
  const release = await succeed('register', 'release');
  writeFileSync(site.path('register.json'), JSON.stringify(registerDraft(release, Date.now())));
  await succeed('register', 'publish', '--file', site.path('register.json'));
  await succeed('evidence-emit', '--type', 'run.opened', '--environment', 'production', ...inRun());
  const built = await succeed('build-sign', '--phase', 'build', '--layout', LAYOUT);
  const words = ['--layout', LAYOUT, '--digest', built.digest, '--image', `${host}/${REPOSITORY}`];
  image = (await succeed('build-sign', '--phase', 'sign', ...words, ...inRun())).image;
}, 600_000);
afterAll(async () => {
  for (const end of ending.reverse()) await end();
  sandbox.clean();
});

describe('keys of roles that never leave a KMS', () => {
  test('stand in a contract that is valid', async () => {
    expect(keys).toMatchObject({
      gate: [{ id: 'gate-1', url: expect.stringMatching(/^awskms:/) }],
      notary: [{ id: 'notary-1' }],
    });
    expect(await succeed('contract', 'check')).toMatchObject({ status: 'valid' });
  });

  test('sign a scan by RSA, and all that is attached to the image verifies', async () => {
    expect(await scan(server.env, 'trivy', '--subject', image)).toMatchObject({ code: 0 });
    const { checks } = await succeed('verify', image);
    const seen = (checks as { type: string; status: string }[]).map(({ type, status }) => `${type} ${status}`);
    expect(seen).toEqual(expect.arrayContaining(['signature verified', 'provenance verified', 'scan verified']));
  });

  itWith(
    'localstack',
    'aws',
    'cosign3',
  )('sign images as cosign reads them', async () => {
    const folder = sandbox.folder('cosign');
    const cosign = (pem: string) => {
      writeFileSync(join(folder, 'key.pub'), pem);
      const words = [
        'verify',
        '--key',
        join(folder, 'key.pub'),
        '--insecure-ignore-tlog=true',
        '--allow-http-registry',
      ];
      return runAside(toolPath('cosign3'), [...words, image], cleanEnvironment(folder));
    };
    const { code, stderr } = await cosign(publicKeyOf(site, 'build'));
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect((await cosign(publicKeyOf(site, 'gate'))).code).not.toBe(0);
  });

  test('open by a web identity, without any key in the environment', async () => {
    // This token service believes any token of the right form: what a role trusts cannot be tried here.
    const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
    const claims = part({ sub: 'project_id:4711', aud: 'sts.amazonaws.com/gatehouse-scan' });
    const env = {
      AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/gatehouse-scan',
      GATEHOUSE_AWS_TOKEN: `${part({ alg: 'RS256' })}.${claims}.c2ln`,
    };
    expect(await scan(env, 'semgrep')).toMatchObject({ code: 0 });
  });

  test('write nothing once they are disabled', async () => {
    const before = keysIn(site);
    await admin.send(new DisableKeyCommand({ KeyId: keys.gate[0].url?.replace('awskms:///', '') }));
    expect(await seal()).toMatchObject({ code: 3, json: { code: 'key.state' } });
    expect(keysIn(site)).toEqual(before);
  });

  test('are refused when the contract names another public half', async () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' });
    const url = `awskms:///${(await makeKey('ECC_NIST_P256')).arn}?endpoint=${server.endpoint}`;
    await editContract(site, ({ trust }) => Object.assign(trust.keys.gate[0], { public: pem, url }), false);
    const before = keysIn(site);
    expect(await seal()).toMatchObject({ code: 3, json: { code: 'key.signature' } });
    expect(keysIn(site)).toEqual(before);
  });
});
