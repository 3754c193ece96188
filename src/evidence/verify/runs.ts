import { roleOfType } from '../../contract/roles.ts';
import { hexOf } from '../../lib/digest.ts';
import { type Finding, type FindingCode, SETTLE_LIMIT } from '../finding.ts';
import { hexOfKey } from '../layout.ts';
import type { Accepted, AcceptedSeal, Survey } from './survey.ts';

/** One run over all its attempts, with everything that counts. */
export interface RunView {
  name: string;
  records: Accepted[];
  seals: AcceptedSeal[];
}

/** The runs of a survey by name. */
export function runsOf({ records, seals }: Survey): Map<string, RunView> {
  const runs = new Map<string, RunView>();
  const view = (name: string): RunView => {
    const known = runs.get(name) ?? { name, records: [], seals: [] };
    runs.set(name, known);
    return known;
  };
  for (const record of records) view(record.run).records.push(record);
  for (const seal of seals) view(seal.run).seals.push(seal);
  return runs;
}

const PIPELINE: ReadonlySet<string> = new Set(['gate', 'build', 'scan', 'deploy']);

/** Whether a record belongs to a delivery run, which is opened and sealed; a cluster's, an administrator's or a caller's does not. */
export function isPipeline({ record }: Accepted): boolean {
  return Object.hasOwn(roleOfType, record.type) && PIPELINE.has(roleOfType[record.type as keyof typeof roleOfType]);
}

/** Slots, numbers, opening and seals of one run. */
export function checkRun(run: RunView, now: number): Finding[] {
  const findings: Finding[] = [];
  const add = (code: FindingCode, key: string | null, detail: string) =>
    findings.push({ code, key, run: run.name, detail });
  checkSlots(run, add);
  checkNumbers(run, add);
  const pipeline = run.records.filter(isPipeline);
  if (pipeline.length + run.seals.length > 0 && !run.records.some(({ record }) => record.type === 'run.opened')) {
    add('NO_OPEN', null, 'nothing says which records this run owes');
  }
  checkSeals(run, pipeline, now, add);
  checkManifests(run, add);
  return findings;
}

type Add = (code: FindingCode, key: string | null, detail: string) => void;

function checkSlots(run: RunView, add: Add): void {
  for (const group of groups<Accepted>([...run.records, ...run.seals], ({ record }) => record.id)) {
    const [first, ...others] = group as [Accepted, ...Accepted[]];
    // Two seals of one attempt have their own code.
    if (first.record.type === 'run.sealed') continue;
    for (const other of others) add('EQUIVOCATION', other.key, `it claims the slot of ${first.key}`);
  }
}

/** `seq` counts the records of one process from 0, so a number that is missing was once there. */
function checkNumbers(run: RunView, add: Add): void {
  for (const group of groups<Accepted>(
    [...run.records, ...run.seals],
    ({ record, place }) => `${record.run.attempt}/${place.jobKey}/${place.stepKey}`,
  )) {
    const numbers = new Set(group.map(({ record }) => record.seq));
    const missing = Array.from({ length: Math.max(...numbers) }, (_, seq) => seq).filter((seq) => !numbers.has(seq));
    const [{ record, place }] = group as [Accepted];
    if (missing.length > 0) {
      add(
        'GAP',
        null,
        `attempt ${record.run.attempt}, job ${place.jobKey}, step ${place.stepKey} has no record number ${missing.slice(0, 10).join(', ')}`,
      );
    }
  }
}

/** Each attempt has one seal, and each record of the attempt is under it: a later seal does not make up for an earlier one. */
function checkSeals(run: RunView, pipeline: Accepted[], now: number, add: Add): void {
  for (const seals of groups(run.seals, ({ attempt }) => String(attempt))) {
    for (const seal of seals.slice(1))
      add('TWO_SEALS', seal.key, `attempt ${seal.attempt} is also sealed by ${seals[0]?.key}`);
  }
  for (const records of groups(pipeline, ({ record }) => String(record.run.attempt))) {
    const attempt = (records[0] as Accepted).record.run.attempt;
    const seals = run.seals.filter((seal) => seal.attempt === attempt);
    const began = Math.min(...records.map(({ at }) => at));
    if (seals.length === 0) {
      if (now - began > SETTLE_LIMIT)
        add('UNSEALED', null, `attempt ${attempt} began ${minutes(now - began)} minutes ago`);
      continue;
    }
    for (const { key, digest } of records) {
      if (!seals.some(({ lines }) => lines.has(digest)) && !isUnderByName(seals, key))
        add('NOT_IN_MANIFEST', key, `attempt ${attempt} was sealed without it`);
    }
  }
}

/** A record whose bytes were changed in place keeps the name of what was sealed; that is MANIFEST_MISMATCH. */
function isUnderByName(seals: AcceptedSeal[], key: string): boolean {
  const hex = hexOfKey(key) as string;
  return seals.some(({ lines }) => [...lines].some((digest) => hexOf(digest).startsWith(hex)));
}

/** What was sealed must still be there with the same bytes. */
function checkManifests(run: RunView, add: Add): void {
  const digests = new Set(run.records.map(({ digest }) => digest));
  const byName = new Map(run.records.map(({ key }) => [hexOfKey(key), key]));
  for (const digest of new Set(run.seals.flatMap(({ lines }) => [...lines]))) {
    if (digests.has(digest)) continue;
    const renamed = byName.get(hexOf(digest).slice(0, 32));
    if (renamed !== undefined) add('MANIFEST_MISMATCH', renamed, `it was sealed with digest ${digest}`);
    else
      add(
        'MANIFEST_MISSING',
        null,
        `no record that counts has the sealed digest ${digest}; its bytes are still in the seal`,
      );
  }
}

/** Values in groups of one key each, in order of first appearance. */
function groups<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const found = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = found.get(key);
    if (group === undefined) found.set(key, [value]);
    else group.push(value);
  }
  return [...found.values()];
}

function minutes(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000);
}
