import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hexOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { type Descriptor, MANIFEST_LIMIT } from './manifest.ts';

/*
 * The files of an OCI image layout, which a job that runs a caller's code has written: every name is followed by us alone,
 * never by a link.
 */

/** Throws BadInput where the layout itself is not there, or is a file: an archive was left as one. */
export function checkThere(layout: string): void {
  const stat = statSync(layout, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  throw new BadInput(
    'layout.missing',
    stat === undefined
      ? `there is no folder ${layout}: name the one in which the build left its OCI image layout (${EXAMPLE})`
      : `${layout} is a file: an OCI image layout is a folder; unpack the archive, or build without it (${EXAMPLE})`,
  );
}

/** Refuses a folder of the layout that is a link or no folder. `parts` are below the layout. */
export function checkFolder(layout: string, ...parts: string[]): void {
  const path = join(layout, ...parts);
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) throw broken(layout, `there is no folder ${parts.join('/')}`);
  if (!stat.isDirectory()) throw broken(layout, `${parts.join('/')} is not a folder (a link is not followed)`);
}

/** Reads a small file whole. Throws BadInput where it is absent, a link, no plain file, or larger than a manifest may be. */
export function readSmall(layout: string, ...parts: string[]): Buffer {
  const name = parts.join('/');
  return withFile(layout, parts, (file, size) => {
    if (size > MANIFEST_LIMIT)
      throw broken(layout, `${name} has ${size} bytes, more than the ${MANIFEST_LIMIT} that are read`);
    const bytes = Buffer.alloc(size);
    return bytes.subarray(0, readSync(file, bytes, 0, size, 0));
  });
}

/** Reads a blob whole after checking it against its descriptor; for manifests and configs. */
export function readBlob(layout: string, blob: Descriptor): Buffer {
  checkBlob(layout, blob);
  return readSmall(layout, ...partsOf(blob));
}

/** Checks that the blob is there with exactly the size and the digest that its descriptor says. */
export function checkBlob(layout: string, blob: Descriptor): void {
  withFile(layout, partsOf(blob), (file, size) => {
    if (size !== blob.size)
      throw broken(layout, `blob ${blob.digest} has ${size} bytes where its descriptor says ${blob.size}`);
    const hash = createHash('sha256');
    for (const chunk of chunks(file)) hash.update(chunk);
    const found = `sha256:${hash.digest('hex')}`;
    if (found !== blob.digest) throw broken(layout, `the content of blob ${blob.digest} hashes to ${found}`);
  });
}

/** The content of a blob, in pieces. */
export async function* openBlob(layout: string, blob: Descriptor): AsyncGenerator<Uint8Array> {
  const file = open(layout, partsOf(blob));
  try {
    yield* chunks(file);
  } finally {
    closeSync(file);
  }
}

/** A layout that is not as it should be, with the way out. */
export function broken(layout: string, what: string, cause?: unknown): BadInput {
  return new BadInput(
    'layout.malformed',
    `the image layout ${layout} is malformed: ${what}; build it again and hand it over unchanged (${EXAMPLE})`,
    cause,
  );
}

const EXAMPLE = 'for example: buildx build --output type=oci,tar=false,dest=FOLDER';

function partsOf(blob: Descriptor): string[] {
  return ['blobs', 'sha256', hexOf(blob.digest)];
}

function withFile<T>(layout: string, parts: string[], use: (file: number, size: number) => T): T {
  const file = open(layout, parts);
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) throw broken(layout, `${parts.join('/')} is not a file`);
    return use(file, stat.size);
  } finally {
    closeSync(file);
  }
}

/** O_NOFOLLOW: not a link, also not one put there a moment ago; O_NONBLOCK: a pipe does not keep us waiting. */
function open(layout: string, parts: string[]): number {
  try {
    return openSync(join(layout, ...parts), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    throw broken(layout, `${parts.join('/')} ${reasons[code] ?? `cannot be read (${code})`}`, cause);
  }
}

const reasons: Record<string, string> = {
  ENOENT: 'is missing',
  ELOOP: 'is a link, which is not followed',
  EACCES: 'may not be read',
};

const CHUNK = 1024 * 1024;

function* chunks(file: number): Generator<Uint8Array> {
  for (;;) {
    const chunk = Buffer.alloc(CHUNK);
    const read = readSync(file, chunk);
    if (read === 0) return;
    yield chunk.subarray(0, read);
  }
}
