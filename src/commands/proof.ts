import type { Trust } from '../contract/trust.ts';
import { proveRecord } from '../evidence/prove.ts';
import { openStore } from '../store/store.ts';
import type { Context, Result } from './command.ts';

/** Fetches one record again and proves it: exit 0 only when signature, role, slot and place in the log all hold. */
export async function proof(store: string, trust: Trust, key: string, context: Context): Promise<Result> {
  const proved = await proveRecord(openStore(store, context.env), trust, key, context.now());
  return {
    exit: proved.status === 'proved' ? 0 : 1,
    json: proved,
    text: [
      `${proved.status}: ${proved.key} (${proved.digest})`,
      ...(proved.signer === null ? [] : [`  signed by ${proved.signer}`]),
      ...(proved.inclusion === null ? [] : [`  leaf ${proved.inclusion.index} of ${proved.inclusion.size}`]),
      ...proved.problems.map(({ code, detail }) => `✖ ${code}: ${detail}`),
    ].join('\n'),
  };
}
