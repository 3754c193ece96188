import { delimiter } from 'node:path';
import { absoluteFolders, type Ended, type Exec } from './exec.ts';

export type Environment = Record<string, string>;

/**
 * git without the machine's settings, hooks, monitors and identity: who did something is in the evidence, not in a commit's author.
 * The repository is judged text, and some of it could start programs: a folder in it that looks like a bare repository would be taken
 * for one, with its settings, and a PATH with a part that is not absolute would find programs in it.
 */
export function runGit(cwd: string, args: readonly string[], exec: Exec, more: Environment = {}): Promise<Ended> {
  const settings = [
    'core.hooksPath=/dev/null',
    'core.fsmonitor=false',
    'safe.bareRepository=explicit',
    'gc.auto=0',
    'user.name=gatehouse',
    'user.email=gatehouse@localhost',
  ].flatMap((setting) => ['-c', setting]);
  return exec('git', [...settings, ...args], {
    cwd,
    env: {
      PATH: absoluteFolders(process.env.PATH ?? '').join(delimiter),
      HOME: '/nonexistent',
      LANG: 'C.UTF-8',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_TERMINAL_PROMPT: '0',
      // No transport: an object that is missing is not fetched from wherever settings say.
      GIT_ALLOW_PROTOCOL: '',
      GIT_LITERAL_PATHSPECS: '1',
      // Nobody who clones the repository sees what a replacement puts in a commit's place.
      GIT_NO_REPLACE_OBJECTS: '1',
      ...more,
    },
  });
}

/** The line that says what was wrong; advice follows it, which is git's and not ours. */
export function complaint(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? (lines.at(-1) || 'it says nothing');
}
