import { formatTime } from '../../lib/time.ts';

const DAY = 86_400_000;
/** Leap days come every four years, so these are all the days on which a period can begin. */
const CYCLE = 4 * 366;

/** The same date so many years later, in milliseconds; 29 February becomes 1 March, as no earlier day will do. */
export function yearsLater(milliseconds: number, years: number): number {
  const date = new Date(milliseconds);
  return Date.UTC(
    date.getUTCFullYear() + years,
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
    date.getUTCMilliseconds(),
  );
}

/**
 * The days that so many calendar years take at most, over all the days from now on that an object may be put: 6 years are 2191
 * or 2192 days, 7 are 2556 or 2557. A fixed number of days, as buckets have it, must hold for the longest
 * (45 CFR 164.316(b)(2)(i): six years from the date of creation or of last being in effect).
 */
export function daysOwed(years: number, now: number): number {
  const start = Date.parse(`${formatTime(now).slice(0, 10)}T00:00:00Z`);
  const lengths = Array.from({ length: CYCLE }, (_, day) => {
    const from = start + day * DAY;
    return Math.round((yearsLater(from, years) - from) / DAY);
  });
  return Math.max(...lengths);
}
