import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { commands } from './commands/catalogue.ts';
import type { Command, Context, Result } from './commands/command.ts';
import { redactForms } from './evidence/redact.ts';
import { BadInput, CouldNot, explain, GatehouseError } from './lib/errors.ts';
import { printable } from './lib/printable.ts';
import { orMeant } from './lib/similar.ts';
import { whyNot } from './lib/write.ts';

/**
 * The command line: words → command → one result. People's text goes to stderr with `--json` and to stdout without; the exit
 * code is the result's. Never throws: an uncaught error would print a minified line.
 *
 * @param words arguments behind the program's name
 * @param home folder of the launcher
 */
export async function cli(words: string[], home: string): Promise<void> {
  const json = words.includes('--json');
  watchOutput();
  try {
    const { rest, outputs } = takeOutputs(words.filter((word) => word !== '--json' && word !== '--cancelled'));
    process.exitCode = words.includes('--cancelled')
      ? await afterwards(rest, home, json)
      : await run(rest, home, json, outputs);
  } catch (thrown) {
    process.exitCode = report(thrown, json);
  }
}

/** Nobody reads any more (`| head`): what was decided stays decided, but an answer that was not delivered is no yes. */
function watchOutput(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', () => {
      if (process.exitCode === undefined || process.exitCode === 0) process.exitCode = 3;
    });
}

/**
 * `--outputs` goes with every verb. FOLDER: a shell reads a value from a file of its own without a parser. PREFIX.env: one file
 * of lines PREFIX_OUTPUT=value, as GitLab takes them for later jobs.
 */
function takeOutputs(words: string[]): { rest: string[]; outputs: string | null } {
  const at = words.indexOf('--outputs');
  if (at === -1) return { rest: words, outputs: null };
  const folder = words[at + 1];
  const named = folder?.endsWith('.env') !== true || /^[A-Z][A-Z0-9_]*\.env$/.test(basename(folder));
  if (folder === undefined || folder === '' || !named || words.indexOf('--outputs', at + 1) !== -1)
    throw new BadInput(
      'cli.outputs',
      '--outputs takes one folder, in which each output becomes a file of its name, or one file PREFIX.env, in which it becomes a line PREFIX_OUTPUT=value',
    );
  return { rest: words.toSpliced(at, 2), outputs: folder };
}

async function run(words: string[], home: string, json: boolean, outputs: string | null): Promise<number> {
  const [verb, ...rest] = words;
  if (verb === undefined && json) throw noVerb();
  if (verb === undefined || verb === '--help' || verb === 'help' || rest.includes('--help')) {
    await showHelp(verb === 'help' ? rest.find((word) => !word.startsWith('-')) : verb, json);
    return verb === undefined ? 2 : 0;
  }
  const command = await commandOf(verb);
  const { inputsOf } = await import('./commands/flags.ts');
  const result = await command.run(inputsOf(command, rest), contextOf(home, json));
  if (outputs !== null) writeOutputs(result.outputs ?? {}, outputs);
  return print(result, json);
}

/**
 * `--cancelled`, behind the words of a verb that was ended before it could say how it went: GitLab's `after_script` of a
 * cancelled job. What an action's post step does on GitHub.
 */
async function afterwards(words: string[], home: string, json: boolean): Promise<number> {
  if (words[0] === undefined) throw noVerb();
  const command = await commandOf(words[0]);
  const { inputsOf } = await import('./commands/flags.ts');
  const { recordCancelled } = await import('./commands/record-cancelled.ts');
  const inputs = inputsOf(command, words.slice(1));
  const key = await recordCancelled(command, inputs, contextOf(home, json));
  const text =
    key === null
      ? `${command.name} promised nothing: nothing to record`
      : `${command.name} was cancelled; recorded as ${key}`;
  return print({ exit: 0, json: { cancelled: command.name, key }, text }, json);
}

function writeOutputs(outputs: Record<string, string>, folder: string): void {
  try {
    if (folder.endsWith('.env')) {
      // What stood there may be a link that the checkout holds.
      rmSync(folder, { force: true });
      writeFileSync(folder, dotenv(outputs, basename(folder, '.env')), { flag: 'wx' });
    } else {
      mkdirSync(folder, { recursive: true });
      for (const [name, value] of Object.entries(outputs)) writeFileSync(join(folder, name), value);
    }
  } catch (cause) {
    throw new CouldNot('cli.outputs', `cannot write outputs to ${folder}: ${whyNot(cause)}`, cause);
  }
}

/** GitLab's dotenv knows no quotes and no second line: what is more than a plain word (a receipt) is left out. */
function dotenv(outputs: Record<string, string>, prefix: string): string {
  return Object.entries(outputs)
    .filter(([, value]) => /^[\w.:@=~+/-]+$/.test(value))
    .map(([name, value]) => `${prefix}_${name.toUpperCase().replaceAll('-', '_')}=${value}\n`)
    .join('');
}

async function showHelp(verb: string | undefined, json: boolean): Promise<void> {
  const { help } = await import('./commands/help.ts');
  const text = help(verb === undefined || verb.startsWith('-') ? '' : verb);
  if (text === null) throw unknownVerb(verb as string);
  process.stdout.write(json ? `${JSON.stringify({ help: text }, null, 2)}\n` : text);
}

async function commandOf(verb: string): Promise<Command> {
  const load = Object.hasOwn(commands, verb) ? commands[verb] : undefined;
  if (load !== undefined) return await load();
  throw unknownVerb(verb);
}

function noVerb(): BadInput {
  return new BadInput('cli.no_verb', 'no verb was given: see gatehouse --help');
}

function unknownVerb(verb: string): BadInput {
  return new BadInput(
    'cli.unknown_verb',
    `there is no verb ${JSON.stringify(verb)}${orMeant(verb, Object.keys(commands))} See gatehouse --help`,
  );
}

function contextOf(home: string, json: boolean): Context {
  const stream = json ? process.stderr : process.stdout;
  const clear = process.stderr.isTTY === true ? '\r\u001b[K' : '';
  return {
    home,
    env: process.env,
    now: Date.now,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    progress: (line) => void process.stderr.write(`${clear}${printable(line)}\n`),
    working: (words) => void (clear === '' || process.stderr.write(`${clear}… ${words}`)),
    colour: stream.isTTY === true && process.env.NO_COLOR === undefined,
  };
}

function print(result: Result, json: boolean): number {
  if (json) process.stdout.write(`${JSON.stringify(result.json, null, 2)}\n`);
  (json ? process.stderr : process.stdout).write(`${printable(result.text)}\n`);
  return result.exit;
}

/**
 * One message for a known failure; an unknown one is ours, and says so without a stack. Messages name what was given, and
 * somebody gives the key itself where its file is meant: secrets of known form are taken out.
 */
function report(thrown: unknown, json: boolean): number {
  const known = thrown instanceof GatehouseError;
  const code = known ? thrown.code : 'internal';
  const { value: message } = redactForms(explain(thrown));
  if (json) process.stdout.write(`${JSON.stringify({ status: 'error', code, message }, null, 2)}\n`);
  process.stderr.write(`error: ${printable(message)}\n`);
  return known ? thrown.exit : 3;
}
