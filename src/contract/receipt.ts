import { z } from 'zod';
import { digest, text, time } from './primitives.ts';

/** `gatehouse/receipt/1`: what a store answered to one put. Readers fetch the bytes and verify signature, role and run themselves. */
export const receipt = z.strictObject({
  schema: z.literal('gatehouse/receipt/1'),
  key: text,
  versionId: text.nullable(),
  storeTime: time.nullable(),
  digest,
});
export type Receipt = z.infer<typeof receipt>;
