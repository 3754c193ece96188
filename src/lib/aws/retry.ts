import { setTimeout as sleep } from 'node:timers/promises';
import { isTransient } from './thrown.ts';

/** How waiting is done, given from outside so that no test waits. */
export interface Patience {
  sleep(milliseconds: number): Promise<unknown>;
  /** From 0 up to 1: spreads the retries of many writers. */
  random(): number;
}

export const systemPatience: Patience = { sleep, random: Math.random };

const ATTEMPTS = 6;
const FIRST_DELAY = 500;
const LONGEST_DELAY = 8_000;

/**
 * Does the same request again, at most 6 times in all, while it fails in a way that may pass; waits anything up to 0.5 s, then
 * up to twice as long each time (full jitter): 16 s at most. Throws what the last one threw.
 */
export async function withRetries<T>(patience: Patience, request: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request();
    } catch (thrown) {
      if (attempt === ATTEMPTS || !isTransient(thrown)) throw thrown;
      await patience.sleep(patience.random() * Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** (attempt - 1)));
    }
  }
}
