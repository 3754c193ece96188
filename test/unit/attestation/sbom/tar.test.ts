import { DEFAULT_LIMITS } from '../../../../src/attestation/sbom/limits.ts';
import { readTar, type TarEntry } from '../../../../src/attestation/sbom/tar.ts';
import { END, type Entry, entriesOf, file, folder, hardlink, header, pax, symlink, tarOf } from './image.ts';

type Seen = Pick<TarEntry, 'path' | 'kind' | 'target'> & { text: string };

/** Hands the bytes over in pieces, as a network does. */
async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer, size = 700): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const { path, kind, target, content } of readTar(inPieces(bytes, size), DEFAULT_LIMITS)) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    seen.push({ path, kind, target, text: Buffer.concat(parts).toString() });
  }
  return seen;
}

const long = `${'d/'.repeat(120)}name`;
const gnuLong = (type: 'L' | 'K', text: string): Entry => ({ path: '././@LongLink', type, content: `${text}\0` });
const put = (offset: number, text: string) => (block: Buffer) => block.write(text, offset, 'latin1');

describe('what a tar archive says', () => {
  const cases: [string, Entry[], Partial<Seen>][] = [
    ['a file', [file('a', 'hello')], { path: 'a', kind: 'file', text: 'hello' }],
    ['a file of one whole block', [file('a', 'x'.repeat(512))], { text: 'x'.repeat(512) }],
    ['a folder', [folder('a/')], { path: 'a/', kind: 'directory' }],
    ['a symlink', [symlink('a', '../b')], { kind: 'symlink', target: '../b' }],
    ['a hard link', [hardlink('a', 'b')], { kind: 'hardlink', target: 'b' }],
    ['a device', [{ path: 'a', type: '3' }], { kind: 'device' }],
    ['a named pipe', [{ path: 'a', type: '6' }], { kind: 'device' }],
    ['a file of before POSIX', [{ path: 'a', type: '\0', content: 'x' }], { kind: 'file', text: 'x' }],
    ['a folder of before POSIX, which ends in a slash', [{ path: 'a/', type: '\0' }], { kind: 'directory' }],
    ['the ustar prefix', [{ ...file('name', 'x'), edit: put(345, 'some/folder') }], { path: 'some/folder/name' }],
    [
      'the ustar prefix also where the version is odd',
      [{ ...file('name'), edit: (b) => put(345, 'p')(b) && put(263, '  ')(b) }],
      { path: 'p/name' },
    ],
    [
      'the shorter prefix of star',
      [{ ...file('name'), edit: (b) => put(345, `p${'\0'.repeat(131)}x`)(b) && put(508, 'tar\0')(b) }],
      { path: 'p/name' },
    ],
    ['no prefix in the GNU format', [{ ...file('name'), edit: put(257, 'ustar  \0') }], { path: 'name' }],
    ['a path in pax', [pax({ path: long }), file('short', 'x')], { path: long, text: 'x' }],
    ['a link target in pax', [pax({ linkpath: long }), symlink('a', 'short')], { path: 'a', target: long }],
    ['a size in pax', [pax({ size: '3' }), { ...file('a', 'xyz'), edit: put(124, '00000000000\0') }], { text: 'xyz' }],
    ['an empty pax value, which says nothing', [pax({ path: '' }), file('a')], { path: 'a' }],
    [
      'other pax records, which say nothing here',
      [pax({ mtime: '1.5', 'SCHILY.xattr.user.a': '=\n' }), file('a')],
      { path: 'a' },
    ],
    ['the second of two pax headers', [pax({ path: 'first' }), pax({ linkpath: 'x' }), file('a')], { path: 'a' }],
    ['a long name of GNU', [gnuLong('L', long), file('short', 'x')], { path: long, text: 'x' }],
    ['a long target of GNU', [gnuLong('K', long), symlink('a', 'short')], { target: long }],
    ['a long name of GNU before one in pax', [gnuLong('L', 'gnu'), pax({ path: 'pax' }), file('a')], { path: 'gnu' }],
    [
      'a global header, which ends what went before',
      [pax({ path: 'b' }), { ...pax({ path: 'c' }), type: 'g' }, file('a')],
      { path: 'a' },
    ],
    ['a size in base 256', [{ ...file('a', 'xyz'), edit: put(124, '\x80\0\0\0\0\0\0\0\0\0\0\x03') }], { text: 'xyz' }],
    ['a size behind blanks', [{ ...file('a', 'xyz'), edit: put(124, '         3 \0') }], { text: 'xyz' }],
    [
      'a link with a size, which has no content all the same',
      [{ ...hardlink('a', 'b'), edit: put(124, '00000001000\0') }],
      { text: '' },
    ],
  ];

  it.each(cases)('%s', async (_, entries, expected) => {
    const seen = await read(tarOf([...entries, file('after', 'z')]));
    expect(seen).toHaveLength(2);
    expect(seen[0]).toMatchObject(expected);
    expect(seen[1]).toEqual({ path: 'after', kind: 'file', target: '', text: 'z' });
  });

  it('is the same in pieces of any size', async () => {
    const archive = tarOf([pax({ path: long }), file('a', 'x'.repeat(2000)), symlink('b', 'a')]);
    const whole = await read(archive, archive.length);
    expect(whole).toHaveLength(2);
    for (const size of [1, 511, 512, 513]) expect(await read(archive, size)).toEqual(whole);
  });

  it('goes on behind content that nobody read', async () => {
    const paths: string[] = [];
    for await (const { path } of readTar(
      inPieces(tarOf([file('a', 'x'.repeat(5000)), file('b')]), 700),
      DEFAULT_LIMITS,
    ))
      paths.push(path);
    expect(paths).toEqual(['a', 'b']);
  });

  it.each([
    ['with its two blocks of zeros', END],
    ['with one', Buffer.alloc(512)],
    ['without any', Buffer.alloc(0)],
    ['with another archive behind it, which no runtime unpacks', Buffer.concat([END, tarOf([file('hidden')])])],
  ])('ends %s', async (_, end) => {
    expect(await read(Buffer.concat([entriesOf([file('a')]), end]))).toHaveLength(1);
  });
});

describe('a broken tar archive is refused', () => {
  const one = tarOf([file('a', 'hello')]);
  const cases: [string, Buffer, string][] = [
    ['text', Buffer.from('x'.repeat(2048)), 'sbom.tar'],
    ['a wrong checksum', Buffer.concat([Buffer.from('b'), one.subarray(1)]), 'sbom.tar'],
    ['a header cut off', one.subarray(0, 300), 'sbom.truncated'],
    ['content cut off', one.subarray(0, 514), 'sbom.truncated'],
    ['one block of zeros in the middle', Buffer.concat([Buffer.alloc(512), one]), 'sbom.tar'],
    ['letters for a size', tarOf([{ ...file('a'), edit: put(124, 'many\0') }]), 'sbom.tar'],
    ['a negative size', tarOf([{ ...file('a'), edit: put(124, '\xff'.repeat(12)) }]), 'sbom.tar'],
    [
      'a size above what can be counted',
      tarOf([{ ...file('a'), edit: put(124, `\x80${'\xff'.repeat(11)}`) }]),
      'sbom.tar',
    ],
    ['an unknown type', tarOf([{ path: 'a', type: 'V' }]), 'sbom.tar'],
    ['a sparse file of GNU', tarOf([{ path: 'a', type: 'S' }]), 'sbom.tar'],
    ['a sparse file in pax', tarOf([pax({ 'GNU.sparse.major': '1' }), file('a')]), 'sbom.tar'],
    ['a negative size in pax', tarOf([pax({ size: '-1' }), file('a')]), 'sbom.tar'],
    ['a NUL in a pax path', tarOf([pax({ path: 'a\0b' }), file('a')]), 'sbom.tar'],
    ['a pax record that is too long', tarOf([{ ...pax({}), content: '99 path=a\n' }, file('a')]), 'sbom.tar'],
    ['a pax record without "="', tarOf([{ ...pax({}), content: '8 patha\n' }, file('a')]), 'sbom.tar'],
    ['a pax record of length 0', tarOf([{ ...pax({}), content: '0 a=b\n' }, file('a')]), 'sbom.tar'],
    ['a path that is not UTF-8, which could hide another', tarOf([{ ...file('a'), edit: put(0, '\xff') }]), 'sbom.tar'],
    [
      'a GNU header whose times are a hidden prefix',
      tarOf([{ ...file('a'), edit: (b) => put(257, 'ustar  \0')(b) && put(345, 'etc')(b) }]),
      'sbom.tar',
    ],
    [
      'the same for the second time',
      tarOf([{ ...file('a'), edit: (b) => put(257, 'ustar  \0')(b) && put(357, 'x')(b) }]),
      'sbom.tar',
    ],
    ['a path longer than any system takes', tarOf([pax({ path: 'a'.repeat(4097) }), file('a')]), 'sbom.too_large'],
    [
      'an extended header above a MiB',
      Buffer.concat([header({ path: 'x', type: 'x', edit: put(124, '00004000001\0') }), Buffer.alloc(512)]),
      'sbom.too_large',
    ],
  ];

  it.each(cases)('%s', async (_, bytes, code) => {
    await expect(read(bytes)).rejects.toMatchObject({ code });
  });
});
