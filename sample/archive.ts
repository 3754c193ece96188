/** A tar archive whose bytes depend on nothing but names and contents: no times, no owners, no order of a disk. */
import { constants, gzipSync } from 'node:zlib';

export interface File {
  /** `app/server`, without a leading slash. */
  path: string;
  bytes: Buffer;
  executable: boolean;
}

/** ustar (POSIX.1-2017) of these files and of the folders on the way to them, sorted by path. */
export function tar(files: readonly File[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => foldersOf(path)));
  const entries = [
    ...[...folders].map((path) => ({ path, header: header(path, '5', 0o755, 0), bytes: Buffer.alloc(0) })),
    ...files.map(({ path, bytes, executable }) => ({
      path,
      header: header(path, '0', executable ? 0o755 : 0o644, bytes.length),
      bytes,
    })),
  ].sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = entries.flatMap(({ header, bytes }) => [
    header,
    bytes,
    Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** gzip without a time and without the name of the system that made it. */
export function gzip(bytes: Buffer): Buffer {
  const packed = gzipSync(bytes, { level: constants.Z_BEST_COMPRESSION });
  packed.writeUInt8(255, 9);
  return packed;
}

const BLOCK = 512;

/** `a/`, `a/b/` of `a/b/c`. */
function foldersOf(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, i) => `${parts.slice(0, i + 1).join('/')}/`);
}

function header(path: string, type: '0' | '5', mode: number, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is longer than the 100 bytes that this archive takes`);
  block.write(path, 0);
  const number = (value: number, offset: number, length: number) =>
    block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset);
  number(mode, 100, 8);
  number(0, 108, 8);
  number(0, 116, 8);
  number(size, 124, 12);
  number(0, 136, 12);
  block.write(type, 156);
  block.write('ustar\x0000', 257);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
