import type { Leaf } from '../../contract/ledger.ts';
import type { Trust } from '../../contract/trust.ts';
import { parseTime } from '../../lib/time.ts';
import type { Store, StoreEntry } from '../../store/store.ts';
import { type Finding, SETTLE_LIMIT } from '../finding.ts';
import { runOfKey } from '../layout.ts';
import { readLedgerKeys } from '../ledger-keys.ts';
import { contradiction, LOG_PREFIX, type Log, leafName, placesIn, readLog } from '../log.ts';
import type { TreeHead } from '../tree-head.ts';
import { requireTrustKeys } from '../trust-keys.ts';
import { checkDeploys, contestedKeys } from './deploys.ts';
import { checkReferences } from './references.ts';
import { checkRun, runsOf } from './runs.ts';
import { StageCheck } from './stages.ts';
import { type OnRecord, type Survey, takeSurvey } from './survey.ts';

export interface LedgerReport {
  status: 'clean' | 'findings';
  /** The newest tree head that holds, or null when nothing anchors the ledger. */
  anchor: TreeHead | null;
  /** Records that count, seals included. */
  records: number;
  runs: number;
  findings: Finding[];
}

export interface LedgerInput {
  /** Milliseconds. */
  now: number;
  /** A checkpoint that was copied outside, besides the one in the trust file. */
  expectedCheckpoint: string | null;
}

/**
 * Verifies everything in a store by keys that the caller brings along: the log against its checkpoints, every object against
 * the log and its name, every record by signature, role and slot, and every run for what it owes. Whatever lies in the store
 * ends in a finding, never in an error. Throws CouldNot when the store cannot be listed, BadInput for trust keys of a wrong type.
 *
 * Not to be seen from the store alone: a run that was removed before its first checkpoint, and a log that was rewritten when
 * nobody kept a checkpoint outside.
 */
export async function ledgerVerify(store: Store, trust: Trust, input: LedgerInput): Promise<LedgerReport> {
  return (await examineLedger(store, trust, input)).report;
}

/** What verifying found, with the outline of everything that it read: for whoever goes on to ask what the records say. */
export interface Examination {
  report: LedgerReport;
  survey: Survey;
}

/** The same with what was read; `onRecord` is handed the body of each record that counts. */
export async function examineLedger(
  store: Store,
  trust: Trust,
  { now, expectedCheckpoint }: LedgerInput,
  onRecord: OnRecord = () => {},
): Promise<Examination> {
  requireTrustKeys(trust);
  // The log before the listing: what it covers was there by then. Keys after it: whoever signed what is listed was known by then.
  const log = await readLog(store, trust.notary);
  const entries: StoreEntry[] = [];
  for await (const entry of store.list('')) entries.push(entry);
  const { keys, findings: keyFindings } = await readLedgerKeys(store, trust.release);
  const places = placesIn(log);
  const uncovered = coverage(entries, log, places, now);
  const survey = await takeSurvey(store, entries, keys, { log, places }, now, onRecord);
  const runs = runsOf(survey);
  const stages = new StageCheck(store, runs.values(), now);
  const perRun: Finding[] = [];
  for (const run of runs.values()) perRun.push(...checkRun(run, now), ...(await stages.check(run)));
  const findings = [
    ...log.findings,
    ...outsideFindings(log, trust, expectedCheckpoint),
    ...keyFindings,
    ...uncovered,
    ...survey.findings,
    ...perRun,
    ...checkReferences(survey, now),
    ...checkDeploys(survey, contestedKeys(survey.records, perRun), now),
  ].sort(byPlace);
  const anchor = log.head === null ? null : { origin: log.head.origin, size: log.head.size, root: log.head.root };
  const report: LedgerReport = {
    status: findings.length === 0 ? 'clean' : 'findings',
    anchor,
    records: survey.records.length + survey.seals.length,
    runs: runs.size,
    findings,
  };
  return { report, survey };
}

function outsideFindings(log: Log, trust: Trust, expectedCheckpoint: string | null): Finding[] {
  return [trust.checkpoint, expectedCheckpoint].flatMap((checkpoint) => {
    const found = checkpoint === null ? null : contradiction(log, checkpoint, trust.notary);
    return found === null ? [] : [found];
  });
}

/** Leaves without their object, and objects that waited too long for a leaf. */
function coverage(
  entries: readonly StoreEntry[],
  log: Log,
  places: ReadonlyMap<string, number>,
  now: number,
): Finding[] {
  const present = new Set(entries.map(leafName));
  const deleted = [...places]
    .filter(([name]) => !present.has(name))
    .map(([, place]) => (log.leaves[place] as Leaf).key)
    .map((key): Finding => ({ code: 'DELETED', key, run: runOfKey(key), detail: 'the log says that it was here' }));
  const head = log.head === null ? 'there is no checkpoint' : `the newest checkpoint covers ${log.head.size} objects`;
  const unanchored = entries
    .filter((entry) => entry.oddity === null && !entry.key.startsWith(LOG_PREFIX) && !places.has(leafName(entry)))
    .filter(({ storeTime }) => storeTime === null || now - (parseTime(storeTime) ?? 0) > SETTLE_LIMIT)
    .map(
      ({ key, storeTime }): Finding => ({
        code: 'UNANCHORED',
        key,
        run: runOfKey(key),
        detail: `stored ${storeTime ?? 'at an unknown time'}; ${head}`,
      }),
    );
  return [...deleted, ...unanchored];
}

/** One order for equal findings: two reports on one store are equal. */
function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [a, b].map(({ run, key, code, detail }) => [run ?? '', key ?? '', code, detail].join('\n')) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}
