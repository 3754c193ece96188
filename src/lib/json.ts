import { BadInput } from './errors.ts';

/**
 * Parses bytes as JSON the way a judge must: UTF-8 without a byte order mark, no duplicate keys (parsers disagree on which
 * one wins) and no `__proto__` keys. `what` names the input in the error.
 *
 * Throws BadInput with code `json.empty`, `json.encoding`, `json.syntax` or `json.duplicate_key`.
 */
export function parseJson(bytes: Uint8Array, what: string): unknown {
  const text = decode(bytes, what);
  if (text.trim() === '') {
    throw new BadInput('json.empty', `${what} is empty (${bytes.length} bytes): expected a JSON document`);
  }
  const value = parse(text, what);
  const repeated = findBadKey(text);
  if (repeated !== null) {
    throw new BadInput(
      'json.duplicate_key',
      `${what} has the key ${JSON.stringify(repeated)} where it must not be: it is repeated or "__proto__", and readers would disagree on what it means`,
    );
  }
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
    throw new BadInput('json.syntax', `${what} is not JSON: ${(cause as Error).message}`, cause);
  }
}

/**
 * The first repeated or `__proto__` key of a text that JSON.parse has accepted, or null. One pass over strings and
 * brackets; keys are compared after unescaping.
 */
function findBadKey(text: string): string | null {
  const objects: (Set<string> | null)[] = [];
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x7b) objects.push(new Set());
    else if (c === 0x5b) objects.push(null);
    else if (c === 0x7d || c === 0x5d) objects.pop();
    else if (c === 0x22) {
      const end = endOfString(text, i);
      const keys = objects.at(-1);
      if (keys && nextIsColon(text, end)) {
        const raw = text.slice(i, end);
        const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
        if (key === '__proto__' || keys.has(key)) return key;
        keys.add(key);
      }
      i = end - 1;
    }
  }
  return null;
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
