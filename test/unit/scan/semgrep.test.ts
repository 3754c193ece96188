import { codesOf, documentOf, ran, scan } from './scanning.ts';

const clean = () => documentOf('semgrep', 'clean');
const semgrep = (document: unknown, argv?: string[], exitCode = 0) =>
  scan(document, { tool: 'semgrep', ...(argv && { origin: ran('semgrep', exitCode, argv) }) });

describe('the semgrep reader', () => {
  it('reads findings, and a secret as critical whatever its rule says', () => {
    const report = semgrep(documentOf('semgrep', 'findings'));
    expect(report.findings).toMatchObject([
      {
        rule: 'rules.python.sql-injection',
        title: 'sql-injection (SQL Injection)',
        category: 'sast',
        severity: 'high',
        severitySource: 'tool',
        cwe: ['CWE-89'],
      },
      {
        category: 'secrets',
        severity: 'critical',
        severitySource: 'policy-default',
        location: { path: 'src/app.py', line: 3 },
      },
    ]);
    expect(report).toMatchObject({
      covers: ['sast'],
      tool: { version: '1.180.0' },
      execution: { status: 'complete', targets: { scanned: 2 } },
    });
  });

  it.each([
    ['ERROR', 'high'],
    ['WARNING', 'medium'],
    ['INFO', 'low'],
    ['CRITICAL', 'critical'],
    ['high', 'high'],
    ['Medium', 'medium'],
    ['LOW', 'low'],
    ['EXPERIMENT', 'unknown'],
    ['constructor', 'unknown'],
    ['', 'unknown'],
    [null, 'unknown'],
    [3, 'unknown'],
    [undefined, 'unknown'],
  ])('severity %j is %s', (word, severity) => {
    const document = documentOf('semgrep', 'findings');
    document.results[0].extra.severity = word;
    expect(semgrep(document).findings[0]?.severity).toBe(severity);
  });

  it.each<[string, object, string[]]>([
    [
      'an entry in errors',
      { errors: [{ type: 'Syntax error', level: 'warn', path: 'src/x.py', message: 'x' }] },
      ['parse_errors'],
    ],
    ['no errors list', { errors: undefined }, ['parse_errors']],
    ['rules it could not run', { skipped_rules: [{ rule_id: 'x' }] }, ['parse_errors']],
    [
      'a file too big to read',
      { paths: { scanned: ['a'], skipped: [{ path: 'big.js', reason: 'exceeded_size_limit' }] } },
      ['parse_errors'],
    ],
    [
      'a file left out for a reason that is not known here',
      { paths: { scanned: ['a'], skipped: [{ path: 'b.js', reason: 'out_of_luck' }] } },
      ['parse_errors'],
    ],
    ['a file left out for no reason', { paths: { scanned: ['a'], skipped: [{ path: 'b.js' }] } }, ['parse_errors']],
    ['no word on what was left out', { paths: { scanned: ['a'] } }, ['parse_errors']],
    ['what was left out is no list', { paths: { scanned: ['a'], skipped: null } }, ['parse_errors']],
    ['nothing scanned', { paths: { scanned: [], skipped: [] } }, ['no_targets']],
    ['no word on what was scanned', { paths: { skipped: [] } }, ['no_targets']],
    ['no version', { version: undefined }, ['unknown_schema_version']],
    ['another major version', { version: '2.0.0' }, ['unknown_schema_version']],
    ['results that are an object', { results: {} }, ['unknown_schema_version']],
    ['no results', { results: undefined }, ['wrong_tool']],
    ['rows under an unknown key', { findings: [{ check_id: 'x' }] }, ['unknown_schema_version']],
  ])('%s is not complete', (_, change, codes) => {
    const report = semgrep({ ...clean(), ...change });
    expect(codesOf(report)).toEqual(codes);
    expect(report.execution.status).not.toBe('complete');
  });

  it('a file that was left out on purpose is not an error', () => {
    const paths = { scanned: ['a.py'], skipped: [{ path: 'b.min.js', reason: 'minified' }] };
    expect(semgrep({ ...clean(), paths }).execution.status).toBe('complete');
  });

  it('names the files it could not parse, but never what the parser quotes of them', () => {
    const errors = [
      {
        path: 'src/x.py',
        message: 'Syntax error: `password = canary-value-0009` was unexpected',
        long_msg: 'canary-value-0009',
      },
    ];
    const text = JSON.stringify(semgrep({ ...clean(), errors }));
    expect(text).toContain('src/x.py');
    expect(text).not.toContain('canary-value-0009');
  });

  it.each<[string[], string[]]>([
    [['semgrep', '--severity', 'ERROR'], ['--severity=ERROR']],
    [['semgrep', '--exclude-rule=x.y'], ['--exclude-rule=x.y']],
    [['semgrep', '--sever=ERROR'], ['--severity=ERROR']],
    [['semgrep', '--baseline-commit', 'abc'], ['--baseline-commit=abc']],
    [['semgrep', '--max-target-bytes=100'], ['--max-target-bytes=100']],
    [['semgrep', '--max-target', '5000000'], ['--max-target-bytes=5000000']],
    [['semgrep', '--max-target-bytes', '0'], []],
    [['semgrep', 'scan', '--config', 'rules.yml', '--json', '--metrics=off', '.'], []],
  ])('%j was filtered by %j', (argv, filters) => {
    expect(semgrep(clean(), argv).execution.filters).toEqual(filters);
  });

  it.each<[string[], number, 'clean' | 'findings', string[]]>([
    [['semgrep'], 0, 'findings', []],
    [['semgrep', '--error'], 1, 'findings', []],
    [['semgrep', '--error'], 0, 'findings', ['exit_code_conflict']],
    [['semgrep', 'ci'], 1, 'clean', ['exit_code_conflict']],
    [['semgrep'], 2, 'clean', ['engine_failed']],
    [['semgrep'], 7, 'clean', ['engine_failed']],
    [['semgrep'], -9, 'clean', ['engine_failed']],
  ])('%j ending with %d and a report of kind %s gives %j', (argv, exitCode, kind, codes) => {
    expect(codesOf(semgrep(documentOf('semgrep', kind), argv, exitCode))).toEqual(codes);
  });

  it('a page exported from the platform keeps its findings, but is no scan', () => {
    const row = (status: string) => ({
      title: 'Assertion in grpc',
      advisory: {
        ruleId: 'ssc-1',
        severity: 'HIGH',
        references: { cveIds: ['CVE-2023-1428'], cweIds: ['CWE-617: x'] },
      },
      matchedDependency: { name: 'grpcio', versionSpecifier: '1.47.0' },
      dependencyFileLocation: { path: 'requirements.txt', startLine: '22' },
      triage: { status, dismissReason: 'NO_TIME' },
    });
    const report = semgrep({ vulns: [row('NEW'), row('IGNORED')], hasMore: true });
    expect(codesOf(report)).toEqual(['no_targets', 'truncated']);
    expect(report.findings).toMatchObject([
      {
        category: 'sca',
        severity: 'high',
        location: { package: 'grpcio', version: '1.47.0', line: 22 },
        suppressed: null,
      },
      { suppressed: { by: 'semgrep triage', reason: 'NO_TIME' } },
    ]);
  });

  it('a supply chain scan covers dependencies, not source code', () => {
    expect(semgrep(clean(), ['semgrep', 'ci', '--supply-chain']).covers).toEqual(['sca']);
  });
});
