import { commands } from '../../../src/commands/catalogue.ts';
import { help } from '../../../src/commands/help.ts';
import { metaOf } from '../../../src/commands/inputs.ts';

describe('help', () => {
  it.each(Object.keys(commands))('of %s says what it does, its inputs, an example and its exit codes', async (verb) => {
    const command = await (commands[verb] as (typeof commands)[string])();
    const text = help(verb) ?? '';
    expect(text.startsWith(`${verb}: ${command.summary}\n`)).toBe(true);
    expect(text).toContain(`usage: gatehouse ${verb}`);
    expect(text).toMatch(/Exit code: 0 /);
    for (const [name, schema] of Object.entries(command.inputs.shape)) {
      expect(text).toContain(metaOf(schema).description);
      expect(text).toContain(metaOf(schema).positional === undefined ? `--${name}` : name.toUpperCase());
    }
    expect(command.examples.length).toBeGreaterThan(0);
    for (const { command: line } of command.examples) expect(text).toContain(line);
    expect(text).toContain('--json');
  });

  it('without a verb lists every verb with what it is for', async () => {
    const text = help('') ?? '';
    for (const [verb, load] of Object.entries(commands)) {
      expect(text).toContain(verb);
      expect(text).toContain((await load()).summary);
    }
  });

  it.each(['frobnicate', 'constructor', '__proto__', 'toString'])('of %s there is none', (verb) => {
    expect(help(verb)).toBeNull();
  });

  it.each(Object.keys(commands))('the examples of %s use flags that there are', async (verb) => {
    const command = await (commands[verb] as (typeof commands)[string])();
    const known = ['--json', ...Object.keys(command.inputs.shape).map((name) => `--${name}`)];
    const used = command.examples.flatMap(({ command: line }) => line.match(/(?<= )--[a-z][a-z-]*/g) ?? []);
    expect(used.filter((flag) => !known.includes(flag))).toEqual([]);
  });
});
