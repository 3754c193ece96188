import * as z from '../lib/zod.ts';
import { count, digest, name, text, time } from './primitives.ts';

/**
 * `gatehouse/audit-index/1`: index.json beside the tables of an index. An index is derived and can be made again at any time;
 * it proves nothing by itself, each of its rows can be proved by its key.
 */
export const auditIndex = z.strictObject({
  schema: z.literal('gatehouse/audit-index/1'),
  store: text,
  /** When the store was read. */
  asOf: time,
  /** The tree head that covers what was read. */
  anchor: z.nullable(z.strictObject({ origin: name, size: count, root: name })),
  /** Whether the log was compared with a checkpoint that the auditor had kept outside the store. */
  comparedWithKept: z.boolean(),
  ledger: z.strictObject({ status: z.enum(['clean', 'findings']), records: count, runs: count, findings: count }),
  quarantined: count,
  tables: z.record(z.string(), z.strictObject({ file: name, rows: count, digest })),
});
export type AuditIndex = z.infer<typeof auditIndex>;
