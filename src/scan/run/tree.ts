import {
  closeSync,
  type Dirent,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { BadInput, CouldNot } from '../../lib/errors.ts';
import type { Exec } from '../../lib/exec.ts';
import { complaint, runGit } from '../../lib/git.ts';

/** What scanners read, made from a checkout: neither is the judged repository's own folder. */
export interface Tree {
  /** The checkout's HEAD, hex; what is not committed is not scanned. */
  commit: string;
  /** The files of the commit, without those by which a repository tells a scanner what to leave out. */
  files: string;
  /** The same repository without any files: its history alone. */
  history: string;
  /** Paths that were taken out of `files`. */
  removed: string[];
  /** Paths whose text is UTF-16 in the commit and UTF-8 in `files`, and in a commit of ours on top of `history`. */
  recoded: string[];
}

/** Over a repository's own .gitattributes: files as they are committed, and every change shown as text, whatever it holds. */
const ATTRIBUTES = '* !text !eol !crlf !ident !filter !working-tree-encoding diff\n';

/**
 * Names of files that each of the scanners obeys when it finds them in what it scans (tried with the pinned versions): the judged
 * party would decide what is found. Inline comments are dealt with by options of the tools.
 */
const OBEYED = new Set([
  '.trivyignore',
  '.trivyignore.yaml',
  'trivy.yaml',
  '.semgrepignore',
  '.gitleaks.toml',
  '.gitleaksignore',
  '.checkov.yaml',
  '.checkov.yml',
  '.checkov.baseline',
  'osv-scanner.toml',
]);

/**
 * What git starts to read the checkout. Whoever owns that: in a container it is often somebody else, and the program does not
 * inherit what our own git was told of it. Objects that it lacks are fetched by no program that its settings name.
 */
const UPLOAD_PACK = "GIT_ALLOW_PROTOCOL= git -c 'safe.directory=*' upload-pack";

/** How a file begins that is UTF-16. */
const ENCODINGS = new Map([
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be'],
]);

/**
 * Clones the checkout twice below `into`. Throws BadInput for a folder that is no git checkout and for a shallow one: a secret
 * in what was not fetched would not be found.
 */
export async function cleanTree(checkout: string, into: string, exec: Exec): Promise<Tree> {
  if (!existsSync(checkout))
    throw new BadInput('scan.checkout', `there is no folder ${checkout}: name the git checkout that is to be scanned`);
  const ask = (...args: string[]) => runGit(checkout, ['-c', 'safe.directory=*', 'rev-parse', ...args], exec);
  const head = await ask('--verify', 'HEAD^{commit}');
  if (head.code !== 0)
    throw new BadInput(
      'scan.checkout',
      `${checkout} is not a git checkout with a commit: check the caller's repository out first`,
    );
  if ((await ask('--is-shallow-repository')).stdout.trim() !== 'false')
    throw new BadInput(
      'scan.shallow',
      `${checkout} holds a part of its history: a secret in the rest would not be found; check it out with fetch-depth 0 (GitLab: GIT_DEPTH 0)`,
    );
  const [commit, files, history] = [head.stdout.trim(), join(into, 'files'), join(into, 'history.git')];
  const must = async (cwd: string, ...args: string[]) => {
    const { code, stderr } = await runGit(cwd, ['-c', 'safe.directory=*', ...args], exec, {
      GIT_ALLOW_PROTOCOL: 'file',
    });
    if (code !== 0) throw new CouldNot('scan.clone', `cannot copy ${checkout} to scan it: ${complaint(stderr)}`);
  };
  const clone = ['clone', '--quiet', '--template=', `--upload-pack=${UPLOAD_PACK}`];
  await must(into, ...clone, '--no-local', '--no-checkout', '--', checkout, files);
  await must(into, ...clone, '--bare', '--', checkout, history);
  for (const repository of [join(files, '.git'), history]) {
    mkdirSync(join(repository, 'info'));
    writeFileSync(join(repository, 'info', 'attributes'), ATTRIBUTES);
  }
  await must(files, 'checkout', '--quiet', '--detach', commit);
  const recoded = recode(files);
  if (recoded.length > 0) {
    await must(files, 'commit', '--quiet', '--all', '--message', 'UTF-16 as UTF-8');
    await must(history, '--git-dir=.', 'fetch', '--quiet', files, 'HEAD:refs/gatehouse/utf-8');
  }
  return { commit, files, history, removed: removeObeyed(files), recoded };
}

/** An entry of the files. Its path is in bytes, since git takes names that are no UTF-8. */
interface Found {
  path: Buffer;
  entry: Dirent<Buffer>;
}

function found(folder: Buffer): Found[] {
  return readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })
    .filter(({ name }) => name.toString() !== '.git')
    .flatMap((entry) => {
      const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
      return [{ path, entry }, ...(entry.isDirectory() ? found(path) : [])];
    });
}

/** Scanners read UTF-8: what begins with the mark of UTF-16 is written so, line by line the same. Gives the paths, sorted. */
function recode(files: string): string[] {
  return found(Buffer.from(files))
    .filter(({ path, entry }) => entry.isFile() && recodeFile(path))
    .map(({ path }) => path.toString().slice(files.length + 1))
    .sort();
}

function recodeFile(path: Buffer): boolean {
  const encoding = ENCODINGS.get(firstBytes(path, 2));
  if (encoding === undefined) return false;
  writeFileSync(path, new TextDecoder(encoding).decode(readFileSync(path)));
  return true;
}

function firstBytes(path: Buffer, number: number): string {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(number);
    return bytes.toString('hex', 0, readSync(file, bytes, 0, number, 0));
  } finally {
    closeSync(file);
  }
}

function removeObeyed(files: string): string[] {
  const removed = found(Buffer.from(files)).filter(({ entry }) => OBEYED.has(entry.name.toString()));
  // No scanner obeys a folder; at the top one would stand where our own file goes.
  for (const { path, entry } of removed)
    if (entry.isDirectory()) rmSync(path.toString(), { recursive: true, force: true });
    else rmSync(path, { force: true });
  // Without a file of this name semgrep leaves out tests and vendored code; one that says nothing leaves nothing out.
  writeFileSync(join(files, '.semgrepignore'), '# nothing is left out\n');
  return removed.map(({ path }) => path.toString().slice(files.length + 1)).sort();
}
