import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BadInput } from './errors.ts';

/**
 * Reads a file that a person named. Throws BadInput saying which one, why not and what to do. `limit` is in bytes, and holds
 * for what tells no size as well: a pipe (`<(…)`), a device.
 */
export function readInput(path: string, what: string, limit = 256 * 1024 * 1024): Buffer {
  try {
    return read(path, limit, `${what} ${path}`);
  } catch (cause) {
    if (cause instanceof BadInput) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new BadInput('file.unreadable', `cannot read ${what} ${path}: ${reasons[code ?? ''] ?? code}`, cause);
  }
}

function read(path: string, limit: number, what: string): Buffer {
  const file = openSync(path, constants.O_RDONLY);
  try {
    const stats = fstatSync(file);
    const size = stats.isFile() ? stats.size : 0;
    if (size > limit) throw tooLarge(what, `${size} bytes`, limit);
    const parts: Buffer[] = [];
    let length = 0;
    for (;;) {
      const part = Buffer.allocUnsafe(Math.max(64 * 1024, size - length + 1));
      const count = readSync(file, part);
      if (count === 0) return Buffer.concat(parts, length);
      parts.push(part.subarray(0, count));
      length += count;
      if (length > limit) throw tooLarge(what, 'no end', limit);
    }
  } finally {
    closeSync(file);
  }
}

function tooLarge(what: string, size: string, limit: number): BadInput {
  return new BadInput('file.too_large', `${what} has ${size}, more than the ${limit} bytes that are read`);
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file; check the path',
  EISDIR: 'it is a folder; name a file',
  EACCES: 'permission denied; check its owner and mode',
  ENOTDIR: 'a part of the path is not a folder',
  ELOOP: 'its symbolic links lead in a circle',
  ENAMETOOLONG: 'the path is too long',
};
