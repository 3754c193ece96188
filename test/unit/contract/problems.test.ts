import { pathText, problemsOf, problemText } from '../../../src/contract/problems.ts';
import * as z from '../../../src/lib/zod.ts';

const schema = z.strictObject({
  name: z.string().check(z.minLength(1)),
  list: z._default(z.array(z.strictObject({ kind: z.enum(['a', 'b']), size: z.int() })), []),
  map: z.optional(z.record(z.string(), z.optional(z.strictObject({ colour: z.string() })))),
  either: z.optional(
    z.nullable(
      z.union([z.strictObject({ cluster: z.string(), namespace: z.string() }), z.strictObject({ host: z.string() })]),
    ),
  ),
});

function problems(value: unknown): string[] {
  const parsed = schema.safeParse(value);
  if (parsed.success) return [];
  return problemsOf(parsed.error, schema).map(({ path, message }) => `${pathText(path)}: ${message}`);
}

describe('what is wrong with a document', () => {
  it.each([
    ['nothing', { name: 'x', list: [{ kind: 'a', size: 1 }] }, []],
    ['all of it', 'text', ['(document): expected object, received string']],
    ['a missing value', {}, ['name: is missing; expected string']],
    [
      'a value deep inside',
      {
        name: 'x',
        list: [
          { kind: 'a', size: 1 },
          { kind: 'c', size: 1 },
        ],
      },
      [expect.stringMatching(/^list\[1\]\.kind: /)],
    ],
    ['a misspelt key', { name: 'x', lisst: [] }, ['lisst: unknown key; did you mean "list"?']],
    ['a key like none', { name: 'x', zzzzzz: 1 }, ['zzzzzz: unknown key']],
    [
      'a misspelt key in a list',
      { name: 'x', list: [{ kind: 'a', size: 1, sizes: 2 }] },
      ['list[0].sizes: unknown key; did you mean "size"?'],
    ],
    [
      'a misspelt key in a map',
      { name: 'x', map: { one: { colour: 'red', color: 'red' } } },
      ['map.one.color: unknown key; did you mean "colour"?'],
    ],
    [
      'a choice: the branch that fits best',
      { name: 'x', either: { cluster: 'c', namespace: 1 } },
      ['either.namespace: expected string, received number'],
    ],
    [
      'a choice: the other branch',
      { name: 'x', either: { host: 1 } },
      ['either.host: expected string, received number'],
    ],
    ['several at once', { list: 1, name: 1 }, [expect.stringContaining('name'), expect.stringContaining('list')]],
  ])('%s', (_, value, found) => {
    expect(problems(value)).toEqual(found);
  });

  it('on one line is the first three', () => {
    const parsed = schema.safeParse({ a: 1, b: 2, c: 3, d: 4, name: 'x' });
    expect(problemText(parsed.error as z.core.$ZodError, schema)).toBe(
      'a: unknown key; b: unknown key; c: unknown key',
    );
  });

  it('at a path reads like code', () => {
    expect(pathText([])).toBe('(document)');
    expect(pathText(['a', 0, 'b-c', 2, 3])).toBe('a[0].b-c[2][3]');
  });
});
