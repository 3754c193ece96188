import { canonicalBytes } from '../../src/lib/canonical.ts';
import { bytesOf, documentOf, sarifRun, scan } from '../unit/scan/scanning.ts';

/* Attacks with findings: a severity made milder, a row lost, a secret published. */
describe('attacks with findings', () => {
  it.each<[string, (row: Record<string, unknown>) => void, string]>([
    ['F31 an empty max_severity', (row) => Object.assign(row, { severity: [], database_specific: {} }), 'unknown'],
    [
      'F31 a severity of 0',
      (row) => Object.assign(row, { severity: [{ score: 0 }], database_specific: { severity: 0 } }),
      'unknown',
    ],
    [
      'F31 a severity named constructor',
      (row) => Object.assign(row, { severity: [], database_specific: { severity: 'constructor' } }),
      'unknown',
    ],
    [
      'F31 a malicious package',
      (row) => Object.assign(row, { id: 'MAL-2026-1', severity: [], database_specific: { severity: 'LOW' } }),
      'critical',
    ],
  ])('%s is never low', (_, change, severity) => {
    const document = documentOf('osv-scanner', 'findings');
    const [first] = document.results[0].packages;
    first.groups = [];
    first.vulnerabilities.splice(1);
    change(first.vulnerabilities[0]);
    expect(scan(document).findings[0]?.severity).toBe(severity);
  });

  it('F31 a SARIF result without a level takes its rule’s, and without a rule none', () => {
    const results = [{ ruleId: 'js/sql-injection' }, { ruleId: 'js/unheard-of' }];
    expect(scan(sarifRun({ results })).findings.map((one) => one.severity)).toEqual(['high', 'unknown']);
  });

  it('F32 the failing framework is not the first of the list', () => {
    expect(scan(bytesOf('checkov', 'findings')).findings.map((one) => one.rule)).toContain('CKV_AWS_145');
  });

  it('F32 a comment in the judged code hides nothing', () => {
    const document = documentOf('semgrep', 'findings');
    for (const row of document.results) row.extra.is_ignored = true;
    const report = scan(document);
    expect(report.counts).toMatchObject({ suppressed: 2, high: 0 });
    expect(report.findings.map((one) => one.severity)).toEqual(['high', 'critical']);
  });

  it('a log command in a title stays text', () => {
    const document = documentOf('trivy', 'findings');
    document.Results[0].Vulnerabilities[0].Title = 'x\n::set-output name=allow::true\r\n\u001b[2J';
    expect(scan(document).findings[0]?.title).toBe('x ::set-output name=allow::true [2J');
  });

  it('the secret that was found is not published by its evidence', () => {
    for (const name of ['gitleaks', 'semgrep', 'trivy', 'sarif'] as const) {
      expect(canonicalBytes(scan(bytesOf(name, 'findings'))).toString('utf8')).not.toContain('canary-value');
    }
  });
});
