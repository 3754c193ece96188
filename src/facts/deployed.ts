import type { Run } from '../contract/run.ts';
import type { Target } from '../contract/target.ts';
import { hexOfKey, placeDigest, placesOf, pointerKey, pointerPrefix } from '../evidence/layout.ts';
import { CouldNot } from '../lib/errors.ts';
import { parseTime } from '../lib/time.ts';
import type { Deployed } from '../platform/platform.ts';
import type { StoreEntry } from '../store/store.ts';
import { type Ledger, readPointer, readVerified, unreadableKey } from './evidence.ts';

/**
 * The commit of which the gate last allowed this repository a deploy to the target, or anywhere in the environment where it has
 * not had this target yet or none is named; null where none was ever allowed there. Whether the deploy came about does not
 * count: it may have, and all up to that commit was judged and approved then. Nor does what the deploy role says of it. Any
 * decision that verifies will do, one that does not is passed over. Throws CouldNot where the store does not answer or none
 * verifies.
 */
export async function lastDeployed(
  ledger: Ledger,
  run: Run,
  environment: string,
  target: Target | null,
): Promise<Deployed | null> {
  const here = target === null ? null : await newestAt(ledger, placeDigest(run, environment, target));
  return here ?? (await newestAt(ledger, placeDigest(run, environment, null)));
}

async function newestAt(ledger: Ledger, place: string): Promise<Deployed | null> {
  const entries: StoreEntry[] = [];
  for await (const entry of ledger.store.list(pointerPrefix(place))) entries.push(entry);
  const newestFirst = entries.toSorted((a, b) => timeOf(b) - timeOf(a));
  const problems: string[] = [];
  for (const entry of newestFirst) {
    const found = await allowedAt(ledger, place, entry);
    if ('sha' in found) return found;
    problems.push(`${entry.key}: ${found.why}`);
  }
  if (problems.length === 0) return null;
  throw new CouldNot(
    'evidence.deploys',
    `could not tell which commit is deployed: no decision on a deploy can be used (${problems[0]}), so what a new one would bring cannot be told; run ledger verify`,
  );
}

async function allowedAt(ledger: Ledger, place: string, entry: StoreEntry): Promise<Deployed | { why: string }> {
  if (entry.oddity !== null) return { why: entry.oddity };
  const target = await readPointer(ledger.store, entry);
  if (typeof target === 'string') return { why: target };
  // A pointer is unsigned: one of another name would make an old decision the newest.
  if (entry.key !== pointerKey(place, 'gate.decided', String(hexOfKey(target.key))))
    return { why: 'it leads to another record than its name says' };
  const read = await readVerified(ledger, target.key).catch(unreadableKey);
  if (typeof read === 'string') return { why: read };
  const { sha, ref } = read.record.run;
  return placesOf(read.record).includes(place) ? { sha, ref } : { why: 'its record is of something else' };
}

function timeOf({ storeTime }: StoreEntry): number {
  return (storeTime === null ? null : parseTime(storeTime)) ?? 0;
}
