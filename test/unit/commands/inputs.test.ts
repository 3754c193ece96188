import { type Command, command } from '../../../src/commands/command.ts';
import { inputsOf } from '../../../src/commands/flags.ts';
import { choice, isToggle, metaOf, text, toggle } from '../../../src/commands/inputs.ts';
import * as z from '../../../src/lib/zod.ts';

const inputs = z.strictObject({
  action: choice(['show', 'make'], { description: 'what to do', positional: 0 }),
  record: z.optional(text({ description: 'which one', positional: 1, value: 'KEY' })),
  image: text({ description: 'image by digest', value: 'IMAGE' }),
  'max-age': z._default(text({ description: 'how old', value: 'TIME', cliOnly: true }), '24h'),
  live: toggle({ description: 'for real' }),
});
const sample: Command = command({
  name: 'sample',
  summary: 'a sample',
  description: 'none',
  examples: [],
  inputs,
  run: async () => ({ exit: 0, json: null, text: '' }),
});
const read = (...words: string[]) => inputsOf(sample, words);
const refusal = (...words: string[]) => {
  try {
    return read(...words);
  } catch (thrown) {
    const { exit, code, message } = thrown as { exit: number; code: string; message: string };
    return { exit, code, message };
  }
};

describe('words of the command line', () => {
  it.each([
    [
      'in any order',
      ['--live', 'show', '--image', 'i', 'k', '--max-age', '1h'],
      { action: 'show', record: 'k', image: 'i', 'max-age': '1h', live: true },
    ],
    [
      'with an equals sign',
      ['make', '--image=i', '--max-age=1h'],
      { action: 'make', image: 'i', 'max-age': '1h', live: false },
    ],
    [
      'where an empty value is none',
      ['make', '--image=i', '--max-age='],
      { action: 'make', image: 'i', 'max-age': '24h', live: false },
    ],
    [
      'with a value that starts with a dash',
      ['make', '--image=-i'],
      { action: 'make', image: '-i', 'max-age': '24h', live: false },
    ],
    [
      'behind two dashes',
      ['--image', 'i', '--', 'make', '--odd'],
      { action: 'make', record: '--odd', image: 'i', 'max-age': '24h', live: false },
    ],
  ])('%s', (_, words, expected) => {
    expect(read(...words)).toEqual(expected);
  });

  it.each([
    ['an unknown flag', ['make', '--imag', 'i'], 'cli.unknown_flag', 'did you mean --image?'],
    ['an unknown flag like none', ['make', '--frobnicate'], 'cli.unknown_flag', 'has no flag --frobnicate. See'],
    ['a letter', ['make', '-i', 'x'], 'cli.unknown_flag', 'no flag -i. See'],
    ['a flag of objects', ['make', '--constructor', 'x'], 'cli.unknown_flag', '--constructor'],
    ['a prototype', ['make', '--__proto__=x'], 'cli.unknown_flag', '--__proto__'],
    ['a repeated flag', ['make', '--image', 'a', '--image', 'b'], 'cli.repeated_flag', '--image is given 2 times'],
    ['a repeated switch', ['make', '--live', '--live'], 'cli.repeated_flag', '--live is given 2 times'],
    ['a word too many', ['make', 'a', 'b'], 'cli.too_many_words', 'cannot place "b"'],
    ['a flag without its value', ['make', '--image'], 'cli.flags', '--image has no value; write one behind it'],
    ['a flag where another one follows', ['make', '--image', '--live'], 'cli.flags', '--image has no value'],
    ['a flag and its value in one word', ['make', '--image i'], 'cli.unknown_flag', 'has no flag --image i; did you'],
    ['a switch with a value', ['make', '--live=yes'], 'cli.flags', '--live is a switch and takes no value'],
    ['a word as a flag', ['--action', 'make', '--image', 'i'], 'cli.unknown_flag', '--action'],
    ['no value where one is required', ['make'], 'inputs.invalid', 'image: is required: image by digest'],
    ['an empty value where one is required', ['make', '--image='], 'inputs.invalid', 'image: is required'],
    ['no word where one is required', ['--image', 'i'], 'inputs.invalid', 'action: is required: what to do'],
    ['another word', ['mak', '--image', 'i'], 'inputs.invalid', 'action: expected one of "show"|"make"'],
    ['a text without end', ['make', '--image', 'x'.repeat(9000)], 'inputs.invalid', 'image: '],
  ])('%s is bad input', (_, words, code, message) => {
    const refused = refusal(...words);
    expect(refused).toMatchObject({ exit: 2, code, message: expect.stringContaining(message) });
    expect(refused).toMatchObject({ message: expect.stringContaining('sample') });
  });

  it('all wrong ones are named at once', () => {
    expect(refusal('mak')).toMatchObject({ message: expect.stringMatching(/action: .*\n.*image: is required/) });
  });
});

describe('what an input says of itself', () => {
  it('is found through optional and default', () => {
    expect(metaOf(inputs.shape.record)).toMatchObject({ description: 'which one', positional: 1 });
    expect(metaOf(inputs.shape['max-age'])).toMatchObject({ description: 'how old', cliOnly: true });
    expect(isToggle(inputs.shape.live)).toBe(true);
    expect(isToggle(inputs.shape['max-age'])).toBe(false);
    expect(() => metaOf(z.string())).toThrow('an input has no description');
  });
});
