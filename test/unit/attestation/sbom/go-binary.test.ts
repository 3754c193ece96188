import { readGoBuild } from '../../../../src/attestation/sbom/go-binary.ts';
import { elfFile, goBuildBlock } from './elf-file.ts';

const MODULES = [
  'path\texample.org/app/cmd/app',
  'mod\texample.org/app\t(devel)\t',
  'dep\tgolang.org/x/text\tv0.3.5\th1:i6eZZ+zk0SOf0xgBpEpPD18qWcJda6q1sxt3S0kzyUQ=',
  'dep\texample.org/forked\tv1.0.0',
  '=>\texample.org/fork\tv1.0.1\th1:abc=',
  'dep\texample.org/local\tv1.0.0',
  '=>\t./local\t\t',
  'build\t-trimpath=true',
  '',
].join('\n');
const block = goBuildBlock('go1.26.8', MODULES);
const BUILD = {
  toolchain: '1.26.8',
  main: { path: 'example.org/app', version: '(devel)', sum: '', insteadOf: null },
  dependencies: [
    {
      path: 'golang.org/x/text',
      version: 'v0.3.5',
      sum: 'h1:i6eZZ+zk0SOf0xgBpEpPD18qWcJda6q1sxt3S0kzyUQ=',
      insteadOf: null,
    },
    { path: 'example.org/fork', version: 'v1.0.1', sum: 'h1:abc=', insteadOf: 'example.org/forked@v1.0.0' },
    { path: 'example.org/local', version: '', sum: '', insteadOf: 'example.org/local@v1.0.0' },
  ],
};
const linked = { bits: 64, big: false, section: '.go.buildinfo' } as const;
const stripped = { ...linked, section: null };

describe('the build information of a Go program', () => {
  it.each([
    [64, false, '.go.buildinfo'],
    [64, true, '.go.buildinfo'],
    [32, false, '.go.buildinfo'],
    [32, true, '.go.buildinfo'],
    [64, false, null],
    [32, true, null],
    [64, false, '.data'],
  ] as const)('is read with %i bits, big-endian %s, section %s', (bits, big, section) => {
    expect(readGoBuild(elfFile(block, { bits, big, section }))).toEqual(BUILD);
  });

  it('is found without a section where it does not begin the segment', () => {
    expect(readGoBuild(elfFile(Buffer.concat([Buffer.alloc(48), block]), stripped))).toEqual(BUILD);
  });

  it.each([
    ['go1.22.0 X:boringcrypto', '1.22.0'],
    ['go1.26.8-X:jsonv2', '1.26.8'],
    ['devel go1.27-0123abc Mon Jan 5', '1.27-0123abc'],
    ['go1.21rc2', '1.21rc2'],
  ])('names the toolchain of %s', (version, toolchain) => {
    expect(readGoBuild(elfFile(goBuildBlock(version, MODULES), linked))).toMatchObject({ toolchain });
  });

  it('may name no modules', () => {
    expect(readGoBuild(elfFile(goBuildBlock('go1.20', ''), linked))).toEqual({
      toolchain: '1.20',
      main: null,
      dependencies: [],
    });
  });
});

describe('what is no Go program', () => {
  it.each([
    ['no magic', elfFile(Buffer.from('some data'), { ...linked, section: '.data' })],
    ['no magic, no sections', elfFile(Buffer.from('some data'), stripped)],
    ['the magic in the code, as a program that looks for it has', elfFile(block, { ...stripped, flags: 5 })],
    ['the magic in code that can be written', elfFile(block, { ...stripped, flags: 7 })],
    ['the magic at an odd place', elfFile(Buffer.concat([Buffer.alloc(7), block]), stripped)],
  ])('%s', (_, bytes) => {
    expect(readGoBuild(bytes)).toBeNull();
  });
});

describe('what cannot be read says why', () => {
  const whole = elfFile(block, linked);

  it.each([
    ['a Go before 1.18', elfFile(goBuildBlock('go1.17', '', 0), linked), /before 1\.18/],
    ['an odd version', elfFile(goBuildBlock('unknown', MODULES), linked), /Go version "unknown"/],
    ['a string that goes on behind the end', elfFile(block.subarray(0, 60), linked), /ends too early|outside/],
    ['a file that is only its magic', Buffer.from('\x7fELF'), /ELF/],
    ['a file cut off before its section table', whole.subarray(0, whole.length - 200), /ELF/],
  ])('%s', (_, bytes, expected) => {
    expect(readGoBuild(bytes)).toMatch(expected);
  });

  it('never throws, wherever the file is cut off or changed', () => {
    const results = Array.from({ length: whole.length }, (_, at) => {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 0xff;
      return [readGoBuild(whole.subarray(0, at)), readGoBuild(changed)];
    });
    expect(results).toHaveLength(whole.length);
  });
});
