import { createHash, scryptSync } from 'node:crypto';
import type { Draft } from './reading.ts';

/** Work factor of scrypt, about 10 ms a value: 64 bits of a slow hash tell nobody a secret, and a report stays quick to read. */
const COST = { N: 4096, r: 8, p: 1 };
/** With more secrets than this nobody waives them one by one: their places are fingerprinted instead of their values. */
export const MOST_SECRETS = 500;

/**
 * The fingerprint of each draft, 16 hex digits, equal in two runs of the same tool. Of a secret it is scrypt(value, salt =
 * rule), so that a new secret on the same line is a new finding and the same one found again is not; of anything else it
 * is a SHA-256 over tool, rule, path, package, version and the tool's own key. Equal findings have equal fingerprints;
 * none is dropped for that.
 */
export function fingerprints(tool: string, drafts: readonly Draft[]): string[] {
  const values = new Map<string, string | null>();
  for (const draft of drafts) if (draft.secret !== null) values.set(secretKey(draft), null);
  const byValue = values.size <= MOST_SECRETS;
  return drafts.map((draft) => {
    if (draft.secret === null || !byValue) return byPlace(tool, draft);
    const key = secretKey(draft);
    const known = values.get(key) ?? scryptSync(draft.secret, draft.rule, 8, COST).toString('hex');
    values.set(key, known);
    return known;
  });
}

function secretKey(draft: Draft): string {
  return JSON.stringify([draft.rule, draft.secret]);
}

function byPlace(tool: string, draft: Draft): string {
  const place = [tool, draft.rule, draft.path, draft.package, draft.version, ...draft.key];
  return createHash('sha256').update(JSON.stringify(place)).digest('hex').slice(0, 16);
}
