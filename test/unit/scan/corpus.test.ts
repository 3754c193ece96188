import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Finding, type ScanReport, scanReport } from '../../../src/contract/scan-report.ts';
import { canonicalBytes } from '../../../src/lib/canonical.ts';
import { normalise } from '../../../src/scan/index.ts';

/*
 * A corpus run: 142 real reports out of DefectDojo's test suite with what its own parsers expect of them. The files belong to
 * their vendors and are not part of this project: they lie beside it on a developer's machine, or nowhere.
 */
const FOLDER = resolve('..', 'shared', 'data', 'defectdojo');
const READERS = new Map([
  ['trivy', 'trivy'],
  ['semgrep', 'semgrep'],
  ['gitleaks', 'gitleaks'],
  ['checkov', 'checkov'],
  ['osv_scanner', 'osv-scanner'],
  ['sarif', 'sarif'],
]);

interface Expectation {
  tool: string;
  test: string;
  files: string[];
  counts: [string, number][];
  severities: Record<string, string>;
}

/** What DefectDojo counts: some of its parsers merge rows that we keep apart. */
const COMPATIBLE: Record<string, (findings: Finding[]) => number> = {
  semgrep: (findings) => distinct(findings, ({ rule, title, location }) => [rule, title, location.path, location.line]),
  gitleaks: (findings) =>
    distinct(findings, ({ title, fingerprint, location }) => [title, location.path, location.line, fingerprint]),
  checkov: (findings) => findings.filter((finding) => finding.suppressed === null).length,
};

/**
 * Where DefectDojo makes a severity up, or rates by another policy, ours differs and must: a missing severity is unknown, a
 * secret is critical, a malicious package is critical, a note is low.
 */
const OURS = new Map([
  ['checkov/checkov-report-multiple-check_type.json:0', 'unknown'],
  ['checkov/checkov-report-multiple-check_type.json:11', 'unknown'],
  ['osv_scanner/some_findings.json:0', 'critical'],
  ['sarif/gitleaks_7.5.0.sarif:0', 'critical'],
  ['sarif/gitleaks_7.5.0.sarif:3', 'critical'],
  ['sarif/gitleaks_7.5.0.sarif:7', 'critical'],
  ['sarif/bash-report.sarif:6', 'low'],
  ['sarif/dockle_0_3_15.sarif:1', 'low'],
  ['sarif/dockle_0_3_15.sarif:2', 'low'],
  ['sarif/dockle_0_3_15.sarif:3', 'low'],
  ['sarif/flawfinder.sarif:20', 'low'],
  ['sarif/blackduck_nested_fingerprints.sarif:3', 'low'],
]);

function distinct(findings: Finding[], key: (finding: Finding) => unknown[]): number {
  return new Set(findings.map((finding) => JSON.stringify(key(finding)))).size;
}

function read(tool: string, file: string): ScanReport {
  const bytes = readFileSync(join(FOLDER, file));
  return normalise({ bytes, tool: READERS.get(tool), subject: { image: null, platform: null, commit: null } });
}

const there = existsSync(join(FOLDER, 'expected.json'));
if (!there) console.log(`SKIPPED: the corpus of real reports is not at ${FOLDER}; nothing of it was checked`);
const expectations: Expectation[] = there
  ? (JSON.parse(readFileSync(join(FOLDER, 'expected.json'), 'utf8')) as { tests: Expectation[] }).tests.filter((one) =>
      READERS.has(one.tool),
    )
  : [];
const counted = expectations.filter((one) => one.files.length === 1 && one.counts.length === 1);
const rated = counted.flatMap((one) =>
  Object.entries(one.severities).map(([index, severity]) => ({
    ...one,
    file: one.files[0] as string,
    index,
    severity,
  })),
);

(there ? describe : describe.skip)('the corpus of real reports', () => {
  it.each(counted.map((one) => [one.files[0] as string, one] as const))('%s: no finding is lost', (file, one) => {
    const report = read(one.tool, file);
    const expected = one.counts[0]?.[1] as number;
    const compatible = COMPATIBLE[one.tool] ?? ((findings: Finding[]) => findings.length);
    expect(report.findings.length).toBeGreaterThanOrEqual(expected);
    expect(compatible(report.findings)).toBe(expected);
  });

  it.each(rated.map((one) => [`${one.file}:${one.index}`, one] as const))(
    '%s has the severity that the file states',
    (place, one) => {
      const finding = read(one.tool, one.file).findings[Number(one.index)];
      expect(finding?.severity).toBe(OURS.get(place) ?? one.severity.toLowerCase());
    },
  );

  const files = [
    ...new Set(
      expectations.flatMap((one) =>
        one.files.map((file) => [one.tool, file] as const).map((pair) => JSON.stringify(pair)),
      ),
    ),
  ];
  it.each(files.map((pair) => JSON.parse(pair) as [string, string]))(
    '%s %s gives a valid report without a secret in it',
    (tool, file) => {
      const report = read(tool, file);
      expect(scanReport.safeParse(report).error).toBeUndefined();
      if (tool !== 'gitleaks') return;
      const rows = (JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) ?? []) as Record<string, string>[];
      const text = canonicalBytes(report).toString('utf8');
      const secrets = rows
        .flatMap((row) => [row.Secret, row.Match, row.offender, row.line])
        .filter((one) => one !== undefined);
      expect(secrets.filter((secret) => !secret.includes('REDACTED') && text.includes(secret))).toEqual([]);
    },
  );

  it('the figures', () => {
    const sums = { expected: 0, raw: 0, compatible: 0 };
    for (const one of counted) {
      const { findings } = read(one.tool, one.files[0] as string);
      const expected = one.counts[0]?.[1] as number;
      sums.expected += expected;
      sums.raw += findings.length;
      sums.compatible += (COMPATIBLE[one.tool] ?? ((all: Finding[]) => all.length))(findings) === expected ? 1 : 0;
    }
    const stated = rated.filter((one) => !OURS.has(`${one.file}:${one.index}`)).length;
    console.log(
      `${counted.length} expectations of ${READERS.size} formats: ${sums.raw} findings read where ${sums.expected} are expected, ${sums.compatible} counts equal; ${stated} of ${rated.length} severities equal, the others stricter by policy`,
    );
    expect(sums.compatible).toBe(counted.length);
  });
});
