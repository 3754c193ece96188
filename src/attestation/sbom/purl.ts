/**
 * Package URLs (ECMA-427), for looking a package up in a vulnerability database.
 *
 * Not from npm: packageurl-js leaves `+` as it is in versions, where the standard and scanners write `%2B`, so that equal
 * packages would have unequal purls.
 */
export interface PurlParts {
  type: string;
  /** With slashes between its parts. */
  namespace?: string | null;
  name: string;
  version?: string | null;
  qualifiers?: Record<string, string | null>;
}

/**
 * `pkg:type/namespace/name@version?qualifiers`: parts percent-encoded, empty qualifiers left out, the others in order of their
 * names.
 */
export function purl({ type, namespace, name, version, qualifiers = {} }: PurlParts): string {
  const path = [...(namespace ?? '').split('/').filter((part) => part !== ''), name].map(encode).join('/');
  const query = Object.entries(qualifiers)
    .filter((entry): entry is [string, string] => entry[1] !== null && entry[1] !== '')
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join('&');
  return `pkg:${type}/${path}${version ? `@${encode(version)}` : ''}${query === '' ? '' : `?${query}`}`;
}

/** Percent-encodes all but letters, digits and `.-_~:`. */
function encode(text: string): string {
  return encodeURIComponent(text)
    .replaceAll('%3A', ':')
    .replaceAll(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
