import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, program } from '../support/bad-input.ts';
import { editContract } from '../support/direct.ts';
import { askedOf, KEY_ARN, kmsError, signedBy, startFakeKms } from '../support/fake-kms.ts';
import { FAKE_CREDENTIALS } from '../support/fake-s3.ts';
import { keysIn, playRun, type Scene } from '../support/gate-scene.ts';
import { hostileAws } from '../support/hostile-aws.ts';
import { type Reply, type Seen, startServer } from '../support/json-server.ts';
import { sandboxes } from '../support/sandbox.ts';

/*
 * A key service that answers what it should not, and an environment that leads to another one. The services are fakes of ours,
 * each with one fault; what a real one does is in test/interop. Each time a record of the run's end is to be written.
 */

const sandbox = sandboxes();
const running: { close(): Promise<void> }[] = [];
let scene: Scene;
let keys: Map<string, string>;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('kms'), resolve('build/dist'), 'opened');
  keys = scene.at('opened').keys;
});
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const OLD = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
const ended = (site: Site) => ['evidence-emit', '--type', 'run.sealed', '--run', site.path('run.json')];
const seals = (site: Site) => keysIn(site).filter((key) => key.includes('/seals/'));

function keyFile(role: string): string {
  const folder = sandbox.folder('key');
  const file = join(folder, `${role}.pem`);
  writeFileSync(file, keys.get(role) as string, { mode: 0o600 });
  return file;
}

/** A site whose gate key lies in this service, and the service. */
async function site(first?: (seen: Seen) => Reply | undefined, more = '') {
  const server = await startFakeKms(keyFile('gate'), first);
  running.push(server);
  const laid = scene.at('opened');
  await editContract(laid, ({ trust }) => (trust.keys.gate[0].url = server.keyUrl + more), false);
  return { laid, server };
}

async function elsewhere() {
  const server = await startServer(() => ({ json: {} }));
  running.push(server);
  return server;
}

describe('a key service', () => {
  it('that holds the key of the contract signs, after throttling and a lost answer too; an older key has no url', async () => {
    let calls = 0;
    const faults: Reply[] = [kmsError(400, 'ThrottlingException'), { hangUp: true }];
    const { laid, server } = await site(() => faults[calls++]);
    await editContract(
      laid,
      ({ trust }) => trust.keys.gate.unshift({ id: 'old-gate', public: OLD, repositories: ['*'] }),
      false,
    );
    const { code, stderr } = await program(laid, ended(laid), FAKE_CREDENTIALS);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(seals(laid)).toHaveLength(1);
    expect(server.seen.length).toBeGreaterThanOrEqual(3);
  });

  const refusals: [string, (seen: Seen) => Reply, string, RegExp][] = [
    [
      'with the key of another role',
      (seen) => signedBy(keyFile('build'), askedOf(seen)),
      'key.signature',
      /does not verify: nothing was written/,
    ],
    [
      'about something else',
      (seen) => signedBy(keyFile('gate'), { ...askedOf(seen), Message: Buffer.alloc(32).toString('base64') }),
      'key.signature',
      /does not verify: nothing was written/,
    ],
    [
      'with a broken signature',
      () => ({ json: { KeyId: KEY_ARN, Signature: 'MEUCIQ==' } }),
      'key.signature',
      /does not verify/,
    ],
    ['without a signature', () => ({ json: { KeyId: KEY_ARN } }), 'key.signature', /returned no signature/],
    ['with a page', () => ({ bytes: '<html>' }), 'key.failed', /no answer that can be used/],
    ['that this role may not', () => kmsError(400, 'AccessDeniedException'), 'key.denied', /lack kms:Sign on this key/],
    [
      'that the key is disabled',
      () => kmsError(400, 'DisabledException'),
      'key.state',
      /disabled or about to be deleted/,
    ],
  ];
  it.each(refusals)('that answers %s leaves no record', async (what, reply, code, message) => {
    const { laid } = await site(reply);
    await expectRefused(scene, laid, [what, ended, 3, code, message], [], FAKE_CREDENTIALS);
  });

  it('that redirects is not followed', async () => {
    const other = await elsewhere();
    const { laid } = await site(() => ({ status: 307, headers: { location: other.url }, json: {} }));
    await expectRefused(scene, laid, ['', ended, 3, 'key.redirect', /never followed/], [], FAKE_CREDENTIALS);
    expect(other.seen).toEqual([]);
  });

  it('that hangs up every time is asked six times', async () => {
    const { laid, server } = await site(() => ({ hangUp: true }));
    await expectRefused(scene, laid, ['', ended, 3, 'key.unreachable', /check the network/], [], FAKE_CREDENTIALS);
    expect(server.seen).toHaveLength(6);
  });

  it('is asked by nobody who names it on the command line', async () => {
    const { server } = await site();
    const words = (of: Site) => [...ended(of), '--key', server.keyUrl];
    const message = /named by url in contract\.yml alone/;
    await expectRefused(scene, scene.at('opened'), ['', words, 2, 'key.none', message], [], FAKE_CREDENTIALS);
    expect(server.seen).toEqual([]);
  });
});

describe('an environment that leads elsewhere', () => {
  it('is not followed: every request goes to the key’s URL, signed for its region', async () => {
    const [{ laid, server }, trap] = [await site(), await elsewhere()];
    const env = { ...hostileAws(trap.url, sandbox.folder('aws')), ...FAKE_CREDENTIALS };
    expect((await program(laid, ended(laid), env)).code).toBe(0);
    for (const { headers } of server.seen) {
      expect(headers.authorization).toMatch(/Credential=AKIAFAKE0123456789AB\/\d{8}\/eu-central-1\/kms\//);
      expect(JSON.stringify(headers)).not.toContain('evil');
    }
    expect(trap.seen).toEqual([]);
  });

  it('gives no credentials either', async () => {
    const [{ laid, server }, trap] = [await site(), await elsewhere()];
    const env = hostileAws(trap.url, sandbox.folder('aws'));
    await expectRefused(scene, laid, ['', ended, 2, 'key.credentials', /none are set/], [], env);
    expect([server.seen, trap.seen]).toEqual([[], []]);
  });

  it.each(['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY'])('%s stops it', async (name) => {
    const { laid, server } = await site();
    const env = { ...FAKE_CREDENTIALS, [name]: name === 'HTTPS_PROXY' ? server.url : '/dev/null' };
    await expectRefused(scene, laid, ['', ended, 2, 'environment.redirected', new RegExp(name)], [], env);
    expect(server.seen).toEqual([]);
  });
});

describe('a web identity', () => {
  const IDENTITY = {
    AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/gatehouse-gate',
    GATEHOUSE_AWS_TOKEN: 'token.for.aws',
    GATEHOUSE_ID_TOKEN: 'token.of.ours',
  };

  it('is sent to the token service of the key’s URL alone, and the token for us to nobody', async () => {
    const sts = await startServer(() => ({
      headers: { 'content-type': 'text/xml' },
      bytes: `<R><AccessKeyId>ASIAFAKE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></R>`,
    }));
    running.push(sts);
    const [{ laid, server }, trap] = [await site(undefined, `&sts=${sts.url}`), await elsewhere()];
    const env = { ...hostileAws(trap.url, sandbox.folder('aws')), ...IDENTITY };
    expect((await program(laid, ended(laid), env)).code).toBe(0);
    expect(sts.seen.map(({ body }) => new URLSearchParams(body.toString()).get('WebIdentityToken'))).toEqual([
      'token.for.aws',
    ]);
    expect(server.seen[0]?.headers.authorization).toContain('Credential=ASIAFAKE/');
    const sent = [...sts.seen, ...server.seen].map(({ headers, body }) => JSON.stringify(headers) + body);
    expect(sent.filter((each) => each.includes('token.of.ours'))).toEqual([]);
    expect(trap.seen).toEqual([]);
  });

  it('is sent to nobody where the URL names a service and no token service', async () => {
    const { laid, server } = await site();
    const message = /needs sts= in the key’s URL/;
    await expectRefused(scene, laid, ['', ended, 2, 'key.credentials', message], [], IDENTITY);
    expect(server.seen).toEqual([]);
  });

  it('is never given to a cluster, which could pass it on and sign as role deploy', async () => {
    const laid = scene.at('opened');
    const cluster = { server: 'https://api.prod.example.org', certificates: [OLD], audience: 'sts.amazonaws.com' };
    await editContract(laid, (contract) => Object.assign(contract, { clusters: { prod: cluster } }), false);
    const message =
      /clusters\.prod\.audience: is the audience of tokens that prove who a job is or open its store and key/;
    await expectRefused(scene, laid, ['', ended, 2, 'contract.invalid', message], [], FAKE_CREDENTIALS);
  });

  it('is never the token that proves to us who the job is', async () => {
    const { laid, server } = await site(undefined, '&sts=http://127.0.0.1:9');
    const { GATEHOUSE_AWS_TOKEN: _, ...env } = IDENTITY;
    await expectRefused(scene, laid, ['', ended, 2, 'key.credentials', /GATEHOUSE_AWS_TOKEN/], [], env);
    expect(server.seen).toEqual([]);
  });
});
