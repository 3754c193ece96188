import { CouldNot } from '../lib/errors.ts';
import type { RegistryClient } from './client.ts';
import type { FetchedManifest } from './manifests.ts';
import { Transient } from './retry.ts';
import { serialise } from './serialise.ts';

/** What a tag should hold next, with the blobs that must be there before it. */
export interface Replacement {
  mediaType: string;
  bytes: Buffer;
  blobs: Buffer[];
}

/** Puts what is ours into what the tag holds now (null: no such tag); null when all of it is there already. */
export type Merge = (current: FetchedManifest | null) => Replacement | null;

const MOST_ROUNDS = 12;
/** Longer than others take from reading a tag to writing it: after this pause whoever read before us has written. */
const SETTLE = 400;

/**
 * Adds to a tag that others may be adding to at the same moment. Registries have no transactions: two writers who read the
 * same state overwrite each other, and a signature is lost without any error (eight at once kept two). Three things hold
 * against that: writers of this process wait for each other; where the registry gives ETags the write is conditional
 * (distribution specification 1.1, "Pushing Manifests with Subject"); and the tag is read again after a pause until it holds
 * ours at two readings in a row.
 *
 * Gives the manifest that holds ours. Throws CouldNot `registry.tag_contended` after 12 rounds, and what `merge` throws.
 */
export function updateTag(
  client: RegistryClient,
  repository: string,
  tag: string,
  merge: Merge,
): Promise<FetchedManifest> {
  return serialise(`${client.registry}/${repository}:${tag}`, async () => {
    let outcome: Outcome = 'not-written';
    let seen = 0;
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const current = await client.findManifest(repository, tag);
      const next = merge(current);
      if (next === null && current !== null) {
        seen++;
        if (outcome === 'not-written' || seen === 2) return current;
        await pause(client, 1);
      } else if (next !== null) {
        seen = 0;
        outcome = await write(client, repository, tag, current, next);
        if (outcome !== 'written') await pause(client, Math.min(round, 4));
      }
    }
    throw gaveUp(`${client.registry}/${repository}:${tag}`, outcome);
  });
}

/** `conflict`: somebody was faster. A Transient: it may have been stored or not, the next round reads what is there. */
type Outcome = 'not-written' | 'written' | 'conflict' | Transient;

async function write(
  client: RegistryClient,
  repository: string,
  tag: string,
  current: FetchedManifest | null,
  next: Replacement,
): Promise<Outcome> {
  for (const blob of next.blobs) await client.putBytes(repository, blob);
  const condition = current === null ? 'absent' : current.etag === null ? null : { etag: current.etag };
  try {
    return (await client.putTag(repository, tag, next, condition)) ? 'written' : 'conflict';
  } catch (error) {
    if (error instanceof Transient) return error;
    throw error;
  }
}

async function pause(client: RegistryClient, times: number): Promise<void> {
  await client.timing.sleep(SETTLE * times * (0.5 + client.timing.random()));
}

function gaveUp(what: string, outcome: Outcome): CouldNot {
  if (outcome instanceof Transient) {
    return new CouldNot(
      'registry.unavailable',
      `could not write ${what}: ${outcome.message} (tried ${MOST_ROUNDS} times); check the registry, then run again`,
      outcome,
    );
  }
  return new CouldNot(
    'registry.tag_contended',
    `${what} does not keep what is written to it: after ${MOST_ROUNDS} rounds ours was still overwritten; attach from one job at a time, or use a registry with the referrers API`,
  );
}
