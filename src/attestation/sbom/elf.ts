/** As much of ELF as is needed to find one section or segment (System V ABI, chapters 4 and 5). */

/** Reads numbers at offsets of the file in its own byte order. A RangeError means that the file is cut off. */
interface ElfFile {
  /** 64 bits. */
  wide: boolean;
  u16: (offset: number) => number;
  u32: (offset: number) => number;
  /** An address or size: 4 or 8 bytes. */
  word: (offset: number) => number;
}

/** The bytes of the section of this name, or null. Throws RangeError for a broken file. */
export function findSection(bytes: Buffer, name: string): Buffer | null {
  const elf = open(bytes);
  const table = elf.word(elf.wide ? 0x28 : 0x20);
  const [size, count, namesIndex] = [0x3a, 0x3c, 0x3e].map((at) => elf.u16(elf.wide ? at : at - 0xc)) as [
    number,
    number,
    number,
  ];
  if (table === 0 || namesIndex >= count) return null;
  const contentAt = (index: number): Buffer => {
    const header = table + index * size;
    return slice(bytes, elf.word(header + (elf.wide ? 0x18 : 0x10)), elf.word(header + (elf.wide ? 0x20 : 0x14)));
  };
  const names = contentAt(namesIndex);
  for (let index = 0; index < count; index++) {
    const start = elf.u32(table + index * size);
    if (names.toString('latin1', start, names.indexOf(0, start)) === name) return contentAt(index);
  }
  return null;
}

/** The contents of the segments that are loaded as data that can be written, in the order of the table. Throws RangeError for a broken file. */
export function dataSegments(bytes: Buffer): Buffer[] {
  const elf = open(bytes);
  const table = elf.word(elf.wide ? 0x20 : 0x1c);
  const size = elf.u16(elf.wide ? 0x36 : 0x2a);
  const count = elf.u16(elf.wide ? 0x38 : 0x2c);
  const headers = Array.from({ length: count }, (_, index) => table + index * size);
  return headers
    .filter(
      (header) => elf.u32(header) === PT_LOAD && (elf.u32(header + (elf.wide ? 4 : 0x18)) & (PF_W | PF_X)) === PF_W,
    )
    .map((header) => slice(bytes, elf.word(header + (elf.wide ? 8 : 4)), elf.word(header + (elf.wide ? 0x20 : 0x10))));
}

const PT_LOAD = 1;
const PF_X = 1;
const PF_W = 2;

function open(bytes: Buffer): ElfFile {
  const wide = bytes.readUInt8(4) === 2;
  const big = bytes.readUInt8(5) === 2;
  const u16 = (at: number) => (big ? bytes.readUInt16BE(at) : bytes.readUInt16LE(at));
  const u32 = (at: number) => (big ? bytes.readUInt32BE(at) : bytes.readUInt32LE(at));
  const word = (at: number) => (wide ? Number(big ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at)) : u32(at));
  return { wide, u16, u32, word };
}

function slice(bytes: Buffer, offset: number, size: number): Buffer {
  if (offset + size > bytes.length) throw new RangeError('a part of it lies behind its end');
  return bytes.subarray(offset, offset + size);
}
