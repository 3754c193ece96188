import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commitChange, observeChange, planChange } from '../../../src/deploy/gitops.ts';
import { exec } from '../../../src/lib/exec.ts';
import { GIT_TOKEN, type GitServer, publishTo, startGit } from '../../support/git-server.ts';
import type { Seen } from '../../support/json-server.ts';
import { commitAll, sandboxes } from '../../support/sandbox.ts';
import { DEPLOYMENT, IMAGE, NEW, TARGET } from './scene.ts';

const sandbox = sandboxes();
const root = sandbox.folder('repositories');
let server: GitServer;
beforeAll(async () => {
  server = await startGit(root);
});
beforeEach(() => {
  server.instead = () => null;
  server.seen.length = 0;
});
afterAll(async () => {
  await server.close();
  sandbox.clean();
});

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

let repositories = 0;
/** A clone of a repository with one manifest, as a job checks it out. */
function clone(): { tree: string; bare: string; url: string; name: string } {
  const name = `web-${++repositories}`;
  const tree = sandbox.folder('gitops');
  writeFileSync(join(tree, 'web.yaml'), DEPLOYMENT);
  commitAll(tree);
  const bare = publishTo(server, root, name, tree);
  return { tree, bare, name, url: `${server.url}/${name}.git` };
}
const HOSTED = { manifests: [], direct: false, local: false, user: 'x-access-token', token: GIT_TOKEN };
const plan = (tree: string, changes: object = {}) =>
  planChange(join(tree, 'web.yaml'), IMAGE, TARGET, { ...HOSTED, ...changes }, exec);
const deploy = async (tree: string, changes: object = {}) => {
  const change = await plan(tree, changes);
  const commit = await commitChange(change, 'Deploy web\n', exec);
  return { change, commit, observed: await observeChange(change, commit, exec) };
};
/** Somebody else's commit, on the branch as it is there. */
function meanwhile(bare: string, file = 'other.yaml', text = 'a: 1\n'): string {
  const other = join(sandbox.folder('other'), 'clone');
  execFileSync('git', ['clone', '-q', bare, other]);
  writeFileSync(join(other, file), text);
  git(other, 'add', '-A');
  git(other, 'commit', '-qm', 'meanwhile');
  git(other, 'push', '-q', 'origin', 'HEAD:main');
  return git(other, 'rev-parse', 'HEAD');
}
const hook = (bare: string, name: string, script: string) => {
  mkdirSync(join(bare, 'hooks'), { recursive: true });
  writeFileSync(join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
};
const pushes = ({ path }: Seen) => path.endsWith('/git-receive-pack');
const state = (tree: string) => ({
  head: git(tree, 'rev-parse', 'HEAD'),
  status: git(tree, 'status', '--porcelain'),
  file: readFileSync(join(tree, 'web.yaml'), 'utf8'),
});

describe('a deploy to a repository that the cluster follows', () => {
  it('is one commit on the checked out branch there, read back, and nothing else there', async () => {
    const { tree, bare, url } = clone();
    git(tree, 'tag', 'v1');
    git(tree, 'branch', 'scratch');
    const before = git(tree, 'rev-parse', 'HEAD');
    const { change, commit, observed } = await deploy(tree);
    expect(observed).toEqual({ observedDigest: change.manifestDigest, differences: [], about: { commit } });
    expect(change.where).toEqual({ repository: url, branch: 'main' });
    expect(git(bare, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(`refs/heads/main ${commit}`);
    expect(git(bare, 'rev-parse', 'main^')).toBe(before);
    expect(git(bare, 'show', 'main:web.yaml')).toContain(NEW);
    expect(state(tree)).toMatchObject({ head: commit, status: '' });
  });

  it('works from a shallow clone, twice', async () => {
    const { tree, bare, url } = clone();
    for (const text of ['1', '2', '3']) meanwhile(bare, 'other.yaml', `a: ${text}\n`);
    const shallow = join(sandbox.folder('shallow'), 'clone');
    execFileSync('git', ['clone', '-q', '--depth', '1', `file://${bare}`, shallow]);
    git(shallow, 'config', 'remote.origin.url', url);
    await deploy(shallow);
    const { commit, observed } = await deploy(shallow);
    expect(observed.differences).toEqual([]);
    expect(git(bare, 'rev-parse', 'main')).toBe(commit);
    expect(git(bare, 'rev-list', '--count', 'main')).toBe('6');
    expect(git(tree, 'rev-list', '--count', 'HEAD')).toBe('1');
  });

  it('shows the token to that repository alone: to no argument, file or other address', async () => {
    const { tree } = clone();
    const seen: string[] = [];
    const change = await planChange(join(tree, 'web.yaml'), IMAGE, TARGET, HOSTED, async (program, args, options) => {
      const ended = await exec(program, args, options);
      seen.push(args.join(' '), ended.stdout, ended.stderr);
      return ended;
    });
    await commitChange(change, 'Deploy web\n', exec);
    const secret = Buffer.from(`x-access-token:${GIT_TOKEN}`).toString('base64');
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(server.seen.map(() => `Basic ${secret}`));
    for (const text of [...seen, readFileSync(join(tree, '.git', 'config'), 'utf8')]) {
      expect(text).not.toContain(GIT_TOKEN);
      expect(text).not.toContain(secret);
    }
  });

  it('uses nothing of the work tree’s settings: no other address, header, helper, hook or program', async () => {
    const [{ tree, bare, url }, other] = [clone(), clone()];
    const ran = join(sandbox.folder('ran'), 'ran');
    const evil = join(sandbox.folder('evil'), 'evil');
    writeFileSync(evil, `#!/bin/sh\necho "$0 $*" >> ${ran}\n`, { mode: 0o755 });
    git(tree, 'tag', '-a', '-m', 'v1', 'v1');
    for (const name of ['pre-push', 'reference-transaction']) hook(join(tree, '.git'), name, evil);
    for (const [name, value] of [
      ['remote.origin.pushurl', other.url],
      [`url.${other.url}.insteadOf`, url],
      [`url.${other.url}.pushInsteadOf`, url],
      ['remote.origin.receivepack', evil],
      ['remote.origin.uploadpack', evil],
      ['remote.origin.mirror', 'true'],
      ['remote.origin.proxy', 'http://127.0.0.1:1'],
      ['http.proxy', 'http://127.0.0.1:1'],
      ['http.extraHeader', 'X-Evil: 1'],
      ['http.curloptResolve', '127.0.0.1:1:127.0.0.2'],
      ['credential.helper', evil],
      ['core.askPass', evil],
      ['core.sshCommand', evil],
      ['core.gitProxy', evil],
      ['push.followTags', 'true'],
      ['push.gpgSign', 'true'],
      ['gpg.program', evil],
      ['protocol.ext.allow', 'always'],
    ])
      git(tree, 'config', name as string, value as string);
    const { commit } = await deploy(tree);
    expect(existsSync(ran)).toBe(false);
    expect(git(bare, 'for-each-ref', '--format=%(refname) %(objectname)')).toBe(`refs/heads/main ${commit}`);
    expect(git(other.bare, 'rev-list', '--count', 'main')).toBe('1');
    expect(server.seen.filter(({ headers }) => 'x-evil' in headers)).toEqual([]);
  });

  it('leaves no temporary files', async () => {
    const temporary = sandbox.folder('tmp');
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    try {
      await deploy(clone().tree);
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
    expect(readdirSync(temporary).filter((name) => name.startsWith('gatehouse-'))).toEqual([]);
  });
});

describe('before anything is used up', () => {
  type At = ReturnType<typeof clone>;
  it.each<[string, (at: At) => unknown, object, number, string, RegExp]>([
    ['the branch has moved on there', ({ bare }) => meanwhile(bare), {}, 2, 'gitops.behind', /is not at commit/],
    [
      'a commit lies here that nobody pushed',
      ({ tree }) => git(tree, 'commit', '-q', '--allow-empty', '-m', 'mine'),
      {},
      2,
      'gitops.behind',
      /is not at commit/,
    ],
    [
      'the branch is not there',
      ({ tree }) => git(tree, 'checkout', '-qb', 'new'),
      {},
      2,
      'gitops.behind',
      /branch new/,
    ],
    [
      'the repository is gone',
      ({ bare }) => renameSync(bare, `${bare}-gone`),
      {},
      3,
      'gitops.remote',
      /cannot be pushed to .*not found/,
    ],
    ['there is no token', () => {}, { token: undefined }, 2, 'gitops.token', /GATEHOUSE_GIT_TOKEN is not set/],
    ['two tokens', () => {}, { token: 'a\nb' }, 2, 'gitops.token', /something else than one token/],
    ['the token may only read', () => {}, { token: 'read' }, 3, 'gitops.remote', /cannot be pushed to .*403/],
    [
      'the server sends the token elsewhere',
      ({ name }) => {
        const moved = clone();
        server.instead = ({ path, query }) =>
          path.startsWith(`/${name}.git`)
            ? {
                status: 302,
                headers: { location: `${moved.url}${path.slice(name.length + 5)}?${query}` },
                bytes: '',
              }
            : null;
      },
      {},
      3,
      'gitops.remote',
      /cannot be pushed to/,
    ],
    [
      'there is no remote',
      ({ tree }) => git(tree, 'remote', 'remove', 'origin'),
      {},
      2,
      'gitops.remote',
      /deploys nothing/,
    ],
    ...[
      'https://user:secret-of-mine@git.example.org/web.git',
      'http://git.example.org/web.git',
      'git@git.example.org:web.git',
      'ssh://git@git.example.org/web.git',
      'git://git.example.org/web.git',
      'ext::sh -c evil',
      'file:///srv/web.git',
      '/srv/web.git',
      '../web.git',
      '--upload-pack=evil',
    ].map((url): [string, (at: At) => unknown, object, number, string, RegExp] => [
      `the remote is ${url}`,
      ({ tree }) => git(tree, 'config', 'remote.origin.url', url),
      {},
      2,
      'gitops.remote',
      /^(?!.*secret-of-mine).*no remote origin with one https address/,
    ]),
    [
      'the remote has two addresses',
      ({ tree }) => git(tree, 'config', '--add', 'remote.origin.url', 'https://git.example.org/web.git'),
      {},
      2,
      'gitops.remote',
      /with one https address/,
    ],
  ])('%s: it ends, and nothing changes', async (_, act, changes, exit, code, message) => {
    const at = clone();
    await act(at);
    const before = [state(at.tree), existsSync(at.bare) && git(at.bare, 'rev-parse', 'main')];
    await expect(plan(at.tree, changes)).rejects.toMatchObject({ exit, code, message: expect.stringMatching(message) });
    expect([state(at.tree), existsSync(at.bare) && git(at.bare, 'rev-parse', 'main')]).toEqual(before);
  });

  it('profile local may deploy to a repository on this machine, and to none', async () => {
    const { tree, bare } = clone();
    git(tree, 'config', 'remote.origin.url', bare);
    const { commit, observed } = await deploy(tree, { local: true, token: undefined });
    expect(observed.differences).toEqual([]);
    expect(git(bare, 'rev-parse', 'main')).toBe(commit);
    git(tree, 'remote', 'remove', 'origin');
    const alone = await deploy(tree, { local: true, token: undefined });
    expect(alone).toMatchObject({ observed: { differences: [] }, change: { where: { repository: null } } });
    expect(git(bare, 'rev-parse', 'main')).toBe(commit);
  });
});

describe('a branch that contract.yml gives to the target', () => {
  const other = { repository: 'https://git.example.org/care/gitops', branch: 'main' };
  it.each<[string, (url: string) => object, RegExp | null]>([
    ['is the one', (repository) => ({ manifests: [{ repository, branch: 'main' }] }), null],
    ['is written without .git', (url) => ({ manifests: [{ repository: url.slice(0, -4), branch: 'main' }] }), null],
    ['is one of several', (repository) => ({ manifests: [other, { repository, branch: 'main' }], direct: true }), null],
    [
      'is another branch',
      (repository) => ({ manifests: [{ repository, branch: 'release' }] }),
      /[a-z]+\/web follows branch release of http.*; checked out is branch main of http/,
    ],
    ['is another repository', () => ({ manifests: [other] }), /follows branch main of https:\/\/git\.example\.org/],
    [
      'is none, and the cluster is deployed to directly',
      () => ({ direct: true }),
      /names no branch for [a-z]+\/web: it is deployed to by method kubernetes/,
    ],
  ])('%s', async (_, changes, refusal) => {
    const { tree, url } = clone();
    const planned = plan(tree, changes(url));
    if (refusal === null) expect(await planned).toMatchObject({ where: { repository: url } });
    else {
      await expect(planned).rejects.toMatchObject({
        exit: 1,
        code: 'deploy.target',
        message: expect.stringMatching(refusal),
      });
      // The token has not been sent to whoever this is.
      expect(server.seen).toEqual([]);
    }
  });

  it('is no folder without a remote', async () => {
    const { tree } = clone();
    git(tree, 'remote', 'remove', 'origin');
    await expect(plan(tree, { manifests: [other], local: true })).rejects.toMatchObject({
      code: 'deploy.target',
      message: expect.stringMatching(/checked out is a repository without a remote/),
    });
  });
});

describe('a push that fails', () => {
  it.each<[string, (at: ReturnType<typeof clone>) => unknown, RegExp]>([
    [
      'because the branch moved on meanwhile',
      ({ bare }) => meanwhile(bare),
      /\[rejected\] \(stale info\)\); nothing is deployed/,
    ],
    [
      'because it was set back meanwhile',
      ({ bare }) => git(bare, 'update-ref', 'refs/heads/main', git(bare, 'commit-tree', 'main^{tree}', '-m', 'other')),
      /\[rejected\]/,
    ],
    [
      'because a hook of the server refuses',
      ({ bare }) => hook(bare, 'pre-receive', 'echo "not on a Friday" >&2; exit 1'),
      /\[remote rejected\] \(pre-receive hook declined\)\); nothing is deployed/,
    ],
    [
      'because the repository is gone',
      ({ bare }) => renameSync(bare, `${bare}-gone`),
      /the branch cannot be read either: look whether it is there/,
    ],
    [
      'because the server fails in the middle',
      () => {
        server.instead = (seen) => (pushes(seen) ? { status: 500, bytes: '' } : null);
      },
      /nothing is deployed/,
    ],
  ])('%s leaves the branch and the work tree as they were', async (_, act, message) => {
    const at = clone();
    const change = await plan(at.tree);
    await act(at);
    const before = [state(at.tree), existsSync(at.bare) && git(at.bare, 'rev-parse', 'main')];
    await expect(commitChange(change, 'Deploy web\n', exec)).rejects.toMatchObject({
      exit: 3,
      code: 'gitops.push',
      message: expect.stringMatching(message),
    });
    expect([state(at.tree), existsSync(at.bare) && git(at.bare, 'rev-parse', 'main')]).toEqual(before);
  });

  it('only because its answer was lost has not failed', async () => {
    const { tree, bare } = clone();
    const change = await plan(tree);
    // The server takes the push; the connection breaks before it says so.
    hook(bare, 'post-receive', 'sleep 0');
    const { url } = server;
    server.instead = (seen) => {
      if (!pushes(seen)) return null;
      server.instead = () => null;
      execFileSync('git', ['http-backend'], {
        input: seen.body,
        env: {
          ...process.env,
          GIT_PROJECT_ROOT: root,
          GIT_HTTP_EXPORT_ALL: '1',
          PATH_INFO: seen.path,
          REQUEST_METHOD: 'POST',
          CONTENT_TYPE: String(seen.headers['content-type']),
          CONTENT_LENGTH: String(seen.body.length),
          HTTP_CONTENT_ENCODING: String(seen.headers['content-encoding'] ?? ''),
          REMOTE_USER: 'pusher',
        },
      });
      return { hangUp: true };
    };
    const commit = await commitChange(change, 'Deploy web\n', exec);
    expect(git(bare, 'rev-parse', 'main')).toBe(commit);
    expect(await observeChange(change, commit, exec)).toMatchObject({ differences: [] });
    expect(url).toBe(server.url);
  });
});

describe('what the branch holds is read there', () => {
  it('and a server that says yes and does not keep the commit has deployed nothing', async () => {
    const { tree, bare } = clone();
    const parent = git(bare, 'rev-parse', 'main');
    hook(bare, 'post-receive', `git update-ref refs/heads/main ${parent}`);
    const { change, commit, observed } = await deploy(tree);
    expect(observed.observedDigest).not.toBe(change.manifestDigest);
    expect(observed.differences).toEqual([
      expect.stringContaining(`is at ${parent}, which does not hold commit ${commit}`),
      expect.stringContaining('does not hold the manifest that was decided on'),
    ]);
  });

  it('and a commit of somebody else on top of it is none of its business', async () => {
    const { tree, bare } = clone();
    const change = await plan(tree);
    const commit = await commitChange(change, 'Deploy web\n', exec);
    meanwhile(bare);
    expect(await observeChange(change, commit, exec)).toEqual({
      observedDigest: change.manifestDigest,
      differences: [],
      about: { commit },
    });
  });

  it.each<[string, (bare: string) => unknown]>([
    ['changes the manifest', (bare) => meanwhile(bare, 'web.yaml', `${DEPLOYMENT}# mine\n`)],
    [
      'has the same manifest and another history',
      (bare) => git(bare, 'update-ref', 'refs/heads/main', git(bare, 'commit-tree', 'main^{tree}', '-m', 'other')),
    ],
  ])('but not one that %s', async (_, act) => {
    const { tree, bare } = clone();
    const change = await plan(tree);
    const commit = await commitChange(change, 'Deploy web\n', exec);
    act(bare);
    expect((await observeChange(change, commit, exec)).differences).toHaveLength(1);
  });

  it('and where it cannot be read, it is not known', async () => {
    const { tree, bare } = clone();
    const change = await plan(tree);
    const commit = await commitChange(change, 'Deploy web\n', exec);
    renameSync(bare, `${bare}-gone`);
    await expect(observeChange(change, commit, exec)).rejects.toMatchObject({
      exit: 3,
      code: 'gitops.remote',
      message: expect.stringMatching(/cannot be read back/),
    });
  });
});
