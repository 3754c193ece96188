import { type OnceMark, onceMark } from '../contract/ledger.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import type { Store } from '../store/store.ts';
import { onceKey } from './layout.ts';

/**
 * Uses up a decision for one operation, before anything acts on it. Repeating it with the same mark is no second use.
 * Throws Denied `decision.used` when another operation was first, CouldNot when the store does not answer.
 */
export async function consume(store: Store, decisionId: string, mark: OnceMark): Promise<void> {
  const key = onceKey(decisionId);
  const bytes = canonicalBytes(onceMark.parse(mark));
  if ((await store.put(key, bytes, 'application/json')).created) return await requireFirst(store, decisionId, key);
  const there = await store.get(key);
  if (there?.equals(bytes)) return;
  throw new Denied(
    'decision.used',
    `decision ${decisionId} has been used before, by ${userOf(there)}: a decision allows one operation; ask for a new one (policy-gate, stage deploy)`,
  );
}

/** On a store with versions a name can be freed again: by a delete marker over the mark of whoever used the decision. */
async function requireFirst(store: Store, decisionId: string, key: string): Promise<void> {
  if (!store.descriptor.versions) return;
  for await (const entry of store.list(key)) {
    if (entry.key === key && entry.oddity !== null)
      throw new Denied(
        'decision.used',
        `decision ${decisionId} has been used before: over its mark lies ${entry.oddity}; keep the bucket as it is, run gatehouse ledger verify and ask for a new decision`,
      );
  }
}

function userOf(bytes: Buffer | null): string {
  try {
    const { opId, run } = onceMark.parse(parseJson(bytes ?? Buffer.alloc(0), 'mark'));
    return `operation ${opId} of run ${run.id}`;
  } catch (cause) {
    return `something unreadable (${messageOf(cause).split('\n')[0]})`;
  }
}
