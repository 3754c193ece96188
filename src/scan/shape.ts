import type { Reason } from './reading.ts';

/** A JSON object out of a scanner's file; nothing is known about its values. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether this is an object of JSON: neither null nor a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Has this key itself: `constructor` and the like never come from a prototype. */
export function has(value: JsonObject, key: string): boolean {
  return Object.hasOwn(value, key);
}

/** The value of a path of keys, or undefined where something on the way is not an object. */
export function at(value: unknown, ...keys: string[]): unknown {
  let here = value;
  for (const key of keys) {
    if (!isObject(here) || !has(here, key)) return undefined;
    here = here[key];
  }
  return here;
}

/** Text with something in it, or null. */
export function text(value: unknown): string | null {
  return typeof value === 'string' && value.trim() !== '' ? value : null;
}

/** A count or line number; some tools write it as text. */
export function count(value: unknown): number | null {
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** The texts of a list; tools write one alone as plain text. */
export function strings(value: unknown): string[] {
  const all = Array.isArray(value) ? value : [value];
  return all.filter((one): one is string => text(one) !== null);
}

/** What a reader met that its format does not have: rows lost on the way must not look like a clean scan. */
export interface Shape {
  /** The objects of a list. Absent is an empty list; null, what is no list and what in it is no object is a problem. */
  rows(value: unknown, where: string): JsonObject[];
  /** The same for a list that a tool always writes. */
  required(value: unknown, where: string): JsonObject[];
  /** A problem for each list of objects under a key that the reader does not read. */
  unread(value: JsonObject, known: ReadonlySet<string>, where: string): void;
  problem(detail: string): void;
  reasons(): Reason[];
}

/** `format` names the tool’s format in reasons, which tell the first five problems and the number of the others. */
export function shapeOf(format: string): Shape {
  const problems: string[] = [];
  let more = 0;
  const problem = (detail: string) => {
    if (problems.length < 5) problems.push(detail);
    else more++;
  };
  const objects = (list: unknown[], where: string) => {
    const rows = list.filter(isObject);
    if (rows.length < list.length) problem(`${where} holds ${list.length - rows.length} entries that are not objects`);
    return rows;
  };
  const required = (value: unknown, where: string) => {
    if (Array.isArray(value)) return objects(value, where);
    problem(`${where} is ${value === undefined ? 'missing' : 'not a list'}`);
    return [];
  };
  return {
    problem,
    required,
    rows: (value, where) => (value === undefined ? [] : required(value, where)),
    unread(value, known, where) {
      for (const key of Object.keys(value)) {
        const list = value[key];
        if (!known.has(key) && Array.isArray(list) && list.some(isObject)) {
          problem(`${where} holds rows under "${key.slice(0, 64)}", which this reader does not know`);
        }
      }
    },
    reasons() {
      if (problems.length === 0) return [];
      const rest = more === 0 ? '' : ` and ${more} more`;
      const detail = `not the ${format} that was tested: ${problems.join('; ')}${rest}`;
      return [{ code: 'unknown_schema_version', detail }];
    },
  };
}
