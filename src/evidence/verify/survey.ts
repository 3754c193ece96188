import { type OnceMark, onceMark, pointer, probeMark } from '../../contract/ledger.ts';
import type { Record } from '../../contract/record.ts';
import { digestOf, hexOf } from '../../lib/digest.ts';
import { Denied, messageOf } from '../../lib/errors.ts';
import { parseJson } from '../../lib/json.ts';
import { parseTime } from '../../lib/time.ts';
import type { Store } from '../../store/store.ts';
import { PROBE_PREFIX } from '../../store/store-facts.ts';
import { decode } from '../blob.ts';
import { coveringCode, type Finding, type FindingCode } from '../finding.ts';
import {
  attemptOfSealKey,
  blobOfKey,
  hexOfKey,
  type Place,
  placeOf,
  pointerKeys,
  runName,
  runOfKey,
} from '../layout.ts';
import { KEYS_PREFIX, type LedgerKey, REGISTER_PREFIX } from '../ledger-keys.ts';
import { LOG_PREFIX } from '../log.ts';
import { BULK_LIMIT, DOCUMENT_LIMIT, REGISTER_LIMIT, readAtMost } from '../read-object.ts';
import { type Problem, type ReadRecord, readRecordAt } from '../read-record.ts';
import type { Listed } from './coverage.ts';
import { type Outline, outlineOf } from './outline.ts';
import { readSeal } from './seal.ts';

/** A record whose every claim counts. */
export interface Accepted {
  key: string;
  /** The store's version of the object, where it keeps versions. */
  versionId: string | null;
  digest: string;
  /** Id of the key that signed. */
  signer: string;
  /** Name of its run. */
  run: string;
  place: Place;
  record: Outline;
  /** Keys of the by-digest pointers that it owes. */
  pointers: string[];
  /** When the store took it, in milliseconds. */
  at: number;
  /** Place in the log, as far as a signed tree head covers it. */
  leafIndex: number | null;
}

/** A seal that verified, with the digests of the lines under it. */
export interface AcceptedSeal extends Accepted {
  attempt: number;
  lines: ReadonlySet<string>;
}

/** Everything in the store, as far as it could be read and verified on its own. */
export interface Survey {
  records: Accepted[];
  seals: AcceptedSeal[];
  pointers: Map<string, { target: string; at: number }>;
  marks: Map<string, OnceMark>;
  /** Content of the blobs by key. */
  blobs: Map<string, { digest: string; size: number }>;
  findings: Finding[];
}

/** Is told of each record and seal that counts, whose body is not kept. */
export type OnRecord = (key: string, record: Record) => void;

interface Reading {
  store: Store;
  keys: readonly LedgerKey[];
  now: number;
  survey: Survey;
  onRecord: OnRecord;
}

/** Objects that are read at the same time: a remote store answers each in tens of milliseconds. */
const AT_ONCE = 16;

/** Reads every object once, compares it with its leaf and its name, and verifies what it says. */
export async function takeSurvey(
  store: Store,
  listed: readonly Listed[],
  keys: readonly LedgerKey[],
  now: number,
  onRecord: OnRecord,
): Promise<Survey> {
  const survey: Survey = {
    records: [],
    seals: [],
    pointers: new Map(),
    marks: new Map(),
    blobs: new Map(),
    findings: [],
  };
  const reading: Reading = { store, keys, now, survey, onRecord };
  const queue = listed.values();
  const worker = async () => {
    for (const entry of queue) await look(reading, entry);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return survey;
}

type Look = (reading: Reading, entry: Listed, bytes: Buffer, at: number | null) => Problem[];

/** What lies under each prefix: how much of it is read, and what is made of it. Keys, register and log are read by others. */
const LAYOUT: readonly (readonly [prefix: string, limit: number, look: Look])[] = [
  ['v1/records/', DOCUMENT_LIMIT, lookAtRecord],
  ['v1/seals/', BULK_LIMIT, lookAtSeal],
  ['v1/by-digest/', DOCUMENT_LIMIT, lookAtPointer],
  ['v1/once/', DOCUMENT_LIMIT, lookAtMark],
  ['v1/blobs/', BULK_LIMIT, lookAtBlob],
  [PROBE_PREFIX, DOCUMENT_LIMIT, lookAtProbe],
  [KEYS_PREFIX, DOCUMENT_LIMIT, () => []],
  [REGISTER_PREFIX, REGISTER_LIMIT, () => []],
];

async function look(reading: Reading, entry: Listed): Promise<void> {
  const { key } = entry;
  const add = (code: FindingCode, detail: string) =>
    reading.survey.findings.push({ code, key, run: runOfKey(key), detail });
  if (entry.oddity !== null) {
    add(entry.covers === undefined ? 'NOT_AN_OBJECT' : coveringCode(entry.covers), `it is ${entry.oddity}`);
    return;
  }
  if (key.startsWith(`${LOG_PREFIX}batch/`)) return;
  const place = LAYOUT.find(([prefix]) => key.startsWith(prefix));
  if (place === undefined) {
    add('UNEXPECTED_OBJECT', 'nothing of the ledger lies here');
    return;
  }
  const [, limit, lookAt] = place;
  try {
    const bytes = await readAtMost(reading.store, entry, limit);
    const { leaf } = entry;
    const changed = changeOf(key, digestOf(bytes), leaf);
    if (changed !== null) add('MODIFIED', changed);
    const time = leaf?.storeTime ?? entry.storeTime;
    for (const { code, detail } of lookAt(reading, entry, bytes, time === null ? null : parseTime(time)))
      add(code, detail);
  } catch (cause) {
    if (!(cause instanceof Denied && cause.code === 'object.unreadable')) throw cause;
    add('UNREADABLE', cause.message);
  }
}

function changeOf(key: string, digest: string, leaf: Listed['leaf']): string | null {
  if (leaf !== null && leaf.digest !== digest)
    return `its bytes have digest ${digest}, its leaf in the log says ${leaf.digest}`;
  const hex = hexOfKey(key);
  return hex !== null && !hexOf(digest).startsWith(hex)
    ? `its bytes have digest ${digest}, which is not what its name says`
    : null;
}

function lookAtRecord(reading: Reading, entry: Listed, bytes: Buffer, at: number | null): Problem[] {
  const { keys, now, survey } = reading;
  const read = readRecordAt(entry.key, bytes, { keys, storedAt: at, now });
  if ('code' in read) return [read];
  survey.records.push(accept(reading, entry, bytes, read, placeOf(entry.key) as Place, at as number));
  return read.problems;
}

function lookAtSeal(reading: Reading, entry: Listed, bytes: Buffer, at: number | null): Problem[] {
  const { keys, now, survey } = reading;
  const seal = readSeal(entry.key, bytes, { keys, storedAt: at, now });
  if ('code' in seal) return [seal];
  const attempt = attemptOfSealKey(entry.key) as number;
  const accepted = accept(reading, entry, bytes, seal.read, seal.place, at as number);
  survey.seals.push({ ...accepted, attempt, lines: seal.lines });
  return seal.read.problems;
}

/** A record that verified has been in force at a time, so there is one. */
function accept(
  { onRecord }: Reading,
  { key, versionId, leafIndex }: Listed,
  bytes: Buffer,
  { record, signer }: ReadRecord,
  place: Place,
  at: number,
): Accepted {
  onRecord(key, record);
  const digest = digestOf(bytes);
  return {
    key,
    versionId,
    digest,
    signer,
    run: runName(record.run),
    place,
    record: outlineOf(record),
    pointers: pointerKeys(record, digest),
    at,
    leafIndex,
  };
}

function lookAtPointer({ survey }: Reading, { key }: Listed, bytes: Buffer, at: number | null): Problem[] {
  const parsed = pointer.safeParse(jsonOf(bytes));
  if (!parsed.success) return [{ code: 'BAD_RECORD', detail: 'it is not a by-digest pointer' }];
  survey.pointers.set(key, { target: parsed.data.key, at: at ?? 0 });
  return [];
}

function lookAtMark({ survey }: Reading, { key }: Listed, bytes: Buffer): Problem[] {
  const id = /^v1\/once\/([0-9a-f-]{36})\.json$/.exec(key)?.[1];
  const parsed = onceMark.safeParse(jsonOf(bytes));
  if (id === undefined || !parsed.success)
    return [{ code: 'BAD_RECORD', detail: 'it is not the mark of a consumed decision' }];
  survey.marks.set(id, parsed.data);
  return [];
}

/** What tried the store may lie there, and nothing else may hide among it. */
function lookAtProbe(_: Reading, { key }: Listed, bytes: Buffer): Problem[] {
  const parsed = probeMark.safeParse(jsonOf(bytes));
  return parsed.success && key.startsWith(`${PROBE_PREFIX}${parsed.data.id}`)
    ? []
    : [{ code: 'UNEXPECTED_OBJECT', detail: 'it is not what gatehouse doctor leaves' }];
}

function lookAtBlob({ survey }: Reading, { key }: Listed, bytes: Buffer): Problem[] {
  const claim = blobOfKey(key);
  if (claim === null) return [{ code: 'UNEXPECTED_OBJECT', detail: 'no blob has such a name' }];
  const content = decode(bytes, claim.gzip, BULK_LIMIT);
  if (content === null) return [{ code: 'MODIFIED', detail: 'it cannot be decompressed' }];
  const digest = digestOf(content);
  survey.blobs.set(key, { digest, size: content.length });
  return digest === claim.digest
    ? []
    : [{ code: 'MODIFIED', detail: `its content has digest ${digest}, which is not what its name says` }];
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return parseJson(bytes, 'document');
  } catch (cause) {
    return messageOf(cause);
  }
}
