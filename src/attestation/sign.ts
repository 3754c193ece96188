import { verify } from 'node:crypto';
import { keyHint, publicKey, requireStatementKey } from '../contract/key-type.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { CouldNot } from '../lib/errors.ts';
import { BUNDLE_TYPE } from './bundle.ts';
import type { Signer } from './signer.ts';
import { PAYLOAD_TYPE, preAuthEncoding, type Statement } from './statement.ts';

/**
 * Signs an in-toto statement: a Sigstore bundle v0.3 as canonical JSON on one line, the payload canonical as well. The
 * envelope's keyid stays blank: cosign skips a signature whose keyid it does not know. Throws CouldNot when the signer returns
 * something that its own public key does not verify: a broken signature would stay in the store for years.
 */
export async function signStatement(signer: Signer, statement: Statement): Promise<Buffer> {
  const what = `public key ${signer.keyId}`;
  const key = publicKey(signer.publicKeyPem, what);
  requireStatementKey(key, what);
  const payload = canonicalBytes(statement);
  const preimage = preAuthEncoding(PAYLOAD_TYPE, payload);
  const signature = await signer.sign(preimage);
  if (!verify('sha256', preimage, key, signature)) {
    throw new CouldNot(
      'attestation.signer',
      `key ${signer.keyId} returned a signature that its public key does not verify: nothing was written; check that the key's url and its public half belong together`,
    );
  }
  return canonicalBytes({
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: keyHint(key) } },
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType: PAYLOAD_TYPE,
      signatures: [{ sig: signature.toString('base64'), keyid: '' }],
    },
  });
}
