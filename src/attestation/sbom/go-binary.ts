/** What the Go linker writes into every program: its modules, their versions and hashes. It survives stripping. */
import { messageOf } from '../../lib/errors.ts';
import { dataSegments, findSection } from './elf.ts';

export interface GoModule {
  path: string;
  /** `v1.2.3`; "" for a module that a folder on the builder's disk stands in for; `(devel)` for a local build's own. */
  version: string;
  /** `h1:…`, the hash of go.sum; "" where Go knows none. */
  sum: string;
  /** What the requirement named, where a replace directive put this module in its place. */
  insteadOf: string | null;
}

export interface GoBuild {
  /** `1.26.8`: the toolchain's version without `go`, which is also that of the standard library. */
  toolchain: string;
  main: GoModule | null;
  dependencies: GoModule[];
}

/**
 * Reads the build information of an ELF file: null where there is none (it is no Go program), a text saying why where it
 * cannot be read. Format: Go's debug/buildinfo, with the inline strings of Go 1.18 and later.
 */
export function readGoBuild(bytes: Buffer): GoBuild | string | null {
  try {
    const block = findBlock(bytes);
    if (block === null) return null;
    if ((block.readUInt8(FLAGS) & INLINE) === 0)
      return 'built by a Go before 1.18, whose build information is not read';
    const version = stringAt(block, STRINGS);
    return parse(version.bytes.toString(), stringAt(block, version.end).bytes);
  } catch (cause) {
    // By name, since Node.js throws its own where a number lies behind the end of a buffer.
    if ((cause as Error).name !== 'RangeError') throw cause;
    return `a broken or cut off ELF file: ${messageOf(cause)}`;
  }
}

const MAGIC = Buffer.from('\xff Go buildinf:', 'latin1');
const FLAGS = 15;
const INLINE = 2;
const STRINGS = 32;
const ALIGNMENT = 16;

/** The section of this name, or, where somebody removed the section table, the block in the data segment. */
function findBlock(bytes: Buffer): Buffer | null {
  const section = findSection(bytes, '.go.buildinfo');
  if (section !== null) return section.subarray(0, MAGIC.length).equals(MAGIC) ? section : null;
  for (const segment of dataSegments(bytes)) {
    for (let at = segment.indexOf(MAGIC); at !== -1; at = segment.indexOf(MAGIC, at + 1)) {
      if (at % ALIGNMENT === 0) return segment.subarray(at);
    }
  }
  return null;
}

/** Bytes behind their length, a base-128 number (Go's encoding/binary, Uvarint). */
function stringAt(block: Buffer, offset: number): { bytes: Buffer; end: number } {
  let length = 0;
  let at = offset;
  for (let scale = 1; scale < 2 ** 35; scale *= 128) {
    const byte = block.readUInt8(at++);
    length += (byte & 0x7f) * scale;
    if (byte < 0x80) break;
  }
  if (at + length > block.length) throw new RangeError('its build information ends too early');
  return { bytes: block.subarray(at, at + length), end: at + length };
}

function parse(version: string, framed: Buffer): GoBuild | string {
  // Experiments that the toolchain was built with follow its version: "go1.26.8-X:jsonv2".
  const toolchain = /\bgo(\d\S*)/.exec(version.replace(/[- ]X:.*/, ''))?.[1];
  if (toolchain === undefined)
    return `its build information names the Go version ${JSON.stringify(version.slice(0, 100))}`;
  const build: GoBuild = { toolchain, main: null, dependencies: [] };
  for (const line of unframe(framed).split('\n')) {
    const [key, path = '', version = '', sum = ''] = line.split('\t');
    const module = { path, version, sum, insteadOf: null };
    if (key === 'mod') build.main = module;
    else if (key === 'dep') build.dependencies.push(module);
    else if (key === '=>') build.dependencies.push(replace(build.dependencies.pop(), module));
  }
  return build;
}

/** 16 bytes of mark stand before and behind the text (Go's cmd/go/internal/modload). */
function unframe(framed: Buffer): string {
  const MARK = 16;
  return framed.length > 2 * MARK && framed.at(-MARK - 1) === 0x0a
    ? framed.toString('utf8', MARK, framed.length - MARK)
    : '';
}

/** A folder in a module's place has a path that means nothing elsewhere: the module's own name stays, without version. */
function replace(original: GoModule | undefined, replacement: GoModule): GoModule {
  if (original === undefined) return replacement;
  const named = replacement.version === '' ? { path: original.path, version: '', sum: '' } : replacement;
  return { ...named, insteadOf: `${original.path}@${original.version}` };
}
