import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { CouldNot, messageOf } from './errors.ts';

/**
 * Replaces a file in one step: a reader sees the old or the new bytes, never a part. A file that is there keeps its mode.
 * Throws CouldNot; nothing is left behind.
 */
export function replaceFile(path: string, bytes: string | Uint8Array, what: string): void {
  const temporary = `${path}.${randomBytes(6).toString('hex')}`;
  try {
    const file = openSync(temporary, 'wx', 0o644);
    try {
      const mode = statSync(path, { throwIfNoEntry: false })?.mode;
      if (mode !== undefined) fchmodSync(file, mode & 0o777);
      // Unlike one write, this goes on until all is written or the disk says no.
      writeFileSync(file, bytes);
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
