import { codesOf, documentOf, ran, scan } from './scanning.ts';

const clean = () => documentOf('trivy', 'clean');
const failing = () => documentOf('trivy', 'findings');
const trivy = (document: unknown, argv?: string[], exitCode = 0) =>
  scan(document, { tool: 'trivy', ...(argv && { origin: ran('trivy', exitCode, argv) }) });

describe('the trivy reader', () => {
  it('reads every row of every class, and keeps what was suppressed', () => {
    const report = trivy(failing());
    const rows = report.findings.map((one) => [
      one.rule,
      one.category,
      one.severity,
      one.severitySource,
      one.suppressed?.by ?? null,
    ]);
    expect(rows).toEqual([
      ['CVE-2024-11111', 'container', 'high', 'tool', null],
      ['CVE-2024-22222', 'container', 'unknown', 'none', null],
      ['GHSA-aaaa-bbbb-cccc', 'container', 'critical', 'tool', null],
      ['CVE-2024-33333', 'container', 'high', 'tool', 'trivy ignored .trivyignore'],
      ['DS-0002', 'iac', 'high', 'tool', null],
      ['github-pat', 'secrets', 'critical', 'policy-default', null],
      ['license:GPL-3.0', 'container', 'high', 'tool', null],
    ]);
    expect(report.counts).toEqual({ critical: 2, high: 3, medium: 0, low: 0, info: 0, unknown: 1, suppressed: 1 });
    expect(report.execution.status).toBe('complete');
    expect(report.covers).toEqual(['container', 'iac', 'secrets']);
    expect(report.tool).toMatchObject({ name: 'trivy', version: '0.74.0', database: null });
  });

  it('gives a package its version, fix and weaknesses, and an operating system package no path that holds a tag', () => {
    expect(trivy(failing()).findings[0]).toMatchObject({
      location: { path: null, package: 'libssl3', version: '3.0.11' },
      fixedVersion: '3.0.14',
      cve: ['CVE-2024-11111'],
      cwe: ['CWE-125'],
      tags: ['fixed'],
    });
  });

  it('a clean image scan is complete and covers the container', () => {
    expect(trivy(clean())).toMatchObject({
      covers: ['container'],
      execution: { status: 'complete', targets: { scanned: 1 } },
      findings: [],
    });
  });

  it.each<[string, (document: ReturnType<typeof clean>) => unknown, string[]]>([
    ['no Results', (d) => ({ ...d, Results: undefined }), ['no_targets']],
    ['empty Results', (d) => ({ ...d, Results: [] }), ['no_targets']],
    ['Results that are null', (d) => ({ ...d, Results: null }), ['unknown_schema_version', 'no_targets']],
    ['Results that are an object', (d) => ({ ...d, Results: {} }), ['unknown_schema_version', 'no_targets']],
    ['a result that is no object', (d) => ({ ...d, Results: [...d.Results, 'x'] }), ['unknown_schema_version']],
    ['schema 3', (d) => ({ ...d, SchemaVersion: 3 }), ['unknown_schema_version']],
    ['no schema version', (d) => ({ ...d, SchemaVersion: undefined }), ['unknown_schema_version']],
    ['licences only', (d) => ({ ...d, Results: [{ Target: 'OS Packages', Class: 'license' }] }), ['no_targets']],
    [
      'rows under an unknown key',
      (d) => ({ ...d, Results: [{ ...d.Results[0], Findings: [{}] }] }),
      ['unknown_schema_version'],
    ],
    [
      'a null list of vulnerabilities',
      (d) => ({ ...d, Results: [{ ...d.Results[0], Vulnerabilities: null }] }),
      ['unknown_schema_version'],
    ],
    [
      'more failures than rows',
      (d) => ({ ...d, Results: [...d.Results, { Target: 'x', Class: 'config', MisconfSummary: { Failures: 2 } }] }),
      ['truncated'],
    ],
    [
      'a system past its end of life',
      (d) => ({ ...d, Metadata: { OS: { Family: 'debian', Name: '9', EOSL: true } } }),
      ['database_stale'],
    ],
    [
      'a system whose packages are missing',
      (d) => ({ ...d, Results: [{ Target: 'node', Class: 'lang-pkgs' }] }),
      ['filtered_output'],
    ],
    [
      'the list of releases before 0.20',
      () => [{ Target: 'x (debian 10)', Type: 'debian', Vulnerabilities: null }],
      ['unknown_schema_version', 'no_targets'],
    ],
    ['an empty list', () => [], ['unknown_schema_version', 'no_targets']],
    ['null', () => null, ['null_document']],
  ])('%s is not complete', (_, change, codes) => {
    const report = trivy(change(clean()));
    expect(codesOf(report)).toEqual(codes);
    expect(report.execution.status).not.toBe('complete');
  });

  it.each<[string[], string[]]>([
    [['trivy', 'image', '--severity', 'HIGH,CRITICAL', 'x'], ['--severity=HIGH,CRITICAL']],
    [['trivy', 'image', '-s=CRITICAL', 'x'], ['--severity=CRITICAL']],
    [['trivy', 'image', '--severity', 'UNKNOWN,LOW,MEDIUM,HIGH,CRITICAL', 'x'], []],
    [['trivy', 'image', '--ignore-unfixed', 'x'], ['--ignore-unfixed']],
    [['trivy', 'image', '--ignore-unfixed=false', 'x'], []],
    [['trivy', 'image', '--vuln-type=os', 'x'], ['--pkg-types=os']],
    [['trivy', 'image', '--ignorefile', '/dev/null', 'x'], []],
    [['trivy', 'image', '--ignorefile', '.trivyignore', 'x'], ['--ignorefile=.trivyignore']],
    [['sh', '-c', 'trivy image --severity CRITICAL x || true'], ['--severity=CRITICAL']],
  ])('%j was filtered by %j', (argv, filters) => {
    const report = trivy(clean(), argv);
    expect(report.execution.filters).toEqual(filters);
    expect(report.execution.status).toBe(filters.length === 0 ? 'complete' : 'degraded');
  });

  it.each<[string[], string[]]>([
    [['trivy', 'image', 'x'], ['container']],
    [['trivy', 'image', '--scanners', 'vuln', 'x'], ['container']],
    [['trivy', 'image', '--scanners=secret', 'x'], []],
    [['trivy', 'config', '.'], []],
  ])('%j covers %j: the list of packages is written without a vulnerability scan too', (argv, covers) => {
    const report = trivy(clean(), argv);
    expect(report.covers).toEqual(covers);
    expect(report.execution.status === 'complete').toBe(covers.length > 0);
  });

  it.each<[string[], number, 'clean' | 'findings', string[]]>([
    [['trivy', 'image', 'x'], 0, 'findings', []],
    [['trivy', 'image', '--exit-code', '1', 'x'], 1, 'findings', []],
    [['trivy', 'image', '--exit-code', '1', 'x'], 0, 'findings', ['exit_code_conflict']],
    [['trivy', 'image', '--exit-code', '1', 'x'], 1, 'clean', ['exit_code_conflict']],
    [['trivy', 'image', 'x'], 1, 'clean', ['engine_failed']],
    [['trivy', 'image', '--exit-code=5', 'x'], 1, 'findings', ['engine_failed']],
  ])('%j ending with %d and a report of kind %s gives %j', (argv, exitCode, kind, codes) => {
    expect(codesOf(trivy(documentOf('trivy', kind), argv, exitCode))).toEqual(codes);
  });

  it('reads a cluster report and the resources that could not be scanned', () => {
    const resource = (more: object) => ({ Namespace: 'clinic', Kind: 'Deployment', Name: 'portal', ...more });
    const config = {
      Target: 'Deployment/portal',
      Class: 'config',
      Type: 'kubernetes',
      MisconfSummary: { Failures: 1 },
    };
    const rows = [{ ID: 'KSV-0001', Title: 'privileged', Severity: 'HIGH', Status: 'FAIL' }];
    const complete = {
      ClusterName: 'c1',
      Resources: [resource({ Results: [{ ...config, Misconfigurations: rows }] })],
    };
    expect(trivy(complete)).toMatchObject({
      covers: ['iac'],
      execution: { status: 'complete' },
      findings: [{ rule: 'KSV-0001' }],
    });
    const failed = { ...complete, Resources: [...complete.Resources, resource({ Error: 'pull failed' })] };
    expect(codesOf(trivy(failed))).toEqual(['parse_errors']);
  });

  it('rates a vulnerability that trivy does not know by the worst score of its sources', () => {
    const document = failing();
    document.Results[0].Vulnerabilities[1].CVSS = {
      ghsa: { V40Vector: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N' },
      nvd: { V3Score: 5.3 },
    };
    expect(trivy(document).findings[1]).toMatchObject({ severity: 'critical', severitySource: 'cvss' });
  });

  it('does not call a finding that passed or was excepted a failure', () => {
    const document = failing();
    const [row] = document.Results[2].Misconfigurations;
    document.Results[2].Misconfigurations = [row, { ...row, Status: 'PASS' }, { ...row, Status: 'EXCEPTION' }];
    const found = trivy(document).findings.filter((one) => one.rule === 'DS-0002');
    expect(found.map((one) => one.suppressed?.by ?? null)).toEqual([null, 'trivy exception']);
  });
});
