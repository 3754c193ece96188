import { createHash } from 'node:crypto';
import type { Run } from '../contract/run.ts';
import { type Place, runName } from './layout.ts';

/** Namespace of record ids; a random UUID, never to change. */
const NAMESPACE = '7f1c9a4e-3d0b-4c52-9a86-5be0c1f2d7a3';

/**
 * The id of the record in this slot: UUID v5 (RFC 9562) of run, attempt, job key, step key, seq and type. A record copied to
 * another run, job or step has an id that does not fit there; two records with one id are an equivocation.
 */
export function slotId(run: Run, place: Place, seq: number, type: string): string {
  const slot = [runName(run), run.attempt, place.jobKey, place.stepKey, seq, type].join('/');
  const hash = createHash('sha1')
    .update(Buffer.from(NAMESPACE.replaceAll('-', ''), 'hex'))
    .update(slot)
    .digest();
  hash[6] = ((hash[6] as number) & 0x0f) | 0x50;
  hash[8] = ((hash[8] as number) & 0x3f) | 0x80;
  const hex = hash.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}
