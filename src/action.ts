import * as core from '@actions/core';
import type { z } from 'zod';
import { commands } from './commands/catalogue.ts';
import type { Command, Result } from './commands/command.ts';
import { metaOf, parseInputs } from './commands/inputs.ts';
import { redactForms } from './evidence/redact.ts';
import { GatehouseError, messageOf } from './lib/errors.ts';
import { printable } from './lib/printable.ts';

/**
 * The GitHub Action: INPUT_* → command → outputs, job summary, exit code. Reads only the inputs that may stand in a
 * workflow; never throws.
 */
export async function action(name: string, phase: 'main' | 'post', home: string): Promise<void> {
  if (phase === 'post') return;
  try {
    const command = await (commands[name] as () => Promise<Command>)();
    const inputs = parseInputs(name, command.inputs, readInputs(command));
    await publish(
      name,
      await command.run(inputs, {
        home,
        env: process.env,
        now: Date.now,
        sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)),
        progress: (line) => core.info(printable(line)),
        working: () => {},
        colour: false,
      }),
    );
  } catch (thrown) {
    core.error(redactForms(messageOf(thrown)).value, { title: `gatehouse ${name}` });
    process.exitCode = thrown instanceof GatehouseError ? thrown.exit : 3;
  }
}

function readInputs(command: Command): Record<string, string> {
  const fields = Object.entries(command.inputs.shape) as [string, z.ZodType][];
  return Object.fromEntries(
    fields.filter(([, schema]) => metaOf(schema).cliOnly !== true).map(([name]) => [name, core.getInput(name)]),
  );
}

async function publish(name: string, result: Result): Promise<void> {
  core.info(printable(result.text));
  for (const [output, value] of Object.entries(result.outputs ?? {})) core.setOutput(output, value);
  if (result.summary !== undefined && process.env.GITHUB_STEP_SUMMARY !== undefined)
    await core.summary.addRaw(result.summary, true).write();
  if (result.exit !== 0) core.error(firstLine(result.text), { title: `gatehouse ${name}` });
  process.exitCode = result.exit;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] as string;
}
