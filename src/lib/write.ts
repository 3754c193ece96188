import { randomBytes } from 'node:crypto';
import { closeSync, fchmodSync, fsyncSync, openSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { BadInput, CouldNot, messageOf } from './errors.ts';

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
    throw new CouldNot('file.unwritable', `cannot write ${what} ${path}: ${whyNot(cause)}`, cause);
  }
}

/** Before long work: throws BadInput where a file that a person named has no folder, or is one. */
export function requirePlace(path: string, what: string): void {
  const unfit = (why: string) => new BadInput('file.unwritable', `cannot write ${what} ${path}: ${why}`);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) throw unfit(reasons.ENOENT as string);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw unfit(reasons.EISDIR as string);
}

/** Why something could not be written, for a person. */
export function whyNot(cause: unknown): string {
  return reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? messageOf(cause);
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such folder; make it first, or name another one',
  EISDIR: 'it is a folder; name a file',
  EEXIST: 'there is a file in the place of a folder',
  ENOTDIR: 'a part of the path is not a folder',
  EACCES: 'permission denied; check its owner and mode',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};
