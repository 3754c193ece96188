import { codesOf, documentOf, ran, scan } from './scanning.ts';

const gitleaks = (document: unknown, argv?: string[], exitCode: number | null = null) =>
  scan(document, { tool: 'gitleaks', ...(argv && { origin: ran('gitleaks', exitCode, argv) }) });

describe('the gitleaks reader', () => {
  it('every secret is critical, by policy', () => {
    const report = gitleaks(documentOf('gitleaks', 'findings'));
    expect(report.findings).toMatchObject([
      {
        rule: 'generic-api-key',
        category: 'secrets',
        severity: 'critical',
        severitySource: 'policy-default',
        location: { path: 'src/app.py', line: 3 },
      },
      { rule: 'private-key', severity: 'critical', location: { path: 'deploy/key.txt', line: 7 } },
    ]);
    expect(report.covers).toEqual(['secrets']);
  });

  it.each([[[]], [null]])('%j is its clean report', (document) => {
    expect(gitleaks(document)).toMatchObject({ covers: ['secrets'], findings: [], execution: { status: 'complete' } });
  });

  it.each([[{}], [{ results: [] }], [''], [false], [[{}]], [[{ RuleID: 'x' }]], [[null]]])('%j is not', (document) => {
    expect(codesOf(gitleaks(document))).toEqual(['wrong_tool']);
  });

  it('rows of version 7 are read, but that version is not a tested one', () => {
    const row = {
      line: 'x',
      lineNumber: 13,
      offender: 'canary-value-0007',
      commit: 'a',
      rule: 'AWS',
      file: 'a.py',
      tags: 'key',
    };
    const report = gitleaks([row, row]);
    expect(report.findings).toHaveLength(2);
    expect(codesOf(report)).toEqual(['unknown_schema_version']);
  });

  it.each<[string[], string | null]>([
    [['gitleaks', 'git', '.'], '--full-history --all'],
    [['gitleaks', 'detect', '--log-opts=-5'], '-5'],
    [['gitleaks', 'git', '--log-opts', 'main..HEAD'], 'main..HEAD'],
    [['gitleaks', 'git', '--staged'], 'uncommitted changes'],
    [['gitleaks', 'detect', '--no-git'], null],
    [['gitleaks', 'dir', '.'], null],
  ])('%j read the history %j', (argv, range) => {
    expect(gitleaks([], argv).execution.range).toBe(range);
  });

  it.each<[string[], string[]]>([
    [['gitleaks', 'git', '--baseline-path', 'old.json'], ['--baseline-path=old.json']],
    [['gitleaks', 'git', '--enable-rule=aws'], ['--enable-rule=aws']],
    [['gitleaks', 'git', '-i', '.gitleaksignore'], ['--gitleaks-ignore-path=.gitleaksignore']],
    [['gitleaks', 'git', '-i', '/dev/null', '--redact'], []],
  ])('%j was filtered by %j', (argv, filters) => {
    expect(gitleaks([], argv).execution.filters).toEqual(filters);
  });

  it.each<[string[], number, 'clean' | 'findings', string[]]>([
    [['gitleaks', 'git'], 0, 'clean', []],
    [['gitleaks', 'git'], 1, 'findings', []],
    [['gitleaks', 'git'], 1, 'clean', ['exit_code_conflict']],
    [['gitleaks', 'git'], 0, 'findings', ['exit_code_conflict']],
    [['gitleaks', 'git', '--exit-code', '0'], 0, 'findings', []],
    [['gitleaks', 'git', '--exit-code=9'], 9, 'findings', []],
    [['gitleaks', 'git', '--exit-code=9'], 1, 'findings', ['engine_failed']],
    [['gitleaks', 'git'], 126, 'clean', ['engine_failed']],
  ])('%j ending with %d and a report of kind %s gives %j', (argv, exitCode, kind, codes) => {
    expect(codesOf(gitleaks(documentOf('gitleaks', kind), argv, exitCode))).toEqual(codes);
  });
});
