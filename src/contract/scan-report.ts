import * as z from '../lib/zod.ts';
import { atLeastOne, commit, count, digest, time } from './primitives.ts';
import { said, scanReportWith } from './scan-report-shape.ts';

export { type Finding, finding, type ReasonCode, reasonCode } from './scan-report-shape.ts';

/** At rest: times as RFC 3339. */
export const scanReport = scanReportWith(time);
export type ScanReport = z.infer<typeof scanReport>;

/**
 * `gatehouse/scan-sidecar/1`: how a real tool's report came to be, written beside it by whoever ran the tool. The contract
 * names the sidecar's digest as an importer; the sidecar holds the report's.
 */
export const scanSidecar = z.strictObject({
  schema: z.literal('gatehouse/scan-sidecar/1'),
  tool: z.strictObject({ name: said, version: said, digest }),
  /** The vulnerability database that the tool looked findings up in: no tool writes it into its report. */
  database: z.optional(
    z.nullable(z.strictObject({ version: z.nullable(said), builtAt: z.nullable(time), digest: z.nullable(digest) })),
  ),
  argv: atLeastOne(said),
  exitCode: z.int(),
  startedAt: time,
  finishedAt: time,
  report: z.strictObject({ file: said, digest, bytes: count }),
  /** The folder that was scanned, where the report's paths begin with it: it was another one in every run. */
  root: z.optional(said),
  /** What was scanned, where whoever ran the tool says so. */
  subject: z.optional(z.union([z.strictObject({ image: digest }), z.strictObject({ commit })])),
});
export type ScanSidecar = z.infer<typeof scanSidecar>;
