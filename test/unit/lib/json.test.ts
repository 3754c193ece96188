import fc from 'fast-check';
import { canonicalBytes } from '../../../src/lib/canonical.ts';
import { BadInput } from '../../../src/lib/errors.ts';
import { parseJson } from '../../../src/lib/json.ts';

const parse = (text: string | Uint8Array) => parseJson(typeof text === 'string' ? Buffer.from(text) : text, 'facts');

function codeOf(text: string | Uint8Array): string {
  try {
    parse(text);
  } catch (thrown) {
    if (thrown instanceof BadInput) return thrown.code;
    throw thrown;
  }
  return 'accepted';
}

describe('a JSON document', () => {
  it('means what JSON.parse says, for any value', () => {
    const values = fc.jsonValue({ noUnicodeString: false, maxDepth: 6 });
    fc.assert(
      fc.property(values, fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        if (!text.isWellFormed() || hasKey(value, '__proto__') || /\\ud[89a-f]/i.test(text)) return;
        expect(parse(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 300 },
    );
  });

  it('that is accepted can be written canonically, whatever it is', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60, unit: fc.constantFrom(...'{}[]",:\\u0d81e9+-. \n') }), (text) => {
        if (codeOf(text) === 'accepted') canonicalBytes(parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['nothing', '', 'json.empty'],
    ['white space', ' \n\t', 'json.empty'],
    ['a byte order mark', '\ufeff{}', 'json.encoding'],
    ['UTF-16', Buffer.from('\ufeff{}', 'utf16le'), 'json.encoding'],
    ['Latin-1', Buffer.from([0x22, 0xe9, 0x22]), 'json.encoding'],
    ['an overlong encoding', Buffer.from([0x22, 0xc0, 0xaf, 0x22]), 'json.encoding'],
    ['half a surrogate pair', '{"a": "\\ud800"}', 'json.encoding'],
    ['half a surrogate pair as a key', '{"\\udc00": 1}', 'json.encoding'],
    ['a cut document', '{"a": [1, 2', 'json.syntax'],
    ['two documents', '{} {}', 'json.syntax'],
    ['a comment', '{} // x', 'json.syntax'],
    ['a comma too many', '[1,]', 'json.syntax'],
    ['NaN', '[NaN]', 'json.syntax'],
    ['a repeated key', '{"a": 1, "a": 1}', 'json.duplicate_key'],
    ['a key repeated in another spelling', '{"a": 1, "\\u0061": 2}', 'json.duplicate_key'],
    ['a key repeated deep inside', '[[{"x": {"a": 1, "b": {}, "a": 2}}]]', 'json.duplicate_key'],
    ['a key repeated after a string with escaped quotes', '{"a": "\\\\\\"", "a": 1}', 'json.duplicate_key'],
    ['a key repeated around white space', '{"a"\n\t : 1, "a" :2}', 'json.duplicate_key'],
    ['a prototype', '{"__proto__": {"admin": true}}', 'json.duplicate_key'],
    ['a prototype in another spelling', '{"\\u005f_proto__": {}}', 'json.duplicate_key'],
    ['a number beyond all numbers', '{"a": 1e999}', 'json.number'],
    ['a negative one', '[-1E400]', 'json.number'],
    ['arrays without end', '['.repeat(600) + ']'.repeat(600), 'json.depth'],
    ['objects without end', `${'{"a":'.repeat(600)}1${'}'.repeat(600)}`, 'json.depth'],
  ])('refuses %s', (_, text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  it.each([
    ['equal keys in different objects', '[{"a": 1}, {"a": 1}, {"b": {"a": 1}, "a": 2}]'],
    ['a value like a key', '{"a": "a", "b": ["a", "a"]}'],
    ['brackets and colons inside strings', '{"a": "}{][:", "b": "\\"a\\":"}'],
    ['a whole surrogate pair', '{"a": "\\ud83d\\ude00"}'],
    ['numbers in every spelling', '[0, -0, 1.5, 1e3, 1E-3, -2.5e+10, 9007199254740993]'],
    ['512 levels', '['.repeat(512) + ']'.repeat(512)],
    ['a bare word', 'true'],
    ['keys that objects have anyway', '{"constructor": 1, "toString": 2, "hasOwnProperty": 3}'],
  ])('takes %s', (_, text) => {
    expect(parse(text)).toEqual(JSON.parse(text));
  });

  it('never quotes the input in a message: it may hold a secret, or a command to a CI runner', () => {
    for (const text of ['{"password": hunter2}', 'x\n::stop-commands::y', '{"a": hunter2'])
      try {
        parse(text);
        throw new Error('accepted');
      } catch (thrown) {
        expect((thrown as Error).message).toMatch(/^facts is not JSON: /);
        expect((thrown as Error).message).not.toMatch(/hunter2|stop-commands|\n/);
      }
  });
});

function hasKey(value: unknown, key: string): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, inner]) => name === key || hasKey(inner, key));
}
