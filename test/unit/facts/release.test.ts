import type { Register } from '../../../src/contract/register.ts';
import type { Run } from '../../../src/contract/run.ts';
import { releaseOf } from '../../../src/facts/release.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const RUNNING = { distDigest: digest('d'), contractDigest: digest('c'), policyDigest: digest('b') };
const SHA = 'a'.repeat(40);
const github = { run: { platform: 'github', host: 'github.com' } as Run, jobSha: SHA };
const local = { run: { platform: 'local', host: 'demo' } as Run, jobSha: null };

type Release = Register['releases'][number];
const release = (changes: Partial<Release> = {}): Release => ({
  version: '1.4.0',
  commits: [{ platform: 'github', host: 'github.com', sha: SHA }],
  ...RUNNING,
  notAfter: null,
  ...changes,
});
const found = (releases: Release[], at: Parameters<typeof releaseOf>[2] = local, minimumVersion = '1.0.0') =>
  releaseOf({ releases, minimumVersion } as Register, RUNNING, at, NOW);

describe('the release that runs', () => {
  it.each<[string, Release[], string | null]>([
    ['is the one with its three digests', [release({ version: '1.3.0', distDigest: digest('e') }), release()], '1.4.0'],
    ['is none in an empty register', [], null],
    ['is none when the program is another', [release({ distDigest: digest('e') })], null],
    ['is none when the contract is another', [release({ contractDigest: digest('e') })], null],
    ['is none when the policy is another', [release({ policyDigest: digest('e') })], null],
    ['is listed until its end', [release({ notAfter: '2026-06-01T12:00:00.001Z' })], '1.4.0'],
    ['is none from its end on', [release({ notAfter: '2026-06-01T12:00:00Z' })], null],
  ])('%s', (_, releases, version) => {
    expect(found(releases)).toBe(version);
  });

  it.each([
    ['1.4.0', '1.4.0', true],
    ['1.4.0', '1.3.9', true],
    ['1.10.0', '1.9.0', true],
    ['2.0.0', '1.99.99', true],
    ['v1.4.0', '1.4.0', true],
    ['1.4.0', '1.4.1', false],
    ['1.9.0', '1.10.0', false],
    ['0.99.99', '1.0.0', false],
    ['1.4.0-rc.1', '1.4.0', false],
    ['1.4', '1.0.0', false],
    ['1.4.0', 'newest', false],
    ['latest', '0.0.0', false],
  ])('%s reaches the minimum version %s: %p', (version, minimum, reaches) => {
    expect(found([release({ version })], local, minimum)).toBe(reaches ? version : null);
  });

  it.each([
    ['by its commit', {}, '1.4.0'],
    ['not by another commit', { sha: 'e'.repeat(40) }, null],
    ['not by the commit of another platform', { platform: 'gitlab' as const }, null],
    ['not by the commit of another host', { host: 'github.example.org' }, null],
  ])('F79 in a trusted workflow is known %s', (_, changes, version) => {
    const [commit] = release().commits as [Release['commits'][number]];
    expect(found([release({ commits: [{ ...commit, ...changes }] })], github)).toBe(version);
  });

  it('F79 without any commit is none in a trusted workflow', () => {
    expect(found([release({ commits: [] })], github)).toBeNull();
  });
});
