/** RFC 3339, UTC, with `Z`: the one form of time in every document but facts and the policy's contract (milliseconds there). */
const RFC3339_UTC = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?Z$/;

const UNITS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^([1-9]\d{0,5})(s|m|h|d)$/;

/** Milliseconds since 1970 of an RFC 3339 UTC time, or null when it is not one (also 30 February, hour 24, second 60). */
export function parseTime(text: string): number | null {
  if (!RFC3339_UTC.test(text)) return null;
  const milliseconds = Date.parse(text);
  if (Number.isNaN(milliseconds)) return null;
  // Date.parse rolls 2026-02-30 over to March: the day must survive the way back.
  return new Date(milliseconds).toISOString().slice(0, 19) === text.slice(0, 19) ? milliseconds : null;
}

/** RFC 3339 UTC with milliseconds. */
export function formatTime(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

/** Milliseconds of a duration such as `90s`, `15m`, `24h`, `365d`, or null when it is not one. */
export function parseDuration(text: string): number | null {
  const match = DURATION.exec(text);
  return match === null ? null : Number(match[1]) * UNITS[match[2] as keyof typeof UNITS];
}
