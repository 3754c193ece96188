import type { Receipt } from '../contract/receipt.ts';
import { BadInput } from '../lib/errors.ts';
import { openDirectory } from './directory.ts';

/** What a store promises, as shown in evidence and to people. */
export interface StoreDescriptor {
  url: string;
  kind: 'directory';
  /** In words, never more than is so: for a directory `none (tamper-evident only)`. */
  lock: string;
  /** Whether of two puts to one key exactly one wins. */
  conditionalCreate: boolean;
  /** Whether overwritten and deleted objects stay readable as versions. */
  versions: boolean;
  /** Whether `storeTime` comes from another machine than the writer's. */
  serverTime: boolean;
}

/** One thing found in a store. */
export interface StoreEntry {
  key: string;
  /** Bytes. */
  size: number;
  /** When the store took it, RFC 3339, by the store's own clock. */
  storeTime: string | null;
  versionId: string | null;
  /** Why this is not an object that a put made (symbolic link, special file, impossible name), or null. Such a thing cannot be read. */
  oddity: string | null;
}

/** `created` false: the key was taken before. The receipt's digest is that of the bytes sent and says nothing of those there. */
export interface Put {
  created: boolean;
  receipt: Receipt;
}

/** An object with what the store itself says about it. */
export interface Stored {
  bytes: Buffer;
  /** When the store took it, RFC 3339, by the store's own clock. */
  storeTime: string | null;
  versionId: string | null;
}

/** A place for evidence: objects are created, listed and read, never changed. */
export interface Store {
  descriptor: StoreDescriptor;
  /** Creates the object; durable when it returns. Throws BadInput for an impossible key and CouldNot when the store does not answer. */
  put(key: string, bytes: Uint8Array, mediaType?: string): Promise<Put>;
  /** The object's bytes, or null when there is none. Throws CouldNot when there is one that cannot be read. */
  get(key: string): Promise<Buffer | null>;
  /** The same with the store's time and version. */
  read(key: string): Promise<Stored | null>;
  /** Everything whose key starts with the prefix, odd things included, in no order. Throws CouldNot when there is no store. */
  list(prefix: string): AsyncIterable<StoreEntry>;
}

/** Opens the store that a URL names. Throws BadInput for a scheme that is not supported. */
export function openStore(url: string): Store {
  if (url.startsWith('file:')) return openDirectory(url);
  throw new BadInput('store.scheme', `store ${url}: this kind of store is not supported; use file:///folder`);
}
