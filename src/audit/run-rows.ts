import type { Finding } from '../evidence/finding.ts';
import { parseTime } from '../lib/time.ts';
import type { Standing } from './standing.ts';
import { timestamp } from './table-file.ts';
import type { Row } from './tables.ts';

/** One row for each run that left a record that counts, in order of their names. Its key is that of run.opened, else of its first record. */
export function runRows(standings: readonly Standing[], findings: readonly Finding[]): Row<'runs'>[] {
  const runs = new Map<string, Standing[]>();
  for (const standing of standings) {
    const group = runs.get(standing.run);
    if (group === undefined) runs.set(standing.run, [standing]);
    else group.push(standing);
  }
  const codes = new Map<string, Set<string>>();
  for (const { run, code } of findings) if (run !== null) codes.set(run, (codes.get(run) ?? new Set()).add(code));
  return [...runs]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([run, records]) => runRow(run, records, [...(codes.get(run) ?? [])].sort()));
}

function runRow(run: string, records: readonly Standing[], codes: readonly string[]): Row<'runs'> {
  const opened = records.find(({ record }) => record.type === 'run.opened');
  const seal = records.findLast(({ record }) => record.type === 'run.sealed');
  const first = opened ?? (records[0] as Standing);
  const required = opened?.record.data.required;
  return {
    evidence_key: first.key,
    run,
    repository: first.record.run.repository,
    environment: opened?.record.environment ?? null,
    attempts: new Set(records.map(({ record }) => record.run.attempt)).size,
    records: records.length,
    opened_at: opened === undefined ? null : timestamp(parseTime(opened.record.time)),
    sealed_at: seal === undefined ? null : timestamp(parseTime(seal.record.time)),
    outcome: seal?.record.outcome ?? null,
    required: Array.isArray(required) ? required.join(' ') : null,
    remarks: codes.length === 0 ? null : codes.join(' '),
  };
}
