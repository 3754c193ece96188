import { readFileSync, statSync } from 'node:fs';
import { BadInput } from './errors.ts';

/** Reads a file that a person named. Throws BadInput saying which one, why not and what to do. `limit` is in bytes. */
export function readInput(path: string, what: string, limit = 256 * 1024 * 1024): Buffer {
  try {
    const { size } = statSync(path);
    if (size > limit) {
      throw new BadInput('file.too_large', `${what} ${path} has ${size} bytes, more than the ${limit} that are read`);
    }
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof BadInput) throw cause;
    const code = (cause as NodeJS.ErrnoException).code;
    throw new BadInput('file.unreadable', `cannot read ${what} ${path}: ${reasons[code ?? ''] ?? code}`, cause);
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'there is no such file; check the path',
  EISDIR: 'it is a folder; name a file',
  EACCES: 'permission denied; check its owner and mode',
  ENOTDIR: 'a part of the path is not a folder',
};
