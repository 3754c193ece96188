import * as z from '../lib/zod.ts';
import type { Attachments } from './attachments.ts';
import { type Fact, recordColumns } from './standing.ts';
import { countOf, textOf } from './table-file.ts';
import type { Row } from './tables.ts';

const finding = z.looseObject({
  fingerprint: z.string(),
  category: z.string(),
  rule: z.string(),
  title: z.string(),
  severity: z.string(),
  location: z.looseObject({
    path: z.nullable(z.string()),
    line: z.nullable(z.number()),
    package: z.nullable(z.string()),
    version: z.nullable(z.string()),
  }),
  fixedVersion: z.nullable(z.string()),
  cve: z.array(z.string()),
  suppressed: z.unknown(),
});
const report = z.looseObject({ findings: z.array(finding) });

/** Rows of one scan.completed: what the record says, and the findings of its report. */
export async function scanRows(
  fact: Fact,
  attachments: Attachments,
): Promise<{ scan: Row<'scans'>; findings: Row<'findings'>[] }> {
  const { data, subjects, attachments: attached } = fact.record;
  const counts = z.looseObject({}).safeParse(data.counts).data ?? {};
  const tool = textOf(data.tool);
  const digest = subjects[0]?.digest ?? null;
  const { findings } = (await attachments.read(fact, 'report', report)) ?? { findings: [] };
  return {
    scan: {
      ...recordColumns(fact),
      tool,
      version: textOf(data.version),
      covers: Array.isArray(data.covers) ? data.covers.join(', ') : null,
      status: textOf(data.status) ?? fact.record.outcome,
      digest,
      importer: textOf(data.importer),
      report_digest: attached.find(({ role }) => role === 'report')?.digest ?? null,
      critical: countOf(counts.critical),
      high: countOf(counts.high),
      medium: countOf(counts.medium),
      low: countOf(counts.low),
      suppressed: countOf(counts.suppressed),
    },
    findings: findings.map((each) => ({
      evidence_key: fact.key,
      run: fact.run,
      digest,
      tool,
      category: each.category,
      rule: each.rule,
      title: each.title,
      severity: each.severity,
      package: each.location.package,
      version: each.location.version,
      fixed_version: each.fixedVersion,
      path: each.location.path,
      line: countOf(each.location.line),
      cve: each.cve.join(' ') || null,
      fingerprint: each.fingerprint,
      suppressed: each.suppressed !== null && each.suppressed !== undefined,
    })),
  };
}
