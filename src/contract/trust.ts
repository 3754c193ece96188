import { z } from 'zod';
import { pem } from './primitives.ts';

/**
 * `gatehouse/trust/1`: what an auditor brings along to `ledger verify`; an argument, never read from the store that is judged.
 * `checkpoint` is a tree head copied outside earlier (C2SP signed note).
 */
export const trust = z.strictObject({
  schema: z.literal('gatehouse/trust/1'),
  release: z.array(pem).min(1),
  notary: z.array(pem).min(1),
  checkpoint: z.string().max(16_384).nullable(),
});
export type Trust = z.infer<typeof trust>;
