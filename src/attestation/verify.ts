import { verify } from 'node:crypto';
import { keyHint, publicKey, requireStatementKey } from '../contract/key-type.ts';
import { problemText } from '../contract/problems.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { type Bundle, parseBundle } from './bundle.ts';
import type { TrustedKey } from './signer.ts';
import { PAYLOAD_TYPE, preAuthEncoding, type Statement, statement } from './statement.ts';

export interface Expectation {
  /** The keys that may have signed; chosen by the caller, never out of the bundle. */
  keys: readonly TrustedKey[];
  /** `sha256:…` or `gitCommit:…` that the statement must be about, or null when the caller compares the subjects itself. */
  subjectDigest: string | null;
  predicateTypes: readonly string[];
  /** Whether the key was in force when this was signed, by a time that the caller trusts. */
  inForce: (keyId: string) => boolean;
}

export interface Verified {
  statement: Statement;
  /** Id of the key that signed. */
  signer: string;
  /** RFC 3161 tokens of the bundle, not verified here. */
  timestamps: Buffer[];
}

/**
 * Verifies a key-signed Sigstore bundle with an in-toto statement: one signature, by one of our keys that was in force, over
 * the payload type, with the right statement type, subject and predicate type. Throws Denied with code `attestation.bundle`,
 * `.signature`, `.key_not_in_force`, `.statement`, `.predicate_type` or `.subject`. The predicate is the caller's to check.
 */
export function verifyStatement(bytes: Uint8Array, expected: Expectation, what = 'bundle'): Verified {
  const bundle = parseBundle(bytes, what);
  const signer = signerOf(bundle, expected.keys);
  if (signer === null) {
    throw denied(
      'signature',
      what,
      `its signature is of none of the ${expected.keys.length} keys that may have signed it`,
    );
  }
  if (!expected.inForce(signer))
    throw denied('key_not_in_force', what, `key ${signer} was not in force when it was signed`);
  const parsed = readStatement(bundle, what);
  if (!expected.predicateTypes.includes(parsed.predicateType)) {
    throw denied(
      'predicate_type',
      what,
      `its predicate is ${parsed.predicateType}, expected ${expected.predicateTypes.join(' or ')}`,
    );
  }
  if (expected.subjectDigest !== null && !isAbout(parsed, expected.subjectDigest)) {
    throw denied('subject', what, `it is not about ${expected.subjectDigest}`);
  }
  return { statement: parsed, signer, timestamps: bundle.timestamps };
}

/** The key whose signature it is. The hint only says which to try first; one that names another key is a forgery. */
function signerOf(bundle: Bundle, keys: readonly TrustedKey[]): string | null {
  if (bundle.payloadType !== PAYLOAD_TYPE) return null;
  const preimage = preAuthEncoding(bundle.payloadType, bundle.payload);
  for (const { id, publicKeyPem } of keys) {
    const key = publicKey(publicKeyPem, `public key ${id}`);
    if (bundle.hint !== '' && bundle.hint !== keyHint(key)) continue;
    requireStatementKey(key, `public key ${id}`);
    if (verify('sha256', preimage, key, bundle.signature)) return id;
  }
  return null;
}

function readStatement(bundle: Bundle, what: string): Statement {
  let document: unknown;
  try {
    document = parseJson(bundle.payload, 'payload');
  } catch (cause) {
    throw denied('statement', what, messageOf(cause));
  }
  const parsed = statement.safeParse(document);
  if (parsed.success) return parsed.data;
  throw denied('statement', what, `its payload is not an in-toto statement: ${problemText(parsed.error, statement)}`);
}

function isAbout(parsed: Statement, digest: string): boolean {
  const [algorithm, value] = digest.split(':') as [string, string];
  return parsed.subject.some(
    (subject) => Object.hasOwn(subject.digest, algorithm) && subject.digest[algorithm] === value,
  );
}

function denied(code: string, what: string, why: string): Denied {
  return new Denied(`attestation.${code}`, `not verified: ${what}: ${why}`);
}
