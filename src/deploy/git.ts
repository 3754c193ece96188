import { CouldNot } from '../lib/errors.ts';
import type { Exec } from '../lib/exec.ts';
import { complaint, type Environment, runGit } from '../lib/git.ts';

/** What a command of git says. Throws CouldNot when it fails. */
export async function git(root: string, args: string[], exec: Exec, more: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await runGit(root, args, exec, more);
  if (code !== 0) throw new CouldNot('gitops.git', `git ${args[0]} failed in ${root}: ${complaint(stderr)}`);
  return stdout;
}
