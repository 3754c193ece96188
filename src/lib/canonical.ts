import canonicalize from 'canonicalize';

/**
 * Canonical JSON (RFC 8785) as UTF-8 bytes: sorted keys, no white space, so that equal documents have equal digests.
 * Throws a TypeError on what JSON cannot carry (undefined at the top, NaN, Infinity): our documents hold integers only.
 */
export function canonicalBytes(document: unknown): Buffer {
  const text = canonicalize(document);
  if (text === undefined) throw new TypeError('canonical JSON: the document is undefined');
  return Buffer.from(text, 'utf8');
}
