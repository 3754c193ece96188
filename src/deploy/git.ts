import { delimiter } from 'node:path';
import { CouldNot } from '../lib/errors.ts';
import { absoluteFolders, type Ended, type Exec } from '../lib/exec.ts';

export type Environment = Record<string, string>;

/** What a command of git says. Throws CouldNot when it fails. */
export async function git(root: string, args: string[], exec: Exec, more: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(root, args, exec, more);
  if (code !== 0) throw new CouldNot('gitops.git', `git ${args[0]} failed in ${root}: ${complaint(stderr)}`);
  return stdout;
}

/**
 * git without the machine's hooks, monitors and identity: who deployed is in the evidence, not in a commit's author. The work tree
 * is judged text, and some of it could start programs: a folder in it that looks like a bare repository would be taken for one, with
 * its settings, and a PATH with a part that is not absolute would find programs in it.
 */
export function run(cwd: string, args: string[], exec: Exec, more: Environment = {}): Promise<Ended> {
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

/** An older git passes over `safe.bareRepository` without a word (git's release notes, 2.38.0), on which the work tree's safety rests. */
export async function requireGit(folder: string, exec: Exec): Promise<void> {
  const { stdout } = await run(folder, ['version'], exec);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new CouldNot(
    'gitops.git_version',
    `${stdout.trim() || 'git does not say its version, which'} is not git 2.38 or newer: an older one can be made to start programs by a folder of the work tree; install a newer git on the runner; nothing is deployed`,
  );
}

/** The line that says what was wrong; advice follows it, which is git's and not ours. */
export function complaint(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? (lines.at(-1) || 'it says nothing');
}
