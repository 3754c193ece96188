import { generateKeyPairSync, type KeyPairKeyObjectResult, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsSigner } from '../../../../src/attestation/keys/aws.ts';
import { openKey } from '../../../../src/attestation/keys/open.ts';
import { publicKey } from '../../../../src/contract/key-type.ts';
import { type KmsAddress, parseKeyUrl } from '../../../../src/contract/key-url.ts';
import { askedOf, KEY_ARN, kmsError, signedBy, startFakeKms } from '../../../support/fake-kms.ts';
import { FAKE_CREDENTIALS } from '../../../support/fake-s3.ts';
import type { Reply } from '../../../support/json-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-kms-'));
const running: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

function made(name: string, pair: KeyPairKeyObjectResult) {
  const file = join(folder, `${name}.pem`);
  writeFileSync(file, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return {
    file,
    expected: { id: name, publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }) as string },
  };
}
const own = made('own', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const another = made('another', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const rsa = made('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }));
const ed25519 = made('ed25519', generateKeyPairSync('ed25519'));
/** Longer than the 4096 bytes that the service would hash itself. */
const preimage = Buffer.alloc(5000, 'a statement ');

async function open(first?: (call: number) => Reply | undefined, { file, expected } = own) {
  let calls = 0;
  const server = await startFakeKms(file, () => first?.(++calls));
  running.push(server);
  const slept: number[] = [];
  const patience = { sleep: async (milliseconds: number) => void slept.push(milliseconds), random: () => 1 };
  const address = parseKeyUrl(server.keyUrl) as KmsAddress;
  return { server, slept, signer: awsSigner(address, expected, FAKE_CREDENTIALS, { patience, limit: 2000 }) };
}

describe('a signer over a key in AWS KMS', () => {
  it.each([
    ['P-256', own, 'sha256', 'DIGEST', 'ECDSA_SHA_256'],
    ['RSA', rsa, 'sha256', 'DIGEST', 'RSASSA_PKCS1_V1_5_SHA_256'],
    ['Ed25519', ed25519, null, 'RAW', 'ED25519_SHA_512'],
  ])('of type %s gives what the contract’s key verifies', async (_, key, hash, type, algorithm) => {
    const { server, signer } = await open(undefined, key);
    const signature = await signer.sign(preimage);
    expect(verify(hash, preimage, publicKey(key.expected.publicKeyPem, 'key'), signature)).toBe(true);
    const [seen] = server.seen as [(typeof server.seen)[number]];
    expect(askedOf(seen)).toMatchObject({ KeyId: KEY_ARN, MessageType: type, SigningAlgorithm: algorithm });
    expect(Buffer.from(askedOf(seen).Message, 'base64')).toHaveLength(type === 'RAW' ? 5000 : 32);
    expect(seen.headers).toMatchObject({
      'x-amz-target': 'TrentService.Sign',
      authorization: expect.stringMatching(
        /^AWS4-HMAC-SHA256 Credential=AKIAFAKE0123456789AB\/\d{8}\/eu-central-1\/kms\//,
      ),
    });
  });

  it.each([
    ['throttling', kmsError(400, 'ThrottlingException')],
    ['a server error', kmsError(500, 'KMSInternalException')],
  ])('asks again after %s', async (_, reply) => {
    const { server, signer, slept } = await open((call) => (call <= 2 ? reply : undefined));
    await signer.sign(preimage);
    expect([server.seen.length, slept]).toEqual([3, [500, 1000]]);
  });

  it('gives up after six attempts', async () => {
    const { server, signer, slept } = await open(() => kmsError(400, 'ThrottlingException'));
    await expect(signer.sign(preimage)).rejects.toMatchObject({ code: 'key.failed', exit: 3 });
    expect([server.seen.length, slept.length]).toEqual([6, 5]);
  });

  it.each<[string, Reply, string, RegExp, number]>([
    ['no signature', { json: { KeyId: KEY_ARN } }, 'key.signature', /returned no signature/, 1],
    ['an empty one', { json: { KeyId: KEY_ARN, Signature: '' } }, 'key.signature', /does not verify/, 1],
    ['a broken one', { json: { KeyId: KEY_ARN, Signature: 'MEUCIQ==' } }, 'key.signature', /does not verify/, 1],
    ['one that is no text', { json: { KeyId: KEY_ARN, Signature: 7 } }, 'key.signature', /returned no signature/, 1],
    ['no JSON', { bytes: '<html>welcome</html>' }, 'key.failed', /no answer that can be used/, 1],
    ['nothing', { bytes: '' }, 'key.signature', /returned no signature/, 1],
    [
      'a redirect',
      { status: 307, headers: { location: 'http://127.0.0.1:9/' }, json: {} },
      'key.redirect',
      /never followed/,
      1,
    ],
    ['no right to it', kmsError(400, 'AccessDeniedException'), 'key.denied', /kms:Sign/, 1],
    ['no such key', kmsError(400, 'NotFoundException'), 'key.absent', /no such key/, 1],
    ['a disabled key', kmsError(400, 'DisabledException'), 'key.state', /disabled/, 1],
    ['a key about to be deleted', kmsError(400, 'KMSInvalidStateException'), 'key.state', /about to be deleted/, 1],
    ['a key of another type', kmsError(400, 'InvalidKeyUsageException'), 'key.usage', /of another type/, 1],
    ['old credentials', kmsError(400, 'ExpiredTokenException'), 'key.credentials', /no longer valid/, 1],
  ])('that answers with %s is refused', async (_, reply, code, message, calls) => {
    const { server, signer } = await open(() => reply);
    const thrown = await signer.sign(preimage).catch((cause) => cause);
    expect(thrown).toMatchObject({ code, exit: 3, message: expect.stringMatching(message) });
    expect(thrown.message).not.toContain('welcome');
    expect(server.seen).toHaveLength(calls);
  });

  it('that signs with another key, or something else, is refused', async () => {
    const asked = { KeyId: KEY_ARN, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' };
    const zeros = { ...asked, Message: Buffer.alloc(32).toString('base64') };
    const message = 'does not verify: nothing was written; check that the key';
    for (const answer of [() => signedBy(another.file, zeros), () => signedBy(own.file, zeros)]) {
      const { signer } = await open(answer);
      await expect(signer.sign(preimage)).rejects.toMatchObject({
        code: 'key.signature',
        message: expect.stringContaining(message),
      });
    }
    const { signer } = await open(undefined, { file: another.file, expected: own.expected });
    await expect(signer.sign(preimage)).rejects.toMatchObject({ code: 'key.signature' });
  });

  it.each<[string, (write: (text: string) => void) => void]>([
    ['never answers', () => {}],
    ['sends a byte now and then', (write) => void setInterval(() => write(' '), 20).unref()],
  ])('that %s is left after its time', async (_, talk) => {
    const server = createServer((_request, response) => talk((text) => void response.write(text)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    running.push({ close });
    const address = { ...(parseKeyUrl(`awskms:///${KEY_ARN}`) as KmsAddress) };
    address.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const patience = { sleep: async () => undefined, random: () => 0 };
    const signer = awsSigner(address, own.expected, FAKE_CREDENTIALS, { patience, limit: 150 });
    await expect(signer.sign(preimage)).rejects.toMatchObject({ code: 'key.unreachable', exit: 3 });
  });

  it('without credentials asks nobody', async () => {
    const { server } = await open();
    const signer = awsSigner(parseKeyUrl(server.keyUrl) as KmsAddress, own.expected, {});
    await expect(signer.sign(preimage)).rejects.toMatchObject({ code: 'key.credentials', exit: 2 });
    expect(server.seen).toEqual([]);
  });
});

describe('a key of the contract', () => {
  it.each([
    ['for statements an Ed25519 key', ed25519, 'statement'],
    ['for tree heads a P-256 key', own, 'checkpoint'],
  ] as const)('%s is refused before anything is asked', (_, { expected }, signed) => {
    expect(() => openKey(`awskms:///${KEY_ARN}`, expected, folder, signed, {})).toThrow(
      expect.objectContaining({ code: 'key.type', exit: 2 }),
    );
  });
});
