import * as z from '../lib/zod.ts';
import { digest, text, time } from './primitives.ts';

/** `gatehouse/receipt/1`: what a store answered to one put. Readers fetch the bytes and verify signature, role and run themselves. */
export const receipt = z.strictObject({
  schema: z.literal('gatehouse/receipt/1'),
  key: text,
  versionId: z.nullable(text),
  storeTime: z.nullable(time),
  digest,
});
export type Receipt = z.infer<typeof receipt>;
