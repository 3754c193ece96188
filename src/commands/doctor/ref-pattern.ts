/** Full-version tags as releases bear them: a pattern that leaves one of them out leaves releases unprotected. */
const SAMPLES = ['v0.0.1', 'v1.0.0', 'v12.34.56'];

/**
 * Whether patterns such as `v*` cover every full-version tag, and `also`, the one that is pinned. `prefix` is what the platform
 * writes before a tag's name (GitHub `refs/tags/`). Only `*` is understood, as in no slash: what else a pattern may mean does
 * not count as covering, and counts as excluding.
 */
export function coversVersions(
  patterns: { include: readonly string[]; exclude: readonly string[] },
  prefix: string,
  also: string | null,
): boolean {
  const names = [...SAMPLES, ...(also === null ? [] : [also])].map((tag) => `${prefix}${tag}`);
  return names.every(
    (name) =>
      patterns.include.some((pattern) => matches(pattern, name) === true) &&
      patterns.exclude.every((pattern) => matches(pattern, name) === false),
  );
}

/** Whether a pattern of `*`, which ends at a slash, covers a name; null where it is of a kind that is not understood here. */
export function matches(pattern: string, name: string): boolean | null {
  if (pattern === '~ALL') return true;
  if (!/^[A-Za-z0-9._/*-]+$/.test(pattern) || pattern.includes('**')) return null;
  const source = pattern.replaceAll('.', '\\.').replaceAll('*', '[^/]*');
  return new RegExp(`^${source}$`).test(name);
}
