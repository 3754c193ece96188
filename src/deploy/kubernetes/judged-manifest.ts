import { realpathSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { clusterOrHost, type Target } from '../../contract/target.ts';
import type { Exec } from '../../lib/exec.ts';
import { readInput } from '../../lib/file.ts';
import { complaint, runGit } from '../../lib/git.ts';
import { requireGit } from '../git.ts';
import { type Branch, namesOf } from '../git-remote.ts';
import { DeployRefused } from '../refusal.ts';

/** A manifest as it was read, once. */
export interface Manifest {
  /** Its path, for messages. */
  file: string;
  bytes: Buffer;
}

/** What a manifest has to be of. */
export interface Judged {
  /** Branches that the contract gives to the target. */
  manifests: readonly Branch[];
  /** Profile local: files are of no commit that anybody vouches for. */
  local: boolean;
  /** The commit that the job runs on, as its platform vouches for it; null where it does not. */
  commit: string | null;
}

/**
 * The manifest of a deploy to a cluster. It says what runs there beside the image: command, arguments, variables. Whoever calls the
 * workflow says where it is checked out from, so it counts only as the job's own commit has it, which was judged. git names a commit by
 * what is in it and looks when it fetches, so this holds for a checkout of any repository. A target that follows a branch is deployed to
 * by a commit to that branch alone. Throws DeployRefused.
 */
export async function judgedManifest(file: string, target: Target, judged: Judged, exec: Exec): Promise<Manifest> {
  const place = `${clusterOrHost(target)}/${target.namespace}`;
  if (judged.manifests.length > 0)
    throw new DeployRefused(
      'deploy.target',
      `contract.yml says that ${place} follows ${namesOf(judged.manifests)}: it is deployed to by method gitops`,
    );
  const bytes = readInput(file, 'manifest', 4 * 1024 * 1024);
  const why = judged.local ? null : await notOf(judged.commit, file, bytes, exec);
  if (why === null) return { file, bytes };
  throw new DeployRefused(
    'deploy.target',
    `manifest ${file} is not as commit ${judged.commit} has it (${why}): whoever wrote it would decide what ${place} runs, and nobody has judged that; name a manifest of the job’s own commit (on GitLab the protected project’s), in a checkout of it`,
  );
}

/** Why a file is not, byte for byte, as the commit has it at its place in the checkout, or null. */
async function notOf(commit: string | null, file: string, bytes: Buffer, exec: Exec): Promise<string | null> {
  if (commit === null) return 'nobody says which commit that is';
  const folder = realpathSync(dirname(resolve(file)));
  await requireGit(folder, exec);
  const blob = ['cat-file', 'blob', `${commit}:./${basename(file)}`];
  const { code, stdout, stderr } = await runGit(folder, blob, exec, ANYBODYS);
  if (code !== 0) return complaint(stderr);
  return Buffer.from(stdout).equals(bytes) ? null : 'it differs';
}

/** GitLab's runner checks out as another user than a job's image may have. Nothing that the settings there name is started by a read. */
const ANYBODYS = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
