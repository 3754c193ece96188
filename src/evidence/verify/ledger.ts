import type { Trust } from '../../contract/trust.ts';
import type { Store } from '../../store/store.ts';
import type { Finding } from '../finding.ts';
import { readLedgerKeys } from '../ledger-keys.ts';
import type { TreeHead } from '../tree-head.ts';
import { requireTrustKeys } from '../trust-keys.ts';
import { readCoverage } from './coverage.ts';
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
  input: LedgerInput,
  onRecord: OnRecord = () => {},
): Promise<Examination> {
  requireTrustKeys(trust);
  const { anchor, listed, findings: uncovered } = await readCoverage(store, trust, input);
  // After the listing: whoever signed what it holds is known by now.
  const { keys, findings: keyFindings } = await readLedgerKeys(store, trust.release);
  const { now } = input;
  const survey = await takeSurvey(store, listed, keys, now, onRecord);
  const runs = runsOf(survey);
  const stages = new StageCheck(store, runs.values(), now);
  const perRun: Finding[] = [];
  for (const run of runs.values()) perRun.push(...checkRun(run, now), ...(await stages.check(run)));
  const findings = [
    ...uncovered,
    ...keyFindings,
    ...survey.findings,
    ...perRun,
    ...checkReferences(survey, now),
    ...checkDeploys(survey, contestedKeys(survey.records, perRun), now),
  ].sort(byPlace);
  const report: LedgerReport = {
    status: findings.length === 0 ? 'clean' : 'findings',
    anchor,
    records: survey.records.length + survey.seals.length,
    runs: runs.size,
    findings,
  };
  return { report, survey };
}

/** One order for equal findings: two reports on one store are equal. */
function byPlace(a: Finding, b: Finding): number {
  const [left, right] = [a, b].map(({ run, key, code, detail }) => [run ?? '', key ?? '', code, detail].join('\n')) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}
