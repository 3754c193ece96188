import { CouldNot } from '../lib/errors.ts';

/** What another run does not mend: what has landed stays beneath every later commit. */
const LASTING = ['platform.ambiguous', 'platform.too_many'];

/** An answer about what landed. Where it cannot be told, and never will be, the error names this way out. */
export async function withWayOut<T>(answer: Promise<T>, way: string): Promise<T> {
  try {
    return await answer;
  } catch (thrown) {
    if (!(thrown instanceof CouldNot && LASTING.includes(thrown.code))) throw thrown;
    throw new CouldNot(thrown.code, `${thrown.message}; ${way} (docs/contracts.md)`, thrown);
  }
}

/** The way out where it is one commit of which nobody can tell how it landed. */
export function landAnew(commit: string): string {
  return `put the branch back to before commit ${commit}, and land that anew in smaller parts`;
}
