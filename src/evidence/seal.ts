import { count, digest as digestSchema, slug } from '../contract/primitives.ts';
import type { Receipt } from '../contract/receipt.ts';
import { RECORD_LIMIT } from '../contract/record.ts';
import type { Run } from '../contract/run.ts';
import { digestOf, hexOf } from '../lib/digest.ts';
import { BadInput, CouldNot, Denied } from '../lib/errors.ts';
import { formatTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Store, StoreEntry } from '../store/store.ts';
import { hexOfKey, type Place, placeOf, recordPrefix, runName, runOfKey, sealKey } from './layout.ts';
import { entriesUnder } from './read-object.ts';
import { type RecordInput, signRecord, type Writer } from './record.ts';

/** `data` of run.sealed: how many lines follow in its object and the digest of all of them, line feeds included. */
export const sealData = z.looseObject({
  records: count,
  recordsDigest: digestSchema,
  jobKey: slug,
  stepKey: slug,
});

/** What is known of a run's record before its bytes are read. */
export type RecordReceipt = Pick<Receipt, 'key' | 'digest'> & Partial<Pick<Receipt, 'versionId'>>;

const DAY = 86_400_000;

/**
 * Seals one attempt of a run: one object whose first line is the signed record run.sealed and whose other lines are all records
 * of the run so far, verbatim, in order of their keys. The signature covers the lines by their digest, so a run may have any
 * number of them. Throws BadInput for a record of another run, Denied `seal.record` when bytes are not those of the receipt,
 * CouldNot when a record is gone: a seal without it would hide the loss.
 */
export async function sealRun(
  store: Store,
  input: Omit<RecordInput, 'type' | 'data' | 'attachments'>,
  place: Place,
  writer: Writer,
  receipts: readonly RecordReceipt[],
): Promise<{ receipt: Receipt; records: number }> {
  const keys = new Map(receipts.map((receipt) => [receipt.key, receipt]));
  const lines: Buffer[] = [];
  for (const key of [...keys.keys()].sort())
    lines.push(await fetchRecord(store, keys.get(key) as RecordReceipt, input.run), Buffer.from('\n'));
  const rest = Buffer.concat(lines);
  const data = { records: keys.size, recordsDigest: digestOf(rest), jobKey: place.jobKey, stepKey: place.stepKey };
  const signed = await signRecord({ ...input, type: 'run.sealed', data, attachments: [] }, place, writer);
  const bytes = Buffer.concat([signed.bytes, Buffer.from('\n'), rest]);
  const { receipt } = await store.put(sealKey(signed.record, digestOf(bytes)), bytes, 'application/x-ndjson');
  return { receipt, records: keys.size };
}

/**
 * The run's records that the store lists, on the days from `from` to `until` (milliseconds), for a sealer that may list. What
 * lies there and is no record must not stop the seal: it is left to the verifier.
 */
export async function receiptsOfRun(store: Store, run: Run, from: number, until: number): Promise<RecordReceipt[]> {
  const receipts: RecordReceipt[] = [];
  for (let day = Math.floor(from / DAY) * DAY; day <= until; day += DAY) {
    for (const entry of await entriesUnder(store, recordPrefix(run, formatTime(day).slice(0, 10)))) {
      const digest = await digestOfRecord(store, entry);
      if (digest !== null) receipts.push({ key: entry.key, digest, versionId: entry.versionId });
    }
  }
  return receipts;
}

/** The digest of an object that can be a record: of the right size, on one line, named by its own digest. Otherwise null. */
async function digestOfRecord(store: Store, entry: StoreEntry): Promise<string | null> {
  const hex = placeOf(entry.key) === null ? null : hexOfKey(entry.key);
  if (hex === null || entry.size > RECORD_LIMIT) return null;
  const bytes = await store.get(entry.key, entry.versionId);
  const digest = bytes === null || bytes.includes('\n') ? null : digestOf(bytes);
  return digest !== null && hexOf(digest).startsWith(hex) ? digest : null;
}

async function fetchRecord(store: Store, { key, digest, versionId }: RecordReceipt, run: Run): Promise<Buffer> {
  if (placeOf(key) === null || runOfKey(key) !== runName(run)) {
    throw new BadInput('seal.foreign', `${key} is not a record of run ${runName(run)}: a seal covers its own run only`);
  }
  // The receipt of a record that was there already names no version.
  const bytes = await store.get(key, versionId ?? undefined);
  if (bytes === null)
    throw new CouldNot(
      'seal.record_missing',
      `record ${key} has a receipt but is not in the store: nothing was sealed; keep the receipt and run ledger verify`,
    );
  if (digestOf(bytes) !== digest || bytes.includes('\n')) {
    throw new Denied(
      'seal.record',
      `record ${key} does not have the bytes of its receipt (${digest}): nothing was sealed; run ledger verify`,
    );
  }
  return bytes;
}
