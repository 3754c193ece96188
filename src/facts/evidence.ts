import { pointer } from '../contract/ledger.ts';
import type { Record } from '../contract/record.ts';
import { pointerPrefix } from '../evidence/layout.ts';
import type { LedgerKey } from '../evidence/ledger-keys.ts';
import { readRecordAt } from '../evidence/read-record.ts';
import { digestOf, hexOf } from '../lib/digest.ts';
import { BadInput, Denied, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import type { Store, StoreEntry } from '../store/store.ts';

/** What verifying a record takes. `now` is in milliseconds. */
export interface Ledger {
  store: Store;
  keys: readonly LedgerKey[];
  now: number;
  /** Told, for people, what is there and cannot be used: what is lacking afterwards does not say why. */
  notice?(line: string): void;
}

/** A record that verified: signature by a key in force, role, repository, slot, and the very bytes that its key names. */
export interface VerifiedRecord {
  record: Record;
  key: string;
  signer: string;
  /** When the store took it, in milliseconds. */
  storedAt: number;
}

/** A pointer whose record cannot be used: somebody said something about this digest and it cannot be read. */
export interface Unreadable {
  type: string;
  tool: string | null;
  why: string;
  from: string;
  /** When the store took the pointer, in milliseconds. */
  storedAt: number | null;
}

/**
 * All records about a digest that its by-digest pointers name, of these types. What does not verify is returned, never
 * skipped: a failing scan that was damaged must not look like no scan. Throws CouldNot when the store does not answer.
 */
export async function recordsAbout(
  ledger: Ledger,
  digest: string,
  types: readonly string[],
): Promise<{ records: VerifiedRecord[]; unreadable: Unreadable[] }> {
  const records: VerifiedRecord[] = [];
  const unreadable: Unreadable[] = [];
  const prefix = pointerPrefix(digest);
  for await (const entry of ledger.store.list(prefix)) {
    const type = /^([a-z]+(?:\.[a-z]+)+)-[0-9a-f]{32}\.json$/.exec(entry.key.slice(prefix.length))?.[1] ?? null;
    if (type !== null && !types.includes(type)) continue;
    const storedAt = entry.storeTime === null ? null : parseTime(entry.storeTime);
    const unusable = (why: string, tool: string | null) => {
      ledger.notice?.(`evidence that cannot be used: ${entry.key}: ${why}`);
      unreadable.push({ type: type ?? 'unknown', tool, why, from: entry.key, storedAt });
    };
    if (type === null || entry.oddity !== null) {
      unusable(entry.oddity ?? 'it is no pointer', null);
      continue;
    }
    const target = await readPointer(ledger.store, entry);
    if (typeof target === 'string') {
      unusable(target, null);
      continue;
    }
    const read = await readVerified(ledger, target.key).catch(unreadableKey);
    if (typeof read === 'string') unusable(read, target.tool);
    else if (read.record.type !== type || !read.record.subjects.some((subject) => subject.digest === digest))
      unusable('its record is about something else', target.tool);
    else records.push(read);
  }
  return { records, unreadable };
}

/** A pointer is unsigned: one that leads out of the store is as good as one that leads nowhere. */
export function unreadableKey(cause: unknown): string {
  if (cause instanceof BadInput) return cause.message;
  throw cause;
}

/** One record by its key, verified, or why it is not to be used. */
export async function readVerified(ledger: Ledger, key: string): Promise<VerifiedRecord | string> {
  const found = await ledger.store.read(key).catch(hidden);
  if (typeof found === 'string') return `record ${found}`;
  if (found === null) return `record ${key} is not in the store`;
  const { bytes, storeTime } = found;
  if (!key.includes(`-${hexOf(digestOf(bytes)).slice(0, 32)}.json`))
    return `record ${key} does not have the bytes that its name says`;
  const storedAt = storeTime === null ? null : parseTime(storeTime);
  const read = readRecordAt(key, bytes, { keys: ledger.keys, storedAt, now: ledger.now });
  if (!('record' in read)) return `record ${key}: ${read.detail}`;
  const [problem] = read.problems;
  if (problem !== undefined) return `record ${key}: ${problem.detail}`;
  return storedAt === null
    ? `record ${key} has no time of the store`
    : { record: read.record, key, signer: read.signer, storedAt };
}

/** What somebody hides is not to be had, and that somebody hides it is the reason. */
function hidden(cause: unknown): string {
  if (cause instanceof Denied) return cause.message;
  throw cause;
}

/** Where a pointer leads, or why it is none. */
export async function readPointer(
  store: Store,
  { key, versionId }: StoreEntry,
): Promise<{ key: string; tool: string | null } | string> {
  const bytes = await store.get(key, versionId);
  if (bytes === null) return 'it vanished while it was read';
  try {
    return pointer.parse(parseJson(bytes, 'pointer'));
  } catch (cause) {
    return `it is no pointer (${messageOf(cause).split('\n')[0]})`;
  }
}
