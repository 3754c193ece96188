import { generateKeyPairSync, verify } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localCheckpointSigner, localSigner } from '../../../../src/attestation/keys/local.ts';
import { publicKey } from '../../../../src/contract/key-type.ts';

type Pair = { publicKey: import('node:crypto').KeyObject; privateKey: import('node:crypto').KeyObject };
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Writes the private key into the folder and answers with its URL and the public half. */
function onDisk(name: string, pair: Pair) {
  writeFileSync(join(folder, `${name}.pem`), pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return {
    url: `file:${name}.pem`,
    expected: { id: name, publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString() },
  };
}

const p256 = onDisk('p256', generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const ed25519 = onDisk('ed25519', generateKeyPairSync('ed25519'));

describe('a local signer', () => {
  it.each([
    ['relative to the contract', p256.url],
    ['absolute', `file://${join(folder, 'p256.pem')}`],
  ])('signs with a key whose URL is %s', async (_what, url) => {
    const signer = localSigner(url, p256.expected, folder);
    const signature = await signer.sign(Buffer.from('hello'));
    expect(verify('sha256', Buffer.from('hello'), publicKey(signer.publicKeyPem, 'key'), signature)).toBe(true);
    expect(signer.keyId).toBe('p256');
  });

  it('signs with RSA of 2048 bits', async () => {
    const { url, expected } = onDisk('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }));
    const signature = await localSigner(url, expected, folder).sign(Buffer.from('hello'));
    expect(verify('sha256', Buffer.from('hello'), publicKey(expected.publicKeyPem, 'key'), signature)).toBe(true);
  });

  it.each<[string, Pair]>([
    ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['secp256k1', generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['RSA 1024', generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA-PSS', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }) as unknown as Pair],
    ['Ed25519', generateKeyPairSync('ed25519')],
  ])('refuses %s, which other verifiers do not read', (name, pair) => {
    const { url, expected } = onDisk(name.replace(' ', '-'), pair);
    expect(() => localSigner(url, expected, folder)).toThrow(
      expect.objectContaining({ code: 'key.type', exit: 2, message: expect.stringContaining('expected ECDSA P-256') }),
    );
  });

  it.each<[string, string, { id: string; publicKeyPem: string }, string]>([
    ['a key that is not the contract’s', p256.url, ed25519.expected, 'key.mismatch'],
    ['a public half that is none', p256.url, { id: 'p256', publicKeyPem: 'x' }, 'key.unreadable'],
    ['a file that is missing', 'file:absent.pem', p256.expected, 'file.unreadable'],
    ['a file that is no key', 'file:text.pem', p256.expected, 'key.unreadable'],
    ['an encrypted key', 'file:encrypted.pem', p256.expected, 'key.encrypted'],
    ['a URL with a host', 'file://host/key.pem', p256.expected, 'key.url'],
    ['a URL of another scheme', 'awskms:///x', p256.expected, 'key.url'],
    ['a URL without a path', 'file:', p256.expected, 'key.url'],
  ])('refuses %s', (_what, url, expected, code) => {
    writeFileSync(join(folder, 'text.pem'), 'super secret text');
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    writeFileSync(
      join(folder, 'encrypted.pem'),
      privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }),
    );
    expect(() => localSigner(url, expected, folder)).toThrow(
      expect.objectContaining({ code, exit: 2, message: expect.not.stringContaining('super secret') }),
    );
  });
});

describe('a local signer of checkpoints', () => {
  it('takes Ed25519 and nothing else', async () => {
    const signature = await localCheckpointSigner(ed25519.url, ed25519.expected, folder).sign(Buffer.from('hello'));
    expect(verify(null, Buffer.from('hello'), publicKey(ed25519.expected.publicKeyPem, 'key'), signature)).toBe(true);
    expect(() => localCheckpointSigner(p256.url, p256.expected, folder)).toThrow(
      expect.objectContaining({ code: 'key.type' }),
    );
  });
});
