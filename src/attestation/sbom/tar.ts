/**
 * Reads tar as container runtimes do, from POSIX.1-2017 (pax, ustar) and the GNU manual (long names, base-256 numbers).
 *
 * Written here, not taken from npm: the reader must refuse what it does not understand (sparse files, unknown types) and
 * treat the odd cases as Go's archive/tar does, because containerd and Docker unpack with that: what this reader sees
 * must be what will run.
 */
import { BadInput } from '../../lib/errors.ts';
import { ByteSource } from './byte-source.ts';
import { enforce, type Limits } from './limits.ts';

export interface TarEntry {
  /** As written: it may begin with `/` or `./` and hold `..`. */
  path: string;
  kind: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device';
  /** Of a symlink or hardlink, else "". */
  target: string;
  /** Bytes of `content`; 0 for all but files. */
  size: number;
  /** To be read before the next entry is asked for; what is left then is skipped. */
  content: AsyncIterable<Uint8Array>;
}

/** Yields the entries up to the end mark. Throws BadInput `sbom.tar`, or Denied above a limit. */
export async function* readTar(bytes: AsyncIterable<Uint8Array>, limits: Limits): AsyncGenerator<TarEntry> {
  const source = new ByteSource(bytes);
  let extended: Extended = {};
  for (;;) {
    const header = await nextHeader(source);
    if (header === null) return;
    const size = numberAt(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    if (EXTENDING.has(type)) {
      extended = extend(extended, type, await readExtension(source, size));
    } else {
      const entry = entryOf(header, type, size, extended, limits);
      const content = source.take(entry.size);
      yield { ...entry, content };
      await drain(content);
      await source.skip(padding(entry.size));
      extended = {};
    }
  }
}

/** What the headers before an entry say of it: pax records, and GNU's long names, which win over them. */
interface Extended {
  pax?: Record<string, string>;
  path?: string;
  target?: string;
}

const EXTENDING = new Set(['x', 'g', 'L', 'K']);

async function readExtension(source: ByteSource, size: number): Promise<Buffer> {
  // A pax header also carries attributes beside the path; a MiB is what Go allows.
  enforce(size, 1024 * 1024, 'bytes in one extended header');
  const body = await source.read(size);
  await source.skip(padding(size));
  return body;
}

/** As in Go's reader: a second pax header replaces the first, and a global one ("g") ends what went before it. */
function extend(before: Extended, type: string, body: Buffer): Extended {
  if (type === 'g') return {};
  if (type === 'x') return { ...before, pax: readPax(body) };
  return { ...before, [type === 'L' ? 'path' : 'target']: text(body, 0, body.length) };
}

const KINDS: Record<string, TarEntry['kind']> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'device',
};

function entryOf(
  header: Buffer,
  type: string,
  size: number,
  extended: Extended,
  limits: Limits,
): Omit<TarEntry, 'content'> {
  const { pax = {} } = extended;
  const path = extended.path || pax.path || nameOf(header);
  const target = extended.target || pax.linkpath || text(header, 157, 100);
  // Before POSIX a folder was a file whose name ends in a slash.
  const kind = type === '\0' && path.endsWith('/') ? 'directory' : KINDS[type];
  if (kind === undefined) {
    throw malformed(`entry ${quote(path)} is of the type ${quote(type)}, which this reader does not know`);
  }
  for (const each of [path, target]) {
    enforce(Buffer.byteLength(each), limits.pathBytes, 'bytes in one path');
    if (each.includes('\0')) throw malformed(`entry ${quote(path)} has a NUL in its path`);
  }
  const bytes = pax.size ? decimal(pax.size) : size;
  return { path, kind, target: kind.endsWith('link') ? target : '', size: kind === 'file' ? bytes : 0 };
}

function nameOf(header: Buffer): string {
  const name = text(header, 0, 100);
  const prefix = prefixOf(header);
  return prefix === '' ? name : `${prefix}/${name}`;
}

function prefixOf(header: Buffer): string {
  const magic = header.toString('latin1', 257, 265);
  if (magic.startsWith('ustar\0'))
    return text(header, 345, header.toString('latin1', 508, 512) === 'tar\0' ? 131 : 155);
  if (magic === 'ustar  \0') {
    // GNU keeps two times here; Go takes them for a prefix when they are not numbers, so they must be.
    numberAt(header, 345, 12);
    numberAt(header, 357, 12);
  }
  return '';
}

/** The next header block, or null at the end: two zero blocks, or no bytes at all. */
async function nextHeader(source: ByteSource): Promise<Buffer | null> {
  const block = await source.readOrEnd(BLOCK);
  if (block === null) return null;
  if (isZero(block)) {
    const second = await source.readOrEnd(BLOCK);
    if (second === null || isZero(second)) return null;
    throw malformed('there is a block of zeros before its end');
  }
  const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 0x20 : byte), 0);
  if (numberAt(block, 148, 8) !== sum) throw malformed('the checksum of a header does not match');
  return block;
}

const BLOCK = 512;
const isZero = (block: Buffer) => block.every((byte) => byte === 0);
const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK;

/** Up to the first NUL. Two names that are not UTF-8 could become one when decoded, and hide a file: they are refused. */
function text(from: Buffer, offset: number, length: number): string {
  const field = from.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return decode(field.subarray(0, end === -1 ? field.length : end));
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw malformed(`the path ${quote(Buffer.from(bytes).toString())} is not UTF-8`, cause);
  }
}

/** Octal digits, or base-256 where the first bit is set (GNU). */
function numberAt(header: Buffer, offset: number, length: number): number {
  const field = header.subarray(offset, offset + length);
  if (((field[0] ?? 0) & 0x80) !== 0) {
    const value = BigInt(`0x${field.toString('hex')}`) & ((1n << BigInt(8 * length - 1)) - 1n);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('a number in a header is too large or negative');
    return Number(value);
  }
  const digits = field.toString('latin1').replaceAll(/^[ \0]+|[ \0]+$/g, '');
  if (!/^[0-7]*$/.test(digits)) throw malformed(`a number in a header is ${quote(digits)}`);
  return digits === '' ? 0 : Number.parseInt(digits, 8);
}

function decimal(digits: string): number {
  const value = Number(digits);
  if (!/^\d{1,16}$/.test(digits) || !Number.isSafeInteger(value)) throw malformed(`a pax size is ${quote(digits)}`);
  return value;
}

/** Records of the form `<length> <key>=<value>\n`, the length counting itself. */
function readPax(body: Buffer): Record<string, string> {
  const found: Record<string, string> = {};
  for (let at = 0; at < body.length; ) {
    const space = body.indexOf(0x20, at);
    const length = decimal(body.toString('latin1', at, space === -1 ? at : space));
    const record = body.subarray(space + 1, at + length);
    const equals = record.indexOf(0x3d);
    if (at + length > body.length || equals < 1 || record.at(-1) !== 0x0a) throw malformed('a pax header is broken');
    const key = record.toString('utf8', 0, equals);
    if (key.startsWith('GNU.sparse.')) throw malformed('it holds a sparse file, which this reader does not know');
    if (key === 'path' || key === 'linkpath' || key === 'size') found[key] = decode(record.subarray(equals + 1, -1));
    at += length;
  }
  return found;
}

async function drain(content: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _ of content);
}

function malformed(reason: string, cause?: unknown): BadInput {
  return new BadInput('sbom.tar', `a layer is not a tar archive that can be read: ${reason}; rebuild the image`, cause);
}

const quote = (value: string) => JSON.stringify(value.slice(0, 200));
