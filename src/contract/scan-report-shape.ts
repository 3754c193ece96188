import * as z from '../lib/zod.ts';
import { category, commit, count, digest, fingerprint, imageReference, severity } from './primitives.ts';

/** Text out of a scanner's file: no promise but a bound on its length. */
export const said = z.string().check(z.maxLength(4096));

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
  fingerprint,
  category,
  rule: said,
  title: said,
  severity,
  severitySource: z.enum(['tool', 'cvss', 'rule-default', 'policy-default', 'none']),
  location: z.strictObject({
    path: z.nullable(said),
    line: z.nullable(count),
    package: z.nullable(said),
    version: z.nullable(said),
    image: z.nullable(said),
  }),
  fixedVersion: z.nullable(said),
  cve: z.array(said),
  cwe: z.array(said),
  suppressed: z.nullable(z.strictObject({ by: said, reason: said })),
  tags: z.array(said),
});
export type Finding = z.infer<typeof finding>;

/**
 * `gatehouse/scan-report/1`: what a tool found (`findings`) and, apart from it, whether the scan happened completely
 * (`execution`). A report of zero findings is clean only when its execution is `complete`.
 */
export const scanReportWith = <T extends z.ZodMiniType>(at: T) =>
  z.strictObject({
    schema: z.literal('gatehouse/scan-report/1'),
    origin: z.enum(['executed', 'imported']),
    importer: z.nullable(said),
    tool: z.strictObject({
      name: said,
      version: z.nullable(said),
      digest: z.nullable(digest),
      /** How many rules it ran. */
      rules: z.nullable(count),
      database: z.nullable(
        z.strictObject({ version: z.nullable(said), builtAt: z.nullable(at), digest: z.nullable(digest) }),
      ),
    }),
    covers: z.array(category),
    subject: z.strictObject({
      image: z.nullable(imageReference),
      platform: z.nullable(said),
      commit: z.nullable(commit),
    }),
    execution: z.strictObject({
      status: z.enum(['complete', 'degraded', 'incomplete', 'error']),
      reasons: z.array(z.strictObject({ code: reasonCode, detail: said })),
      argv: z.nullable(z.array(said)),
      exitCode: z.nullable(z.int()),
      startedAt: z.nullable(at),
      finishedAt: z.nullable(at),
      targets: z.strictObject({ expected: z.nullable(count), scanned: z.nullable(count) }),
      /** Git history that was read, for scanners of history. */
      range: z.nullable(said),
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
