import type { Record } from '../contract/record.ts';
import type { Trust } from '../contract/trust.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { parseTime } from '../lib/time.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import { coveringCode } from './finding.ts';
import { attemptOfSealKey, placeOf } from './layout.ts';
import { readLedgerKeys } from './ledger-keys.ts';
import { contradiction, type Log, leafName, readLog } from './log.ts';
import { inclusionProof, rootFromProof } from './merkle.ts';
import { BULK_LIMIT, DOCUMENT_LIMIT, readAtMost } from './read-object.ts';
import { type Circumstances, type Problem, type ReadRecord, readRecordAt } from './read-record.ts';
import { requireTrustKeys } from './trust-keys.ts';
import { readSeal } from './verify/seal.ts';

/** That a record is in the log, to be checked by anybody who has the notary's key and RFC 6962. */
export interface Inclusion {
  index: number;
  size: number;
  /** Leaf as canonical JSON; its hash is SHA-256(0x00 ‖ these bytes). */
  leaf: string;
  /** Audit path, nearest sibling first, base64. */
  proof: string[];
  /** C2SP checkpoint over `size` leaves. */
  checkpoint: string;
}

export interface RecordProof {
  status: 'proved' | 'failed';
  key: string;
  digest: string;
  /** Id of the key that signed, and the record itself; null when it does not verify. */
  signer: string | null;
  record: Record | null;
  inclusion: Inclusion | null;
  problems: Problem[];
}

/**
 * Proves one record or seal: signature, role, slot, and its place in the log up to the newest checkpoint, consistent with the
 * one in the trust file. `proved` only when all of it holds. Throws BadInput when there is no such record, CouldNot when the store
 * does not answer, Denied when the object cannot be read.
 */
export async function proveRecord(store: Store, trust: Trust, key: string, now: number): Promise<RecordProof> {
  requireTrustKeys(trust);
  const isSeal = attemptOfSealKey(key) !== null;
  const there = placeOf(key) === null && !isSeal ? [] : await allAt(store, key);
  const entry = there.find(({ oddity }) => oddity === null);
  if (entry === undefined)
    throw new BadInput(
      'prove.missing',
      `there is no record at ${key} in ${store.descriptor.url}: take the key from an audit query or from a receipt`,
    );
  const bytes = await readAtMost(store, entry, isSeal ? BULK_LIMIT : DOCUMENT_LIMIT);
  const digest = digestOf(bytes);
  const log = await readLog(store, trust.notary);
  const { keys } = await readLedgerKeys(store, trust.release);
  const { inclusion, problems } = prove(log, trust, entry, digest);
  problems.push(...coveringProblems(there));
  const storedAt = parseTime(
    (inclusion === null ? null : log.leaves[inclusion.index]?.storeTime) ?? entry.storeTime ?? '',
  );
  const read = (isSeal ? readSealed : readRecordAt)(key, bytes, { keys, storedAt, now });
  if ('code' in read)
    return { status: 'failed', key, digest, signer: null, record: null, inclusion, problems: [...problems, read] };
  const all = [...problems, ...read.problems];
  return {
    status: all.length === 0 ? 'proved' : 'failed',
    key,
    digest,
    signer: read.signer,
    record: read.record,
    inclusion,
    problems: all,
  };
}

/** The object and whatever lies over it. */
async function allAt(store: Store, key: string): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.list(key)) if (entry.key === key) entries.push(entry);
  return entries;
}

function coveringProblems(entries: readonly StoreEntry[]): Problem[] {
  return entries.flatMap(({ covers, oddity }) =>
    covers === undefined ? [] : [{ code: coveringCode(covers), detail: `over it lies ${oddity}` }],
  );
}

function readSealed(key: string, bytes: Buffer, circumstances: Circumstances): ReadRecord | Problem {
  const seal = readSeal(key, bytes, circumstances);
  return 'code' in seal ? seal : seal.read;
}

function prove(
  log: Log,
  trust: Trust,
  entry: StoreEntry,
  digest: string,
): { inclusion: Inclusion | null; problems: Problem[] } {
  const outside = trust.checkpoint === null ? null : contradiction(log, trust.checkpoint, trust.notary);
  const problems: Problem[] = [...log.findings, ...(outside === null ? [] : [outside])].map(({ code, detail }) => ({
    code,
    detail,
  }));
  const index = log.leaves.findIndex((leaf) => leafName(leaf) === leafName(entry));
  const { head } = log;
  if (head === null || index === -1 || index >= head.size) {
    return { inclusion: null, problems: [...problems, { code: 'UNANCHORED', detail: 'no checkpoint covers it yet' }] };
  }
  const leaf = log.leaves[index];
  if (leaf?.digest !== digest)
    problems.push({ code: 'MODIFIED', detail: `its bytes have digest ${digest}, its leaf says ${leaf?.digest}` });
  const proof = inclusionProof(log.hashes.slice(0, head.size), index);
  const root = rootFromProof(log.hashes[index] as Buffer, index, head.size, proof);
  if (root?.toString('base64') !== head.root)
    problems.push({
      code: 'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT',
      detail: 'its audit path does not lead to the root of the checkpoint',
    });
  return {
    inclusion: {
      index,
      size: head.size,
      leaf: canonicalBytes(leaf).toString('utf8'),
      proof: proof.map((hash) => hash.toString('base64')),
      checkpoint: head.checkpoint,
    },
    problems,
  };
}
