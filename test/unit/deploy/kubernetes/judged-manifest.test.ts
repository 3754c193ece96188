import { execFileSync } from 'node:child_process';
import {
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { judgedManifest } from '../../../../src/deploy/kubernetes/judged-manifest.ts';
import { exec } from '../../../../src/lib/exec.ts';
import { commitAll, sandboxes } from '../../../support/sandbox.ts';
import { DEPLOYMENT, TARGET } from '../scene.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const git = (folder: string, ...args: string[]) =>
  execFileSync('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();

/** A checkout of the commit that was judged. */
function checkout() {
  const folder = sandbox.folder('checkout');
  mkdirSync(join(folder, 'deploy'));
  const file = join(folder, 'deploy', 'web.yaml');
  writeFileSync(file, DEPLOYMENT);
  return { folder, file, commit: commitAll(folder) };
}
type Checkout = ReturnType<typeof checkout>;
const EVIL = DEPLOYMENT.replace('--long', '--evil');
const evil = ({ folder, file }: Checkout) => {
  writeFileSync(file, EVIL);
  git(folder, 'commit', '-qam', 'evil');
};
const read = (file: string, changes: object = {}) =>
  judgedManifest(file, TARGET, { manifests: [], local: false, commit: null, ...changes }, exec);

describe('the manifest of a deploy to a cluster', () => {
  it('is read as the commit has it', async () => {
    const { file, commit } = checkout();
    expect(await read(file, { commit })).toEqual({ file, bytes: Buffer.from(DEPLOYMENT) });
  });

  it('may lie beside a newer commit that leaves it as it was, and is found where a link to its folder leads', async () => {
    const { folder, file, commit } = checkout();
    writeFileSync(join(folder, 'more'), '');
    git(folder, 'add', '-A');
    git(folder, 'commit', '-qm', 'more');
    symlinkSync('deploy', join(folder, 'link'));
    expect(await read(join(folder, 'link', 'web.yaml'), { commit })).toMatchObject({ bytes: readFileSync(file) });
  });

  it('may be checked out by another user, as GitLab’s runner does', async () => {
    const { folder, file, commit } = checkout();
    const all = [
      folder,
      ...readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
    ];
    if (process.getuid?.() === 0) for (const path of all) chownSync(path, 12_345, 12_345);
    expect(await read(file, { commit })).toMatchObject({ file });
  });

  it.each<[string, (at: Checkout) => unknown, RegExp]>([
    ['changed since', ({ file }) => writeFileSync(file, EVIL), /\(it differs\)/],
    ['of a newer commit', evil, /\(it differs\)/],
    [
      'new since',
      ({ folder, file }) => {
        writeFileSync(file, EVIL);
        rmSync(join(folder, '.git'), { recursive: true });
        writeFileSync(join(folder, 'other'), '');
        commitAll(folder);
      },
      /but not in/,
    ],
    [
      'of a branch that is called like the commit',
      (at) => {
        rmSync(join(at.folder, '.git'), { recursive: true });
        writeFileSync(at.file, EVIL);
        commitAll(at.folder);
        git(at.folder, 'update-ref', `refs/heads/${at.commit}`, 'HEAD');
      },
      /but not in/,
    ],
    [
      'of a commit that is put in its place',
      (at) => {
        evil(at);
        git(at.folder, 'replace', at.commit, 'HEAD');
      },
      /\(it differs\)/,
    ],
    [
      'in no checkout',
      ({ folder }) => rmSync(join(folder, '.git'), { recursive: true }),
      /not a git repository|outside/,
    ],
    [
      'that is a link in the commit',
      (at) => {
        renameSync(at.file, join(at.folder, 'elsewhere.yaml'));
        symlinkSync('../elsewhere.yaml', at.file);
        at.commit = commitAll(at.folder);
      },
      /\(it differs\)/,
    ],
    [
      'in a folder that plays a repository',
      ({ folder, file }) => {
        const bare = join(sandbox.folder('bare'), 'deploy');
        git(folder, 'clone', '-q', '--bare', folder, bare);
        rmSync(join(folder, 'deploy'), { recursive: true });
        renameSync(bare, join(folder, 'deploy'));
        writeFileSync(file, EVIL);
      },
      /bare repository/,
    ],
  ])('is refused %s', async (_, change, why) => {
    const at = checkout();
    await change(at);
    await expect(read(at.file, { commit: at.commit })).rejects.toMatchObject({
      reason: { rule: 'deploy.target', fix: expect.stringContaining('in the commit of the run') },
      message: expect.stringMatching(why),
    });
  });

  it('is refused where nobody says which commit the job runs on, whatever a branch is called', async () => {
    const { folder, file } = checkout();
    git(folder, 'branch', 'null');
    await expect(read(file)).rejects.toMatchObject({
      code: 'deploy.target',
      message: expect.stringMatching(/nobody says/),
    });
  });

  it('is taken as it lies in profile local', async () => {
    const file = join(sandbox.folder('plain'), 'web.yaml');
    writeFileSync(file, DEPLOYMENT);
    expect(await read(file, { local: true })).toMatchObject({ bytes: Buffer.from(DEPLOYMENT) });
  });

  it.each([true, false])('is none where the target follows a branch (profile local: %s)', async (local) => {
    const { file, commit } = checkout();
    const manifests = [{ repository: 'https://git.example.org/care/gitops', branch: 'main' }];
    await expect(read(file, { commit, local, manifests })).rejects.toMatchObject({
      code: 'deploy.target',
      message:
        'contract.yml says that prod/web follows branch main of https://git.example.org/care/gitops: it is deployed to by method gitops',
    });
  });
});
