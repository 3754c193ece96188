import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditIndex } from '../contract/audit-index.ts';
import type { Trust } from '../contract/trust.ts';
import { findingCodes } from '../evidence/finding.ts';
import { examineLedger, type LedgerReport } from '../evidence/verify/ledger.ts';
import { digestOf } from '../lib/digest.ts';
import { formatTime } from '../lib/time.ts';
import type { Store } from '../store/store.ts';
import { Attachments } from './attachments.ts';
import { approvalRows, type DecisionContext, decisionRows, reviewRows } from './decision-context.ts';
import { Deploys } from './deploy-rows.ts';
import { driftRows } from './drift-rows.ts';
import { openDatabase } from './duckdb.ts';
import { RecordFile } from './record-file.ts';
import { runRows } from './run-rows.ts';
import { sbomRows } from './sbom-rows.ts';
import { scanRows } from './scan-rows.ts';
import { eventRow, type Fact, partition, type Standing } from './standing.ts';
import { quoted, readerOf, TableFile } from './table-file.ts';
import { type Row, type TableName, tableNames } from './tables.ts';

type Tables = { [T in TableName]: TableFile<T> };

/**
 * Verifies a store and writes its index into an empty folder: one Parquet file a table, and index.json. Only records that
 * verified become rows; what did not is in `quarantine`. One store at one time gives the same bytes. Throws CouldNot when the
 * store cannot be listed or DuckDB is not there, BadInput for trust keys of a wrong type.
 *
 * @param now milliseconds
 */
export async function buildIndex(store: Store, trust: Trust, folder: string, now: number): Promise<AuditIndex> {
  // First of all: a store that was verified for nothing is minutes lost.
  const database = await openDatabase({ threads: '1', temp_directory: join(folder, '.rows') });
  const rows = join(folder, '.rows');
  try {
    mkdirSync(rows);
    const { tables, report } = await layRows(store, trust, rows, now);
    for (const name of tableNames) {
      const to = quoted(join(folder, `${name}.parquet`));
      // A group of rows is held in memory until it is written.
      await database.connection.run(
        `copy (${readerOf(name, tables[name])}) to '${to}' (format parquet, compression zstd, row_group_size 10240)`,
      );
    }
    const index: AuditIndex = {
      schema: 'gatehouse/audit-index/1',
      store: store.descriptor.url,
      asOf: formatTime(now),
      anchor: report.anchor,
      comparedWithKept: trust.checkpoint !== null,
      ledger: {
        status: report.status,
        records: report.records,
        runs: report.runs,
        findings: report.findings.length,
      },
      quarantined: tables.quarantine.rows,
      tables: Object.fromEntries(tableNames.map((name) => [name, tableOf(folder, name, tables[name].rows)])),
    };
    writeFileSync(join(folder, 'index.json'), `${JSON.stringify(index, null, 2)}\n`);
    return index;
  } finally {
    database.close();
    rmSync(rows, { recursive: true, force: true });
  }
}

/** Verifies the store and writes the rows of every table into a folder. */
async function layRows(
  store: Store,
  trust: Trust,
  folder: string,
  now: number,
): Promise<{ tables: Tables; report: LedgerReport }> {
  const records = new RecordFile(join(folder, 'records'));
  const examination = await examineLedger(store, trust, { now, expectedCheckpoint: null }, (key, record) =>
    records.add(key, record),
  );
  const { report, survey } = examination;
  const tables = Object.fromEntries(
    tableNames.map((name) => [name, new TableFile(join(folder, `${name}.ndjson`))]),
  ) as unknown as Tables;
  const { standings, quarantine } = partition(examination);
  const attachments = new Attachments(store, survey);
  const oddities = await addFacts(tables, standings, records, attachments);
  records.close();
  for (const row of runRows(standings, report.findings)) tables.runs.add(row);
  for (const { key, run, code, detail } of report.findings)
    tables.store_findings.add({ evidence_key: key, run, code, detail, meaning: findingCodes[code] });
  for (const row of [...quarantine, ...oddities, ...attachments.refused()].sort(byKey)) tables.quarantine.add(row);
  for (const name of tableNames) tables[name].close();
  return { tables, report };
}

function tableOf(folder: string, name: TableName, rows: number) {
  const file = `${name}.parquet`;
  return { file, rows, digest: digestOf(readFileSync(join(folder, file))) };
}

/** Adds every fact to the tables that it belongs to. Answers with those whose data is not what their type promises. */
async function addFacts(
  tables: Tables,
  standings: readonly Standing[],
  records: RecordFile,
  attachments: Attachments,
): Promise<Row<'quarantine'>[]> {
  const odd: Row<'quarantine'>[] = [];
  const decisions = new Map<string, DecisionContext>();
  const seen = new Set<string>();
  function* facts(wanted: (type: string) => boolean): Generator<Fact> {
    for (const standing of standings)
      if (wanted(standing.record.type)) yield { ...standing, record: records.read(standing.key) };
  }
  const add = async (fact: Fact): Promise<void> => {
    switch (fact.record.type) {
      case 'gate.decided': {
        const rows = await decisionRows(fact, attachments);
        if (typeof rows === 'string') {
          odd.push({ evidence_key: fact.key, run: fact.run, code: 'BAD_DATA', reason: rows });
          return;
        }
        decisions.set(fact.key, rows.context);
        tables.decisions.add(rows.decision);
        for (const row of rows.reasons) tables.reasons.add(row);
        for (const row of rows.people) tables.people.add(row);
        return;
      }
      case 'scan.completed': {
        const { scan, findings } = await scanRows(fact, attachments);
        tables.scans.add(scan);
        for (const row of findings) tables.findings.add(row);
        return;
      }
      case 'sbom.created': {
        const { sbom, components } = await sbomRows(fact, attachments, seen);
        tables.sboms.add(sbom);
        for (const row of components) tables.components.add(row);
        return;
      }
      case 'change.reviewed':
        for (const row of reviewRows(fact)) tables.reviews.add(row);
        return;
      case 'drift.checked':
        for (const row of driftRows(fact)) tables.drift.add(row);
    }
  };
  for (const fact of facts(() => true)) {
    tables.events.add(eventRow(fact));
    for (const { kind, name, digest } of fact.record.subjects)
      tables.subjects.add({ evidence_key: fact.key, kind, name, digest });
    await add(fact);
  }
  const approvals = facts((type) => type === 'approval.decided');
  addApprovals(tables, approvals, decisions);
  const deploys = facts((type) => type.startsWith('deploy.'));
  addDeploys(tables, deploys, new Deploys(standings, decisions));
  return odd;
}

/** After the decisions: what they knew of an approval stands beside it. */
function addApprovals(
  tables: Tables,
  approvals: Iterable<Fact>,
  decisions: ReadonlyMap<string, DecisionContext>,
): void {
  const byRecord = new Map<string, DecisionContext[]>();
  for (const context of decisions.values())
    for (const from of new Set(context.approvals.map((approval) => approval.from)))
      byRecord.set(from, [...(byRecord.get(from) ?? []), context]);
  for (const fact of approvals)
    for (const row of approvalRows(fact, byRecord.get(fact.key) ?? [])) tables.approvals.add(row);
}

function addDeploys(tables: Tables, facts: Iterable<Fact>, deploys: Deploys): void {
  for (const fact of facts) {
    const row = deploys.row(fact);
    if (row === null) continue;
    tables.deploys.add(row);
    for (const reason of deploys.reasons(fact)) tables.reasons.add(reason);
  }
}

function byKey(a: Row<'quarantine'>, b: Row<'quarantine'>): number {
  const [left, right] = [a, b].map(({ evidence_key, code, reason }) => [evidence_key, code, reason].join('\n')) as [
    string,
    string,
  ];
  return left < right ? -1 : left > right ? 1 : 0;
}
