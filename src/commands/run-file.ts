import { randomUUID } from 'node:crypto';
import { problemText } from '../contract/problems.ts';
import { type RunFile, runFile as runFileSchema } from '../contract/run.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { replaceFile } from '../lib/write.ts';

export interface Step {
  file: RunFile;
  number: number;
}

/** Takes the next step number and writes the file before anything is recorded: a step that dies leaves a number out, never twice. */
export function takeStep(path: string): Step {
  const parsed = runFileSchema.safeParse(parseJson(readInput(path, 'run file', 64 * 1024), `run file ${path}`));
  if (!parsed.success) {
    throw new BadInput(
      'run.file',
      `run file ${path} does not fit its schema: ${problemText(parsed.error, runFileSchema)}`,
    );
  }
  replaceFile(path, `${JSON.stringify({ ...parsed.data, nextStep: parsed.data.nextStep + 1 })}\n`, 'run file');
  return { file: parsed.data, number: parsed.data.nextStep };
}

/** A random job key for a run that is opened by hand. */
export function newJobKey(): string {
  return `local-${randomUUID().slice(0, 8)}`;
}
