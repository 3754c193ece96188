import { lstatSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { Target } from '../contract/target.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot } from '../lib/errors.ts';
import type { Exec } from '../lib/exec.ts';
import { readInput } from '../lib/file.ts';
import { replaceFile } from '../lib/write.ts';
import { changeKustomization } from './kustomize.ts';
import { changeManifest } from './plain-manifest.ts';

/** A file of a GitOps repository, read and changed in memory: nothing is written yet. */
export interface Change {
  /** The git work tree. */
  root: string;
  /** Path of the file below it. */
  path: string;
  before: Buffer;
  after: Buffer;
  /** Of what will be committed. */
  manifestDigest: string;
  previousDigest: string | null;
}

export interface Image {
  /** `registry/repository`. */
  name: string;
  digest: string;
}

/**
 * Works out the change that makes a manifest or kustomization run the image by digest. Throws DeployRefused when it names a
 * tag, another image or another target, BadInput when it cannot be understood: what is not understood is not deployed.
 */
export async function planChange(file: string, image: Image, target: Target, exec: Exec): Promise<Change> {
  const full = resolve(file);
  const root = await workTree(full, exec);
  const path = relative(root, full);
  if (lstatSync(full, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    throw new BadInput('gitops.link', `${file} is a symbolic link: name the file itself`);
  const before = readInput(full, 'manifest', 4 * 1024 * 1024);
  const isKustomization = /(^|\/)kustomization\.ya?ml$/.test(path);
  const { text, previousDigest } = isKustomization
    ? changeKustomization(before, full, image, target)
    : changeManifest(before, file, image, target);
  const after = Buffer.from(text);
  return { root, path, before, after, manifestDigest: digestOf(after), previousDigest };
}

/**
 * Writes the change and commits this one file, with the decision's id in the message. Gives the digest of what HEAD holds then.
 * Throws CouldNot; the file is put back when the commit fails.
 */
export async function commitChange(
  { root, path, before, after }: Change,
  message: string,
  exec: Exec,
): Promise<{ commit: string; observedDigest: string }> {
  const full = join(root, path);
  replaceFile(full, after, 'manifest');
  try {
    await git(root, ['add', '--', path], exec);
    // A deploy of what runs already is a deploy: it is recorded by a commit that changes nothing.
    await git(root, ['commit', '--quiet', '--allow-empty', '--only', '--message', message, '--', path], exec);
  } catch (cause) {
    replaceFile(full, before, 'manifest');
    throw cause;
  }
  const commit = (await git(root, ['rev-parse', 'HEAD'], exec)).trim();
  const observed = await git(root, ['show', `${commit}:${path}`], exec);
  return { commit, observedDigest: digestOf(observed) };
}

async function workTree(file: string, exec: Exec): Promise<string> {
  const { code, stdout } = await exec('git', ['rev-parse', '--show-toplevel'], {
    cwd: dirname(file),
    env: environment(),
  });
  if (code !== 0)
    throw new BadInput(
      'gitops.repository',
      `${file} is not in a git repository: deploys are commits; name a manifest in the GitOps repository`,
    );
  return stdout.trim();
}

/** git without the machine's hooks, signing and identity: who deployed is in the evidence, not in a commit's author. */
async function git(root: string, args: string[], exec: Exec): Promise<string> {
  const settings = [
    'core.hooksPath=/dev/null',
    'commit.gpgSign=false',
    'user.name=gatehouse',
    'user.email=gatehouse@localhost',
  ].flatMap((setting) => ['-c', setting]);
  const { code, stdout, stderr } = await exec('git', [...settings, ...args], { cwd: root, env: environment() });
  if (code !== 0)
    throw new CouldNot(
      'gitops.git',
      `git ${args[0]} failed in ${root}: ${stderr.trim().split('\n').at(-1) ?? `exit ${code}`}; nothing is deployed`,
    );
  return stdout;
}

function environment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: '/nonexistent',
    LANG: 'C.UTF-8',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
  };
}
