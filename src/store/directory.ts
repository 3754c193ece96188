import { randomBytes } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { link, lstat, mkdir, open, readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot, messageOf } from '../lib/errors.ts';
import { formatTime } from '../lib/time.ts';
import { isKeyPart, keyParts } from './key.ts';
import type { Put, Store, Stored, StoreEntry } from './store.ts';

/** Unfinished files lie here until they are linked to their name. No key part starts with a dot, so no key leads here. */
const TEMPORARY = '.tmp';

/** What a put has just done. A test listens, to kill the process there. */
export type Step = 'open' | 'write' | 'fsync' | 'link';

/** Opens `file:///folder`. The folder must exist when the store is used. */
export function openDirectory(url: string): Store {
  return directoryStore(folderOf(url));
}

/**
 * A store in a folder. An object appears under its name whole and on disk, or not at all: it is written to a temporary file,
 * synchronised and linked, and a link never replaces what is there. Whoever may write to the folder can still change it behind
 * our back; the ledger's verifier shows that, nothing here prevents it.
 */
export function directoryStore(root: string, onStep: (step: Step) => void = () => {}): Store {
  const onDisk = new Set<string>();
  return {
    descriptor: {
      url: pathToFileURL(root).href,
      kind: 'directory',
      lock: 'none (tamper-evident only)',
      conditionalCreate: true,
      versions: false,
      serverTime: false,
    },
    put: (key, bytes) => put(root, key, bytes, onDisk, onStep),
    get: async (key) => (await read(root, key))?.bytes ?? null,
    read: (key) => read(root, key),
    list: (prefix) => list(root, prefix),
  };
}

function folderOf(url: string): string {
  try {
    const parsed = new URL(url);
    const folder = fileURLToPath(parsed);
    if (url.startsWith('file:///') && parsed.search === '' && parsed.hash === '' && !folder.includes('\0'))
      return folder;
  } catch {
    // Said below.
  }
  throw new BadInput('store.url', `store ${url} does not name a folder: write file:///absolute/folder`);
}

async function put(
  root: string,
  key: string,
  bytes: Uint8Array,
  onDisk: Set<string>,
  onStep: (step: Step) => void,
): Promise<Put> {
  const parts = keyParts(key);
  await requireFolder(root, stat);
  try {
    const temporary = join(
      await subfolder(root, [TEMPORARY], onDisk),
      `${process.pid}-${randomBytes(8).toString('hex')}`,
    );
    const folder = await subfolder(root, parts.slice(0, -1), onDisk);
    const final = join(folder, parts.at(-1) as string);
    let created: boolean;
    try {
      await writeOut(temporary, bytes, onStep);
      created = await linkNew(temporary, final);
      onStep('link');
    } finally {
      // What cannot be removed stays invisible, and must not hide why the put failed.
      await unlink(temporary).catch(() => {});
    }
    // Also when the name was taken: the other writer may not have come to this yet, and we are about to say that it is stored.
    await syncFolder(folder);
    const storeTime = created ? timeOf(await lstat(final)) : null;
    return {
      created,
      receipt: { schema: 'gatehouse/receipt/1', key, versionId: null, storeTime, digest: digestOf(bytes) },
    };
  } catch (cause) {
    throw couldNot(`store ${root}: cannot write ${key}`, cause);
  }
}

async function writeOut(path: string, bytes: Uint8Array, onStep: (step: Step) => void): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    onStep('open');
    await file.writeFile(bytes);
    onStep('write');
    await file.sync();
    onStep('fsync');
  } finally {
    await file.close();
  }
}

async function linkNew(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST') return false;
    throw cause;
  }
}

/** The folder of these parts below root, made where it is missing; on disk before anything is put into it. */
async function subfolder(root: string, parts: string[], onDisk: Set<string>): Promise<string> {
  let folder = root;
  for (const part of parts) {
    const parent = folder;
    folder = join(folder, part);
    await mkdir(folder).catch((cause) => {
      if (codeOf(cause) !== 'EEXIST') throw cause;
    });
    await requireFolder(folder);
    if (onDisk.has(folder)) continue;
    await syncFolder(parent);
    onDisk.add(folder);
  }
  return folder;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function read(root: string, key: string): Promise<Stored | null> {
  const parts = keyParts(key);
  await requireFolder(root, stat);
  try {
    let folder = root;
    for (const part of parts.slice(0, -1)) {
      folder = join(folder, part);
      await requireFolder(folder);
    }
    // O_NONBLOCK: a planted pipe must not hang the reader.
    const file = await open(
      join(folder, parts.at(-1) as string),
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    try {
      const stats = await file.stat();
      if (!stats.isFile()) throw new CouldNot('store.odd', 'it is not a regular file');
      return { bytes: await file.readFile(), storeTime: timeOf(stats), versionId: null };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (codeOf(cause) === 'ENOENT' || (cause as CouldNot).code === 'store.missing') return null;
    throw couldNot(`store ${root}: cannot read ${key}`, cause);
  }
}

async function* list(root: string, prefix: string): AsyncGenerator<StoreEntry> {
  await requireFolder(root, stat);
  const above = prefix.slice(0, prefix.lastIndexOf('/') + 1);
  if (above !== '') keyParts(above.slice(0, -1));
  yield* walk(root, above, prefix);
}

async function* walk(root: string, above: string, prefix: string): AsyncGenerator<StoreEntry> {
  let found: Awaited<ReturnType<typeof entriesOf>>;
  try {
    found = await entriesOf(join(root, above));
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT')
      yield odd(above.slice(0, -1), `a folder that cannot be read (${codeOf(cause) ?? messageOf(cause)})`);
    return;
  }
  for (const entry of found) {
    const key = above + entry.name;
    if (key === TEMPORARY || !(key.startsWith(prefix) || `${key}/`.startsWith(prefix))) continue;
    if (!isKeyPart(entry.name)) yield odd(key, 'a name that no key has');
    else if (entry.isDirectory()) yield* walk(root, `${key}/`, prefix);
    else if (entry.isFile()) yield* fileEntry(root, key);
    else yield odd(key, entry.isSymbolicLink() ? 'a symbolic link' : 'a special file');
  }
}

function entriesOf(folder: string) {
  return readdir(folder, { withFileTypes: true });
}

async function* fileEntry(root: string, key: string): AsyncGenerator<StoreEntry> {
  try {
    const stats = await lstat(join(root, key));
    yield { key, size: stats.size, storeTime: timeOf(stats), versionId: null, oddity: null };
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') yield odd(key, `a file that cannot be read (${codeOf(cause)})`);
  }
}

function odd(key: string, oddity: string): StoreEntry {
  return { key: key.replace(/[^\x20-\x7e]/g, '?'), size: 0, storeTime: null, versionId: null, oddity };
}

/** The time of the last change of the file's own entry: unlike the time of modification, no command sets it at will. */
function timeOf(stats: Stats): string {
  return formatTime(stats.ctimeMs);
}

/** Throws CouldNot unless this is a folder, and below the root not a link to one: it could lead out of the store. */
async function requireFolder(path: string, look: (path: string) => Promise<Stats> = lstat): Promise<void> {
  const stats = await look(path).catch((cause) => {
    throw codeOf(cause) === 'ENOENT'
      ? new CouldNot(
          'store.missing',
          `store folder ${path} does not exist: create it (mkdir -p) or check the store's URL`,
          cause,
        )
      : couldNot(`store folder ${path} cannot be reached`, cause);
  });
  if (stats.isSymbolicLink())
    throw new CouldNot('store.link', `${path} is a symbolic link: evidence is only kept in and read from real folders`);
  if (!stats.isDirectory()) throw new CouldNot('store.not_a_folder', `${path} is not a folder`);
}

function couldNot(what: string, cause: unknown): CouldNot {
  if (cause instanceof CouldNot) return new CouldNot(cause.code, `${what}: ${cause.message}`, cause);
  const code = codeOf(cause);
  return new CouldNot('store.failed', `${what}: ${advice[code ?? ''] ?? messageOf(cause)}`, cause);
}

const advice: Record<string, string> = {
  EACCES: 'permission denied; give this user write access to the folder',
  EROFS: 'the file system is read-only; mount it writable or name another folder',
  ENOSPC: 'the disk is full; make room and run again, nothing half-written is visible',
  EPERM: 'not permitted; the file system must allow hard links and writing by this user',
  ENOTSUP: 'the file system has no hard links, which create-only needs; name a folder on another one',
  ELOOP: 'it is a symbolic link; evidence is only read from real files',
};

function codeOf(cause: unknown): string | undefined {
  return (cause as NodeJS.ErrnoException | undefined)?.code;
}
