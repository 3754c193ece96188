import type { Receipt } from '../contract/receipt.ts';
import { BadInput } from '../lib/errors.ts';
import { openDirectory } from './directory.ts';
import { openS3 } from './s3/store.ts';

/** What a store promises, as shown in evidence and to people. */
export interface StoreDescriptor {
  url: string;
  kind: 'directory' | 's3';
  /** In words, never more than is so: for a directory `none (tamper-evident only)`. */
  lock: string;
  /** Whether of two puts to one key exactly one wins; for a server what it is asked for, `doctor` shows what it does. */
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
  /**
   * Why this is not the object that a put made under this key (symbolic link, special file, impossible name, delete marker,
   * later version), or null. Such a thing is not read.
   */
  oddity: string | null;
  /** What the oddity does to an object of the same key, on a store with versions: names lead past it, or to something else. */
  covers?: 'hides' | 'shadows';
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
  /**
   * The object's bytes, or null when there is none. By name a store with versions gives whatever lies on top, so a reader that
   * has listed passes the entry's version. Throws CouldNot when there is one that cannot be read, Denied `store.hidden` when a
   * delete marker lies on top.
   */
  get(key: string, versionId?: string | null): Promise<Buffer | null>;
  /** The same with the store's time and version. */
  read(key: string, versionId?: string | null): Promise<Stored | null>;
  /**
   * Everything whose key starts with the prefix, odd things included, in no order. Of the versions of a key the first is the
   * object, also where it can no longer be had by name: what was put later is an oddity. Throws CouldNot when there is no store.
   */
  list(prefix: string): AsyncIterable<StoreEntry>;
}

/** Where credentials for a store may be found; endpoints never are. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Opens the store that a URL names. Throws BadInput for a scheme that is not supported and a URL that is wrong. */
export function openStore(url: string, env: Environment): Store {
  if (url.startsWith('file:')) return openDirectory(url);
  if (url.startsWith('s3:')) return openS3(url, env);
  throw new BadInput(
    'store.scheme',
    `store ${url.split(':')[0]}: this kind of store is not supported; use file:///folder or s3://bucket/prefix?region=…`,
  );
}
