import { codesOf, documentOf, ran, scan } from './scanning.ts';

const clean = () => documentOf('checkov', 'clean');
const checkov = (document: unknown, argv?: string[], exitCode = 0) =>
  scan(document, { tool: 'checkov', ...(argv && { origin: ran('checkov', exitCode, argv) }) });

describe('the checkov reader', () => {
  it('reads all frameworks of a list, the failing one last, and keeps what a comment skips', () => {
    const report = checkov(documentOf('checkov', 'findings'));
    expect(report.findings.map((one) => [one.rule, one.severity, one.severitySource, one.suppressed])).toEqual([
      ['CKV_AWS_21', 'unknown', 'none', null],
      ['CKV_AWS_145', 'unknown', 'none', null],
      ['CKV_AWS_18', 'unknown', 'none', { by: 'checkov:skip', reason: 'logged elsewhere' }],
    ]);
    expect(report).toMatchObject({
      covers: ['iac'],
      tool: { version: '3.3.30' },
      execution: { status: 'complete', targets: { scanned: 2 } },
    });
  });

  it('a clean scan of something is complete', () => {
    expect(checkov(clean())).toMatchObject({ findings: [], covers: ['iac'], execution: { status: 'complete' } });
  });

  const flat = (more: object) => ({
    passed: 0,
    failed: 0,
    skipped: 0,
    parsing_errors: 0,
    resource_count: 0,
    checkov_version: '3.3.30',
    ...more,
  });
  it.each<[string, unknown, string[]]>([
    ['a flat summary of nothing', flat({}), ['no_targets']],
    ['a flat summary with files it could not parse', flat({ parsing_errors: 2 }), ['parse_errors', 'no_targets']],
    [
      'the older spelling of that',
      flat({ parsing_errors: undefined, parsingerrors: 1 }),
      ['parse_errors', 'no_targets'],
    ],
    ['an empty list', [], ['no_targets']],
    [
      'a list of nothing found',
      [clean(), clean()].map((one) => ({ ...one, summary: { ...one.summary, passed: 0, resource_count: 0 } })),
      ['no_targets'],
    ],
    [
      'a file it could not parse',
      { ...clean(), results: { ...clean().results, parsing_errors: ['/main.tf'] } },
      ['parse_errors'],
    ],
    [
      'one counted but not listed',
      { ...clean(), summary: { ...clean().summary, parsing_errors: 1 } },
      ['parse_errors'],
    ],
    ['failures counted but not listed', { ...clean(), summary: { ...clean().summary, failed: 3 } }, ['truncated']],
    [
      'skips counted but not listed (--quiet)',
      { ...clean(), summary: { ...clean().summary, skipped: 1 } },
      ['filtered_output'],
    ],
    ['no summary', { ...clean(), summary: undefined }, ['unknown_schema_version', 'no_targets']],
    ['no failed_checks', { ...clean(), results: {} }, ['unknown_schema_version']],
    ['results that are a list', { ...clean(), results: [] }, ['unknown_schema_version']],
    [
      'version 1',
      { ...clean(), summary: { ...clean().summary, checkov_version: '1.0.467' } },
      ['unknown_schema_version'],
    ],
    ['an element that is no report', [clean(), {}], ['wrong_tool']],
    ['null', null, ['null_document']],
  ])('%s is not complete', (_, document, codes) => {
    const report = checkov(document);
    expect(codesOf(report)).toEqual(codes);
    expect(report.execution.status).not.toBe('complete');
  });

  it.each([
    ['secrets', 'secrets', 'critical'],
    ['sca_package', 'sca', 'low'],
    ['sca_image', 'container', 'low'],
    ['kubernetes', 'iac', 'low'],
  ])('a finding of framework %s is of category %s and %s', (framework, category, severity) => {
    const [, report] = documentOf('checkov', 'findings');
    report.check_type = framework;
    report.results.failed_checks[0].severity = 'LOW';
    expect(checkov(report)).toMatchObject({ covers: [category], findings: [{ category, severity }, {}, {}] });
  });

  it.each<[string[], string[]]>([
    [['checkov', '-d', '.', '--skip-check', 'CKV_AWS_18'], ['--skip-check=CKV_AWS_18']],
    [['checkov', '-d', '.', '-c', 'CKV_AWS_18'], ['--check=CKV_AWS_18']],
    [['checkov', '-d', '.', '--skip-fr=terraform'], ['--skip-framework=terraform']],
    [['checkov', '-d', '.', '--skip-download', '-o', 'json', '--framework', 'terraform'], []],
  ])('%j was filtered by %j', (argv, filters) => {
    expect(checkov(clean(), argv).execution.filters).toEqual(filters);
  });

  it.each<[string[], number, 'clean' | 'findings', string[]]>([
    [['checkov'], 0, 'clean', []],
    [['checkov'], 1, 'findings', []],
    [['checkov'], 0, 'findings', ['exit_code_conflict']],
    [['checkov', '--soft-fail'], 0, 'findings', []],
    [['checkov', '-s'], 0, 'findings', []],
    [['checkov'], 1, 'clean', ['exit_code_conflict']],
    [['checkov'], 2, 'clean', ['engine_failed']],
  ])('%j ending with %d and a report of kind %s gives %j', (argv, exitCode, kind, codes) => {
    expect(codesOf(checkov(documentOf('checkov', kind), argv, exitCode))).toEqual(codes);
  });
});
