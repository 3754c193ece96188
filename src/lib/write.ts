import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { CouldNot, messageOf } from './errors.ts';

/** Replaces a file in one step: a reader sees the old or the new bytes, never a part. Throws CouldNot; nothing is left behind. */
export function replaceFile(path: string, bytes: string | Uint8Array, what: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(temporary, 'wx', 0o644);
    try {
      writeSync(file, typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw new CouldNot('file.unwritable', `cannot write ${what} ${path}: ${messageOf(cause)}`, cause);
  }
}
