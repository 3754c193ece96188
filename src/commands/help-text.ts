import type * as z from '../lib/zod.ts';
import type { Command } from './command.ts';
import { metaOf, unsaidOptions } from './inputs.ts';

/** The text of `gatehouse <verb> --help`; written into help.generated.json, so that asking for help loads no schema. */
export function helpOf(command: Command): string {
  const fields = Object.entries(command.inputs.shape) as [string, z.ZodMiniType][];
  const words = fields.filter(([, schema]) => metaOf(schema).positional !== undefined);
  const flags = fields.filter(([, schema]) => metaOf(schema).positional === undefined);
  const usage = [
    'gatehouse',
    command.name,
    ...words.map(([name]) => name.toUpperCase()),
    '[--flag VALUE ...]',
    '[--json]',
  ].join(' ');
  return `${[
    `${command.name}: ${command.summary}`,
    '',
    `usage: ${usage}`,
    '',
    command.description,
    '',
    ...(words.length === 0
      ? []
      : ['words', ...table(words.map(([name, schema]) => [name.toUpperCase(), describe(schema)])), '']),
    'inputs',
    ...table([
      ...flags.map(([name, schema]) => [flag(name, schema), describe(schema)] as [string, string]),
      ['--json', 'print one JSON document on stdout; text and progress go to stderr'],
    ]),
    '',
    'examples',
    ...command.examples.flatMap(({ says, command: line }) => [`  # ${says}`, `  ${line}`]),
  ].join('\n')}\n`;
}

/** The text of `gatehouse --help`. */
export function listOfVerbs(commands: Command[]): string {
  return `${[
    'gatehouse: makes a delivery pipeline prove itself, and refuses what is not proved',
    '',
    'usage: gatehouse VERB [--flag VALUE ...] [--json]',
    '',
    'verbs',
    ...table(commands.map((command) => [command.name, command.summary])),
    '',
    'gatehouse VERB --help says what a verb does, its inputs and an example.',
    'Exit code: 0 yes, allowed, complete; 1 judged no; 2 bad input or contract; 3 could not do it. All but 0 block.',
  ].join('\n')}\n`;
}

function flag(name: string, schema: z.ZodMiniType): string {
  const { value } = metaOf(schema);
  return `--${name}${value === undefined ? '' : ` ${value}`}`;
}

function describe(schema: z.ZodMiniType): string {
  const meta = metaOf(schema);
  const required = !schema.safeParse(undefined).success;
  const notes = [
    unsaidOptions(schema),
    required ? 'required' : null,
    defaultOf(schema),
    meta.cliOnly === true ? 'command line only' : null,
  ].filter((note) => note !== null);
  return `${meta.description}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`;
}

function defaultOf(schema: z.ZodMiniType): string | null {
  const parsed = schema.safeParse(undefined);
  return parsed.success && parsed.data !== undefined && parsed.data !== false ? `default ${String(parsed.data)}` : null;
}

function table(rows: [string, string][]): string[] {
  const width = Math.min(34, Math.max(...rows.map(([left]) => left.length)));
  return rows.map(([left, right]) =>
    left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
  );
}
