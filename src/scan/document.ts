import { BadInput } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { plural } from '../lib/plural.ts';
import type { Reason } from './reading.ts';

export type Parsed = { document: unknown; reason: null } | { document: null; reason: Reason };

/**
 * The JSON document of a scanner's file, or why there is none. What the parser says of the place is not repeated: it quotes
 * the file, which may hold a secret.
 */
export function parseDocument(bytes: Buffer): Parsed {
  try {
    return { document: parseJson(bytes, 'the report'), reason: null };
  } catch (error) {
    if (!(error instanceof BadInput)) throw error;
    return { document: null, reason: reasonFor(error, bytes) };
  }
}

function reasonFor({ code, message }: BadInput, bytes: Buffer): Reason {
  const size = plural(bytes.length, 'byte');
  if (code === 'json.empty') {
    return { code: 'empty_file', detail: `the report is empty (${size}): the scan did not finish; run it again` };
  }
  if (code === 'json.syntax' || code === 'json.encoding') {
    if (endsEarly(bytes)) {
      return {
        code: 'truncated',
        detail: `the report breaks off after ${size}: the scan or the copy did not finish; run it again`,
      };
    }
    const what = code === 'json.syntax' ? 'is not JSON' : 'is not plain UTF-8, or starts with a byte order mark';
    return {
      code: 'invalid_json',
      detail: `the report (${size}) ${what}: hand in the JSON or SARIF output as the tool wrote it`,
    };
  }
  return { code: 'invalid_json', detail: message };
}

/** True when the text ends inside a character, a string or a bracket. */
function endsEarly(bytes: Buffer): boolean {
  let text: string;
  try {
    // In a stream an incomplete character at the end is no error, one elsewhere is.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true });
  } catch {
    return false;
  }
  if (!/^\s*[[{"]/.test(text)) return false;
  let depth = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) depth++;
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return inString || depth > 0;
}
