import { BadInput } from './errors.ts';
import { plural } from './plural.ts';

/** Brackets within brackets that are followed; what walks a document afterwards must not run out of stack. */
const DEPTH_LIMIT = 512;

/**
 * Parses bytes as JSON the way a judge must: UTF-8 without a byte order mark, no duplicate keys (parsers disagree on which
 * one wins), no `__proto__` keys, and nothing that canonical JSON cannot carry (numbers beyond a double, halves of surrogate
 * pairs). `what` names the input in the error.
 *
 * Throws BadInput with code `json.empty`, `json.encoding`, `json.syntax`, `json.duplicate_key`, `json.depth` or `json.number`.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const text = decode(bytes, what);
  if (text.trim() === '') {
    throw new BadInput('json.empty', `${what} is empty (${plural(bytes.length, 'byte')}): expected a JSON document`);
  }
  const value = parse(text, what);
  refuseAmbiguous(text, what);
  return value;
}

function decode(bytes: Uint8Array, what: string): string {
  const bom = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (bom || utf16) {
    throw new BadInput('json.encoding', `${what} starts with a byte order mark: save it as plain UTF-8`);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new BadInput('json.encoding', `${what} is not UTF-8`, cause);
  }
}

function parse(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BadInput('json.syntax', `${what} is not JSON: ${placeOf(cause as Error)}`, cause);
  }
}

/** The engine's message without its quotation of the input, which may hold a secret or a command to whoever shows the log. */
function placeOf({ message }: Error): string {
  const place = /\(line \d+ column \d+\)/.exec(message)?.[0];
  const said =
    /^(Unexpected [a-z ]+|Expected .{1,60}? in JSON|Bad [a-z ]+|Unterminated [a-z ]+|No number after [a-z ]+)/i
      .exec(message)?.[0]
      .trim();
  return [said ?? 'it cannot be parsed', place].filter((part) => part !== undefined).join(' ');
}

/**
 * Refuses what readers disagree on in a text that JSON.parse has accepted. One pass over strings, numbers and brackets; keys
 * are compared after unescaping.
 */
function refuseAmbiguous(text: string, what: string): void {
  const objects: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x7b || c === 0x5b) {
      objects.push(c === 0x7b ? new Set() : null);
      if (objects.length > DEPTH_LIMIT)
        throw new BadInput('json.depth', `${what} is nested more than ${DEPTH_LIMIT} levels deep: no document here is`);
    } else if (c === 0x7d || c === 0x5d) objects.pop();
    else if (c === 0x22) i = readString(text, i, objects.at(-1) ?? null, what) - 1;
    else if (c === 0x2d || (c >= 0x30 && c <= 0x39)) i = readNumber(text, i, what) - 1;
  }
}

/** Checks the string that opens at `start`, as a key where a colon follows; gives the index behind it. */
function readString(text: string, start: number, keys: Set<string> | null, what: string): number {
  const end = endOfString(text, start);
  const raw = text.slice(start, end);
  const escaped = raw.includes('\\');
  const value = escaped ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  if (escaped && !value.isWellFormed())
    throw new BadInput('json.encoding', `${what} has a string with half a surrogate pair: it is no text`);
  if (keys === null || !nextIsColon(text, end)) return end;
  if (value === '__proto__' || keys.has(value)) {
    throw new BadInput(
      'json.duplicate_key',
      `${what} has the key ${JSON.stringify(value)} where it must not be: it is repeated or "__proto__", and readers would disagree on what it means`,
    );
  }
  keys.add(value);
  return end;
}

/** Checks the number at `start`; gives the index behind it. */
function readNumber(text: string, start: number, what: string): number {
  let end = start + 1;
  while (end < text.length && isOfNumber(text.charCodeAt(end))) end++;
  if (!Number.isFinite(Number(text.slice(start, end))))
    throw new BadInput('json.number', `${what} has a number that is larger than any reader can hold`);
  return end;
}

/** A digit, `+`, `-`, `.`, `E` or `e`. */
function isOfNumber(c: number): boolean {
  return (c >= 0x30 && c <= 0x39) || c === 0x2b || c === 0x2d || c === 0x2e || c === 0x45 || c === 0x65;
}

/** Index just behind the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let i = text.indexOf('"', start + 1);
  while (isEscaped(text, i)) i = text.indexOf('"', i + 1);
  return i + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let backslashes = 0;
  while (text.charCodeAt(quote - 1 - backslashes) === 0x5c) backslashes++;
  return backslashes % 2 === 1;
}

function nextIsColon(text: string, from: number): boolean {
  let i = from;
  while (text.charCodeAt(i) <= 0x20) i++;
  return text.charCodeAt(i) === 0x3a;
}
