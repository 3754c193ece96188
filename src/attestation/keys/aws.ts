import { createHash, type KeyObject, verify } from 'node:crypto';
import type { KMSClient } from '@aws-sdk/client-kms';
import { publicKey } from '../../contract/key-type.ts';
import type { KmsAddress } from '../../contract/key-url.ts';
import { type Patience, systemPatience, withRetries } from '../../lib/aws/retry.ts';
import { codeOf, statusOf } from '../../lib/aws/thrown.ts';
import { CouldNot, GatehouseError } from '../../lib/errors.ts';
import type { Signer, TrustedKey } from '../signer.ts';

/** Milliseconds for one attempt. */
const LIMIT = 10_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A signer over a key in AWS KMS. Nothing is loaded or asked before it signs. The service is believed for nothing: what it
 * answers is given out only if the contract's public key verifies it. Throttling and lost answers are tried again, at most 6
 * times in all. `sign` throws BadInput for credentials that are not there, CouldNot for everything else.
 */
export function awsSigner(
  address: KmsAddress,
  expected: TrustedKey,
  env: Environment,
  { patience = systemPatience, limit = LIMIT }: { patience?: Patience; limit?: number } = {},
): Signer {
  const key = publicKey(expected.publicKeyPem, `public key ${expected.id}`);
  let loaded: ReturnType<typeof load> | undefined;
  return {
    keyId: expected.id,
    publicKeyPem: expected.publicKeyPem,
    sign: async (preimage) => {
      loaded ??= load(address, env);
      const { client, sdk } = await loaded;
      const signature = await withRetries(patience, () =>
        inTime(limit, async (abortSignal) => {
          const command = new sdk.SignCommand({ KeyId: address.arn, ...messageFor(key, preimage) });
          return (await client.send(command, { abortSignal })).Signature;
        }),
      ).catch((thrown) => {
        throw failureOf(thrown, address, expected.id);
      });
      const given = ArrayBuffer.isView(signature) ? signature : null;
      if (given === null || !verify(hashFor(key), preimage, key, given))
        throw new CouldNot(
          'key.signature',
          `${address.arn} returned ${given === null ? 'no signature' : `a signature that the public key ${expected.id} of contract.yml does not verify`}: nothing was written; check that the key's url and its public half belong together (aws kms get-public-key shows it)`,
        );
      return Buffer.from(given);
    },
  };
}

/** Lazily, so that no command without such a key pays for the SDK. */
async function load(address: KmsAddress, env: Environment) {
  const sdk = await import('./aws-sdk.ts');
  const client: KMSClient = new sdk.KMSClient(sdk.clientSettings(address, env, { of: 'key', sts: address.sts }));
  return { client, sdk };
}

/**
 * What to sign and how (AWS KMS API reference, Sign). Statements are longer than the 4096 bytes that the service hashes itself,
 * so it gets their digest; Ed25519 knows no digests, and a tree head is short.
 */
function messageFor(key: KeyObject, preimage: Uint8Array) {
  if (key.asymmetricKeyType === 'ed25519')
    return { Message: preimage, MessageType: 'RAW', SigningAlgorithm: 'ED25519_SHA_512' } as const;
  return {
    Message: createHash('sha256').update(preimage).digest(),
    MessageType: 'DIGEST',
    SigningAlgorithm: key.asymmetricKeyType === 'rsa' ? 'RSASSA_PKCS1_V1_5_SHA_256' : 'ECDSA_SHA_256',
  } as const;
}

const hashFor = (key: KeyObject) => (key.asymmetricKeyType === 'ed25519' ? null : 'sha256');

/** One attempt: a server that sends a byte now and then must not hold a job up. */
async function inTime<T>(limit: number, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(limit);
  try {
    return await attempt(signal);
  } catch (thrown) {
    throw signal.aborted && !(thrown instanceof GatehouseError)
      ? Object.assign(new Error('late'), { name: 'TimeoutError' })
      : thrown;
  }
}

/** Never with the service's own message, into which it writes what it likes. */
function failureOf(thrown: unknown, address: KmsAddress, id: string): GatehouseError {
  if (thrown instanceof GatehouseError) return thrown;
  const [code, status] = [codeOf(thrown), statusOf(thrown)];
  const { host } = new URL(address.endpoint);
  const [name, why] = ADVICE[code] ??
    (status !== null && status >= 300 && status < 400 ? REDIRECT : undefined) ??
    (status === 403 ? DENIED : undefined) ?? [
      status === null ? 'unreachable' : 'failed',
      `${host} gave no answer that can be used; check the network, and the region or endpoint= in the key's URL`,
    ];
  return new CouldNot(
    `key.${name}`,
    `cannot sign with key ${id}, ${address.arn} (${code}): ${why}; nothing was written`,
  );
}

type Advice = readonly [name: string, why: string];
const DENIED: Advice = [
  'denied',
  "these credentials lack kms:Sign on this key; see docs/fork.md for each role's policy",
];
const REDIRECT: Advice = [
  'redirect',
  'it redirects, which is never followed; correct the region or endpoint= in the key’s URL',
];
const CREDENTIALS: Advice = [
  'credentials',
  'the credentials of this job are not accepted or no longer valid; see docs/stores.md',
];
const STATE: Advice = [
  'state',
  'the key is disabled or about to be deleted; enable it, or name another one in contract.yml',
];
const ADVICE: Readonly<Record<string, Advice>> = {
  AccessDeniedException: DENIED,
  NotFoundException: ['absent', 'there is no such key in this account and region; correct its url in contract.yml'],
  DisabledException: STATE,
  KMSInvalidStateException: STATE,
  InvalidKeyUsageException: [
    'usage',
    'it is a key of another type than its public half in contract.yml, or not for signing',
  ],
  UnrecognizedClientException: CREDENTIALS,
  InvalidClientTokenId: CREDENTIALS,
  InvalidSignatureException: CREDENTIALS,
  IncompleteSignatureException: CREDENTIALS,
  MissingAuthenticationTokenException: CREDENTIALS,
  ExpiredTokenException: CREDENTIALS,
};
