import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { cleanEnvironment } from './sandbox.ts';

export interface Ran {
  code: number | null;
  log: string;
  outputs: Record<string, string>;
  summary: string;
  /** What it leaves for its post step, as the runner hands it over. */
  state: Record<string, string>;
}

/** What an action.yml has the runner start, as it lies in the bundle of this test run. */
export function launcherOf(
  name: string,
  phase: 'main' | 'post',
  actionYml = readFileSync(`actions/${name}/action.yml`, 'utf8'),
): string {
  return resolve('build/actions', name, String(parse(actionYml).runs[phase]));
}

/**
 * Starts an action's launcher as a runner does: inputs in variables, empty files for what it puts out, in a folder of its own.
 * `killAfter` ends it by SIGKILL after as many milliseconds.
 */
export async function startAction(
  launcher: string,
  inputs: Record<string, string>,
  folder: string,
  env: Record<string, string> = {},
  killAfter?: number,
): Promise<Ran> {
  const file = (part: string) => {
    writeFileSync(join(folder, part), '');
    return join(folder, part);
  };
  const [output, summary, state] = [file('output'), file('summary'), file('state')];
  const child = spawn(process.execPath, [launcher], {
    cwd: folder,
    env: cleanEnvironment(folder, {
      RUNNER_TEMP: folder,
      GITHUB_ACTIONS: 'true',
      GITHUB_WORKSPACE: folder,
      GITHUB_OUTPUT: output,
      GITHUB_STATE: state,
      GITHUB_ENV: file('env'),
      GITHUB_STEP_SUMMARY: summary,
      ...Object.fromEntries(Object.entries(inputs).map(([key, value]) => [`INPUT_${key.toUpperCase()}`, value])),
      ...env,
    }),
  });
  const parts: Buffer[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => parts.push(chunk));
  const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  return {
    code,
    log: Buffer.concat(parts).toString('utf8'),
    outputs: pairsIn(output),
    summary: readFileSync(summary, 'utf8'),
    state: Object.fromEntries(Object.entries(pairsIn(state)).map(([name, value]) => [`STATE_${name}`, value])),
  };
}

/** `name<<delimiter`, the value, the delimiter: the runner's format of files for several lines. */
function pairsIn(file: string): Record<string, string> {
  const found = [...readFileSync(file, 'utf8').matchAll(/^(.+?)<<(ghadelimiter_\S+)\n([\s\S]*?)\n\2$/gm)];
  return Object.fromEntries(found.map(([, key, , value]) => [key, value]));
}
