import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Entry, ZipFile } from 'yauzl';
import { Denied, messageOf } from './errors.ts';

/** The most that an archive may hold. Bytes are counted as they come out: what the archive says of its sizes is not believed. */
export interface UnzipLimits {
  files: number;
  bytes: number;
}

export interface UnzippedFile {
  /** Path within the archive, with `/`. */
  path: string;
  digest: string;
  size: number;
}

/**
 * Unpacks an archive that a stranger wrote into an empty folder: regular files under plain relative names, nothing else.
 * Throws Denied `zip.unreadable`, `.name`, `.kind`, `.twice`, `.too_many`, `.too_large`; the folder is then the caller's to
 * remove. The format itself is read by yauzl, which believes the central directory alone, as readers of archives should, and
 * ends an entry that is longer than it says.
 */
export async function unzip(bytes: Buffer, folder: string, limits: UnzipLimits, what: string): Promise<UnzippedFile[]> {
  const { fromBufferPromise } = await import('yauzl');
  const files: UnzippedFile[] = [];
  const seen = new Set<string>();
  let rest = limits.bytes;
  try {
    // Names are bytes until they are checked: yauzl would turn a backslash into a slash.
    const zip = await fromBufferPromise(bytes, { lazyEntries: true, autoClose: false, decodeStrings: false });
    if (zip.entryCount > limits.files)
      throw denied('too_many', what, `holds ${zip.entryCount} files, more than the ${limits.files} that are taken`);
    for await (const entry of zip.eachEntry()) {
      const path = pathOf(entry, what);
      // A file system that folds case would let one file replace another.
      if (seen.has(path.toLowerCase())) throw denied('twice', what, `holds ${JSON.stringify(path)} twice`);
      seen.add(path.toLowerCase());
      if (path.endsWith('/')) continue;
      const file = await writeEntry(zip, entry, join(folder, path), rest, () =>
        denied('too_large', what, `unpacks to more than the ${limits.bytes} bytes that are taken`),
      );
      rest -= file.size;
      files.push({ path, ...file });
    }
  } catch (cause) {
    if (cause instanceof Denied) throw cause;
    throw denied('unreadable', what, `is no archive that can be read: ${messageOf(cause)}`, cause);
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

const PART = /^[A-Za-z0-9._@+=,~ -]+$/;

/** Throws Denied for a name that could lead out of the folder or be another one elsewhere, and for what is no regular file. */
function pathOf(entry: Entry, what: string): string {
  const path = entry.fileNameRaw.toString('latin1');
  const parts = path.replace(/\/$/, '').split('/');
  if (path.length > 512 || parts.length > 16 || parts.some((part) => part === '.' || part === '..' || !PART.test(part)))
    throw denied(
      'name',
      what,
      `holds a file called ${JSON.stringify(path.slice(0, 100))}: only plain names below its own folder are taken`,
    );
  // The upper half of the attributes is the mode, where the archive was made on Unix; 0 says nothing.
  const type = (entry.externalFileAttributes >>> 16) & 0o170000;
  if (type !== 0 && type !== (path.endsWith('/') ? 0o040000 : 0o100000))
    throw denied('kind', what, `holds ${JSON.stringify(path)}, which is a link or a device: only files are taken`);
  if (!entry.canDecodeFileData())
    throw denied('kind', what, `holds ${JSON.stringify(path)} encrypted or compressed in an unusual way`);
  return path;
}

async function writeEntry(
  zip: ZipFile,
  entry: Entry,
  target: string,
  most: number,
  tooLarge: () => Denied,
): Promise<{ digest: string; size: number }> {
  if (entry.uncompressedSize > most) throw tooLarge();
  mkdirSync(dirname(target), { recursive: true });
  const hash = createHash('sha256');
  let size = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      hash.update(chunk);
      done(size > most ? tooLarge() : null, chunk);
    },
  });
  await pipeline(
    await zip.openReadStreamPromise(entry),
    counted,
    createWriteStream(target, { flags: 'wx', mode: 0o644 }),
  );
  return { digest: `sha256:${hash.digest('hex')}`, size };
}

function denied(code: string, what: string, why: string, cause?: unknown): Denied {
  return new Denied(`zip.${code}`, `${what} ${why}; nothing of it is kept`, cause);
}
