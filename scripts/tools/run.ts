/** The one place that starts other programs here. What they print goes to a log and nowhere else. */

import { spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { fixFor, InstallError, lastLines } from './failure.ts';

/** What every step of an installation gets from the person's run. */
export interface Session {
  signal: AbortSignal;
  /** Is told which log a step now writes to, so that it can be watched. */
  onLog: (log: string) => void;
}

interface RunOptions extends Session {
  log: string;
  cwd?: string;
  /** Added to the environment; undefined takes a variable out. */
  env?: Record<string, string | undefined>;
}

/** Runs a program to its end. Throws an InstallError where it is absent, fails or is stopped. */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<void> {
  const { log } = options;
  options.onLog(log);
  const output = openSync(log, 'a');
  try {
    writeSync(output, `$ ${[command, ...args].join(' ')}\n`);
    const ending = await runToEnd(command, args, output, options);
    if (ending !== 'exit code 0') {
      throw new InstallError(`${command} ended with ${ending}`, { fix: fixFor(lastLines(log, 200).join('\n')), log });
    }
  } finally {
    closeSync(output);
  }
}

async function runToEnd(
  command: string,
  args: readonly string[],
  output: number,
  { cwd, env, signal }: RunOptions,
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', output, output],
      signal,
      // Go removes its working folder at an interrupt, not at a termination.
      killSignal: 'SIGINT',
    });
    // Being stopped is an "error" too, but only "close" says that the program has let go of its files.
    child.on('error', (cause: NodeJS.ErrnoException) => {
      if (child.pid === undefined) {
        reject(new InstallError(`cannot start ${command}: ${cause.message}`, { fix: installing(command), cause }));
      }
    });
    child.on('close', (code, killer) => resolve(killer ?? `exit code ${code}`));
  });
}

function installing(command: string): string {
  return INSTALLING[command] ?? `install ${command} and put it on the PATH`;
}

const INSTALLING: Record<string, string> = {
  go: 'install Go 1.26 or newer from https://go.dev/dl/ and put it on the PATH',
  'apt-get': 'this is not Debian or Ubuntu: install the program with the package manager of this system',
  sudo: 'run it as root',
};
