import { z } from 'zod';
import { category, commit, digest, imageReference, severity } from './primitives.ts';

/** Text out of a scanner's file: no promise but a bound on its length. */
export const said = z.string().max(4096);
export const count = z.int().min(0);

export const reasonCode = z.enum([
  'empty_file',
  'null_document',
  'invalid_json',
  'truncated',
  'wrong_tool',
  'unknown_schema_version',
  'no_targets',
  'parse_errors',
  'engine_failed',
  'database_stale',
  'filtered_output',
  'exit_code_conflict',
  'unreachable_target',
  'canary_missed',
]);
export type ReasonCode = z.infer<typeof reasonCode>;

export const finding = z.strictObject({
  /** 16 hex digits; equal for the same finding in two runs of the same tool. */
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
  category,
  rule: said,
  title: said,
  severity,
  severitySource: z.enum(['tool', 'cvss', 'rule-default', 'policy-default', 'none']),
  location: z.strictObject({
    path: said.nullable(),
    line: count.nullable(),
    package: said.nullable(),
    version: said.nullable(),
    image: said.nullable(),
  }),
  fixedVersion: said.nullable(),
  cve: z.array(said),
  cwe: z.array(said),
  suppressed: z.strictObject({ by: said, reason: said }).nullable(),
  tags: z.array(said),
});
export type Finding = z.infer<typeof finding>;

/**
 * `gatehouse/scan-report/1`: what a tool found (`findings`) and, apart from it, whether the scan happened completely
 * (`execution`). A report of zero findings is clean only when its execution is `complete`.
 */
export const scanReportWith = <T extends z.ZodType>(at: T) =>
  z.strictObject({
    schema: z.literal('gatehouse/scan-report/1'),
    origin: z.enum(['executed', 'imported']),
    importer: said.nullable(),
    tool: z.strictObject({
      name: said,
      version: said.nullable(),
      digest: digest.nullable(),
      /** How many rules it ran. */
      rules: count.nullable(),
      database: z
        .strictObject({ version: said.nullable(), builtAt: at.nullable(), digest: digest.nullable() })
        .nullable(),
    }),
    covers: z.array(category),
    subject: z.strictObject({ image: imageReference.nullable(), platform: said.nullable(), commit: commit.nullable() }),
    execution: z.strictObject({
      status: z.enum(['complete', 'degraded', 'incomplete', 'error']),
      reasons: z.array(z.strictObject({ code: reasonCode, detail: said })),
      argv: z.array(said).nullable(),
      exitCode: z.int().nullable(),
      startedAt: at.nullable(),
      finishedAt: at.nullable(),
      targets: z.strictObject({ expected: count.nullable(), scanned: count.nullable() }),
      /** Git history that was read, for scanners of history. */
      range: said.nullable(),
      filters: z.array(said),
    }),
    findings: z.array(finding),
    counts: z.strictObject({
      critical: count,
      high: count,
      medium: count,
      low: count,
      info: count,
      unknown: count,
      suppressed: count,
    }),
    source: z.strictObject({ digest, bytes: count, format: said }),
  });
