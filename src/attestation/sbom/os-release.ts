/** The operating system that an image says it is (freedesktop.org, os-release(5)). */
export interface OperatingSystem {
  /** `debian`, `alpine`, in lower case. */
  id: string;
  /** `12`, `3.18.4`; null for a rolling release. */
  version: string | null;
  /** For people. */
  name: string | null;
}

/** Parses os-release; null where it has no ID, since nothing can be looked up by the rest. */
export function parseOsRelease(text: string): OperatingSystem | null {
  const values = new Map(text.split('\n').flatMap(assignment));
  const id = values.get('ID');
  if (id === undefined || id === '') return null;
  return { id: id.toLowerCase(), version: values.get('VERSION_ID') || null, name: values.get('PRETTY_NAME') || null };
}

/** `KEY=value` as a shell reads it: bare, in single or in double quotes, where a backslash keeps the next character. */
function assignment(line: string): [string, string][] {
  const match = /^\s*([A-Z][A-Z0-9_]*)=(?:'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"]*))\s*$/.exec(line);
  if (match === null) return [];
  const [, key = '', single, double, bare] = match;
  return [[key, single ?? double?.replaceAll(/\\(.)/g, '$1') ?? bare ?? '']];
}
