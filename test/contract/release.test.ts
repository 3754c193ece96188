import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseFiles } from '../../scripts/release.ts';
import { sandboxes } from '../support/sandbox.ts';

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
