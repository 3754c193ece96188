import { codesOf, documentOf, ran, scan } from './scanning.ts';

const clean = () => documentOf('osv-scanner', 'clean');
const failing = () => documentOf('osv-scanner', 'findings');
const osv = (document: unknown, exitCode: number | null = null, argv = ['osv-scanner']) =>
  scan(document, { tool: 'osv-scanner', origin: ran('osv-scanner', exitCode, argv) });

describe('the osv-scanner reader', () => {
  it('reads every vulnerability of every package', () => {
    expect(osv(failing())).toMatchObject({
      covers: ['sca'],
      execution: { status: 'complete' },
      findings: [
        {
          rule: 'GHSA-aaaa-bbbb-cccc',
          severity: 'high',
          severitySource: 'tool',
          location: { path: '/src/package-lock.json', package: 'leftpad', version: '1.0.0' },
          fixedVersion: '1.0.1',
          cve: ['CVE-2024-11111'],
          cwe: ['CWE-400'],
        },
        { rule: 'OSV-2024-1', severity: 'unknown', severitySource: 'none' },
      ],
    });
  });

  it('a clean report is an empty list', () => {
    expect(osv(clean()).execution.status).toBe('complete');
    expect(osv({ results: [] }).execution.status).toBe('complete');
  });

  const HIGH = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H';
  const CRITICAL_4 = 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N';
  it.each<[string, object, string | undefined, string, string]>([
    [
      'a word and a vector that agree',
      { severity: [{ score: HIGH }], database_specific: { severity: 'HIGH' } },
      '7.5',
      'high',
      'tool',
    ],
    [
      'the worse of the two',
      { severity: [{ score: HIGH }], database_specific: { severity: 'LOW' } },
      '7.5',
      'high',
      'cvss',
    ],
    ['the spelling MODERATE', { severity: [], database_specific: { severity: 'MODERATE' } }, '', 'medium', 'tool'],
    [
      'a vector of version 4 alone',
      { severity: [{ type: 'CVSS_V4', score: CRITICAL_4 }] },
      undefined,
      'critical',
      'cvss',
    ],
    ['a vector under the affected package', { affected: [{ severity: [{ score: HIGH }] }] }, undefined, 'high', 'cvss'],
    ["the scanner's own number", { severity: [] }, '9.1', 'critical', 'cvss'],
    ['an empty number', { severity: [] }, '', 'unknown', 'none'],
    ['no number', { severity: [] }, undefined, 'unknown', 'none'],
    ['text for a number', { severity: [] }, 'high', 'unknown', 'none'],
    ['a broken vector', { severity: [{ score: 'CVSS:3.1/AV:N' }] }, undefined, 'unknown', 'none'],
    ['an unlisted word', { severity: [], database_specific: { severity: 'SEVERE' } }, undefined, 'unknown', 'none'],
  ])('severity out of %s', (_, advisory, number, severity, severitySource) => {
    const document = failing();
    const [row] = document.results[0].packages;
    row.vulnerabilities = [{ id: 'X-1', ...advisory }];
    row.groups = [{ ids: ['X-1'], max_severity: number }];
    expect(osv(document).findings[0]).toMatchObject({ severity, severitySource });
  });

  it.each([
    [{ id: 'MAL-2023-1035', aliases: ['GHSA-x'] }],
    [{ id: 'GHSA-x', aliases: ['MAL-2023-1035'] }],
    [{ id: 'MAL-2023-1035', database_specific: { severity: 'LOW' } }],
  ])('a malicious package is critical by policy: %j', (advisory) => {
    const document = failing();
    document.results[0].packages[0] = { package: { name: 'x', version: '1' }, vulnerabilities: [advisory] };
    expect(osv(document).findings[0]).toMatchObject({ severity: 'critical', severitySource: 'policy-default' });
  });

  it('licence violations and deprecated versions are findings too', () => {
    const document = failing();
    document.results[0].packages[0] = {
      package: { name: 'x', version: '1', deprecated: true },
      license_violations: ['GPL-3.0'],
    };
    expect(osv(document, 1).findings.map((one) => one.rule)).toEqual(['license:GPL-3.0', 'deprecated']);
  });

  it.each<[string, unknown, string[]]>([
    ['null', null, ['null_document']],
    ['results that are null', { ...clean(), results: null }, ['no_targets']],
    ['results that are an object', { ...clean(), results: {} }, ['unknown_schema_version', 'no_targets']],
    ['a source without packages', { ...clean(), results: [{ source: { path: 'x' } }] }, ['unknown_schema_version']],
    [
      'findings of a kind that is not known',
      { ...clean(), experimental_generic_findings: [{ adv: 'x' }] },
      ['unknown_schema_version'],
    ],
    ['nothing at all', {}, ['wrong_tool']],
    ['a list', [], ['wrong_tool']],
  ])('%s is not complete', (_, document, codes) => {
    expect(codesOf(osv(document))).toEqual(codes);
  });

  it('groups that name a vulnerability which is not there show that rows were lost', () => {
    const document = failing();
    document.results[0].packages[0].vulnerabilities.pop();
    expect(codesOf(osv(document))).toEqual(['truncated']);
  });

  it.each<[number, 'clean' | 'findings', string[]]>([
    [0, 'clean', []],
    [1, 'findings', []],
    [0, 'findings', ['exit_code_conflict']],
    [1, 'clean', ['exit_code_conflict']],
    [127, 'clean', ['engine_failed']],
    [128, 'clean', ['no_targets']],
    [130, 'findings', ['engine_failed']],
  ])('ending with %d and a report of kind %s gives %j', (exitCode, kind, codes) => {
    expect(codesOf(osv(documentOf('osv-scanner', kind), exitCode))).toEqual(codes);
  });

  it('code that is never called does not make the tool fail, and is a finding all the same', () => {
    const document = failing();
    for (const group of document.results[0].packages[0].groups) {
      group.experimental_analysis = { [group.ids[0]]: { called: false, unimportant: false } };
    }
    const report = osv(document, 0);
    expect(report.execution.status).toBe('complete');
    expect(report.findings.map((one) => [one.suppressed, one.tags])).toEqual([
      [null, ['uncalled']],
      [null, ['uncalled']],
    ]);
  });

  it('an image scan covers the container', () => {
    expect(osv({ ...clean(), image_metadata: { os: 'Debian' } }).covers).toEqual(['container']);
  });

  it('a configuration file may leave vulnerabilities out', () => {
    expect(osv(clean(), 0, ['osv-scanner', '--config', 'osv-scanner.toml']).execution.filters).toEqual([
      '--config=osv-scanner.toml',
    ]);
  });
});
