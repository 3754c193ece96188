import type { ReasonCode, ScanReport } from '../contract/scan-report.ts';
import type { Reason } from './reading.ts';

type Status = ScanReport['execution']['status'];

const STATUS: Record<ReasonCode, Exclude<Status, 'complete'>> = {
  empty_file: 'error',
  null_document: 'error',
  invalid_json: 'error',
  truncated: 'error',
  wrong_tool: 'error',
  engine_failed: 'error',
  unreachable_target: 'error',
  unknown_schema_version: 'incomplete',
  no_targets: 'incomplete',
  parse_errors: 'incomplete',
  database_stale: 'incomplete',
  canary_missed: 'incomplete',
  filtered_output: 'degraded',
  exit_code_conflict: 'degraded',
};

const WORST_FIRST: Status[] = ['error', 'incomplete', 'degraded', 'complete'];

/** The status that the worst of the reasons gives; without any the scan is complete. */
export function statusOf(reasons: readonly Reason[]): Status {
  const found = new Set(reasons.map((reason) => STATUS[reason.code]));
  return WORST_FIRST.find((status) => status !== 'complete' && found.has(status)) ?? 'complete';
}

/** A file may give a reason thousands of times: of each code the first three stay, and how many more there were. */
export function condense(reasons: readonly Reason[]): Reason[] {
  const byCode = new Map<ReasonCode, string[]>();
  for (const { code, detail } of reasons) {
    const details = byCode.get(code) ?? [];
    byCode.set(code, details);
    details.push(detail);
  }
  return [...byCode].flatMap(([code, details]) => {
    const first = details.slice(0, 3).map((detail) => ({ code, detail }));
    return details.length <= 3 ? first : [...first, { code, detail: `and ${details.length - 3} times more` }];
  });
}
