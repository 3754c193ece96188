import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';

/** Temporary folders of one test file; `afterAll(sandbox.clean)`. */
export function sandboxes() {
  const made: string[] = [];
  return {
    folder(name: string): string {
      const folder = mkdtempSync(join(tmpdir(), `gatehouse-${name}-`));
      made.push(folder);
      return folder;
    },
    clean(): void {
      for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The environment of a child: nothing of ours but what finds programs, with this very Node first. */
export function cleanEnvironment(home: string, extra: Record<string, string> = {}): Record<string, string> {
  return {
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ''}`,
    HOME: home,
    LANG: 'C.UTF-8',
    ...extra,
  };
}

export interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

export function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: Record<string, string>; input?: string } = {},
): Ended {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) throw error;
  return { code: status, stdout, stderr };
}

/** A git repository of these files with one commit on main; gives the commit's id. */
export function commitAll(folder: string): string {
  const git = (...args: string[]) =>
    execFileSync(
      'git',
      [
        '-C',
        folder,
        '-c',
        'user.name=test',
        '-c',
        'user.email=test@example.org',
        '-c',
        'init.defaultBranch=main',
        ...args,
      ],
      { encoding: 'utf8' },
    );
  git('init', '-q');
  git('add', '-A', '-f');
  git('commit', '-q', '-m', 'release');
  return git('rev-parse', 'HEAD').trim();
}

/**
 * A git repository of these files whose commit has an id of the test's choice: the one that a made-up run is of. git believes the names
 * of what lies in a repository; those of what it fetches it checks.
 */
export function commitAllAs(folder: string, id: string): void {
  const fileOf = (name: string) => join(folder, '.git', 'objects', name.slice(0, 2), name.slice(2));
  const made = fileOf(commitAll(folder));
  mkdirSync(dirname(fileOf(id)), { recursive: true });
  copyFileSync(made, fileOf(id));
}

/** The same while this process goes on: for a program that talks to a server of ours. */
export async function runAside(program: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const { code, stdout, stderr } = await exec(program, args, { cwd: process.cwd(), env });
  return { code, stdout, stderr };
}
