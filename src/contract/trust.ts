import * as z from '../lib/zod.ts';
import { atLeastOne, pem } from './primitives.ts';

/**
 * `gatehouse/trust/1`: what an auditor brings along to `ledger verify`; an argument, never read from the store that is judged.
 * `checkpoint` is a tree head copied outside earlier (C2SP signed note).
 */
export const trust = z.strictObject({
  schema: z.literal('gatehouse/trust/1'),
  release: atLeastOne(pem),
  notary: atLeastOne(pem),
  checkpoint: z.nullable(z.string().check(z.maxLength(16_384))),
});
export type Trust = z.infer<typeof trust>;
