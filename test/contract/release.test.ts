import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bumped } from '../../scripts/bump.ts';
import { COMPONENTS, WORKFLOWS } from '../../scripts/published.ts';
import { releaseFiles } from '../../scripts/release.ts';
import { CALLER } from '../support/promote-copy.ts';
import { run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** This repository as it would be at its first release. */
function lay(version: string, changelog: string): string {
  const root = sandbox.folder('release');
  cpSync('build/dist', join(root, 'dist'), { recursive: true });
  cpSync('package-lock.json', join(root, 'package-lock.json'));
  writeFileSync(join(root, 'package.json'), JSON.stringify({ version }));
  writeFileSync(join(root, 'CHANGELOG.md'), changelog);
  return root;
}
const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n- later\n\n## 1.0.0 - 2026-11-28\n\n- the first\n\n## 0.9.0\n\n- before\n';

it('lays out checksums that a checkout can be compared with', () => {
  const root = lay('1.0.0', CHANGELOG);
  const { SHA256SUMS: sums = '' } = releaseFiles(root, 'v1.0.0');
  writeFileSync(join(root, 'SHA256SUMS'), sums);
  const check = () =>
    execFileSync('sha256sum', ['--check', '--quiet', 'SHA256SUMS'], { cwd: root, stdio: 'pipe', encoding: 'utf8' });
  expect(sums.trim().split('\n')).toHaveLength(readdirSync(join(root, 'dist')).length);
  check();
  writeFileSync(join(root, 'dist', 'index.js'), 'planted');
  expect(check).toThrow(expect.objectContaining({ stdout: expect.stringContaining('dist/index.js: FAILED') }));
});

it('lists the packages that are really in dist, with their versions and hashes', () => {
  const root = lay('1.0.0', CHANGELOG);
  const { components, metadata } = JSON.parse(releaseFiles(root, 'v1.0.0')['sbom.cdx.json'] as string);
  const names = components.map(({ group, name }: { group?: string; name: string }) =>
    group === undefined ? name : `${group}/${name}`,
  );
  expect(names).toEqual(
    expect.arrayContaining(['zod', 'yaml', 'jose', '@actions/core', '@open-policy-agent/opa-wasm']),
  );
  expect(names).not.toEqual(expect.arrayContaining(['jest']));
  const { version } = JSON.parse(readFileSync('node_modules/zod/package.json', 'utf8'));
  expect(components.find(({ name }: { name: string }) => name === 'zod')).toMatchObject({
    version,
    purl: `pkg:npm/zod@${version}`,
    hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
  });
  expect(metadata.component).toMatchObject({ name: 'gatehouse', version: '1.0.0' });
});

it('takes its notes from the changelog', () => {
  const { 'notes.md': notes } = releaseFiles(lay('1.0.0', CHANGELOG), 'v1.0.0');
  expect(notes).toMatch(/^- the first\n\nDigest of dist, as the register names it: `sha256:[0-9a-f]{64}`/);
  expect(notes).not.toContain('later');
});

it.each([
  ['a tag that is no full version', 'v1', '1.0.0', CHANGELOG, /v1 is not vX\.Y\.Z/],
  ['a tag of another version', 'v1.0.1', '1.0.0', CHANGELOG, /not the version of package\.json, 1\.0\.0/],
  ['a version without its notes', 'v1.1.0', '1.1.0', CHANGELOG, /no section 1\.1\.0/],
])('refuses %s', (_, tag, version, changelog, message) => {
  expect(() => releaseFiles(lay(version, changelog), tag)).toThrow(message);
});

it('writes into a new folder only, and says what is wrong with exit 2', () => {
  const out = join(sandbox.folder('out'), 'release');
  mkdirSync(out);
  const ended = () =>
    execFileSync(process.execPath, ['scripts/release.ts', '--tag', 'v0.0.0', '--out', out], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  expect(ended).toThrow(
    expect.objectContaining({ status: 2, stderr: expect.stringContaining('no release: tag v0.0.0') }),
  );
  expect(readdirSync(out)).toEqual([]);
});

describe('a release is prepared by one command, which', () => {
  const root = () => {
    const folder = sandbox.folder('bump');
    for (const path of ['package.json', 'package-lock.json', 'contract.yml', 'workflows', 'scripts/published.ts'])
      cpSync(path, join(folder, path), { recursive: true });
    writeFileSync(join(folder, 'CHANGELOG.md'), CHANGELOG);
    return folder;
  };
  const NEXT = '999999999.0.1';

  it('bumps version, lock and changelog, so that its tag can be released', () => {
    const folder = root();
    const files = bumped(folder, { version: NEXT }, '2026-12-01');
    for (const [path, text] of Object.entries(files)) writeFileSync(join(folder, path), text);
    cpSync('build/dist', join(folder, 'dist'), { recursive: true });
    expect(releaseFiles(folder, `v${NEXT}`)['notes.md']).toMatch(/^- later\n\nDigest/);
    expect(files['CHANGELOG.md']).toBe(CHANGELOG.replace('Unreleased\n', `Unreleased\n\n## ${NEXT} - 2026-12-01\n`));
    expect(JSON.parse(files['package-lock.json'] as string)).toMatchObject({
      version: NEXT,
      packages: { '': { version: NEXT } },
    });
  });

  it('names organization, project and tag in contract.yml and in all that callers copy', () => {
    const names = { version: NEXT, organization: 'other-health', components: 'other/tools/components' };
    const files = bumped(root(), names, '2026-12-01');
    const all = Object.values(files).join('\n');
    expect(all).not.toContain(WORKFLOWS);
    expect(all).not.toContain(COMPONENTS);
    expect(files['workflows/github/promote.yml']).toContain('ghcr.io/other-health/');
    expect(files['workflows/github/promote.yml']).toContain('manifest-repository: other-health/gitops\n');
    expect(files['contract.yml']).toContain('\nregistries: [ghcr.io/other-health]\n');
    expect(files['contract.yml']).toContain('https://github.com/other-health/gitops,');
    expect(files['contract.yml']).toContain('\norganization: other-health\n');
    expect(files['contract.yml']).toContain(
      `other-health/compliance-workflows/.github/workflows/promote.yml@refs/tags/v${NEXT}\n`,
    );
    expect(files['workflows/github/promote.yml']).toContain(
      `other-health/compliance-workflows/.github/workflows/promote.yml@v${NEXT} `,
    );
    expect(files['workflows/gitlab/parent.gitlab-ci.yml']).toContain('/other/tools/components/promote@');
    expect(files['scripts/published.ts']).toContain(`RELEASE = '${NEXT}'`);
  });

  it('begins a series of its own in a fork, with a changelog that may say nothing yet', () => {
    const folder = root();
    writeFileSync(join(folder, 'CHANGELOG.md'), '# Changelog\n\n## Unreleased\n\n## 2.0.0\n\n- before\n');
    const files = bumped(folder, { version: '0.0.1', organization: 'other-health' }, '2026-12-01');
    expect(files['CHANGELOG.md']).toMatch(
      /^# Changelog\n\n## Unreleased\n\n## 0\.0\.1 - 2026-12-01\n\n- First release of other-health, made from \S+\.\n\n## 2\.0\.0\n/,
    );
  });

  it.each([
    ['a version that is none', { version: '1.0' }, CHANGELOG, /1\.0 is not X\.Y\.Z/],
    ['a version that is not after the last', { version: '0.0.9' }, CHANGELOG, /not after .* never used again/],
    [
      'a release without news',
      { version: NEXT },
      '# Changelog\n\n## Unreleased\n\n## 1.0.0\n\n- x\n',
      /says nothing under/,
    ],
    ['an organization that is a path', { version: NEXT, organization: 'a/b' }, CHANGELOG, /a\/b is no organization/],
    ['a project without its group', { version: NEXT, components: 'components' }, CHANGELOG, /no path of a project/],
  ])('refuses %s', (_, names, changelog, message) => {
    const folder = root();
    writeFileSync(join(folder, 'CHANGELOG.md'), changelog);
    expect(() => bumped(folder, names, '2026-12-01')).toThrow(message);
  });

  it('says how it is called, and writes nothing then', () => {
    const folder = root();
    const before = readFileSync(join(folder, 'package.json'), 'utf8');
    const script = join(process.cwd(), 'scripts', 'bump.ts');
    const { code, stdout } = run(process.execPath, [script, '--version', NEXT, '--help'], { cwd: folder });
    expect(code).toBe(0);
    for (const option of ['--version X.Y.Z', '--organization NAME', '--components GROUP/PROJECT'])
      expect(stdout).toContain(option);
    expect(readFileSync(join(folder, 'package.json'), 'utf8')).toBe(before);
  });

  it('names what is missing', () => {
    const { code, stderr } = run(process.execPath, ['scripts/bump.ts']);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--version X.Y.Z is needed')]);
  });
});

describe('contract.yml', () => {
  it('is valid, in a fork too', () => {
    const words = ['build/dist/gatehouse.js', 'contract', 'check', '--file', 'contract.yml', '--json'];
    expect(JSON.parse(run(process.execPath, words).stdout)).toMatchObject({ status: 'valid' });
  });

  it('is what the tests read, while it is ours; so is the caller', () => {
    const of = (path: string) => readFileSync(path, 'utf8').replace(/@(refs\/tags\/)?v[\d.]+/, '');
    const isFork = !WORKFLOWS.startsWith('example-health/');
    for (const [own, read] of [
      ['contract.yml', 'test/fixtures/contract.yml'],
      ['workflows/github/promote.yml', CALLER],
    ] as const)
      expect(isFork || of(own) === of(read)).toBe(true);
  });
});
