import { verifyStatement } from '../attestation/verify.ts';
import { problemText } from '../contract/problems.ts';
import { PREDICATE_TYPE, RECORD_LIMIT, type Record, recordStatement } from '../contract/record.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import { type FindingCode, SKEW_LIMIT } from './finding.ts';
import { type Place, placeOf, recordKey } from './layout.ts';
import type { LedgerKey } from './ledger-keys.ts';
import { maySign, statementSubjects } from './record.ts';
import { slotId } from './slot.ts';

/** What a reader already knows about the bytes, from sources that their writer did not write. */
export interface Circumstances {
  keys: readonly LedgerKey[];
  /** When the store (or the log) says that it took the record, in milliseconds; null proves no key in force. */
  storedAt: number | null;
  now: number;
}

export interface Problem {
  code: FindingCode;
  detail: string;
}

/** A record that verified, with what is odd about it. */
export interface ReadRecord {
  record: Record;
  signer: string;
  problems: Problem[];
}

/**
 * Verifies one record's bytes: size, canonical form, signature by a ledger key in force, role, repository, subjects, time.
 * Answers with the record only when every one of its claims counts; `problems` then hold what a reader must still be told
 * (a time that does not fit). Never throws for bad bytes.
 */
export function readRecord(bytes: Buffer, circumstances: Circumstances): ReadRecord | Problem {
  try {
    if (bytes.length > RECORD_LIMIT)
      return { code: 'BAD_RECORD', detail: `it has ${bytes.length} bytes, more than ${RECORD_LIMIT}` };
    return readVerified(bytes, circumstances);
  } catch (cause) {
    const codes: { [code: string]: FindingCode } = {
      'attestation.signature': 'BAD_SIGNATURE',
      'attestation.key_not_in_force': 'KEY_NOT_IN_FORCE',
    };
    return {
      code: (cause instanceof Denied ? codes[cause.code] : undefined) ?? 'BAD_RECORD',
      detail: messageOf(cause),
    };
  }
}

/** The same for a record at a key: it must be the very slot that the key names. */
export function readRecordAt(key: string, bytes: Buffer, circumstances: Circumstances): ReadRecord | Problem {
  const read = readRecord(bytes, circumstances);
  if (!('record' in read)) return read;
  const place = placeOf(key);
  return place === null || !belongs(key, read.record, place)
    ? { code: 'MISFILED', detail: `it is ${slotText(read.record)} and does not belong at this key` }
    : read;
}

/** Whether the record's id is that of this place: run, attempt, job, step, number and type. */
export function isSlot(record: Record, place: Place): boolean {
  return record.id === slotId(record.run, place, record.seq, record.type);
}

function belongs(key: string, record: Record, place: Place): boolean {
  // The name's digest is compared by whoever knows the bytes' own; here it only has to stand in its place.
  const expected = recordKey(record, place, `sha256:${key.slice(-37, -5)}`);
  return key === expected && isSlot(record, place);
}

function readVerified(bytes: Buffer, { keys, storedAt, now }: Circumstances): ReadRecord | Problem {
  const byId = new Map(keys.map((key) => [key.id, key]));
  const { statement, signer } = verifyStatement(
    bytes,
    {
      keys,
      subjectDigest: null,
      predicateTypes: [PREDICATE_TYPE],
      inForce: (id) => storedAt !== null && byId.get(id)?.inForce(storedAt) === true,
    },
    'record',
  );
  if (!canonicalBytes(parseJson(bytes, 'record')).equals(bytes))
    return { code: 'BAD_RECORD', detail: 'its bytes are not canonical JSON on one line' };
  const parsed = recordStatement.safeParse(statement);
  if (!parsed.success) return { code: 'BAD_RECORD', detail: problemText(parsed.error, recordStatement) };
  const record = parsed.data.predicate;
  if (!canonicalBytes(parsed.data.subject).equals(canonicalBytes(statementSubjects(record)))) {
    return { code: 'BAD_RECORD', detail: 'its statement is about other subjects than the record in it' };
  }
  const key = byId.get(signer) as LedgerKey;
  if (!maySign(key.role, record.type))
    return { code: 'WRONG_ROLE', detail: `key ${signer} of role ${key.role} signed ${record.type}` };
  if (!key.mayWrite(record.run.repositoryId)) {
    return { code: 'FOREIGN_WRITER', detail: `key ${signer} may not write for repository ${record.run.repositoryId}` };
  }
  return { record, signer, problems: timeProblems(record, storedAt, now) };
}

/** Claimed time against the store's. A record that was spooled and forwarded late is told apart by nothing: it is shown. */
function timeProblems(record: Record, storedAt: number | null, now: number): Problem[] {
  const claimed = parseTime(record.time) as number;
  const seen = Math.min(storedAt ?? now, now);
  if (storedAt !== null && storedAt - claimed > SKEW_LIMIT) {
    return [{ code: 'BACKDATED', detail: `it says ${record.time}, the store took it at ${formatTime(storedAt)}` }];
  }
  return claimed - seen > SKEW_LIMIT
    ? [{ code: 'FUTURE_DATED', detail: `it says ${record.time}, seen at ${formatTime(seen)}` }]
    : [];
}

function slotText(record: Record): string {
  return `${record.type} number ${record.seq} of run ${record.run.id}, attempt ${record.run.attempt}, of ${record.time}`;
}
