import { codesOf, documentOf, ran, sarifRun, scan } from './scanning.ts';

const clean = () => documentOf('sarif', 'clean');
const failing = () => documentOf('sarif', 'findings');
const driver = (name: string, more: object = {}) => ({ driver: { name, rules: [{ id: 'r1' }], ...more } });

describe('the SARIF reader', () => {
  it('joins results to the rules of an extension', () => {
    const report = scan(failing());
    expect(report).toMatchObject({
      tool: { name: 'codeql', version: '2.20.1', rules: 2 },
      covers: ['sast'],
      execution: { status: 'complete' },
    });
    expect(report.findings).toMatchObject([
      {
        rule: 'js/sql-injection',
        title: 'Database query built from user-controlled sources',
        severity: 'high',
        severitySource: 'rule-default',
        location: { path: 'src/db.js', line: 12 },
        cwe: ['CWE-89'],
      },
      { rule: 'js/unused-local-variable', severity: 'low', severitySource: 'rule-default' },
    ]);
  });

  it.each([
    ['CodeQL', 'codeql', ['sast']],
    ['Semgrep OSS', 'semgrep', ['sast']],
    ['gitleaks', 'gitleaks', ['secrets']],
    ['Checkov', 'checkov', ['iac']],
    ['osv-scanner', 'osv-scanner', ['sca']],
    ['SnykCode', 'snyk', ['sast']],
    ['Snyk Container', 'snyk', ['container']],
    ['Grype', 'grype', ['container']],
    ['constructor', 'constructor', []],
    ['Shell Script Analysis', 'shell-script-analysis', []],
    [undefined, 'unknown', []],
  ])('driver %j is %s and covers %j', (name, tool, covers) => {
    expect(scan(sarifRun({ tool: driver(name as string) }))).toMatchObject({ tool: { name: tool }, covers });
  });

  it('a tool that is not known covers what the caller says, a known one only what it does', () => {
    expect(scan(sarifRun({ tool: driver('Own Linter') }), { category: 'lint' })).toMatchObject({
      covers: ['lint'],
      execution: { status: 'complete' },
    });
    const contradicted = scan(clean(), { category: 'container' });
    expect(contradicted.covers).toEqual(['sast']);
    expect(codesOf(contradicted)).toEqual(['no_targets']);
  });

  it('trivy covers the container only where the report names an image and vulnerabilities were looked for', () => {
    const image = { tool: driver('Trivy'), properties: { imageID: `sha256:${'b'.repeat(64)}` } };
    expect(scan(sarifRun({ tool: driver('Trivy') })).covers).toEqual([]);
    expect(scan(sarifRun(image)).covers).toEqual(['container']);
    expect(
      scan(sarifRun(image), { origin: ran('trivy', 0, ['trivy', 'image', '--scanners', 'secret']) }).covers,
    ).toEqual([]);
  });

  const level = (result: object, rule: object) => {
    const document = sarifRun({
      tool: driver('codeql', { rules: [{ id: 'r1', ...rule }] }),
      results: [{ ruleId: 'r1', message: { text: 'x' }, ...result }],
    });
    const [found] = scan(document).findings;
    return [found?.severity, found?.severitySource];
  };
  it.each<[object, object, [string, string]]>([
    [{ level: 'error' }, {}, ['high', 'tool']],
    [{ level: 'warning' }, {}, ['medium', 'tool']],
    [{ level: 'note' }, {}, ['low', 'tool']],
    [{ level: 'none' }, {}, ['unknown', 'none']],
    [{}, { defaultConfiguration: { level: 'warning' } }, ['medium', 'rule-default']],
    [{ level: 'note' }, { defaultConfiguration: { level: 'error' } }, ['low', 'tool']],
    [{ level: 'error' }, { properties: { 'security-severity': '9.8' } }, ['critical', 'rule-default']],
    [{ level: 'error' }, { properties: { 'security-severity': 9.8 } }, ['critical', 'rule-default']],
    [{ level: 'error' }, { properties: { 'security-severity': '2.0' } }, ['high', 'tool']],
    [{ properties: { 'security-severity': '7.0' } }, {}, ['high', 'tool']],
    [{}, { properties: { 'security-severity': 'Critical' } }, ['critical', 'rule-default']],
    [{}, { properties: { 'security-severity': '11' } }, ['unknown', 'none']],
    [{}, { properties: { 'security-severity': '' } }, ['unknown', 'none']],
    [{}, {}, ['unknown', 'none']],
    [{ level: 'ERROR!' }, {}, ['unknown', 'none']],
    [{ level: 2 }, {}, ['unknown', 'none']],
  ])('result %j under rule %j is %j', (result, rule, expected) => {
    expect(level(result, rule)).toEqual(expected);
  });

  it('finds a rule by index, by id and by the first parts of an id, and never a wrong one', () => {
    const rules = [
      { id: 'A1', shortDescription: { text: 'first' } },
      { id: 'B2', shortDescription: { text: 'second' } },
    ];
    const results = [
      { ruleIndex: 1 },
      { ruleId: 'A1' },
      { ruleId: 'B2/strict/x' },
      { ruleId: 'A1', ruleIndex: 1 },
      { ruleId: 'C3', ruleIndex: -1 },
      {},
    ];
    expect(
      scan(sarifRun({ tool: driver('codeql', { rules }), results })).findings.map((one) => [one.rule, one.title]),
    ).toEqual([
      ['B2', 'second'],
      ['A1', 'first'],
      ['B2/strict/x', 'second'],
      ['A1', 'first'],
      ['C3', 'C3'],
      ['unknown', 'a finding without a rule'],
    ]);
  });

  it.each([
    ['fail', 1],
    [undefined, 1],
    ['FAIL', 1],
    ['pass', 0],
    ['notApplicable', 0],
    ['review', 0],
  ])('a result of kind %j gives %d findings', (kind, findings) => {
    expect(scan(sarifRun({ results: [{ ruleId: 'x', kind }] })).findings).toHaveLength(findings);
  });

  it('each location is a finding of its own, so that a waiver for one excuses no other', () => {
    const place = (uri: string) => ({ physicalLocation: { artifactLocation: { uri }, region: { startLine: 1 } } });
    const { findings } = scan(sarifRun({ results: [{ ruleId: 'x', locations: [place('a.js'), place('b.js')] }] }));
    expect(findings.map((one) => one.location.path)).toEqual(['a.js', 'b.js']);
    expect(new Set(findings.map((one) => one.fingerprint)).size).toBe(2);
  });

  it('looks a location up in the list of artifacts', () => {
    const locations = [{ physicalLocation: { artifactLocation: { index: 1 } } }];
    const artifacts = [{ location: { uri: 'a.js' } }, { location: { uri: 'b.js' } }];
    expect(scan(sarifRun({ artifacts, results: [{ ruleId: 'x', locations }] })).findings[0]?.location.path).toBe(
      'b.js',
    );
  });

  it.each<[object[], object | null]>([
    [[{ kind: 'inSource' }], { by: 'inSource', reason: '' }],
    [[{ kind: 'external', status: 'accepted', justification: 'tested' }], { by: 'external', reason: 'tested' }],
    [[{ kind: 'external', status: 'underReview' }], null],
    [[{ kind: 'external', status: 'rejected' }], null],
    [[{ kind: 'inSource' }, { kind: 'external', status: 'rejected' }], null],
    [[], null],
  ])('suppressions %j give %j', (suppressions, suppressed) => {
    const report = scan(sarifRun({ results: [{ ruleId: 'x', level: 'error', suppressions }] }));
    expect(report.findings[0]?.suppressed).toEqual(suppressed);
    expect(report.counts.suppressed).toBe(suppressed === null ? 0 : 1);
  });

  it.each<[string, object, string[]]>([
    ['no run', { ...clean(), runs: [] }, ['no_targets']],
    ['runs that are an object', { ...clean(), runs: {} }, ['unknown_schema_version', 'no_targets']],
    ['version 2.0.0', { ...clean(), version: '2.0.0' }, ['unknown_schema_version']],
    ['a run without results', sarifRun({ results: undefined }), ['no_targets']],
    ['results that are null', sarifRun({ results: null }), ['engine_failed']],
    ['results that are an object', sarifRun({ results: {} }), ['unknown_schema_version']],
    [
      'results in another file',
      sarifRun({ externalPropertyFileReferences: { results: [{ location: { uri: 'x' } }] } }),
      ['truncated'],
    ],
    ['a run that was not successful', sarifRun({ invocations: [{ executionSuccessful: false }] }), ['engine_failed']],
    [
      'the second of two invocations failing',
      sarifRun({ invocations: [{ executionSuccessful: true }, { executionSuccessful: false }] }),
      ['engine_failed'],
    ],
    [
      'a tool that was killed',
      sarifRun({ invocations: [{ executionSuccessful: true, exitSignalName: 'SIGKILL' }] }),
      ['engine_failed'],
    ],
    [
      'an error of the tool',
      sarifRun({ invocations: [{ toolExecutionNotifications: [{ level: 'error', message: {} }] }] }),
      ['parse_errors'],
    ],
    [
      'a warning without a level',
      sarifRun({ invocations: [{ toolConfigurationNotifications: [{ message: {} }] }] }),
      ['parse_errors'],
    ],
    ['no rule', sarifRun({ tool: { driver: { name: 'CodeQL', rules: [] } } }), ['engine_failed']],
    [
      'two tools',
      { ...clean(), runs: [...clean().runs, { ...clean().runs[0], tool: driver('other') }] },
      ['wrong_tool'],
    ],
    [
      'a second, failed run',
      { ...clean(), runs: [...clean().runs, { ...clean().runs[0], invocations: [{ executionSuccessful: false }] }] },
      ['engine_failed'],
    ],
  ])('%s is not complete', (_, document, codes) => {
    const report = scan(document);
    expect(codesOf(report)).toEqual(codes);
    expect(report.execution.status).not.toBe('complete');
  });

  it('a report of another commit is not one of this', () => {
    const document = sarifRun({ versionControlProvenance: [{ revisionId: 'a'.repeat(40) }] });
    const at = (commit: string) => codesOf(scan(document, { subject: { image: null, platform: null, commit } }));
    expect(at('a'.repeat(40))).toEqual([]);
    expect(at('b'.repeat(40))).toEqual(['no_targets']);
  });

  it.each(['CKV_SECRET_6', 'generic.secrets.gitleaks.x'])('rule %s finds secrets, which are critical', (ruleId) => {
    expect(scan(sarifRun({ results: [{ ruleId, level: 'note' }] })).findings[0]).toMatchObject({
      category: 'secrets',
      severity: 'critical',
    });
  });

  it('gitleaks writes a version that is none', () => {
    expect(scan(sarifRun({ tool: driver('gitleaks', { semanticVersion: 'v8.0.0' }) })).tool.version).toBeNull();
  });
});
