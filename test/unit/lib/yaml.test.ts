import { parseYaml } from '../../../src/lib/yaml.ts';

const parse = (text: string | Buffer) => parseYaml(Buffer.from(text as string), { what: 'manifest m', code: 'm.yaml' });

describe('YAML', () => {
  it.each([
    ['a map', 'a: 1\nb: [x, "y"]\n', [{ a: 1, b: ['x', 'y'] }]],
    ['comments, tabs in them, and Windows line ends', 'a: 1 # c\tc\r\nb: 2\r\n', [{ a: 1, b: 2 }]],
    ['several documents', 'a: 1\n---\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]],
    ['a byte order mark at its start', '\ufeffa: 1\n', [{ a: 1 }]],
    ['JSON', '{"a": {"b": [1, "x: y"]}}', [{ a: { b: [1, 'x: y'] } }]],
    ['an anchor that nothing refers to', 'a: &x 1\n', [{ a: 1 }]],
    ['version 1.2', '%YAML 1.2\n---\na: 1\n', [{ a: 1 }]],
    ['letters and signs of all kinds', 'a: ü😀\u00a0\n', [{ a: 'ü😀\u00a0' }]],
    ['nothing', '', []],
  ])('%s is read', (_, text, documents) => {
    expect(parse(text).documents.map((document) => document.toJS())).toEqual(documents);
  });

  // Each of these is read in another way by some reader (YAML 1.1, go-yaml), which would see keys that we do not.
  it.each([
    ['a bare carriage return', 'a: 1 # c\rb: 2\n', /U\+000D on line 1/],
    ['a next-line character', 'x: 1\na: 1 # c\u0085b: 2\n', /U\+0085 on line 2/],
    ['a line separator', 'a: 1 # c\u2028b: 2\n', /U\+2028/],
    ['a paragraph separator', 'a: 1 # c\u2029b: 2\n', /U\+2029/],
    ['a byte order mark inside', 'a: 1\n---\n\ufeffb: 1\n', /U\+FEFF on line 3/],
    ['a null byte', 'a: "\0"\n', /U\+0000/],
    ['Latin-1', Buffer.from([0x61, 0x3a, 0x20, 0xe9]), /not UTF-8/],
    ['UTF-16', Buffer.from('\ufeffa: 1\n', 'utf16le'), /not UTF-8|U\+0000/],
    ['an alias', 'a: &x {b: 1}\nc: *x\n', /alias on line 2/],
    ['an alias to nothing much', 'a: &x []\nc: *x\n', /alias on line 2/],
    ['an alias as a key', 'a: &x 1\n*x : 2\n', /no plain word/],
    ['a merge key', 'a:\n  <<: {b: 1}\n', /merge key on line 2/],
    ['a quoted merge key', '"<<": {b: 1}\n', /merge key/],
    ['a binary value', 'a: !!binary ZXZpbA==\n', /tag .*binary on line 1/],
    ['a binary key', '!!binary Y29udA==: 1\n', /tag .*binary/],
    ['a harmless tag', 'a: !!str 1\n', /tag .*str/],
    ['a tag of one’s own', 'a: !secret 1\n', /Unresolved tag/],
    ['version 1.1', '%YAML 1.1\n---\na: 010\n', /YAML 1\.1/],
    ['a repeated key', 'a: 1\nb: 2\na: 3\n', /key "a" a second time on line 3/],
    ['a key repeated in quotes', 'a: 1\n"a": 3\n', /key "a" a second time/],
    ['a number and a word as one key', '1: a\n"1": b\n', /key "1" a second time/],
    ['a map as a key', '? {a: 1}\n: 2\n', /no plain word/],
    ['a tab for a blank', 'a:\n\tb: 2\n', /Tabs are not allowed/],
    ['a bracket that stays open', 'a: [1\n', /is not YAML/],
    ['brackets without end', `a: ${'['.repeat(20_000)}`, /nested too deeply/],
  ])('%s is refused', (_, text, message) => {
    expect(() => parse(text)).toThrow(
      expect.objectContaining({ code: 'm.yaml', message: expect.stringMatching(message) }),
    );
    expect(() => parse(text)).toThrow(/^manifest m /);
  });

  it('with many keys is read in a moment, not in minutes', () => {
    const keys = Array.from({ length: 20_000 }, (_, i) => `key-${i}: 1\n`).join('');
    expect(Object.keys(parse(keys).documents[0]?.toJS())).toHaveLength(20_000);
  });
});
