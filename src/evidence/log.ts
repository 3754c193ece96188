import { type Leaf, type LogBatch, logBatch } from '../contract/ledger.ts';
import { problemText } from '../contract/problems.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import type { Finding } from './finding.ts';
import { batchKey } from './layout.ts';
import { leafHash, MerkleTree, rootOf } from './merkle.ts';
import { BULK_LIMIT, entriesUnder, readAtMost } from './read-object.ts';
import { openTreeHead, type TreeHead } from './tree-head.ts';

export const LOG_PREFIX = 'v1/log/';

/** The name under which the log knows this version of an object. */
export function leafName({ key, versionId }: Pick<Leaf, 'key' | 'versionId'>): string {
  return `${key} ${versionId ?? ''}`;
}

/** The log as the store holds it, as far as it could be checked. */
export interface Log {
  leaves: Leaf[];
  hashes: Buffer[];
  /** The newest tree head that verified and that our leaves hash to; null when there is none. */
  head: (TreeHead & { checkpoint: string }) | null;
  findings: Finding[];
}

/**
 * Reads every batch, verifies each signed tree head and recomputes its root over all leaves so far. Throws CouldNot only when
 * the store cannot be listed; anything wrong in the log is a finding.
 */
export async function readLog(store: Store, notaryPems: readonly string[]): Promise<Log> {
  const log: Log = { leaves: [], hashes: [], head: null, findings: [] };
  const tree = new MerkleTree();
  for (const entry of await entriesUnder(store, `${LOG_PREFIX}batch/`)) {
    const { key } = entry;
    const wrong = (code: Finding['code'], detail: string) => log.findings.push({ code, key, run: null, detail });
    const batch = await readBatch(store, entry);
    if (typeof batch === 'string') {
      wrong('BAD_LOG_BATCH', batch);
      continue;
    }
    if (key !== batchKey(batch.first) || batch.first !== log.leaves.length) {
      wrong(
        'LOG_GAP',
        `it says that it starts at leaf ${batch.first}, where leaf ${log.leaves.length} was due: a batch before it is gone or was replaced`,
      );
    }
    for (const leaf of batch.leaves) {
      const hash = leafHash(canonicalBytes(leaf));
      log.leaves.push(leaf);
      log.hashes.push(hash);
      tree.add(hash);
    }
    checkHead(log, batch.checkpoint, notaryPems, tree, wrong);
  }
  return log;
}

/** What is wrong with a checkpoint that was copied outside earlier, seen against this log, or null. */
export function contradiction(log: Log, checkpoint: string, notaryPems: readonly string[]): Finding | null {
  const outside = { key: null, run: null };
  let head: TreeHead;
  try {
    head = openTreeHead(checkpoint, notaryPems);
  } catch (cause) {
    return { ...outside, code: 'CHECKPOINT_SIG', detail: `the checkpoint kept outside: ${messageOf(cause)}` };
  }
  if (log.head !== null && log.head.origin !== head.origin) {
    return {
      ...outside,
      code: 'CHECKPOINT_SIG',
      detail: `the checkpoint kept outside is of log ${head.origin}, this log is ${log.head.origin}`,
    };
  }
  const wrong = { ...outside, code: 'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT' as const };
  if (head.size > log.hashes.length) {
    return {
      ...wrong,
      detail: `the checkpoint kept outside counts ${head.size} leaves, this log has only ${log.hashes.length}: leaves were taken away`,
    };
  }
  if (rootOf(log.hashes.slice(0, head.size)).toString('base64') !== head.root) {
    return {
      ...wrong,
      detail: `the first ${head.size} leaves do not hash to the root of the checkpoint kept outside: the log was rewritten`,
    };
  }
  return null;
}

/** A batch, or what is wrong with it. No leaf covers a batch, so its bytes have to be the only way to say what it says. */
async function readBatch(store: Store, entry: StoreEntry): Promise<LogBatch | string> {
  try {
    const bytes = await readAtMost(store, entry, BULK_LIMIT);
    const parsed = logBatch.safeParse(parseJson(bytes, 'log batch'));
    if (!parsed.success) return problemText(parsed.error, logBatch);
    return canonicalBytes(parsed.data).equals(bytes) ? parsed.data : 'its bytes are not canonical JSON';
  } catch (cause) {
    return messageOf(cause);
  }
}

function checkHead(
  log: Log,
  checkpoint: string,
  notaryPems: readonly string[],
  tree: MerkleTree,
  wrong: (code: Finding['code'], detail: string) => void,
): void {
  let head: TreeHead;
  try {
    head = openTreeHead(checkpoint, notaryPems);
  } catch (cause) {
    wrong('CHECKPOINT_SIG', messageOf(cause));
    return;
  }
  if (head.size !== tree.size || head.root !== tree.root().toString('base64')) {
    wrong(
      'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT',
      `the signed tree head counts ${head.size} leaves with root ${head.root}; the ${tree.size} leaves up to here have another root`,
    );
  } else if (log.head !== null && log.head.origin !== head.origin) {
    wrong('CHECKPOINT_SIG', `the tree head is of log ${head.origin}, those before it of ${log.head.origin}`);
  } else {
    log.head = { ...head, checkpoint };
  }
}
