import { publicKey, requireCheckpointKey, requireStatementKey } from '../../contract/key-type.ts';
import { parseKeyUrl } from '../../contract/key-url.ts';
import type { Signer, TrustedKey } from '../signer.ts';
import { awsSigner } from './aws.ts';
import { localCheckpointSigner, localSigner } from './local.ts';

/** What is signed: statements, or tree heads, which take another type of key. */
export type Signed = 'statement' | 'checkpoint';

/**
 * The signer over the key that a URL of contract.yml names. `folder` is that of contract.yml; of `env` credentials are taken,
 * never an address. Throws BadInput.
 */
export function openKey(
  url: string,
  expected: TrustedKey,
  folder: string,
  signed: Signed,
  env: Readonly<Record<string, string | undefined>>,
): Signer {
  const address = parseKeyUrl(url);
  if (address === null) return openFile(url, expected, folder, signed);
  const key = publicKey(expected.publicKeyPem, `public key ${expected.id}`);
  (signed === 'statement' ? requireStatementKey : requireCheckpointKey)(key, `public key ${expected.id}`);
  return awsSigner(address, expected, env);
}

/** The same for a key in a file alone. */
export function openFile(url: string, expected: TrustedKey, folder: string, signed: Signed): Signer {
  return (signed === 'statement' ? localSigner : localCheckpointSigner)(url, expected, folder);
}
