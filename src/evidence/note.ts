import { createHash, verify } from 'node:crypto';
import type { Signer } from '../attestation/signer.ts';
import { publicKey, requireCheckpointKey, spki } from '../contract/key-type.ts';
import { Denied } from '../lib/errors.ts';

/*
 * C2SP signed note with Ed25519 signatures (c2sp.org/signed-note, signature type 0x01): text, a blank line, lines of
 * `— <key name> <base64 of key id and signature>`. Ed25519 because the specification defines that type in full, and every
 * witness and log reads it; the notary's P-256 key for records is another one.
 */

/** Signs a text that ends in a line feed. `name` has neither spaces nor plus signs. */
export async function signNote(text: string, name: string, signer: Signer): Promise<string> {
  const signature = await signer.sign(Buffer.from(text, 'utf8'));
  return `${text}\n— ${name} ${Buffer.concat([keyId(name, signer.publicKeyPem), signature]).toString('base64')}\n`;
}

/**
 * The text of a note that one of these keys signed under this name. Signatures of others are ignored, as the specification
 * asks; a wrong one of ours is not. Throws Denied `note.malformed` or `note.signature`.
 */
export function openNote(note: string, name: string, keyPems: readonly string[]): string {
  const end = note.lastIndexOf('\n\n');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
  if (end === -1 || !note.endsWith('\n') || /[\u0000-\u0009\u000b-\u001f]/.test(note)) {
    throw new Denied(
      'note.malformed',
      'not verified: it is not a signed note: expected text, an empty line and signature lines',
    );
  }
  const text = note.slice(0, end + 1);
  const lines = note.slice(end + 2, -1).split('\n');
  const signatures = lines.flatMap((line) => signatureOf(line, name));
  const outcomes = keyPems.flatMap((pem) => {
    const id = keyId(name, pem);
    return signatures
      .filter((bytes) => bytes.subarray(0, 4).equals(id))
      .map((bytes) => verify(null, Buffer.from(text, 'utf8'), publicKey(pem, 'notary key'), bytes.subarray(4)));
  });
  if (outcomes.length === 0)
    throw new Denied('note.signature', `not verified: the note has no signature of ${name} by a trusted notary key`);
  if (outcomes.includes(false)) throw new Denied('note.signature', `not verified: the signature of ${name} is wrong`);
  return text;
}

/** Signature bytes of a line that bears this name; a line of another form is no note. */
function signatureOf(line: string, name: string): Buffer[] {
  const [, signer, base64 = ''] = /^— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u.exec(line) ?? [];
  const bytes = Buffer.from(base64, 'base64');
  if (signer === undefined || bytes.toString('base64') !== base64) {
    throw new Denied('note.malformed', `not verified: ${JSON.stringify(line.slice(0, 80))} is not a signature line`);
  }
  return signer === name ? [bytes] : [];
}

/** First 4 bytes of SHA-256(name ‖ LF ‖ 0x01 ‖ public key of 32 bytes). */
function keyId(name: string, pem: string): Buffer {
  const key = publicKey(pem, 'notary key');
  requireCheckpointKey(key, 'notary key');
  // The SPKI of an Ed25519 key ends in the 32 bytes of the key.
  return createHash('sha256')
    .update(`${name}\n`)
    .update(Buffer.of(1))
    .update(spki(key).subarray(-32))
    .digest()
    .subarray(0, 4);
}
