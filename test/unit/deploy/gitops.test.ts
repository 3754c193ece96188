import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { commitChange, observeChange, planChange } from '../../../src/deploy/gitops.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import { type Exec, exec } from '../../../src/lib/exec.ts';
import { commitAll, sandboxes } from '../../support/sandbox.ts';
import { DEPLOYMENT, IMAGE, NEW, TARGET } from './scene.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** A GitOps repository with one manifest, committed. */
function repository(files: Record<string, string> = { 'web.yaml': DEPLOYMENT }): string {
  const folder = sandbox.folder('gitops');
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  commitAll(folder);
  return folder;
}
const LOCAL = { manifests: [], direct: false, local: true, user: 'x-access-token', token: undefined };
const plan = (folder: string, file = 'web.yaml') => planChange(join(folder, file), IMAGE, TARGET, LOCAL, exec);
const commit = async (folder: string, file = 'web.yaml') =>
  await commitChange(await plan(folder, file), 'Deploy web\n\nGatehouse-Decision: d\n', exec);
const state = (folder: string) => ({
  head: git(folder, 'rev-parse', 'HEAD'),
  status: git(folder, 'status', '--porcelain'),
  file: readFileSync(join(folder, 'web.yaml'), 'utf8'),
});

describe('a deploy by commit', () => {
  it('is one commit of this one file, with the decision in its message, read back', async () => {
    const folder = repository();
    const before = git(folder, 'rev-parse', 'HEAD');
    const change = await plan(folder);
    expect(state(folder)).toEqual({ head: before, status: '', file: DEPLOYMENT });
    const made = await commitChange(change, 'Deploy web\n\nGatehouse-Decision: d\n', exec);
    expect(git(folder, 'rev-parse', 'HEAD', 'HEAD^')).toBe(`${made}\n${before}`);
    expect(git(folder, 'show', '--name-only', '--format=%B', 'HEAD')).toBe(
      'Deploy web\n\nGatehouse-Decision: d\n\n\nweb.yaml',
    );
    expect(git(folder, 'symbolic-ref', 'HEAD')).toBe('refs/heads/main');
    expect(state(folder)).toMatchObject({ status: '', file: expect.stringContaining(NEW) });
    expect(await observeChange(change, made, exec)).toEqual({
      observedDigest: change.manifestDigest,
      differences: [],
      about: { commit: made },
    });
    expect(digestOf(readFileSync(join(folder, 'web.yaml')))).toBe(change.manifestDigest);
  });

  it('of what runs already is a commit that changes nothing', async () => {
    const folder = repository();
    const first = await commit(folder);
    const second = await commit(folder);
    expect(second).not.toBe(first);
    expect(git(folder, 'diff', '--stat', first, second)).toBe('');
  });

  it('leaves everything else that is staged or changed as it is', async () => {
    const folder = repository({ 'web.yaml': DEPLOYMENT, 'other.yaml': 'a: 1\n', 'third.yaml': 'a: 1\n' });
    writeFileSync(join(folder, 'other.yaml'), 'a: 2\n');
    git(folder, 'add', 'other.yaml');
    writeFileSync(join(folder, 'third.yaml'), 'a: 3\n');
    writeFileSync(join(folder, 'new.yaml'), 'a: 4\n');
    await commit(folder);
    expect(
      git(folder, 'status', '--porcelain')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['M  other.yaml', 'M third.yaml', '?? new.yaml']);
    expect(git(folder, 'show', '--name-only', '--format=', 'HEAD')).toBe('web.yaml');
  });

  it('works in a folder deep inside, behind a link, with blanks and signs in its name', async () => {
    const folder = repository({ 'a b/:(top)*/web.yaml': DEPLOYMENT });
    const link = join(sandbox.folder('link'), 'gitops');
    symlinkSync(folder, link);
    await commit(link, 'a b/:(top)*/web.yaml');
    expect(git(folder, 'show', '--name-only', '--format=', 'HEAD')).toContain('web.yaml');
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('keeps the mode of the file', async () => {
    const folder = repository();
    chmodSync(join(folder, 'web.yaml'), 0o755);
    git(folder, 'commit', '-qam', 'mode');
    await commit(folder);
    expect(git(folder, 'ls-tree', 'HEAD', 'web.yaml')).toMatch(/^100755/);
    expect(git(folder, 'status', '--porcelain')).toBe('');
  });

  it('runs no hook, no filter and no monitor of the repository', async () => {
    const folder = repository({ 'web.yaml': DEPLOYMENT, '.gitattributes': '*.yaml filter=evil text=auto\n' });
    const ran = join(sandbox.folder('ran'), 'ran');
    const program = join(folder, '.git', 'evil');
    writeFileSync(program, `#!/bin/sh\necho "$0 $*" >> ${ran}\ncat\n`, { mode: 0o755 });
    for (const hook of [
      'pre-commit',
      'commit-msg',
      'post-commit',
      'prepare-commit-msg',
      'reference-transaction',
      'post-index-change',
      'fsmonitor-watchman',
    ])
      writeFileSync(join(folder, '.git', 'hooks', hook), `#!/bin/sh\necho ${hook} >> ${ran}\n`, { mode: 0o755 });
    for (const [name, value] of [
      ['core.fsmonitor', program],
      ['filter.evil.clean', program],
      ['commit.gpgSign', 'true'],
      ['gpg.program', program],
      ['core.autocrlf', 'true'],
    ])
      git(folder, 'config', name as string, value as string);
    await commit(folder);
    expect(() => readFileSync(ran)).toThrow(/ENOENT/);
    expect(git(folder, 'log', '-1', '--format=%an <%ae>')).toBe('gatehouse <gatehouse@localhost>');
  });

  it('is bent by no variable of the environment', async () => {
    const [folder, other] = [repository(), repository()];
    const before = process.env;
    process.env = {
      ...before,
      GIT_DIR: join(other, '.git'),
      GIT_WORK_TREE: other,
      GIT_AUTHOR_NAME: 'mallory',
      GIT_CONFIG_COUNT: '1',
    };
    try {
      await commit(folder);
    } finally {
      process.env = before;
    }
    expect(git(folder, 'log', '-1', '--format=%an %cn')).toBe('gatehouse gatehouse');
    expect(git(other, 'rev-list', '--count', 'HEAD')).toBe('1');
  });
});

describe('what is read must be what is committed', () => {
  const KUSTOMIZATION = `namespace: web\nresources: [web.yaml]\nimages:\n  - name: ${IMAGE.name}\n`;
  const kustomized = () => repository({ 'web.yaml': DEPLOYMENT, 'kustomization.yaml': KUSTOMIZATION });

  it.each<[string, () => string, string, string, RegExp]>([
    [
      'a manifest with a change',
      () => {
        const folder = repository();
        writeFileSync(join(folder, 'web.yaml'), `${DEPLOYMENT}      hostNetwork: true\n`);
        return folder;
      },
      'web.yaml',
      'gitops.uncommitted',
      /web\.yaml is not as it is committed/,
    ],
    [
      'a manifest with a staged change',
      () => {
        const folder = repository();
        writeFileSync(join(folder, 'web.yaml'), `${DEPLOYMENT}      hostNetwork: true\n`);
        git(folder, 'add', 'web.yaml');
        return folder;
      },
      'web.yaml',
      'gitops.uncommitted',
      /web\.yaml/,
    ],
    [
      'a change that git was told not to see',
      () => {
        const folder = repository();
        git(folder, 'update-index', '--assume-unchanged', 'web.yaml');
        writeFileSync(join(folder, 'web.yaml'), `${DEPLOYMENT}      hostNetwork: true\n`);
        return folder;
      },
      'web.yaml',
      'gitops.uncommitted',
      /web\.yaml/,
    ],
    [
      'a manifest that nobody committed',
      () => {
        const folder = repository();
        writeFileSync(join(folder, 'new.yaml'), DEPLOYMENT);
        return folder;
      },
      'new.yaml',
      'gitops.uncommitted',
      /new\.yaml/,
    ],
    [
      'a manifest that is ignored',
      () => {
        const folder = repository({ '.gitignore': 'new.yaml\n' });
        writeFileSync(join(folder, 'new.yaml'), DEPLOYMENT);
        return folder;
      },
      'new.yaml',
      'gitops.uncommitted',
      /new\.yaml/,
    ],
    [
      'F93 a resource that is good here and another one in the commit',
      () => {
        const folder = repository({
          'web.yaml': DEPLOYMENT.replaceAll(IMAGE.name, 'evil.example.org/x'),
          'kustomization.yaml': KUSTOMIZATION,
        });
        writeFileSync(join(folder, 'web.yaml'), DEPLOYMENT);
        return folder;
      },
      'kustomization.yaml',
      'gitops.uncommitted',
      /web\.yaml is not as it is committed/,
    ],
    [
      'a resource that nobody committed',
      () => {
        const folder = repository({ 'kustomization.yaml': KUSTOMIZATION });
        writeFileSync(join(folder, 'web.yaml'), DEPLOYMENT);
        return folder;
      },
      'kustomization.yaml',
      'gitops.uncommitted',
      /web\.yaml/,
    ],
    [
      'a manifest beside a kustomization that may map it',
      kustomized,
      'web.yaml',
      'gitops.kustomization',
      /name kustomization\.yaml/,
    ],
    [
      'no branch',
      () => {
        const folder = repository();
        git(folder, 'checkout', '-q', '--detach');
        return folder;
      },
      'web.yaml',
      'gitops.detached',
      /is on no branch/,
    ],
    [
      'no commit',
      () => {
        const folder = sandbox.folder('gitops');
        git(folder, 'init', '-q');
        writeFileSync(join(folder, 'web.yaml'), DEPLOYMENT);
        return folder;
      },
      'web.yaml',
      'gitops.unborn',
      /has no commit yet/,
    ],
    [
      'no repository',
      () => {
        const folder = sandbox.folder('gitops');
        writeFileSync(join(folder, 'web.yaml'), DEPLOYMENT);
        return folder;
      },
      'web.yaml',
      'gitops.repository',
      /is not in the work tree of a git repository/,
    ],
    [
      'the inside of git',
      () => {
        const folder = repository();
        writeFileSync(join(folder, '.git', 'web.yaml'), DEPLOYMENT);
        return folder;
      },
      '.git/web.yaml',
      'gitops.repository',
      /is not in the work tree/,
    ],
    [
      'a link',
      () => {
        const folder = repository();
        symlinkSync('web.yaml', join(folder, 'link.yaml'));
        return folder;
      },
      'link.yaml',
      'gitops.link',
      /is a symbolic link/,
    ],
    ['no file', repository, 'none.yaml', 'file.unreadable', /there is no such file/],
    ['no folder', repository, 'none/web.yaml', 'file.unreadable', /there is no such file/],
    ['a folder', () => repository({ 'sub/web.yaml': DEPLOYMENT }), 'sub', 'file.unreadable', /it is a folder/],
  ])('%s is bad input, and nothing changes', async (_, make, file, code, message) => {
    const folder = make();
    await expect(plan(folder, file)).rejects.toMatchObject({ exit: 2, code, message: expect.stringMatching(message) });
  });

  it('a kustomization and its resources are', async () => {
    const folder = kustomized();
    const change = await plan(folder, 'kustomization.yaml');
    const made = await commitChange(change, 'Deploy web', exec);
    expect(await observeChange(change, made, exec)).toMatchObject({ observedDigest: change.manifestDigest });
    expect(git(folder, 'show', '--name-only', '--format=', 'HEAD')).toBe('kustomization.yaml');
  });
});

describe('a commit that fails', () => {
  it('F93 because the branch has moved on changes nothing: nobody read what is there now', async () => {
    const folder = repository();
    const change = await plan(folder);
    writeFileSync(join(folder, 'other.yaml'), 'a: 1\n');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'meanwhile');
    const before = state(folder);
    await expect(commitChange(change, 'Deploy', exec)).rejects.toMatchObject({ exit: 3, code: 'gitops.git' });
    expect(state(folder)).toEqual(before);
  });

  it.each([
    ['the branch is locked', (folder: string) => writeFileSync(join(folder, '.git', 'refs', 'heads', 'main.lock'), '')],
    [
      'the objects are gone',
      (folder: string) => renameSync(join(folder, '.git', 'objects'), join(folder, '.git', 'objects-gone')),
    ],
  ])('because %s changes nothing', async (_, break_) => {
    const folder = repository();
    const change = await plan(folder);
    break_(folder);
    await expect(commitChange(change, 'Deploy', exec)).rejects.toMatchObject({
      exit: 3,
      code: 'gitops.git',
      message: expect.stringMatching(/git [a-z-]+ failed in /),
    });
    expect(readFileSync(join(folder, 'web.yaml'), 'utf8')).toBe(DEPLOYMENT);
    rmSync(join(folder, '.git', 'refs', 'heads', 'main.lock'), { force: true });
    if (readdirSync(join(folder, '.git')).includes('objects-gone')) {
      rmSync(join(folder, '.git', 'objects'), { recursive: true, force: true });
      renameSync(join(folder, '.git', 'objects-gone'), join(folder, '.git', 'objects'));
    }
    expect(git(folder, 'rev-parse', 'HEAD')).toBe(change.parent);
  });

  it.each([
    ['git version 2.37.9\n', /git version 2\.37\.9 is not git 2\.38 or newer.*nothing is deployed/],
    ['git version 1.99.0\n', /2\.38 or newer/],
    ['', /git does not say its version/],
  ])('a git that does not know safe.bareRepository (%j) deploys nothing', async (said, message) => {
    const older: Exec = async (program, args, options) =>
      args.includes('version') ? { code: 0, stdout: said, stderr: '' } : await exec(program, args, options);
    const folder = repository();
    await expect(planChange(join(folder, 'web.yaml'), IMAGE, TARGET, LOCAL, older)).rejects.toMatchObject({
      code: 'gitops.git_version',
      message: expect.stringMatching(message),
    });
  });

  it('without git is CouldNot that says so', async () => {
    const none: Exec = (program, args, options) => exec(`no-${program}`, args, options);
    const folder = repository();
    await expect(planChange(join(folder, 'web.yaml'), IMAGE, TARGET, LOCAL, none)).rejects.toMatchObject({
      exit: 3,
      code: 'exec.start',
    });
  });

  it('only to bring the work tree after it is a deploy all the same', async () => {
    const folder = repository();
    const change = await plan(folder);
    writeFileSync(join(folder, '.git', 'index.lock'), '');
    const made = await commitChange(change, 'Deploy', exec);
    expect(await observeChange(change, made, exec)).toMatchObject({ observedDigest: change.manifestDigest });
    expect(git(folder, 'rev-parse', 'HEAD')).toBe(made);
  });

  it('leaves no temporary files', async () => {
    const temporary = sandbox.folder('tmp');
    const before = process.env.TMPDIR;
    process.env.TMPDIR = temporary;
    try {
      await commit(repository());
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
    expect(readdirSync(temporary).filter((name) => name.startsWith('gatehouse-commit-'))).toEqual([]);
  });
});
