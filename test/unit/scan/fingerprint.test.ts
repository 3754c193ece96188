import { scryptSync } from 'node:crypto';
import { MOST_SECRETS } from '../../../src/scan/fingerprint.ts';
import { documentOf, scan, TOOLS } from './scanning.ts';

const prints = (document: unknown, tool: string) => scan(document, { tool }).findings.map((one) => one.fingerprint);
const secretRow = (secret: string, more: object = {}) => ({
  ...documentOf('gitleaks', 'findings')[0],
  Secret: secret,
  ...more,
});

describe('fingerprints', () => {
  it.each(TOOLS)('of %s are the same in two runs, and tell its findings apart', (tool) => {
    const document = documentOf(tool, 'findings');
    const first = prints(document, tool);
    expect(prints(document, tool)).toEqual(first);
    expect(new Set(first).size).toBe(first.length);
  });

  it('of rows in another order are the same', () => {
    const document = documentOf('semgrep', 'findings');
    const first = prints(document, 'semgrep');
    document.results.reverse();
    expect(prints(document, 'semgrep').reverse()).toEqual(first);
  });

  it('survive a move of the code where the tool has a key of its own', () => {
    const document = documentOf('semgrep', 'findings');
    const [first] = prints(document, 'semgrep');
    document.results[0].start.line += 40;
    expect(prints(document, 'semgrep')[0]).toBe(first);
  });

  it.each([
    ['the version', 'InstalledVersion'],
    ['the package', 'PkgName'],
    ['the vulnerability', 'VulnerabilityID'],
  ])('differ when %s does', (_, key) => {
    const document = documentOf('trivy', 'findings');
    const [first] = prints(document, 'trivy');
    document.Results[0].Vulnerabilities[0][key] = 'other';
    expect(prints(document, 'trivy')[0]).not.toBe(first);
  });

  it('do not hang on the tag of the image', () => {
    const document = documentOf('trivy', 'findings');
    const [first] = prints(document, 'trivy');
    document.Results[0].Target = 'registry.example.org/clinic/portal:2 (debian 12.7)';
    expect(prints(document, 'trivy')[0]).toBe(first);
  });

  it('equal findings stay two, with one fingerprint', () => {
    const document = documentOf('semgrep', 'findings');
    document.results = [document.results[0], document.results[0]];
    const all = prints(document, 'semgrep');
    expect(all).toHaveLength(2);
    expect(new Set(all).size).toBe(1);
  });

  it('of a secret are scrypt of its value, salted with its rule', () => {
    const expected = scryptSync('canary-value-0003', 'generic-api-key', 8, { N: 4096, r: 8, p: 1 }).toString('hex');
    expect(prints([secretRow('canary-value-0003')], 'gitleaks')).toEqual([expected]);
  });

  it('a new secret on the same line is a new finding; the same one after a move is not', () => {
    const [one, moved, other] = prints(
      [
        secretRow('canary-value-0003'),
        secretRow('canary-value-0003', { StartLine: 90, Fingerprint: 'x' }),
        secretRow('canary-value-0008'),
      ],
      'gitleaks',
    );
    expect(moved).toBe(one);
    expect(other).not.toBe(one);
  });

  it('two secrets that the tool itself redacted are told apart by their places', () => {
    const rows = [secretRow('REDACTED'), secretRow('REDACTED', { StartLine: 9, Fingerprint: 'elsewhere' })];
    expect(new Set(prints(rows, 'gitleaks')).size).toBe(2);
  });

  it('of very many secrets are of their places, the same for each order', () => {
    const rows = Array.from({ length: MOST_SECRETS + 1 }, (_, i) =>
      secretRow(`canary-value-${i}`, { Fingerprint: `place-${i}` }),
    );
    const first = prints(rows, 'gitleaks');
    expect(new Set(first).size).toBe(rows.length);
    expect(prints([...rows].reverse(), 'gitleaks').reverse()).toEqual(first);
    expect(first).not.toContain(prints([rows[0]], 'gitleaks')[0]);
  });
});
