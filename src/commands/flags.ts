import { parseArgs } from 'node:util';
import { BadInput } from '../lib/errors.ts';
import { orMeant } from '../lib/similar.ts';
import type * as z from '../lib/zod.ts';
import type { Command } from './command.ts';
import { isToggle, metaOf, parseInputs } from './inputs.ts';

/**
 * The words behind a verb as its inputs. Throws BadInput for an unknown or repeated flag, for a word too many, and for each input
 * that is missing or wrong.
 */
export function inputsOf(command: Command, words: string[]): z.infer<Command['inputs']> {
  return parseInputs(command.name, command.inputs, flagsOf(command, words));
}

function flagsOf(command: Command, words: string[]): Record<string, string | undefined> {
  const fields = Object.entries(command.inputs.shape) as [string, z.ZodMiniType][];
  const places = fields
    .filter(([, schema]) => metaOf(schema).positional !== undefined)
    .sort(byPlace)
    .map(([name]) => name);
  const options = Object.fromEntries(
    fields
      .filter(([name]) => !places.includes(name))
      .map(([name, schema]) => [
        name,
        { type: isToggle(schema) ? ('boolean' as const) : ('string' as const), multiple: true as const },
      ]),
  );
  const { values, positionals } = parse(command.name, words, options);
  if (positionals.length > places.length) {
    throw new BadInput(
      'cli.too_many_words',
      `${command.name}: cannot place ${JSON.stringify(positionals[places.length])}; see gatehouse ${command.name} --help`,
    );
  }
  const flags = Object.entries(values).map(([name, given]) => [
    name,
    metaOf(command.inputs.shape[name] as z.ZodMiniType).repeatable === true
      ? lines(command.name, name, given as string[])
      : single(command.name, name, given as (string | boolean)[]),
  ]);
  return Object.fromEntries([...flags, ...positionals.map((word, i) => [places[i], word])]);
}

type Field = [string, z.ZodMiniType];
function byPlace([, a]: Field, [, b]: Field): number {
  return (metaOf(a).positional ?? 0) - (metaOf(b).positional ?? 0);
}

function parse(verb: string, args: string[], options: Record<string, { type: 'string' | 'boolean'; multiple: true }>) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const [, dashes = '', name = ''] = /option '(--?)([^']+?)(?: <value>)?'/i.exec(message) ?? [];
    if (code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION')
      throw new BadInput(
        'cli.unknown_flag',
        `${verb} has no flag ${dashes}${name}${orMeant(name, Object.keys(options), '--')} See gatehouse ${verb} --help`,
        cause,
      );
    throw new BadInput(
      'cli.flags',
      options[name]?.type === 'boolean'
        ? `${verb}: --${name} is a switch and takes no value; write --${name} alone`
        : `${verb}: --${name} has no value; write one behind it, and where it begins with a dash, --${name}=VALUE`,
      cause,
    );
  }
}

/** A repeated flag is refused: which of two values counts must not depend on a parser. */
function single(verb: string, name: string, given: (string | boolean)[]): string {
  if (given.length > 1)
    throw new BadInput('cli.repeated_flag', `${verb}: --${name} is given ${given.length} times; give it once`);
  return String(given[0]);
}

/** A value with a line feed of its own would read as two. */
function lines(verb: string, name: string, given: string[]): string {
  if (given.some((value) => value.includes('\n')))
    throw new BadInput('cli.line_feed', `${verb}: a value of --${name} holds a line feed; write it on one line`);
  return given.join('\n');
}
