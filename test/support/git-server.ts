import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Reply, type Seen, startServer, type TestServer } from './json-server.ts';
import { cleanEnvironment } from './sandbox.ts';

export interface GitServer extends TestServer {
  /** What it says instead of git, or null. May take its time and change what lies there first. */
  instead: (seen: Seen) => Reply | null;
}

/** The token of the GitOps project, by which that can be pushed to. */
export const GIT_TOKEN = 'glpat-a-token-of-the-gitops-repository';
/** A job's own token. It reads the projects that let it, and pushes to its own project only, which none of these is. */
export const JOB_TOKEN = 'glcbt-the-token-of-a-job';
export const GITOPS = 'care/gitops';

/** git's own server for bare repositories in a folder, by http on loopback: everybody reads, who has the token pushes. */
export async function startGit(folder: string): Promise<GitServer> {
  const server = await startServer(async (seen) => {
    const instead = git.instead(seen);
    if (instead !== null) return instead;
    const pushes = seen.path.endsWith('/git-receive-pack') || seen.query.get('service') === 'git-receive-pack';
    return pushes && tokenOf(seen) !== GIT_TOKEN ? refused(seen) : await backend(folder, seen);
  });
  const git: GitServer = Object.assign(server, { instead: () => null });
  return git;
}

function tokenOf({ headers }: Seen): string | undefined {
  return Buffer.from(headers.authorization?.replace('Basic ', '') ?? '', 'base64')
    .toString()
    .split(':')[1];
}

function refused(seen: Seen): Reply {
  const status = tokenOf(seen) === undefined ? 401 : 403;
  return { status, headers: { 'www-authenticate': 'Basic realm="git"' }, bytes: '' };
}

async function backend(folder: string, { method, path, query, headers, body }: Seen): Promise<Reply> {
  const child = spawn('git', ['http-backend'], {
    env: cleanEnvironment('/nonexistent', {
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      PATH_INFO: path,
      QUERY_STRING: query.toString(),
      REQUEST_METHOD: method,
      CONTENT_TYPE: headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(headers['git-protocol'] ?? ''),
      REMOTE_USER: 'pusher',
      REMOTE_ADDR: '127.0.0.1',
    }),
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  // A repository that is not there is told without reading what was sent.
  child.stdin.on('error', () => undefined);
  child.stdin.end(body);
  const chunks: Buffer[] = [];
  for await (const chunk of child.stdout) chunks.push(chunk as Buffer);
  const answer = Buffer.concat(chunks);
  const end = answer.indexOf('\r\n\r\n');
  const lines = answer.subarray(0, end).toString().split('\r\n');
  const fields = Object.fromEntries(lines.map((line) => line.split(': ', 2) as [string, string]));
  const { Status: status = '200', ...rest } = fields;
  return { status: Number.parseInt(status, 10), headers: rest, bytes: answer.subarray(end + 4) };
}

/**
 * Serves the projects of a GitLab that is not there (path → bare repository) from this folder. All are private; which of them list
 * the job's project as one whose jobs may read them says `opens`.
 */
export async function serveProjects(
  projects: ReadonlyMap<string, string>,
  folder: string,
  opens: (project: string) => boolean = () => true,
): Promise<GitServer> {
  for (const [project, bare] of projects) {
    mkdirSync(dirname(join(folder, project)), { recursive: true });
    symlinkSync(bare, join(folder, `${project}.git`));
  }
  const git = await startGit(folder);
  git.instead = (seen) => {
    const [, project = ''] = /^\/(.*?)\.git\//.exec(seen.path) ?? [];
    const tokens = [...(opens(project) ? [JOB_TOKEN] : []), ...(project === GITOPS ? [GIT_TOKEN] : [])];
    return tokens.includes(tokenOf(seen) ?? '') ? null : refused(seen);
  };
  return git;
}

/** Makes the commits of a work tree a bare repository NAME.git in the server's folder, and the work tree a clone of it. */
export function publishTo({ url }: TestServer, folder: string, name: string, workTree: string): string {
  const bare = join(folder, `${name}.git`);
  execFileSync('git', ['clone', '-q', '--bare', workTree, bare]);
  execFileSync('git', ['-C', workTree, 'remote', 'add', 'origin', `${url}/${name}.git`]);
  return bare;
}
