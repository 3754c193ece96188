import type { Seen } from '../../lib/seen.ts';

/** ok: as it has to be. weak: holds, and somebody answers for it. fails: does not hold. unknown: could not be seen. */
export type Status = 'ok' | 'weak' | 'fails' | 'unknown';

export interface Check {
  check: string;
  found: string;
  needed: string;
  status: Status;
}

/** Judges what was seen of one demand; what was not seen is unknown, whatever the demand. */
export function check<T>(name: string, seen: Seen<T>, needed: string, judge: (value: T) => [Status, string]): Check {
  if ('unknown' in seen) return { check: name, found: seen.unknown, needed, status: 'unknown' };
  const [status, found] = judge(seen.value);
  return { check: name, found, needed, status };
}
