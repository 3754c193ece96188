import { spawn } from 'node:child_process';
import { delimiter, isAbsolute } from 'node:path';
import { CouldNot } from './errors.ts';

export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program with these arguments, without a shell, and waits for it. */
export type Exec = (
  program: string,
  args: readonly string[],
  options: { cwd: string; env: Record<string, string> },
) => Promise<Ended>;

/** The folders of a PATH but for the relative ones: those would look into whatever folder a program is started in. */
export function absoluteFolders(path: string): string[] {
  return path.split(delimiter).filter((folder) => isAbsolute(folder));
}

/** The real one. Throws CouldNot when the program cannot be started; a non-zero code is the caller's to judge. */
export const exec: Exec = (program, args, { cwd, env }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    child.on('error', (cause) =>
      reject(
        new CouldNot(
          'exec.start',
          `cannot start ${program}: ${cause.message}; install it or put it on the PATH`,
          cause,
        ),
      ),
    );
    child.on('close', (code) =>
      resolve({
        code: code ?? 128,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
