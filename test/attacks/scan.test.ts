import type { ScanReport } from '../../src/contract/scan-report.ts';
import type { NormaliseInput } from '../../src/scan/index.ts';
import { bytesOf, documentOf, NOWHERE, sarifRun, scan } from '../unit/scan/scanning.ts';

/*
 * Attacks on the scan reader: reports that say nothing, less than they should, or something about somebody else. None may pass
 * for a complete scan. The ids are those of the list of flaws in published designs.
 */
const semgrep = (more: object) => ({ ...documentOf('semgrep', 'clean'), ...more });
const trivy = (more: object) => ({ ...documentOf('trivy', 'clean'), ...more });
const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('[]', 'utf16le')]);
const bom = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytesOf('trivy', 'clean')]);
const half = bytesOf('trivy', 'findings').subarray(0, 700);
const other = `registry.example.org/clinic/portal@sha256:${'e'.repeat(64)}`;

type Attack = [
  name: string,
  document: unknown,
  more: Partial<NormaliseInput>,
  status: ScanReport['execution']['status'],
  code: string,
];
const ATTACKS: Attack[] = [
  ['F24 an empty file', Buffer.from(''), { tool: 'trivy' }, 'error', 'empty_file'],
  ['F24 white space', Buffer.from(' \n\t'), { tool: 'gitleaks' }, 'error', 'empty_file'],
  ['F24 null', Buffer.from('null'), { tool: 'trivy' }, 'error', 'null_document'],
  ['F24 null as SARIF', Buffer.from('null'), { tool: 'sarif' }, 'error', 'null_document'],
  ['F24 an empty object', Buffer.from('{}'), { tool: 'osv-scanner' }, 'error', 'wrong_tool'],
  ['F24 an empty list', Buffer.from('[]'), { tool: 'semgrep' }, 'error', 'wrong_tool'],
  ['F24 an empty list as checkov', Buffer.from('[]'), { tool: 'checkov' }, 'incomplete', 'no_targets'],
  ['F24 SARIF without runs', { version: '2.1.0', runs: [] }, {}, 'incomplete', 'no_targets'],
  ['F24 no file named anybody', Buffer.from('[]'), {}, 'error', 'wrong_tool'],
  ['F24 a report of another tool', bytesOf('semgrep', 'clean'), { tool: 'trivy' }, 'error', 'wrong_tool'],
  [
    'F24 a clean report of another tool in SARIF',
    bytesOf('sarif', 'clean'),
    { tool: 'gitleaks' },
    'error',
    'wrong_tool',
  ],
  ['F24 cut in half', half, { tool: 'trivy' }, 'error', 'truncated'],
  [
    'F24 cut inside a character',
    Buffer.from('{"SchemaVersion":2,"ArtifactName":"é').subarray(0, -1),
    { tool: 'trivy' },
    'error',
    'truncated',
  ],
  ['F24 a byte order mark', bom, { tool: 'trivy' }, 'error', 'invalid_json'],
  ['F24 UTF-16', utf16, { tool: 'gitleaks' }, 'error', 'invalid_json'],
  [
    'F24 two keys of one name',
    Buffer.from('{"SchemaVersion":2,"Results":[{"Target":"x"}],"Results":[]}'),
    { tool: 'trivy' },
    'error',
    'invalid_json',
  ],
  [
    'F24 a key __proto__',
    Buffer.from('{"SchemaVersion":2,"__proto__":{"Results":[]}}'),
    { tool: 'trivy' },
    'error',
    'invalid_json',
  ],
  [
    'F24 keys that every object inherits',
    Buffer.from('{"constructor":{"results":[]},"toString":[]}'),
    { tool: 'osv-scanner' },
    'error',
    'wrong_tool',
  ],
  [
    'F25 a failed engine in valid SARIF',
    sarifRun({ invocations: [{ executionSuccessful: false }] }),
    {},
    'error',
    'engine_failed',
  ],
  [
    'F25 a killed engine in valid SARIF',
    sarifRun({ invocations: [{ executionSuccessful: true, exitSignalName: 'KILL' }] }),
    {},
    'error',
    'engine_failed',
  ],
  ['F25 results that are null', sarifRun({ results: null }), {}, 'error', 'engine_failed'],
  [
    'F25 the failed run stands second',
    {
      ...documentOf('sarif', 'clean'),
      runs: [documentOf('sarif', 'clean').runs[0], sarifRun({ invocations: [{ executionSuccessful: false }] }).runs[0]],
    },
    {},
    'error',
    'engine_failed',
  ],
  [
    'F26 files that semgrep could not parse',
    semgrep({ errors: [{ level: 'warn', type: 'PartialParsing', path: 'a.py' }] }),
    {},
    'incomplete',
    'parse_errors',
  ],
  [
    'F26 files that checkov could not parse',
    {
      ...documentOf('checkov', 'clean'),
      results: { ...documentOf('checkov', 'clean').results, parsing_errors: ['/main.tf'] },
    },
    {},
    'incomplete',
    'parse_errors',
  ],
  [
    'F26 files that an analyser reports in SARIF',
    sarifRun({ invocations: [{ toolExecutionNotifications: [{ message: { text: 'x' } }] }] }),
    {},
    'incomplete',
    'parse_errors',
  ],
  ['F26 semgrep scanned nothing', semgrep({ paths: { scanned: [], skipped: [] } }), {}, 'incomplete', 'no_targets'],
  [
    'F26 a file too big for semgrep, which without --verbose does not say so',
    semgrep({ paths: { scanned: ['src/app.py'] } }),
    {},
    'incomplete',
    'parse_errors',
  ],
  ['F26 trivy scanned nothing', trivy({ Results: undefined }), {}, 'incomplete', 'no_targets'],
  [
    'F27 checkov --quiet hides what comments skip',
    { ...documentOf('checkov', 'clean'), summary: { ...documentOf('checkov', 'clean').summary, skipped: 2 } },
    {},
    'degraded',
    'filtered_output',
  ],
  [
    'F29 a rule set that does not exist',
    sarifRun({ tool: { driver: { name: 'Semgrep OSS', rules: [] } } }),
    {},
    'error',
    'engine_failed',
  ],
  [
    'F32 rows counted but not there',
    { ...documentOf('checkov', 'clean'), summary: { ...documentOf('checkov', 'clean').summary, failed: 4 } },
    {},
    'error',
    'truncated',
  ],
  [
    'F32 rows under a key nobody reads',
    semgrep({ matches: [{ check_id: 'x' }] }),
    {},
    'incomplete',
    'unknown_schema_version',
  ],
  [
    'F32 results in another file',
    sarifRun({ externalPropertyFileReferences: { results: [{}] } }),
    {},
    'error',
    'truncated',
  ],
  [
    'F32 a list where an object was',
    { ...documentOf('checkov', 'clean'), results: [] },
    {},
    'incomplete',
    'unknown_schema_version',
  ],
  ['F34 a tool of another major version', semgrep({ version: '2.0.0' }), {}, 'incomplete', 'unknown_schema_version'],
  [
    'a report on another image',
    bytesOf('trivy', 'clean'),
    { subject: { ...NOWHERE, image: other } },
    'incomplete',
    'no_targets',
  ],
  [
    'a report on another commit',
    trivy({ Metadata: { Commit: 'a'.repeat(40) } }),
    { subject: { ...NOWHERE, commit: 'b'.repeat(40) } },
    'incomplete',
    'no_targets',
  ],
  ['a report for another category', bytesOf('sarif', 'clean'), { category: 'container' }, 'incomplete', 'no_targets'],
  [
    'a system nobody maintains has no vulnerabilities',
    trivy({ Metadata: { OS: { Family: 'debian', Name: '8', EOSL: true } } }),
    {},
    'incomplete',
    'database_stale',
  ],
];

describe('attacks with what is in a report', () => {
  it.each(ATTACKS)('%s is denied', (_, document, more, status, code) => {
    const { execution } = scan(document, more);
    expect(execution.status).toBe(status);
    expect(execution.reasons.map((reason) => reason.code)).toContain(code);
    expect(execution.reasons.every((reason) => reason.detail !== '')).toBe(true);
  });

  it('a report says nothing of the categories it does not show', () => {
    expect(scan(sarifRun({ tool: { driver: { name: 'Container Scanner' } } })).covers).toEqual([]);
    expect(scan(null, { tool: 'trivy' }).covers).toEqual([]);
  });
});
