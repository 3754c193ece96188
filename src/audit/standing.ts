import type { Record } from '../contract/record.ts';
import { roleOfType } from '../contract/roles.ts';
import type { FindingCode } from '../evidence/finding.ts';
import { contestedKeys } from '../evidence/verify/deploys.ts';
import type { Examination } from '../evidence/verify/ledger.ts';
import type { Accepted } from '../evidence/verify/survey.ts';
import { parseTime } from '../lib/time.ts';
import { timestamp } from './table-file.ts';
import type { Row } from './tables.ts';

/** How a record that counts stands in the ledger. */
export interface Standing extends Accepted {
  sealed: boolean;
  contested: boolean;
  /** Codes of the ledger's findings about this object, each once, sorted. */
  remarks: readonly FindingCode[];
}

/** The same with the record itself. */
export interface Fact extends Standing {
  record: Record;
}

/** Bytes that are not what was stored: whatever they say now, it is no fact. */
const CHANGED: ReadonlySet<FindingCode> = new Set(['MODIFIED', 'MANIFEST_MISMATCH']);

/**
 * Parts what lies in the store into facts and the rest. A fact has verified by signature, role, repository and slot, and its
 * bytes are those of its leaf and its name. Records that the ledger contradicts otherwise stay, marked: a deploy that somebody
 * wrote after the seal must not vanish from an auditor's list, but nothing counts in anybody's favour by it.
 */
export function partition({ survey, report }: Examination): {
  standings: Standing[];
  quarantine: Row<'quarantine'>[];
} {
  const codes = new Map<string, Set<FindingCode>>();
  for (const { key, code } of report.findings)
    if (key !== null) codes.set(key, (codes.get(key) ?? new Set()).add(code));
  const accepted: Accepted[] = [...survey.records, ...survey.seals].filter(
    ({ key }) => ![...(codes.get(key) ?? [])].some((code) => CHANGED.has(code)),
  );
  const sealed = new Set(survey.seals.flatMap(({ lines }) => [...lines]));
  const contested = contestedKeys(accepted, report.findings);
  const standings = accepted
    .map((each) => {
      const remarks = [...(codes.get(each.key) ?? [])].sort();
      return {
        ...each,
        sealed: sealed.has(each.digest) || each.record.type === 'run.sealed',
        contested: contested.has(each.key),
        remarks,
      };
    })
    .sort(byTime);
  const known = new Set(standings.map(({ key }) => key));
  const quarantine = [...survey.findings, ...report.findings.filter(({ code }) => code === 'MANIFEST_MISMATCH')]
    .filter(({ key }) => key !== null && !known.has(key))
    .map(({ key, run, code, detail }) => ({ evidence_key: key, run, code, reason: detail }));
  return { standings, quarantine };
}

function byTime(a: Standing, b: Standing): number {
  return milliseconds(a) - milliseconds(b) || (a.key < b.key ? -1 : 1);
}

function milliseconds({ record }: Accepted): number {
  return parseTime(record.time) as number;
}

/** The columns that every row of a record has. */
export function recordColumns(fact: Fact) {
  return {
    evidence_key: fact.key,
    time: timestamp(milliseconds(fact)),
    run: fact.run,
    environment: fact.record.environment,
    contested: fact.contested,
    remarks: fact.remarks.length === 0 ? null : fact.remarks.join(' '),
  };
}

/**
 * A record as a row of `events`; its digest is the image’s where it is about one. A type that is not known counts as role emit.
 */
export function eventRow(fact: Fact): Row<'events'> {
  const { record } = fact;
  const subject = record.subjects.find(({ kind }) => kind === 'image') ?? record.subjects[0];
  return {
    ...recordColumns(fact),
    version_id: fact.versionId,
    digest: fact.digest,
    leaf_index: fact.leafIndex,
    stored_at: timestamp(fact.at),
    sealed: fact.sealed,
    id: record.id,
    type: record.type,
    signer: fact.signer,
    role: Object.hasOwn(roleOfType, record.type) ? roleOfType[record.type as keyof typeof roleOfType] : 'emit',
    platform: record.run.platform,
    host: record.run.host,
    repository: record.run.repository,
    repository_id: record.run.repositoryId,
    run_id: record.run.id,
    attempt: record.run.attempt,
    job: record.run.job,
    ref: record.run.ref,
    commit_id: record.run.sha,
    actor: record.actor.identity,
    triggered_by: record.actor.triggeredBy,
    outcome: record.outcome,
    op_id: record.opId,
    subject_name: subject?.name ?? null,
    subject_digest: subject?.digest ?? null,
    change_ticket: record.changeTicket?.id ?? null,
    data: JSON.stringify(record.data),
  };
}
