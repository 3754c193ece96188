import { CouldNot } from '../lib/errors.ts';
import type { Exec } from '../lib/exec.ts';
import { complaint, type Environment, runGit } from '../lib/git.ts';

/** What a command of git says. Throws CouldNot when it fails. */
export async function git(root: string, args: string[], exec: Exec, more: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await runGit(root, args, exec, more);
  if (code !== 0) throw new CouldNot('gitops.git', `git ${args[0]} failed in ${root}: ${complaint(stderr)}`);
  return stdout;
}

/** An older git passes over `safe.bareRepository` without a word (git's release notes, 2.38.0), on which the work tree's safety rests. */
export async function requireGit(folder: string, exec: Exec): Promise<void> {
  const { stdout } = await runGit(folder, ['version'], exec);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new CouldNot(
    'gitops.git_version',
    `${stdout.trim() || 'git does not say its version, which'} is not git 2.38 or newer: an older one can be made to start programs by a folder of the work tree; install a newer git on the runner; nothing is deployed`,
  );
}
