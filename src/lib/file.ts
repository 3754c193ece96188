import { createHash } from 'node:crypto';
import { closeSync, constants, createReadStream, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf, sha256Hex } from './digest.ts';
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

/** One digest over all files of a folder: SHA-256 over the sorted lines `<sha256>  <name>`. Throws BadInput for a folder in it. */
export function folderDigest(folder: string, what: string): string {
  return digestOfFiles(namesIn(folder, what).map((name) => [name, readInput(join(folder, name), what)]));
}

/** The same over files that were read already. */
export function digestOfFiles(files: Iterable<[name: string, bytes: Uint8Array]>): string {
  const lines = Array.from(files, ([name, bytes]) => `${sha256Hex(bytes)}  ${name}\n`);
  return digestOf(lines.sort().join(''));
}

/** `sha256:…` of a file of any size. */
export async function fileDigest(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return `sha256:${hash.digest('hex')}`;
}

/** Names in a folder, sorted. Throws BadInput where it cannot be read. */
export function namesIn(folder: string, what: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new BadInput(
      'file.unreadable',
      `cannot read the folder of ${what} ${folder}: ${reasons[code ?? ''] ?? code}`,
      cause,
    );
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
