import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { BadInput, messageOf } from '../lib/errors.ts';

const parsed = new Map<string, KeyObject>();
const hints = new WeakMap<KeyObject, string>();

/** A public key in PEM, parsed once. `what` names it in the error. Throws BadInput `key.unreadable`. */
export function publicKey(pem: string, what: string): KeyObject {
  const known = parsed.get(pem);
  if (known !== undefined) return known;
  try {
    const key = createPublicKey(pem);
    parsed.set(pem, key);
    return key;
  } catch (cause) {
    throw new BadInput('key.unreadable', `${what} is not a public key in PEM: ${messageOf(cause)}`, cause);
  }
}

/**
 * Throws BadInput `key.type` unless the key can sign statements: every verifier that people use (cosign 2 and 3, Kyverno,
 * policy-controller) reads DSSE as SHA-256 under P-256 or RSA PKCS#1 v1.5; other curves, RSA-PSS and small moduli fail in one
 * or the other, so they are refused before anything is signed.
 */
export function requireStatementKey(key: KeyObject, what: string): void {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec' && namedCurve === 'prime256v1') return;
  if (key.asymmetricKeyType === 'rsa' && (modulusLength ?? 0) >= 2048) return;
  throw wrongType(what, describe(key), 'ECDSA P-256, or RSA of at least 2048 bits (not RSA-PSS)');
}

/** Throws BadInput `key.type` unless the key is Ed25519, the type of C2SP signed notes. */
export function requireCheckpointKey(key: KeyObject, what: string): void {
  if (key.asymmetricKeyType !== 'ed25519') throw wrongType(what, describe(key), 'Ed25519, which signs checkpoints');
}

/**
 * Throws BadInput `key.type` for a key that AWS KMS does not keep (its API reference, CreateKey, KeySpec). Of the types that a
 * contract allows that is RSA of odd sizes.
 */
export function requireKmsKey(key: KeyObject, what: string): void {
  const { modulusLength } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'rsa' && ![2048, 3072, 4096].includes(modulusLength ?? 0))
    throw wrongType(
      what,
      describe(key),
      'a type that AWS KMS keeps: ECDSA P-256, RSA of 2048, 3072 or 4096 bits, Ed25519',
    );
}

/** What goes into a bundle's hint: base64 of SHA-256 over the key's SPKI, as cosign writes it. It names, it proves nothing. */
export function keyHint(key: KeyObject): string {
  // Exporting a key takes longer than verifying a signature with it, and a ledger asks for every record.
  const known = hints.get(key);
  if (known !== undefined) return known;
  const hint = createHash('sha256').update(spki(key)).digest('base64');
  hints.set(key, hint);
  return hint;
}

/** The public key as DER, SubjectPublicKeyInfo (RFC 5280, section 4.1.2.7). */
export function spki(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function describe(key: KeyObject): string {
  const { namedCurve, modulusLength } = key.asymmetricKeyDetails ?? {};
  return [key.asymmetricKeyType, namedCurve, modulusLength].filter((part) => part !== undefined).join(' ');
}

function wrongType(what: string, found: string, expected: string): BadInput {
  return new BadInput(
    'key.type',
    `${what} is of type ${found}: expected ${expected}; make a key of that type and put its public half into contract.yml`,
  );
}
