import { BadInput } from '../lib/errors.ts';

/** Letters, digits and what the ledger's layout needs; a part never starts with a dot, so `..` and hidden files are out. */
const PART = /^[A-Za-z0-9][A-Za-z0-9._=~-]*$/;
/** File systems take names of 255 bytes, S3 keys of 1024. */
const PART_LIMIT = 255;
const KEY_LIMIT = 1024;

/** Whether a name can be one part of a key. */
export function isKeyPart(name: string): boolean {
  return name.length <= PART_LIMIT && PART.test(name);
}

/** The parts of a key. Throws BadInput when a store could not hold it, or when it would leave the store. */
export function keyParts(key: string): string[] {
  const parts = key.split('/');
  if (key.length > KEY_LIMIT || !parts.every(isKeyPart)) {
    throw new BadInput(
      'store.key',
      `${JSON.stringify(key.slice(0, 200))} is not a store key: it takes parts of letters, digits and . _ = ~ - (first a letter or digit, at most ${PART_LIMIT}) joined by /, at most ${KEY_LIMIT} in all`,
    );
  }
  return parts;
}
