import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { BadInput, CouldNot } from '../lib/errors.ts';
import type { Exec } from '../lib/exec.ts';
import { complaint, type Environment, runGit } from '../lib/git.ts';
import { isLoopback } from '../registry/redirect.ts';
import { git } from './git.ts';

/** The branch that a cluster follows, by the address of its repository. */
export interface Branch {
  repository: string;
  /** Without `refs/heads/`. */
  branch: string;
}

/** These branches, for messages. */
export function namesOf(branches: readonly Branch[]): string {
  return branches.map(({ repository, branch }) => `branch ${branch} of ${repository}`).join(' or ');
}

/** How a remote repository is spoken to. */
export interface Access {
  /** Profile local: a repository on this machine will do, and so will none. */
  local: boolean;
  /** Name beside the token: GitLab knows a job's token by it. */
  user: string;
  token: string | undefined;
}

/** The same, to be spoken to. */
export interface Remote extends Branch {
  /** Throws unless the branch is at this commit and the token may push to it. Changes nothing. */
  requirePushable(commit: string): Promise<void>;
  /**
   * Pushes a commit if the branch is at this parent of it, and to no other ref. A push whose answer was lost may have arrived, so
   * the branch has the last word. Throws CouldNot.
   */
  push(commit: string, parent: string): Promise<void>;
  /** What a file is on the branch as it is there now, and whether that holds the commit. Throws CouldNot. */
  read(path: string, commit: string): Promise<{ tip: string; holds: boolean; content: string | null }>;
}

/**
 * Where a commit has to be pushed to take effect: the checked out branch, at `origin`. null where the work tree itself is what
 * is followed. The address is read and nothing else: what else a work tree's settings say of remotes (other addresses for
 * pushing, proxies, programs to start) is not used. Throws BadInput for an address that is not https.
 */
export async function remoteOf(root: string, branch: string, access: Access, exec: Exec): Promise<Remote | null> {
  const { stdout } = await runGit(root, ['config', '--local', '--null', '--get-all', 'remote.origin.url'], exec);
  const [url, ...more] = stdout.split('\0').slice(0, -1);
  if (url === undefined && access.local) return null;
  const repository = url === undefined || more.length > 0 ? null : addressOf(url, root, access);
  if (repository !== null) return remote(root, { repository, branch }, access, exec);
  throw new BadInput(
    'gitops.remote',
    `${root} has no remote origin with one https address without name and password: a commit that stays in this folder deploys nothing; clone the repository that the cluster follows, and give the token as GATEHOUSE_GIT_TOKEN`,
  );
}

function addressOf(text: string, root: string, { local }: Access): string | null {
  if (!URL.canParse(text)) return local && !/^[^/]*:/.test(text) ? pathToFileURL(resolve(root, text)).href : null;
  const { protocol, hostname, username, password, search, hash, href } = new URL(text);
  if (`${username}${password}${search}${hash}` !== '') return null;
  const fits =
    protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)) || (protocol === 'file:' && local);
  return fits ? href : null;
}

/** Whether two addresses are of one repository: `.git` and a slash at the end say nothing. */
export function sameRepository(a: string, b: string): boolean {
  const bare = (address: string) => address.replace(/\/+$/, '').replace(/\.git$/, '');
  return bare(a) === bare(b);
}

function remote(root: string, at: Branch, access: Access, exec: Exec): Remote {
  const where = namesOf([at]);
  const session = <T>(use: (session: Session) => Promise<T>) => withRemote(root, at, access, exec, use);
  return {
    ...at,
    requirePushable: async (commit) => {
      const refused = await session(({ push }) => push(commit, commit, ['--dry-run']));
      if (refused === null) return;
      if (refused.startsWith('[rejected]'))
        throw new BadInput(
          'gitops.behind',
          `${where} is not at commit ${commit} that is checked out: what the cluster would run was not read; check out the branch as it is now. The decision is not used up`,
        );
      throw new CouldNot(
        'gitops.remote',
        `${where} cannot be pushed to (${refused}): see whether it is there and the token in GATEHOUSE_GIT_TOKEN may push to it. The decision is not used up`,
      );
    },
    push: (commit, parent) =>
      session(async ({ push, fetch }) => {
        const refused = await push(commit, parent);
        if (refused === null) return;
        const tip = await fetch().catch(() => null);
        if (tip === commit) return;
        throw new CouldNot(
          'gitops.push',
          `commit ${commit} was not pushed to ${where} (${refused}); ${
            tip === null ? 'the branch cannot be read either: look whether it is there' : 'nothing is deployed'
          }. The decision is used up: when the branch can be pushed to, have it decided anew`,
        );
      }),
    read: (path, commit) =>
      session(async ({ fetch, local }) => {
        const tip = await fetch();
        const { code, stdout } = await local('cat-file', 'blob', `${tip}:${path}`);
        const holds = tip === commit || (await local('merge-base', '--is-ancestor', commit, tip)).code === 0;
        return { tip, holds, content: code === 0 ? stdout : null };
      }),
  };
}

interface Session {
  /** What the remote says against it, or null. */
  push(commit: string, onto: string, more?: string[]): Promise<string | null>;
  /** Fetches the branch and gives the commit that it is at. */
  fetch(): Promise<string>;
  local(...args: string[]): ReturnType<typeof runGit>;
}

/**
 * Speaks to a remote from an empty repository of our own that borrows the objects of the work tree's: no setting, hook or
 * credential of the work tree has a part in it. The token is in the environment of git, where no argument, address or message
 * shows it; it follows no redirect.
 */
async function withRemote<T>(
  root: string,
  { repository, branch }: Branch,
  { user, token }: Access,
  exec: Exec,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-push-'));
  const ref = `refs/heads/${branch}`;
  const network: Environment = {
    GIT_DIR: folder,
    GIT_ALLOW_PROTOCOL: new URL(repository).protocol.slice(0, -1),
    ...settings({
      'http.followRedirects': 'false',
      'http.lowSpeedLimit': '1',
      'http.lowSpeedTime': '60',
      ...(new URL(repository).protocol === 'file:' ? {} : { 'http.extraHeader': authorization(user, token) }),
    }),
  };
  const local: Session['local'] = (...args) => runGit(folder, args, exec, { GIT_DIR: folder });
  try {
    const asked = ['--show-object-format', '--git-path', 'objects', '--git-path', 'shallow'];
    const [format, objects, shallow] = (await git(root, ['rev-parse', ...asked], exec)).split('\n') as [
      string,
      string,
      string,
    ];
    await git(folder, ['init', '--quiet', '--bare', '--template=', `--object-format=${format}`, folder], exec);
    writeFileSync(join(folder, 'objects', 'info', 'alternates'), `${resolve(root, objects)}\n`);
    if (existsSync(resolve(root, shallow))) copyFileSync(resolve(root, shallow), join(folder, 'shallow'));
    return await use({
      local,
      push: async (commit, onto, more = []) => {
        const lease = `--force-with-lease=${ref}:${onto}`;
        const args = ['push', '--porcelain', '--no-verify', lease, ...more, '--', repository, `${commit}:${ref}`];
        const { code, stdout, stderr } = await runGit(folder, args, exec, network);
        return code === 0 ? null : (/^!\t[^\t]*\t(.*)$/m.exec(stdout)?.[1] ?? complaint(stderr));
      },
      fetch: async () => {
        const read = 'refs/gatehouse/read';
        const args = ['fetch', '--quiet', '--no-tags', '--', repository, `+${ref}:${read}`];
        const { code, stderr } = await runGit(folder, args, exec, network);
        const { stdout } = await local('rev-parse', '--verify', '--quiet', `${read}^{commit}`);
        if (code === 0 && stdout !== '') return stdout.trim();
        throw new CouldNot(
          'gitops.remote',
          `branch ${branch} of ${repository} cannot be read back (${complaint(stderr)}): look at what it holds now`,
        );
      },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function settings(all: Record<string, string>): Environment {
  const entries = Object.entries(all).map(([name, value], i) => [
    [`GIT_CONFIG_KEY_${i}`, name],
    [`GIT_CONFIG_VALUE_${i}`, value],
  ]);
  return { GIT_CONFIG_COUNT: String(entries.length), ...Object.fromEntries(entries.flat()) };
}

/** RFC 7617. Throws BadInput for what is no token. */
function authorization(user: string, token: string | undefined): string {
  if (token !== undefined && /^[\x21-\x7e]{1,16384}$/.test(token))
    return `Authorization: Basic ${Buffer.from(`${user}:${token}`).toString('base64')}`;
  throw new BadInput(
    'gitops.token',
    `GATEHOUSE_GIT_TOKEN ${token === undefined ? 'is not set' : 'holds something else than one token'}: the commit has to be pushed, with a token that may push to the branch`,
  );
}
