import { CouldNot, Denied, messageOf } from '../lib/errors.ts';
import type { Store, StoreEntry } from '../store/store.ts';

/** Limits in bytes for what readers take into memory, by what it is. */
export const DOCUMENT_LIMIT = 64 * 1024;
export const REGISTER_LIMIT = 16 * 1024 * 1024;
export const BULK_LIMIT = 256 * 1024 * 1024;

/** The real objects under a prefix, in order of their keys. Throws CouldNot when the store cannot be listed. */
export async function entriesUnder(store: Store, prefix: string): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.list(prefix)) if (entry.oddity === null) entries.push(entry);
  return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** The bytes of a listed object. Throws Denied `object.unreadable` when it is larger than the limit, gone or cannot be read. */
export async function readAtMost(store: Store, { key, size, versionId }: StoreEntry, limit: number): Promise<Buffer> {
  if (size > limit) throw new Denied('object.unreadable', `it has ${size} bytes, more than the ${limit} that are read`);
  let bytes: Buffer | null;
  try {
    bytes = await store.get(key, versionId);
  } catch (cause) {
    if (cause instanceof CouldNot) throw new Denied('object.unreadable', messageOf(cause), cause);
    throw cause;
  }
  if (bytes === null) throw new Denied('object.unreadable', 'it vanished while the store was read');
  return bytes;
}
