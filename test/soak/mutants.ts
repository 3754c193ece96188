import { bytes, bytesOf, documentOf, TOOLS, type ToolName } from '../unit/scan/scanning.ts';

/** A changed report: what was done to it, and its bytes. */
export interface Mutant {
  name: string;
  bytes: Buffer;
  /** Under which name it is handed in. */
  tool: string;
}

type Path = (string | number)[];
type Kind = 'clean' | 'findings';

/** 1: cut off at every structural byte. */
export function truncated(tool: ToolName, kind: Kind): Mutant[] {
  const whole = bytesOf(tool, kind).toString('utf8').trimEnd();
  const cuts = [...whole].flatMap((character, index) => ('{}[]:,"'.includes(character) ? [index, index + 1] : []));
  return [...new Set(cuts)]
    .filter((cut) => cut < whole.length)
    .map((cut) => ({ name: `cut at ${cut}`, bytes: Buffer.from(whole.slice(0, cut)), tool }));
}

/** 2: another document in its place. */
export function replaced(tool: ToolName): Mutant[] {
  const texts = [
    '',
    ' \n',
    'null',
    '{}',
    '[]',
    '""',
    '0',
    'true',
    '[{}]',
    '[null]',
    '[[]]',
    '{"results":{}}',
    '{"runs":[]}',
  ];
  return texts.map((text) => ({ name: `replaced by ${JSON.stringify(text)}`, bytes: Buffer.from(text), tool }));
}

/** 3: each key and list entry dropped, renamed, or of another type. */
export function reshaped(tool: ToolName, kind: Kind): Mutant[] {
  return pathsIn(documentOf(tool, kind)).flatMap((path) => {
    const last = path.at(-1) as string | number;
    const change = (what: string, act: (holder: Record<string, unknown>, key: string) => void): Mutant => {
      const root = { document: documentOf(tool, kind) };
      act(holderOf(root, ['document', ...path]), String(last));
      return { name: `${what} ${path.join('.')}`, bytes: bytes(root.document), tool };
    };
    const becomes = (value: unknown) =>
      change(`${JSON.stringify(value)} for`, (holder, key) => Object.assign(holder, { [key]: value }));
    const values = [null, {}, [], 'x', 7].map(becomes);
    if (typeof last === 'number') return values;
    const dropped = change('without', (holder, key) => delete holder[key]);
    const renamed = change('renamed', (holder, key) => {
      Object.assign(holder, { [`${key}X`]: holder[key] });
      delete holder[key];
    });
    return [dropped, renamed, ...values];
  });
}

/** 4: a report of this tool handed in as another's. */
export function swapped(tool: ToolName, kind: Kind): Mutant[] {
  const names = [...TOOLS.filter((other) => other !== tool), 'grype', 'codeqls'];
  return names.map((name) => ({ name: `as ${name}`, bytes: bytesOf(tool, kind), tool: name }));
}

/** 5: each severity made into something else. */
export function unrated(tool: ToolName): Mutant[] {
  const isSeverity = (path: Path) =>
    /^(severity|Severity|level|security-severity|score|max_severity)$/.test(String(path.at(-1)));
  const values = [
    undefined,
    'SEVERE',
    'none',
    '',
    ' ',
    'NaN',
    'constructor',
    '__proto__',
    0,
    -1,
    5,
    99,
    null,
    [],
    {},
    true,
  ];
  return pathsIn(documentOf(tool, 'findings'))
    .filter(isSeverity)
    .flatMap((path) =>
      values.map((value) => {
        const root = { document: documentOf(tool, 'findings') };
        Object.assign(holderOf(root, ['document', ...path]), { [String(path.at(-1))]: value });
        return { name: `${JSON.stringify(value)} for ${path.join('.')}`, bytes: bytes(root.document), tool };
      }),
    );
}

/** 7: other encodings, keys that readers disagree on, other line ends. */
export function reencoded(tool: ToolName, kind: Kind): Mutant[] {
  const whole = bytesOf(tool, kind);
  const text = whole.toString('utf8');
  const first = /"(\w+)":/.exec(text);
  const keys = ['__proto__', ...(first === null ? [] : [first[1] as string])];
  const doubled = keys.map((key) => ({
    name: `a second ${key}`,
    bytes: Buffer.from(text.replace('{', `{"${key}": [], `)),
    tool,
  }));
  const latin = Buffer.concat([
    whole.subarray(0, whole.length - 3),
    Buffer.from([0xe9]),
    whole.subarray(whole.length - 3),
  ]);
  return [
    { name: 'with a byte order mark', bytes: Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), whole]), tool },
    { name: 'in UTF-16', bytes: Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]), tool },
    { name: 'in Latin-1', bytes: latin, tool },
    { name: 'with CRLF', bytes: Buffer.from(text.replaceAll('\n', '\r\n')), tool },
    { name: 'twice', bytes: Buffer.concat([whole, whole]), tool },
    { name: 'with a NUL behind it', bytes: Buffer.concat([whole, Buffer.from([0])]), tool },
    {
      name: 'with a key named constructor',
      bytes: Buffer.from(text.replace('{', '{"constructor": {"name": "x"}, ')),
      tool,
    },
    ...(text.includes('{') ? doubled : []),
  ];
}

/** Every path to a value under a key or in a list, outermost first. */
function pathsIn(value: unknown, above: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...above, Array.isArray(value) ? Number(key) : key];
    return [path, ...pathsIn(inner, path)];
  });
}

function holderOf(root: unknown, path: Path): Record<string, unknown> {
  return path
    .slice(0, -1)
    .reduce((holder, key) => (holder as Record<string, unknown>)[key] as object, root as object) as Record<
    string,
    unknown
  >;
}
