/** Tiny ELF files for tests: nothing that runs, but enough for a reader to find its way. */

/** The block that Go's linker writes: 14 bytes of magic, pointer size, flags, two strings behind their lengths. */
export function goBuildBlock(version: string, modules: string, flags = 2): Buffer {
  const head = Buffer.alloc(32);
  head.write('\xff Go buildinf:', 'latin1');
  head.writeUInt8(8, 14);
  head.writeUInt8(flags, 15);
  const mark = Buffer.alloc(16, 0xf9);
  const framed = modules === '' ? Buffer.alloc(0) : Buffer.concat([mark, Buffer.from(modules), mark]);
  return Buffer.concat([head, ...[Buffer.from(version), framed].flatMap((text) => [varint(text.length), text])]);
}

function varint(value: number): Buffer {
  return value < 128
    ? Buffer.from([value])
    : Buffer.concat([Buffer.from([(value % 128) | 128]), varint(Math.floor(value / 128))]);
}

interface Shape {
  bits: 32 | 64;
  big: boolean;
  /** A section table that names this section, or none. */
  section: string | null;
  /** Flags of the one segment: 4 read, 2 write, 1 execute. */
  flags?: number;
}

/** A file whose only segment, and only section if there is a table, is `data`. */
export function elfFile(data: Buffer, { bits, big, section, flags = 6 }: Shape): Buffer {
  const wide = bits === 64;
  const [headerSize, segmentSize, sectionSize, word] = wide ? [64, 56, 64, 8] : [52, 32, 40, 4];
  const names = Buffer.from(`\0.shstrtab\0${section ?? ''}\0`);
  const segmentAt = headerSize;
  const dataAt = 256;
  const namesAt = dataAt + data.length;
  const sectionsAt = namesAt + names.length;
  const file = Buffer.alloc(sectionsAt + 3 * sectionSize);
  const put = (value: number, at: number, size: number): void => {
    if (size === 8) big ? file.writeBigUInt64BE(BigInt(value), at) : file.writeBigUInt64LE(BigInt(value), at);
    else big ? file.writeUIntBE(value, at, size) : file.writeUIntLE(value, at, size);
  };
  file.write('\x7fELF', 0, 'latin1');
  file.writeUInt8(wide ? 2 : 1, 4);
  file.writeUInt8(big ? 2 : 1, 5);
  put(segmentAt, wide ? 0x20 : 0x1c, word);
  put(segmentSize, wide ? 0x36 : 0x2a, 2);
  put(1, wide ? 0x38 : 0x2c, 2);
  put(1, segmentAt, 4);
  put(flags, segmentAt + (wide ? 4 : 0x18), 4);
  put(dataAt, segmentAt + (wide ? 8 : 4), word);
  put(data.length, segmentAt + (wide ? 0x20 : 0x10), word);
  if (section !== null) {
    put(sectionsAt, wide ? 0x28 : 0x20, word);
    for (const [value, at] of [
      [sectionSize, 0x3a],
      [3, 0x3c],
      [1, 0x3e],
    ] as const)
      put(value, wide ? at : at - 0xc, 2);
    const place = (index: number, name: number, offset: number, size: number): void => {
      const at = sectionsAt + index * sectionSize;
      put(name, at, 4);
      put(offset, at + (wide ? 0x18 : 0x10), word);
      put(size, at + (wide ? 0x20 : 0x14), word);
    };
    place(1, 1, namesAt, names.length);
    place(2, 11, dataAt, data.length);
  }
  data.copy(file, dataAt);
  names.copy(file, namesAt);
  return file;
}
