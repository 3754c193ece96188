import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { publicKey, requireCheckpointKey, requireStatementKey, spki } from '../../contract/key-type.ts';
import { BadInput } from '../../lib/errors.ts';
import { readInput } from '../../lib/file.ts';
import type { Signer, TrustedKey } from '../signer.ts';

/**
 * A signer of statements over a private key in a file: `file:key.pem`, relative to `folder` (that of contract.yml), or
 * `file:///absolute/key.pem`. `expected` is the key as the contract names it; another key in the file is refused, since nobody
 * could verify what it signs. Throws BadInput.
 */
export function localSigner(url: string, expected: TrustedKey, folder: string): Signer {
  const key = load(url, expected, folder);
  requireStatementKey(key, `private key ${url}`);
  return {
    keyId: expected.id,
    publicKeyPem: expected.publicKeyPem,
    sign: async (preimage) => sign('sha256', preimage, key),
  };
}

/** The same for checkpoints: an Ed25519 key. */
export function localCheckpointSigner(url: string, expected: TrustedKey, folder: string): Signer {
  const key = load(url, expected, folder);
  requireCheckpointKey(key, `private key ${url}`);
  return {
    keyId: expected.id,
    publicKeyPem: expected.publicKeyPem,
    sign: async (preimage) => sign(null, preimage, key),
  };
}

function load(url: string, expected: TrustedKey, folder: string): KeyObject {
  const path = pathOf(url, folder);
  const key = privateKey(readInput(path, 'private key', 64 * 1024), path);
  if (!spki(createPublicKey(key)).equals(spki(publicKey(expected.publicKeyPem, `public key ${expected.id}`)))) {
    throw new BadInput(
      'key.mismatch',
      `private key ${path} does not belong to the public key ${expected.id} of the contract: nobody could verify what it signs; correct the key's url or its public half`,
    );
  }
  return key;
}

function pathOf(url: string, folder: string): string {
  if (url.startsWith('file:///')) return fileURLToPath(url);
  if (/^file:[^/?#][^?#]*$/.test(url)) return resolve(folder, url.slice('file:'.length));
  throw new BadInput(
    'key.url',
    `key ${url} does not name a file: write file:key.pem or file:///absolute/key.pem; a key in AWS KMS is named by url in contract.yml alone`,
  );
}

function privateKey(pem: Buffer, path: string): KeyObject {
  if (pem.includes('ENCRYPTED')) {
    throw new BadInput(
      'key.encrypted',
      `private key ${path} is encrypted: a pipeline has nobody to type the passphrase; use a key in a KMS, or an unencrypted file for profile local`,
    );
  }
  try {
    return createPrivateKey(pem);
  } catch (cause) {
    // Without the library's message: it might quote what it read.
    throw new BadInput('key.unreadable', `private key ${path} is not a private key in PEM`, cause);
  }
}
