import { setTimeout as sleep } from 'node:timers/promises';

/** Time as the client meets it, given from outside so that no test waits. */
export interface Timing {
  /** Milliseconds since 1970. */
  now(): number;
  sleep(milliseconds: number): Promise<unknown>;
  /** From 0 up to 1: spreads the retries of many clients. */
  random(): number;
}

export const systemTiming: Timing = { now: Date.now, sleep, random: Math.random };
