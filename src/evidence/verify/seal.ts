import { digestOf } from '../../lib/digest.ts';
import { attemptOfSealKey, dayOf, type Place, runName, runOfKey } from '../layout.ts';
import { type Circumstances, isSlot, type Problem, type ReadRecord, readRecord } from '../read-record.ts';
import { sealData } from '../seal.ts';

const LINE_FEED = 0x0a;

/**
 * Reads a seal: its first line is a record run.sealed for the run, attempt and day of its name, and what it signs are the lines
 * behind it. Answers with their digests, which are those of the records at their own keys.
 */
export function readSeal(
  key: string,
  bytes: Buffer,
  circumstances: Circumstances,
): { read: ReadRecord; place: Place; lines: Set<string> } | Problem {
  const end = bytes.indexOf(LINE_FEED);
  if (end === -1) return bad('it has no complete first line');
  const read = readRecord(bytes.subarray(0, end), circumstances);
  if ('code' in read) return read;
  const { record } = read;
  const data = sealData.safeParse(record.data);
  if (record.type !== 'run.sealed' || !data.success) return bad('its first line is not a record run.sealed');
  const place = { jobKey: data.data.jobKey, stepKey: data.data.stepKey };
  if (
    runOfKey(key) !== runName(record.run) ||
    attemptOfSealKey(key) !== record.run.attempt ||
    !key.includes(`/dt=${dayOf(record)}/`) ||
    !isSlot(record, place)
  ) {
    return {
      code: 'MISFILED',
      detail: `it seals attempt ${record.run.attempt} of run ${runName(record.run)} of ${record.time} and does not belong at this key`,
    };
  }
  const rest = bytes.subarray(end + 1);
  const lines = linesOf(rest);
  if (digestOf(rest) !== data.data.recordsDigest || lines.length !== data.data.records)
    return bad('the lines behind the first are not those that it signs');
  return { read, place, lines: new Set(lines.map(digestOf)) };
}

function linesOf(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, start);
    const stop = end === -1 ? bytes.length : end;
    lines.push(bytes.subarray(start, stop));
    start = stop + 1;
  }
  return lines;
}

function bad(detail: string): Problem {
  return { code: 'BAD_SEAL', detail };
}
