import type { Signer } from '../attestation/signer.ts';
import type { Leaf } from '../contract/ledger.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { CouldNot, Denied } from '../lib/errors.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import { batchKey } from './layout.ts';
import { contradiction, LOG_PREFIX, type Log, leafName, readLog } from './log.ts';
import { leafHash, rootOf } from './merkle.ts';
import { signTreeHead } from './tree-head.ts';

/** Leaves in one batch object, so that one object stays readable. */
const BATCH_LIMIT = 10_000;

export interface CheckpointInput {
  /** The notary's Ed25519 key. */
  signer: Signer;
  /** Name of the log; the same for its whole life. */
  origin: string;
  /** Notary keys that signed earlier checkpoints, PEM. */
  earlierKeys: readonly string[];
  /** The last checkpoint as it was copied outside, or null for a log that has none. */
  previous: string | null;
}

export interface CheckpointResult {
  /** The signed tree head, to be copied where the notary cannot rewrite it. Null when the store is empty. */
  checkpoint: string | null;
  size: number;
  /** Leaves that this tick added. */
  added: number;
  /** Keys of objects that could not be read and so are not covered. */
  unread: string[];
}

/**
 * One tick of the notary: a leaf for each object that the log lacks, a signed tree head over all of them. Refuses to continue a
 * log that does not hold together or that contradicts the checkpoint kept outside: signing on top would make the forgery ours.
 * Throws Denied `checkpoint.log`, CouldNot `checkpoint.raced` when another notary wrote at the same time.
 */
export async function checkpoint(store: Store, input: CheckpointInput): Promise<CheckpointResult> {
  const keys = [input.signer.publicKeyPem, ...input.earlierKeys];
  const log = await readLog(store, keys);
  requireSound(log, input, keys);
  const before = log.leaves.length;
  const { leaves, unread } = await newLeaves(store, log);
  let latest = log.head?.checkpoint ?? null;
  for (let start = 0; start < leaves.length; start += BATCH_LIMIT) {
    latest = await appendBatch(store, log, leaves.slice(start, start + BATCH_LIMIT), input);
  }
  return { checkpoint: latest, size: log.leaves.length, added: log.leaves.length - before, unread };
}

function requireSound(log: Log, input: CheckpointInput, keys: readonly string[]): void {
  const [broken] = log.findings;
  const against = input.previous === null ? null : contradiction(log, input.previous, keys);
  const finding = broken ?? against;
  if (finding) {
    throw new Denied(
      'checkpoint.log',
      `no checkpoint was made: ${finding.code}${finding.key === null ? '' : ` at ${finding.key}`}: ${finding.detail}; keep the store as it is and run ledger verify`,
    );
  }
  if (log.head !== null && log.head.origin !== input.origin) {
    throw new Denied(
      'checkpoint.log',
      `no checkpoint was made: this log is named ${log.head.origin}, not ${input.origin}`,
    );
  }
}

/** Objects without a leaf, in order of their keys. The log does not list itself: each head covers the batches before it. */
async function newLeaves(store: Store, log: Log): Promise<{ leaves: Leaf[]; unread: string[] }> {
  const known = new Set(log.leaves.map(leafName));
  const leaves: Leaf[] = [];
  const unread: string[] = [];
  for await (const entry of store.list('v1/')) {
    const { key, versionId, storeTime, oddity } = entry;
    if (oddity !== null || key.startsWith(LOG_PREFIX) || known.has(leafName(entry))) continue;
    const digest = await digestAt(store, entry);
    if (digest === null) unread.push(key);
    else leaves.push({ key, versionId, digest, storeTime });
  }
  return { leaves: leaves.sort((a, b) => (a.key < b.key ? -1 : 1)), unread };
}

/** One object that cannot be read must not keep all others from being covered. */
async function digestAt(store: Store, { key, versionId }: StoreEntry): Promise<string | null> {
  try {
    const bytes = await store.get(key, versionId);
    return bytes === null ? null : digestOf(bytes);
  } catch (cause) {
    if (cause instanceof CouldNot) return null;
    throw cause;
  }
}

async function appendBatch(store: Store, log: Log, leaves: Leaf[], input: CheckpointInput): Promise<string> {
  const first = log.leaves.length;
  log.leaves.push(...leaves);
  log.hashes.push(...leaves.map((leaf) => leafHash(canonicalBytes(leaf))));
  const head = { origin: input.origin, size: log.hashes.length, root: rootOf(log.hashes).toString('base64') };
  const signed = await signTreeHead(head, input.signer);
  const batch = canonicalBytes({ schema: 'gatehouse/log-batch/1', first, leaves, checkpoint: signed });
  if (!(await store.put(batchKey(first), batch, 'application/json')).created) {
    throw new CouldNot(
      'checkpoint.raced',
      `another notary wrote ${batchKey(first)} at the same time: run ledger checkpoint again`,
    );
  }
  return signed;
}
