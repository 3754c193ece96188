import { CouldNot } from '../lib/errors.ts';
import type { Seen } from '../lib/seen.ts';

/** Answers that say something of this one question: other questions may have better ones. */
const OF_THE_QUESTION = ['platform.refused', 'platform.reply', 'platform.status', 'platform.too_many'];

/** What a question shows, or why it shows nothing. Throws CouldNot where the platform as a whole does not answer. */
export async function seen<T>(answer: Promise<T>): Promise<Seen<T>> {
  try {
    return { value: await answer };
  } catch (thrown) {
    if (thrown instanceof CouldNot && OF_THE_QUESTION.includes(thrown.code)) return { unknown: thrown.message };
    throw thrown;
  }
}
