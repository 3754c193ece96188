import * as z from '../lib/zod.ts';
import { atLeastOne, count, digest, name, text, time } from './primitives.ts';
import { run } from './run.ts';

/** One object of the store in the log: what was there when the notary looked. `storeTime` is the store's. */
export const leaf = z.strictObject({ key: text, versionId: z.nullable(text), digest, storeTime: z.nullable(time) });
export type Leaf = z.infer<typeof leaf>;

/** `v1/log/batch/<first>.json`: leaves `first`, `first + 1`, … of the log and the signed tree head over all up to the last of them. */
export const logBatch = z.strictObject({
  schema: z.literal('gatehouse/log-batch/1'),
  first: count,
  leaves: atLeastOne(leaf),
  /** C2SP checkpoint, a signed note. */
  checkpoint: z.string().check(z.maxLength(16_384)),
});
export type LogBatch = z.infer<typeof logBatch>;

/** `v1/by-digest/…`: that there is a record about this digest. Unsigned: it only says where to look. */
export const pointer = z.strictObject({ key: text, tool: z.nullable(name) });

/** `v1/once/<decision id>.json`: which operation has used up this decision. */
export const onceMark = z.strictObject({ decisionKey: text, run, opId: z.uuid() });
export type OnceMark = z.infer<typeof onceMark>;

/** `v1/probe/<id>.json`: what `doctor` left when it tried the store. Says nothing and counts for nothing. */
export const probeMark = z.strictObject({
  schema: z.literal('gatehouse/probe/1'),
  id: z.uuid(),
  attempt: z.int(),
  time,
});
