import { parseDocument } from './document.ts';
import { identify, toolNames } from './identify.ts';
import { type Reading, type Reason, reading } from './reading.ts';

/** A reading, or what stands for one when the file is no report of the tool it should be of. */
export type FileReading = Reading & {
  /** False: nothing in it is to be believed, and the reasons say why. */
  recognised: boolean;
  /** Another tool than the named one certainly wrote it. */
  writtenBy: string | null;
};

/** Reads the bytes as the report of the named tool, or of whichever tool they show. */
export function readFile(bytes: Buffer, named: string | null, argv: readonly string[]): FileReading {
  const parsed = parseDocument(bytes);
  if (parsed.reason !== null) return unread(named, named === null ? [parsed.reason, unnamed] : [parsed.reason]);
  const { document } = parsed;
  const { reader, writtenBy } = identify(document, named);
  if (reader === null) {
    if (writtenBy.length > 0) return another(named, writtenBy.join(' and '));
    if (document !== null) return unread(named, [named === null ? unknown : unlike(named)]);
    return unread(named, named === null ? [nothing, unnamed] : [nothing]);
  }
  const read = reader.read(document, argv);
  // One reader serves the SARIF of all tools; whose it is, the file says.
  if (named !== null && named !== 'sarif' && read.tool !== named) return another(named, read.tool);
  return { ...read, recognised: true, writtenBy: null };
}

function unread(named: string | null, reasons: Reason[]): FileReading {
  return { ...reading({ tool: named ?? 'unknown', format: 'unknown', reasons }), recognised: false, writtenBy: null };
}

function another(named: string | null, writtenBy: string): FileReading {
  const as = named === null ? 'without a tool' : `as a report of ${named}`;
  const reason: Reason = {
    code: 'wrong_tool',
    detail: `it was handed in ${as}, but ${writtenBy} wrote it: check the path and the tool`,
  };
  return { ...unread(named, [reason]), writtenBy };
}

const known = toolNames.join(', ');
const nothing: Reason = {
  code: 'null_document',
  detail: 'the report is null: this tool writes a document, so it did not finish',
};
const unnamed: Reason = {
  code: 'wrong_tool',
  detail: `no tool was named and the file shows none: name one of ${known}`,
};
const unknown: Reason = {
  code: 'wrong_tool',
  detail: `this is no report that is known here, or it does not show whose: name one of ${known}`,
};
const unlike = (named: string): Reason => ({
  code: 'wrong_tool',
  detail: `it was handed in as a report of ${named}, but does not look like one`,
});
