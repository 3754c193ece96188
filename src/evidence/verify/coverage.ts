import type { Leaf } from '../../contract/ledger.ts';
import type { Trust } from '../../contract/trust.ts';
import { parseTime } from '../../lib/time.ts';
import type { Store, StoreEntry } from '../../store/store.ts';
import { type Finding, SETTLE_LIMIT } from '../finding.ts';
import { runOfKey } from '../layout.ts';
import { contradiction, LOG_PREFIX, type Log, leafName, readLog } from '../log.ts';
import type { TreeHead } from '../tree-head.ts';
import type { LedgerInput } from './ledger.ts';

/** One thing that the store lists, with what the log says of it. */
export interface Listed extends StoreEntry {
  leaf: Pick<Leaf, 'digest' | 'storeTime'> | null;
  /** Place in the log, as far as a signed tree head covers it. */
  leafIndex: number | null;
}

/** What the store lists and what the log covers of it. The log itself is let go. */
export interface Coverage {
  /** The newest tree head that holds, or null when nothing anchors the ledger. */
  anchor: TreeHead | null;
  listed: Listed[];
  findings: Finding[];
}

/**
 * Reads the log, compares it with the checkpoints that were kept outside, and lists the store. The log comes first: what it
 * covers was there by then, and so is missing where the listing lacks it.
 */
export async function readCoverage(
  store: Store,
  trust: Trust,
  { now, expectedCheckpoint }: LedgerInput,
): Promise<Coverage> {
  const log = await readLog(store, trust.notary);
  const places = new Map(log.leaves.map((leaf, place) => [leafName(leaf), place]));
  const present = new Set<number>();
  const listed: Listed[] = [];
  for await (const entry of store.list('')) {
    const place = places.get(leafName(entry));
    if (place !== undefined) present.add(place);
    listed.push({ ...entry, ...said(log, place) });
  }
  const { head } = log;
  return {
    anchor: head === null ? null : { origin: head.origin, size: head.size, root: head.root },
    listed,
    findings: [
      ...log.findings,
      ...outsideFindings(log, trust, expectedCheckpoint),
      ...[...places.values()].filter((place) => !present.has(place)).map((place) => deleted(log.leaves[place] as Leaf)),
      ...unanchored(listed, head, now),
    ],
  };
}

function said({ leaves, head }: Log, place: number | undefined): Pick<Listed, 'leaf' | 'leafIndex'> {
  if (place === undefined) return { leaf: null, leafIndex: null };
  const { digest, storeTime } = leaves[place] as Leaf;
  return { leaf: { digest, storeTime }, leafIndex: place < (head?.size ?? 0) ? place : null };
}

function outsideFindings(log: Log, trust: Trust, expectedCheckpoint: string | null): Finding[] {
  return [trust.checkpoint, expectedCheckpoint].flatMap((checkpoint) => {
    const found = checkpoint === null ? null : contradiction(log, checkpoint, trust.notary);
    return found === null ? [] : [found];
  });
}

/** A leaf without its object. */
function deleted({ key }: Leaf): Finding {
  return { code: 'DELETED', key, run: runOfKey(key), detail: 'the log says that it was here' };
}

/** Objects that waited too long for a leaf. */
function unanchored(listed: readonly Listed[], head: TreeHead | null, now: number): Finding[] {
  const covered = head === null ? 'there is no checkpoint' : `the newest checkpoint covers ${head.size} objects`;
  return listed
    .filter(({ oddity, key, leaf }) => oddity === null && !key.startsWith(LOG_PREFIX) && leaf === null)
    .filter(({ storeTime }) => storeTime === null || now - (parseTime(storeTime) ?? 0) > SETTLE_LIMIT)
    .map(({ key, storeTime }) => ({
      code: 'UNANCHORED',
      key,
      run: runOfKey(key),
      detail: `stored ${storeTime ?? 'at an unknown time'}; ${covered}`,
    }));
}
