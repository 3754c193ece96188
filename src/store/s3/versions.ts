import { isKeyPart } from '../key.ts';
import type { StoreEntry } from '../store.ts';

/** One version or delete marker of a key, as a listing gives it. */
export interface Version {
  key: string;
  versionId: string | null;
  size: number;
  /** RFC 3339. */
  storeTime: string | null;
  marker: boolean;
}

/**
 * What the versions of one key are, newest first. A create-only put makes the first version; what came later was put past the
 * condition, or after a delete. The first stays the object, and everything on top is shown as what it does to it: a locked
 * version cannot be taken away, but names lead past it.
 */
export function entriesOf(versions: readonly Version[]): StoreEntry[] {
  const object = versions.findLast(({ marker }) => !marker);
  return versions.map((version) => {
    const { versionId, size, storeTime } = version;
    const key = version.key.replace(/[^\x20-\x7e]/g, '?');
    const entry = { key, size, storeTime, versionId };
    if (!version.key.split('/').every(isKeyPart)) return { ...entry, oddity: 'a name that no key has' };
    if (version.marker)
      return {
        ...entry,
        size: 0,
        oddity: `a delete marker of ${storeTime ?? 'an unknown time'}: by name ${object === undefined ? 'there is nothing' : 'the object is not found, or another one in its place'}`,
        covers: 'hides' as const,
      };
    if (version !== object)
      return {
        ...entry,
        oddity: `a later version (${versionId}, of ${storeTime ?? 'an unknown time'}) over the object ${object?.versionId}: by name it is read in its place`,
        covers: 'shadows' as const,
      };
    return { ...entry, oddity: null };
  });
}

/**
 * Collects the versions of a listing key by key. A key's versions may go on on the next page, so the last key of a page is held
 * back until another one comes or the listing ends.
 */
export class VersionsByKey {
  readonly #held = new Map<string, Version[]>();

  /** Takes one page, in which each key's versions come newest first; gives the entries of every key that is complete. */
  take(page: readonly Version[], last: string | null): StoreEntry[] {
    for (const version of page) {
      const known = this.#held.get(version.key);
      if (known === undefined) this.#held.set(version.key, [version]);
      else known.push(version);
    }
    const complete = [...this.#held].filter(([key]) => key !== last);
    for (const [key] of complete) this.#held.delete(key);
    return complete.flatMap(([, versions]) => entriesOf(versions));
  }
}
