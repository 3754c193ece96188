import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { bundleFromJSON } from '@sigstore/bundle';
import { toSignedEntity, Verifier } from '@sigstore/verify';
import { signStatement } from '../../../src/attestation/sign.ts';
import type { Signer } from '../../../src/attestation/signer.ts';
import type { Statement } from '../../../src/attestation/statement.ts';
import { type Expectation, verifyStatement } from '../../../src/attestation/verify.ts';

const HEX = 'a'.repeat(64);
const TYPE = 'https://example.org/predicate/v1';
const statement: Statement = {
  _type: 'https://in-toto.io/Statement/v1',
  subject: [{ name: 'app', digest: { sha256: HEX } }],
  predicateType: TYPE,
  predicate: { answer: 42, text: 'é' },
};

function signerOver(pair: {
  publicKey: import('node:crypto').KeyObject;
  privateKey: import('node:crypto').KeyObject;
}): Signer {
  return {
    keyId: 'key-1',
    publicKeyPem: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: async (preimage) => sign('sha256', preimage, pair.privateKey),
  };
}
const p256 = signerOver(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const other = signerOver(generateKeyPairSync('ec', { namedCurve: 'P-256' }));
const rsa = signerOver(generateKeyPairSync('rsa', { modulusLength: 2048 }));

const expecting = (signer: Signer, more: Partial<Expectation> = {}): Expectation => ({
  keys: [{ id: 'key-1', publicKeyPem: signer.publicKeyPem }],
  subjectDigest: `sha256:${HEX}`,
  predicateTypes: [TYPE],
  inForce: () => true,
  ...more,
});

/** The bundle with one thing changed after it was signed. */
// biome-ignore lint/suspicious/noExplicitAny: it bends what the schema forbids
async function changed(change: (bundle: any) => void): Promise<Buffer> {
  const bundle = JSON.parse((await signStatement(p256, statement)).toString());
  change(bundle);
  return Buffer.from(JSON.stringify(bundle));
}

/** Signs what no signer of ours would. */
async function signedPayload(payload: string, payloadType = 'application/vnd.in-toto+json'): Promise<Buffer> {
  const preimage = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${Buffer.byteLength(payload)} `),
    Buffer.from(payload),
  ]);
  const sig = (await p256.sign(preimage)).toString('base64');
  return changed((bundle) => {
    bundle.dsseEnvelope = {
      payload: Buffer.from(payload).toString('base64'),
      payloadType,
      signatures: [{ sig, keyid: '' }],
    };
  });
}

const codeOf = (bytes: Uint8Array, expected: Expectation) => {
  try {
    verifyStatement(bytes, expected);
    return 'verified';
  } catch (thrown) {
    return (thrown as { code: string }).code;
  }
};

describe('a signed statement', () => {
  it.each([
    ['P-256', p256],
    ['RSA 2048', rsa],
  ])('by %s verifies here and in @sigstore/verify', async (_name, signer) => {
    const bytes = await signStatement(signer, statement);
    expect(verifyStatement(bytes, expecting(signer))).toEqual({ statement, signer: 'key-1', timestamps: [] });
    const nothing = { certificateAuthorities: [], timestampAuthorities: [], tlogs: [], ctlogs: [] };
    const material = {
      ...nothing,
      publicKey: () => ({ publicKey: createPublicKey(signer.publicKeyPem), validFor: () => true }),
    };
    const entity = toSignedEntity(bundleFromJSON(JSON.parse(bytes.toString())));
    expect(() =>
      new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }).verify(entity),
    ).not.toThrow();
  });

  it('is canonical JSON with a blank keyid, so that cosign does not skip the signature', async () => {
    const text = (await signStatement(p256, statement)).toString();
    expect(text).toMatch(
      /^\{"dsseEnvelope":\{"payload":"[^"]+","payloadType":"application\/vnd.in-toto\+json","signatures":\[\{"keyid":"","sig":"[^"]+"\}\]\},"mediaType":/,
    );
    expect(text).not.toMatch(/\s/);
  });

  it('does not verify with any one byte changed', async () => {
    const bytes = await signStatement(p256, statement);
    const survivors: number[] = [];
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [0x01, 0x20]) {
        const tampered = Buffer.from(bytes);
        tampered[at] = (tampered[at] as number) ^ bit;
        if (codeOf(tampered, expecting(p256)) === 'verified') survivors.push(at);
      }
    }
    expect(survivors).toEqual([]);
  });

  it('is refused when the signer returns a signature that its public key does not verify', async () => {
    await expect(signStatement({ ...p256, publicKeyPem: other.publicKeyPem }, statement)).rejects.toMatchObject({
      code: 'attestation.signer',
      exit: 3,
    });
  });
});

describe('verification refuses', () => {
  it.each<[string, () => Promise<Uint8Array>, Partial<Expectation>, string]>([
    ['another key', () => signStatement(other, statement), {}, 'attestation.signature'],
    ['no keys at all', () => signStatement(p256, statement), { keys: [] }, 'attestation.signature'],
    [
      'a key that was not in force',
      () => signStatement(p256, statement),
      { inForce: () => false },
      'attestation.key_not_in_force',
    ],
    [
      'another subject',
      () => signStatement(p256, statement),
      { subjectDigest: `sha256:${'b'.repeat(64)}` },
      'attestation.subject',
    ],
    [
      'a subject with the digest under another algorithm',
      () => signStatement(p256, { ...statement, subject: [{ digest: { sha512: HEX } }] }),
      {},
      'attestation.subject',
    ],
    [
      'an inherited property as algorithm',
      () => signStatement(p256, statement),
      { subjectDigest: 'constructor:x' },
      'attestation.subject',
    ],
    [
      'another predicate type',
      () => signStatement(p256, statement),
      { predicateTypes: ['https://example.org/other'] },
      'attestation.predicate_type',
    ],
    [
      'another payload type',
      () => signedPayload(JSON.stringify(statement), 'application/json'),
      {},
      'attestation.signature',
    ],
    [
      'another statement type',
      () => signedPayload(JSON.stringify({ ...statement, _type: 'https://in-toto.io/Statement/v2' })),
      {},
      'attestation.statement',
    ],
    ['a payload with a repeated key', () => signedPayload('{"_type":"a","_type":"b"}'), {}, 'attestation.statement'],
    ['a payload that is not JSON', () => signedPayload('hello'), {}, 'attestation.statement'],
    [
      'a statement without subject',
      () => signedPayload(JSON.stringify({ ...statement, subject: [] })),
      {},
      'attestation.statement',
    ],
    [
      'two signatures',
      () => changed((b) => b.dsseEnvelope.signatures.push(b.dsseEnvelope.signatures[0])),
      {},
      'attestation.bundle',
    ],
    ['no signature', () => changed((b) => b.dsseEnvelope.signatures.pop()), {}, 'attestation.bundle'],
    [
      'a key id that nobody signed',
      () => changed((b) => (b.dsseEnvelope.signatures[0].keyid = 'SHA256:x')),
      {},
      'attestation.bundle',
    ],
    [
      'a hint at another key',
      () => changed((b) => (b.verificationMaterial.publicKey.hint = 'x')),
      {},
      'attestation.signature',
    ],
    [
      'a public key smuggled into the bundle',
      () => changed((b) => (b.verificationMaterial.publicKey.rawBytes = 'AA==')),
      {},
      'attestation.bundle',
    ],
    [
      'a certificate in place of our key',
      () => changed((b) => (b.verificationMaterial = { certificate: { rawBytes: 'AA==' } })),
      {},
      'attestation.bundle',
    ],
    [
      'a log entry that nobody checked',
      () => changed((b) => (b.verificationMaterial.tlogEntries = [{}])),
      {},
      'attestation.bundle',
    ],
    [
      'another bundle version',
      () => changed((b) => (b.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.2')),
      {},
      'attestation.bundle',
    ],
    ['no bytes', async () => Buffer.alloc(0), {}, 'attestation.bundle'],
    ['bytes that are not text', async () => Buffer.from([0xff, 0xfe, 0]), {}, 'attestation.bundle'],
    ['null', async () => Buffer.from('null'), {}, 'attestation.bundle'],
  ])('%s', async (_what, bytes, expected, code) => {
    expect(codeOf(await bytes(), expecting(p256, expected))).toBe(code);
  });

  it('nothing of a bundle without a hint, of statement v0.1, or with timestamps that it hands on', async () => {
    expect(codeOf(await changed((b) => delete b.verificationMaterial.publicKey.hint), expecting(p256))).toBe(
      'verified',
    );
    expect(
      codeOf(
        await signedPayload(JSON.stringify({ ...statement, _type: 'https://in-toto.io/Statement/v0.1' })),
        expecting(p256),
      ),
    ).toBe('verified');
    const stamped = await changed(
      (b) => (b.verificationMaterial.timestampVerificationData = { rfc3161Timestamps: [{ signedTimestamp: 'MAA=' }] }),
    );
    expect(verifyStatement(stamped, expecting(p256)).timestamps).toEqual([Buffer.from('MAA=', 'base64')]);
  });

  it('says which of several keys signed', async () => {
    const keys = [other, p256, rsa].map(({ publicKeyPem }, i) => ({ id: `key-${i}`, publicKeyPem }));
    expect(verifyStatement(await signStatement(p256, statement), expecting(p256, { keys })).signer).toBe('key-1');
  });
});
