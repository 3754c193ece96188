/** One way to authenticate that a server offers (RFC 9110 section 11.6.1): `Bearer realm="…",service="…"`. */
export interface Challenge {
  /** In lower case. */
  scheme: string;
  /** By name in lower case. */
  parameters: Map<string, string>;
}

/**
 * Parses a WWW-Authenticate header, which may hold several challenges separated by commas. What cannot be parsed ends the
 * list: a challenge that was not understood is not answered.
 */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header;
  while (rest !== '') {
    const scheme = /^[\s,]*([A-Za-z][A-Za-z0-9-]*)(?=\s|,|$)(?!\s*=)\s*/.exec(rest);
    if (scheme !== null) {
      challenges.push({ scheme: (scheme[1] as string).toLowerCase(), parameters: new Map() });
      rest = rest.slice(scheme[0].length);
    }
    const parameter = /^[\s,]*([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/.exec(rest);
    const current = challenges.at(-1);
    if (parameter !== null && current !== undefined) {
      const [all, key, quoted, token] = parameter;
      current.parameters.set((key as string).toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? (token as string));
      rest = rest.slice(all.length);
    } else if (scheme === null) {
      return challenges;
    }
  }
  return challenges;
}
