import * as core from '@actions/core';
import { commands } from './commands/catalogue.ts';
import type { Command, Context, Result } from './commands/command.ts';
import { metaOf, parseInputs } from './commands/inputs.ts';
import { redactForms } from './evidence/redact.ts';
import { explain, GatehouseError } from './lib/errors.ts';
import { cell } from './lib/markdown.ts';
import { printable } from './lib/printable.ts';
import type * as z from './lib/zod.ts';

/** What the main process leaves for the one that runs after the job's steps. */
const ENDED = 'gatehouse-ended';

/**
 * The GitHub Action: INPUT_* → command → outputs, job summary, exit code. Reads only the inputs that may stand in a
 * workflow; never throws. Phase post runs when the job ends, however it ends: where the main process did not come to its end,
 * somebody cancelled the job or the runner killed it, and that is recorded.
 */
export async function action(name: string, phase: 'main' | 'post', home: string): Promise<void> {
  if (phase === 'post') return await afterwards(name, home);
  try {
    const command = await (commands[name] as () => Promise<Command>)();
    const inputs = parseInputs(name, command.inputs, readInputs(command));
    await publish(name, await command.run(inputs, contextOf(home)));
  } catch (thrown) {
    await fail(name, thrown);
  }
  core.saveState(ENDED, 'true');
}

async function afterwards(name: string, home: string): Promise<void> {
  if (core.getState(ENDED) === 'true') return;
  try {
    const command = await (commands[name] as () => Promise<Command>)();
    const inputs = parseInputs(name, command.inputs, readInputs(command));
    const { recordCancelled } = await import('./commands/record-cancelled.ts');
    const key = await recordCancelled(command, inputs, contextOf(home));
    if (key !== null) core.warning(`gatehouse ${name} was cancelled; recorded as ${key}`);
  } catch (thrown) {
    await fail(name, thrown);
  }
}

function contextOf(home: string): Context {
  return {
    home,
    env: process.env,
    now: Date.now,
    sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
    progress: (line) => core.info(printable(line)),
    working: () => {},
    colour: false,
  };
}

async function fail(name: string, thrown: unknown): Promise<void> {
  const message = printable(redactForms(explain(thrown)).value);
  core.error(message, { title: `gatehouse ${name}` });
  await summarise(`## ⛔ ${name} stopped\n\n${cell(message)}\n`);
  process.exitCode = thrown instanceof GatehouseError ? thrown.exit : 3;
}

function readInputs(command: Command): Record<string, string> {
  const fields = Object.entries(command.inputs.shape) as [string, z.ZodMiniType][];
  return Object.fromEntries(
    fields.filter(([, schema]) => metaOf(schema).cliOnly !== true).map(([name]) => [name, core.getInput(name)]),
  );
}

async function publish(name: string, result: Result): Promise<void> {
  core.info(printable(result.text));
  for (const [output, value] of Object.entries(result.outputs ?? {})) core.setOutput(output, value);
  for (const { level, file, line, title, message } of result.annotations?.() ?? []) {
    const remark = level === 'warning' ? core.warning : core.notice;
    remark(printable(message), {
      title: printable(title),
      file: printable(file),
      ...(line === null ? {} : { startLine: line }),
    });
  }
  if (result.summary !== undefined) await summarise(result.summary());
  if (result.exit !== 0)
    core.error(printable(result.refusal ?? firstLine(result.text)), { title: `gatehouse ${name}` });
  process.exitCode = result.exit;
}

/** A runner without summaries has said all of it in its log. */
async function summarise(markdown: string): Promise<void> {
  if (process.env.GITHUB_STEP_SUMMARY !== undefined) await core.summary.addRaw(markdown, true).write();
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}
