import { existsSync, lstatSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, dirname, join, relative, resolve } from 'node:path';
import type { Target } from '../contract/target.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot } from '../lib/errors.ts';
import { absoluteFolders, type Exec } from '../lib/exec.ts';
import { readInput } from '../lib/file.ts';
import { replaceFile } from '../lib/write.ts';
import { changeKustomization } from './kustomize.ts';
import { changeManifest } from './plain-manifest.ts';
import type { Way } from './way.ts';

/** A file of a GitOps repository, read and changed in memory: nothing is written yet. */
export interface Change {
  /** The git work tree. */
  root: string;
  /** Path of the file below it. */
  path: string;
  /** The commit that was read: the change is committed on top of this one or not at all. */
  parent: string;
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

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

type Environment = Record<string, string>;

/** Deploying by a commit to the repository that the cluster follows. */
export function gitopsWay(
  file: string,
  image: Image,
  target: Target,
  exec: Exec,
): Way<Change, { commit: string; observedDigest: string }> {
  return {
    plan: () => planChange(file, image, target, exec),
    act: (change, { title, decisionId, deployId }) =>
      commitChange(change, `${title}\n\nGatehouse-Decision: ${decisionId}\nGatehouse-Deploy: ${deployId}\n`, exec),
    observe: async ({ manifestDigest }, { commit, observedDigest }) => ({
      observedDigest,
      differences:
        observedDigest === manifestDigest
          ? []
          : [`commit ${commit} does not hold the manifest that was decided on: somebody changed it in between`],
      about: { commit },
    }),
  };
}

/**
 * Works out the change that makes a manifest or kustomization run the image by digest. What was read must be what is committed:
 * a cluster deploys commits. Throws DeployRefused when it names a tag, another image or another target, BadInput when it cannot
 * be understood: what is not understood is not deployed.
 */
export async function planChange(file: string, image: Image, target: Target, exec: Exec): Promise<Change> {
  const before = readInput(file, 'manifest', 4 * 1024 * 1024);
  const full = join(realpathSync(dirname(resolve(file))), basename(file));
  if (lstatSync(full).isSymbolicLink())
    throw new BadInput('gitops.link', `${file} is a symbolic link: name the file itself`);
  await requireGit(dirname(full), exec);
  const root = await workTree(full, exec);
  const parent = await head(root, exec);
  const isKustomization = KUSTOMIZATIONS.includes(basename(full));
  const changed = isKustomization
    ? changeKustomization(before, full, image, target)
    : { ...changeManifest(before, file, image, target), resources: [] };
  const beside = KUSTOMIZATIONS.find((name) => !isKustomization && existsSync(join(dirname(full), name)));
  if (beside !== undefined)
    throw new BadInput(
      'gitops.kustomization',
      `${file} lies beside ${beside}, by which the cluster may run something else than is written in it: name ${beside}`,
    );
  for (const each of [full, ...changed.resources]) await requireCommitted(root, relative(root, each), parent, exec);
  const after = Buffer.from(changed.text);
  return {
    root,
    path: relative(root, full),
    parent,
    after,
    manifestDigest: digestOf(after),
    previousDigest: changed.previousDigest,
  };
}

/**
 * Commits the change of this one file on top of the commit that was read, in one step: when the branch has moved on, or
 * anything else fails, nothing has changed. Neither hooks nor filters of the repository run, and what else is staged or changed
 * in the work tree stays as it is. Gives the digest of what the branch holds then. Throws CouldNot.
 */
export async function commitChange(
  { root, path, parent, after }: Change,
  message: string,
  exec: Exec,
): Promise<{ commit: string; observedDigest: string }> {
  const temporary = mkdtempSync(join(tmpdir(), 'gatehouse-commit-'));
  const run = async (...args: string[]) =>
    (await git(root, args, exec, { GIT_INDEX_FILE: join(temporary, 'index') })).trim();
  try {
    const file = join(temporary, 'manifest');
    writeFileSync(file, after);
    const blob = await run('hash-object', '-w', '--no-filters', '--', file);
    const mode = (await run('ls-tree', parent, '--', path)).split(' ')[0] as string;
    await run('read-tree', parent);
    await run('update-index', '--cacheinfo', `${mode},${blob},${path}`);
    const commit = await run('commit-tree', await run('write-tree'), '-p', parent, '-m', message);
    // Compares and swaps: a commit that came in between was not read, so nothing goes on top of it.
    await run('update-ref', '-m', message.split('\n')[0] as string, 'HEAD', commit, parent);
    await follow({ root, path, after }, `${mode},${blob},${path}`, exec);
    const observed = await git(root, ['cat-file', 'blob', `HEAD:${path}`], exec);
    return { commit, observedDigest: digestOf(observed) };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Brings the work tree after the commit. It is deployed by then: what cannot be written here is told by the next deploy, which
 * finds the file not as it is committed.
 */
async function follow({ root, path, after }: Pick<Change, 'root' | 'path' | 'after'>, entry: string, exec: Exec) {
  try {
    replaceFile(join(root, path), after, 'manifest');
    await git(root, ['update-index', '--cacheinfo', entry], exec, await withoutFilters(root, exec));
  } catch (cause) {
    if (!(cause instanceof CouldNot)) throw cause;
  }
}

/**
 * Takes the programs from the filters that the repository's settings name: git has files that are as new as its index filtered
 * again when it writes that index.
 */
async function withoutFilters(root: string, exec: Exec): Promise<Environment> {
  const { stdout } = await run(root, ['config', '--null', '--name-only', '--get-regexp', '^filter\\.'], exec);
  const names = stdout.split('\0').filter((name) => name !== '');
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(names.length)],
    ...names.flatMap((name, i) => [
      [`GIT_CONFIG_KEY_${i}`, name],
      [`GIT_CONFIG_VALUE_${i}`, ''],
    ]),
  ]);
}

/** An older git passes over `safe.bareRepository` without a word (git's release notes, 2.38.0), on which the work tree's safety rests. */
async function requireGit(folder: string, exec: Exec): Promise<void> {
  const { stdout } = await run(folder, ['version'], exec);
  const [, major, minor] = /^git version (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return;
  throw new CouldNot(
    'gitops.git_version',
    `${stdout.trim() || 'git does not say its version, which'} is not git 2.38 or newer: an older one can be made to start programs by a folder of the work tree; install a newer git on the runner; nothing is deployed`,
  );
}

async function workTree(file: string, exec: Exec): Promise<string> {
  const { code, stdout, stderr } = await run(dirname(file), ['rev-parse', '--show-toplevel'], exec);
  if (code === 0 && stdout.trim() !== '') return stdout.trim();
  throw new BadInput(
    'gitops.repository',
    `${file} is not in the work tree of a git repository (${complaint(stderr)}): deploys are commits; name a manifest in the GitOps repository`,
  );
}

/** The commit that a branch is at. On no branch a commit would be lost. */
async function head(root: string, exec: Exec): Promise<string> {
  if ((await run(root, ['symbolic-ref', '--quiet', 'HEAD'], exec)).code !== 0)
    throw new BadInput(
      'gitops.detached',
      `${root} is on no branch (detached HEAD), so that nothing would follow the commit: check out the branch that the cluster follows`,
    );
  const { code, stdout } = await run(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], exec);
  if (code === 0) return stdout.trim();
  throw new BadInput('gitops.unborn', `${root} has no commit yet: commit the manifests first`);
}

async function requireCommitted(root: string, path: string, commit: string, exec: Exec): Promise<void> {
  const { code, stdout } = await run(root, ['cat-file', 'blob', `${commit}:${path}`], exec);
  if (code === 0 && Buffer.from(stdout).equals(readInput(join(root, path), 'manifest'))) return;
  throw new BadInput(
    'gitops.uncommitted',
    `${join(root, path)} is not as it is committed: the cluster would run what is committed, which was not read; commit it or undo the change`,
  );
}

async function git(root: string, args: string[], exec: Exec, more: Environment = {}): Promise<string> {
  const { code, stdout, stderr } = await run(root, args, exec, more);
  if (code !== 0)
    throw new CouldNot('gitops.git', `git ${args[0]} failed in ${root}: ${complaint(stderr)}; nothing is deployed`);
  return stdout;
}

/**
 * git without the machine's hooks, monitors and identity: who deployed is in the evidence, not in a commit's author. The work tree
 * is judged text, and some of it could start programs: a folder in it that looks like a bare repository would be taken for one, with
 * its settings, and a PATH with a part that is not absolute would find programs in it.
 */
function run(cwd: string, args: string[], exec: Exec, more: Environment = {}) {
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
      ...more,
    },
  });
}

/** The line that says what was wrong; advice follows it, which is git's and not ours. */
function complaint(stderr: string): string {
  const lines = stderr.trim().split('\n');
  return lines.find((line) => /^(fatal|error): /.test(line)) ?? (lines.at(-1) || 'it says nothing');
}
