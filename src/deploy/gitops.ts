import { existsSync, lstatSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { clusterOrHost, type Target } from '../contract/target.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot } from '../lib/errors.ts';
import type { Exec } from '../lib/exec.ts';
import { readInput } from '../lib/file.ts';
import { complaint, type Environment, runGit } from '../lib/git.ts';
import { replaceFile } from '../lib/write.ts';
import { git, requireGit } from './git.ts';
import { type Access, type Branch, namesOf, type Remote, remoteOf, sameRepository } from './git-remote.ts';
import { changeKustomization } from './kustomize.ts';
import { changeManifest } from './plain-manifest.ts';
import { DeployRefused } from './refusal.ts';
import type { Observed, Way } from './way.ts';

/** A file of a GitOps repository, read and changed in memory: nothing is written yet. */
export interface Change {
  /** The git work tree. */
  root: string;
  /** Path of the file below it. */
  path: string;
  /** The commit that was read: the change is committed on top of this one or not at all. */
  parent: string;
  /** Where it is pushed to, or null where the work tree is all there is. */
  remote: Remote | null;
  after: Buffer;
  /** Of what will be committed. */
  manifestDigest: string;
  previousDigest: string | null;
  where: { repository: string | null; branch: string };
}

export interface Image {
  /** `registry/repository`. */
  name: string;
  digest: string;
}

const KUSTOMIZATIONS = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

export interface Repositories extends Access {
  /** Branches that the contract gives to the target; empty where it names none. */
  manifests: readonly Branch[];
  /** The contract gives the target's cluster an API server, so that a branch nobody named is not where it is deployed to. */
  direct: boolean;
}

/** Deploying by a commit to the branch that the cluster follows. */
export function gitopsWay(
  file: string,
  image: Image,
  target: Target,
  repositories: Repositories,
  exec: Exec,
): Way<Change, string> {
  return {
    plan: () => planChange(file, image, target, repositories, exec),
    act: (change, { title, decisionId, deployId }) =>
      commitChange(change, `${title}\n\nGatehouse-Decision: ${decisionId}\nGatehouse-Deploy: ${deployId}\n`, exec),
    observe: (change, commit) => observeChange(change, commit, exec),
  };
}

/**
 * Works out the change that makes a manifest or kustomization run the image by digest. What was read must be what is committed:
 * a cluster deploys commits. Throws DeployRefused when it names a tag, another image or another target, BadInput when it cannot
 * be understood: what is not understood is not deployed.
 */
export async function planChange(
  file: string,
  image: Image,
  target: Target,
  repositories: Repositories,
  exec: Exec,
): Promise<Change> {
  const before = readInput(file, 'manifest', 4 * 1024 * 1024);
  const full = join(realpathSync(dirname(resolve(file))), basename(file));
  if (lstatSync(full).isSymbolicLink())
    throw new BadInput('gitops.link', `${file} is a symbolic link: name the file itself`);
  await requireGit(dirname(full), exec);
  const root = await workTree(full, exec);
  const { branch, parent } = await head(root, exec);
  const remote = await remoteOf(root, branch, repositories, exec);
  requireOwnBranch(remote, target, repositories);
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
  await remote?.requirePushable(parent);
  const after = Buffer.from(changed.text);
  return {
    root,
    path: relative(root, full),
    parent,
    remote,
    after,
    manifestDigest: digestOf(after),
    previousDigest: changed.previousDigest,
    where: { repository: remote?.repository ?? null, branch },
  };
}

/** A commit to another branch than the cluster's would be recorded as its deploy. Throws DeployRefused. */
function requireOwnBranch(remote: Branch | null, target: Target, { manifests, direct }: Repositories): void {
  const own = ({ repository, branch }: Branch) =>
    remote !== null && branch === remote.branch && sameRepository(repository, remote.repository);
  if (manifests.length === 0 ? !direct : manifests.some(own)) return;
  const place = `${clusterOrHost(target)}/${target.namespace}`;
  throw new DeployRefused(
    'deploy.target',
    manifests.length === 0
      ? `contract.yml names no branch for ${place}: it is deployed to by method kubernetes`
      : `contract.yml says that ${place} follows ${namesOf(manifests)}; checked out is ${
          remote === null ? 'a repository without a remote' : namesOf([remote])
        }`,
  );
}

/**
 * Commits the change of this one file on top of the commit that was read and pushes it, in one step: when the branch has moved
 * on, or anything else fails, neither the branch nor the work tree has changed. Neither hooks nor filters of the repository run,
 * and what else is staged or changed in the work tree stays as it is. Gives the commit. Throws CouldNot.
 */
export async function commitChange(
  { root, path, parent, remote, after }: Change,
  message: string,
  exec: Exec,
): Promise<string> {
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
    // Both compare and swap: a commit that came in between was not read, so nothing goes on top of it.
    const move = () => run('update-ref', '-m', message.split('\n')[0] as string, 'HEAD', commit, parent);
    if (remote === null) await move();
    else await remote.push(commit, parent);
    await follow(async () => {
      if (remote !== null) await move();
      replaceFile(join(root, path), after, 'manifest');
      const entry = `${mode},${blob},${path}`;
      await git(root, ['update-index', '--cacheinfo', entry], exec, await withoutFilters(root, exec));
    });
    return commit;
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/**
 * Brings the work tree after the commit. It is deployed by then: what cannot be written here is told by the next deploy, which
 * finds the file not as it is committed, or the branch not where it is checked out.
 */
async function follow(bring: () => Promise<void>): Promise<void> {
  try {
    await bring();
  } catch (cause) {
    if (!(cause instanceof CouldNot)) throw cause;
  }
}

/** What the branch holds now, read from where the cluster reads it. Throws CouldNot. */
export async function observeChange(
  { root, path, remote, where, manifestDigest }: Change,
  commit: string,
  exec: Exec,
): Promise<Observed> {
  const { tip, holds, content } =
    remote === null
      ? { tip: 'HEAD', holds: true, content: await git(root, ['cat-file', 'blob', `HEAD:${path}`], exec) }
      : await remote.read(path, commit);
  const observedDigest = content === null ? null : digestOf(content);
  const differences = [
    ...(holds
      ? []
      : [`branch ${where.branch} of ${where.repository} is at ${tip}, which does not hold commit ${commit}`]),
    ...(observedDigest === manifestDigest
      ? []
      : [`the branch does not hold the manifest that was decided on: somebody changed it after commit ${commit}`]),
  ];
  return { observedDigest, differences, about: { commit } };
}

/**
 * Takes the programs from the filters that the repository's settings name: git has files that are as new as its index filtered
 * again when it writes that index.
 */
async function withoutFilters(root: string, exec: Exec): Promise<Environment> {
  const { stdout } = await runGit(root, ['config', '--null', '--name-only', '--get-regexp', '^filter\\.'], exec);
  const names = stdout.split('\0').filter((name) => name !== '');
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(names.length)],
    ...names.flatMap((name, i) => [
      [`GIT_CONFIG_KEY_${i}`, name],
      [`GIT_CONFIG_VALUE_${i}`, ''],
    ]),
  ]);
}

async function workTree(file: string, exec: Exec): Promise<string> {
  const { code, stdout, stderr } = await runGit(dirname(file), ['rev-parse', '--show-toplevel'], exec);
  if (code === 0 && stdout.trim() !== '') return stdout.trim();
  throw new BadInput(
    'gitops.repository',
    `${file} is not in the work tree of a git repository (${complaint(stderr)}): deploys are commits; name a manifest in the GitOps repository`,
  );
}

/** The branch that is checked out, and the commit that it is at. On no branch a commit would be lost. */
async function head(root: string, exec: Exec): Promise<{ branch: string; parent: string }> {
  const ref = await runGit(root, ['symbolic-ref', '--quiet', 'HEAD'], exec);
  if (ref.code !== 0)
    throw new BadInput(
      'gitops.detached',
      `${root} is on no branch (detached HEAD), so that nothing would follow the commit: check out the branch that the cluster follows`,
    );
  const { code, stdout } = await runGit(root, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], exec);
  if (code === 0) return { branch: ref.stdout.trim().replace(/^refs\/heads\//, ''), parent: stdout.trim() };
  throw new BadInput('gitops.unborn', `${root} has no commit yet: commit the manifests first`);
}

async function requireCommitted(root: string, path: string, commit: string, exec: Exec): Promise<void> {
  const { code, stdout } = await runGit(root, ['cat-file', 'blob', `${commit}:${path}`], exec);
  if (code === 0 && Buffer.from(stdout).equals(readInput(join(root, path), 'manifest'))) return;
  throw new BadInput(
    'gitops.uncommitted',
    `${join(root, path)} is not as it is committed: the cluster would run what is committed, which was not read; commit it or undo the change`,
  );
}
