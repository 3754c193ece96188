import { type Document, isAlias, isNode, isScalar, parseAllDocuments, visit } from 'yaml';
import { BadInput, messageOf } from './errors.ts';

/** What a document is called in errors, `manifest web.yaml`, and the code of those errors. */
export interface What {
  what: string;
  code: string;
}

/**
 * Reads YAML only where all its readers read the same: a file that a cluster reads in another way than we do would run what
 * nobody judged. Refused are line breaks that YAML 1.1 has and 1.2 has not, aliases and merge keys (one place says something at
 * another), explicit tags, other versions, keys that are no scalars. Throws BadInput.
 */
export function parseYaml(
  bytes: Uint8Array,
  named: What,
  options: object = {},
): { text: string; documents: Document[] } {
  const text = decode(bytes, named);
  let documents: Document[];
  try {
    // Keys are compared below: the parser's own comparison takes minutes for a large map.
    documents = [...parseAllDocuments(text, { ...options, uniqueKeys: false, merge: false })];
  } catch (cause) {
    throw refused(named, `is not YAML: ${firstLine(cause)}`, cause);
  }
  for (const document of documents) requirePlain(document, text, named);
  return { text, documents };
}

function decode(bytes: Uint8Array, named: What): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refused(named, 'is no text: it is not UTF-8', cause);
  }
  const plain = text.startsWith('\ufeff') ? text.slice(1) : text;
  const found = ODD.exec(plain);
  if (found !== null) {
    const line = plain.slice(0, found.index).split('\n').length;
    const hex = (found[0].codePointAt(0) as number).toString(16).toUpperCase().padStart(4, '0');
    throw refused(
      named,
      `has the character U+${hex} on line ${line}, which some readers take for the end of the line: take it out`,
    );
  }
  return text;
}

/** Control characters, and line breaks of which readers of YAML 1.1 and 1.2 think differently. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const ODD = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\ufeff]|\r(?!\n)/;

function requirePlain(document: Document, text: string, named: What): void {
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) throw refused(named, `is not YAML: ${firstLine(broken)}`, broken);
  if (document.directives?.yaml.explicit === true && document.directives.yaml.version !== '1.2')
    throw refused(named, `is YAML ${document.directives.yaml.version}: leave out the line %YAML, or write 1.2`);
  const on = (node: unknown) => {
    const start = isNode(node) ? node.range?.[0] : undefined;
    return start === undefined ? '' : ` on line ${text.slice(0, start).split('\n').length}`;
  };
  visit(document, {
    Node: (_, node) => {
      if (isAlias(node)) throw refused(named, `uses a YAML alias${on(node)}: write the value out where it counts`);
      if (node.tag !== undefined)
        throw refused(named, `uses the YAML tag ${node.tag}${on(node)}: write the value without it`);
    },
    Map: (_, { items }) => {
      const seen = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) throw refused(named, `has a key that is no plain word${on(key)}`);
        const name = String(key.value);
        if (name === '<<') throw refused(named, `uses a YAML merge key${on(key)}: write out what it brings in`);
        if (seen.has(name)) throw refused(named, `has the key ${JSON.stringify(name)} a second time${on(key)}`);
        seen.add(name);
      }
    },
  });
}

function firstLine(cause: unknown): string {
  const [line = ''] = messageOf(cause).split('\n');
  if (line.startsWith('Maximum call stack')) return 'it is nested too deeply';
  // The parser shows the place below its first line.
  return line.replace(/:$/, '');
}

function refused({ what, code }: What, why: string, cause?: unknown): BadInput {
  return new BadInput(code, `${what} ${why}`, cause);
}
