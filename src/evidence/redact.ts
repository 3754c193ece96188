/*
 * Nobody can delete a record for seven years: what looks like a secret is replaced before anything is signed. This is the last
 * net, behind schemas that name what may be said; it knows forms, not meanings.
 */

/** Secrets that are known by their form. A first group, where there is one, is kept. */
const FORMS: readonly (readonly [kind: string, form: RegExp])[] = [
  [
    'private-key',
    /-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|$)/g,
  ],
  ['aws-key', /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g],
  ['github-token', /\b(?:gh[pousr]_[A-Za-z0-9_.-]{20,}|github_pat_[A-Za-z0-9_]{22,})/g],
  ['gitlab-token', /\bgl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_.-]{20,}/g],
  ['jwt', /\beyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/g],
  [
    'token',
    /\b(?:xox[abeoprs]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{36}|[rs]k_live_[A-Za-z0-9]{20,}|AIza[A-Za-z0-9_-]{35}|hv[sb]\.[A-Za-z0-9_-]{20,})/g,
  ],
  ['url-password', /\b([a-z][a-z0-9+.-]*:\/\/)(?!\[redacted:)[^\s/:@"'<>]*:[^\s/@"'<>]+(?=@)/gi],
  ['authorization', /\b(authorization["']?\s*[:=]\s*["']?(?:bearer|basic|token)\s+)[A-Za-z0-9+/=_.~-]{8,}/gi],
];

const SECRET_NAME = '(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)';
const ASSIGNMENT = new RegExp(`\\b([A-Za-z0-9_.-]*${SECRET_NAME}["']?\\s*[:=]\\s*["']?)([^\\s"',;]{8,})`, 'gi');
const NAMED_SECRET = new RegExp(`${SECRET_NAME}$`, 'i');

export interface Redacted<T> {
  value: T;
  /** How many secrets were replaced. */
  count: number;
}

/** Replaces secrets of known form in text: keys, tokens, passwords in URLs. */
export function redactForms(text: string): Redacted<string> {
  let count = 0;
  let value = text;
  for (const [kind, form] of FORMS) {
    value = value.replace(form, (_match, kept: unknown) => {
      count += 1;
      return `${typeof kept === 'string' ? kept : ''}[redacted:${kind}]`;
    });
  }
  return { value, count };
}

/** A copy of a JSON document without secrets: known forms, and random-looking values of names such as `password`; keys too. */
export function redact<T>(document: T): Redacted<T> {
  let count = 0;
  const text = (said: string): string => {
    const forms = redactForms(said);
    count += forms.count;
    return forms.value.replace(ASSIGNMENT, (match, name: string, value: string) => {
      if (!looksRandom(value)) return match;
      count += 1;
      return `${name}[redacted:assignment]`;
    });
  };
  const member = (name: string, value: unknown): unknown => {
    if (typeof value !== 'string' || !NAMED_SECRET.test(name) || !looksRandom(value)) return walk(value);
    count += 1;
    return '[redacted:assignment]';
  };
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [text(name), member(name, inner)]));
  };
  return { value: walk(document) as T, count };
}

/** Letters and digits mixed, at least 8 of them, more than 3 bits a character: a password or key rather than a word. */
function looksRandom(value: string): boolean {
  if (value.length < 8 || value.startsWith('[redacted:') || /\s/.test(value)) return false;
  return /[A-Za-z]/.test(value) && /\d/.test(value) && entropy(value) >= 3;
}

/** Shannon entropy in bits a character. */
function entropy(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  return [...counts.values()].reduce((sum, count) => sum - (count / value.length) * Math.log2(count / value.length), 0);
}
