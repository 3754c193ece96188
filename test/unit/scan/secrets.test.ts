import fc from 'fast-check';
import { canonicalBytes } from '../../../src/lib/canonical.ts';
import { bytesOf, documentOf, scan, sidecarFor, TOOLS } from './scanning.ts';

/** Everything that a reader may put a secret into, with the value where tools put it. */
const carriers: [string, (value: string) => unknown][] = [
  [
    'gitleaks',
    (value) => [
      { ...documentOf('gitleaks', 'findings')[0], Secret: value, Match: `x=${value}`, Message: value, Link: value },
    ],
  ],
  [
    'gitleaks',
    (value) => [{ rule: 'r', file: 'f', lineNumber: 1, offender: value, line: `x=${value}`, commitMessage: value }],
  ],
  [
    'semgrep',
    (value) => {
      const document = documentOf('semgrep', 'findings');
      for (const row of document.results) {
        Object.assign(row.extra, {
          lines: `x = "${value}"`,
          message: `found ${value}`,
          metavars: { $X: { abstract_content: value } },
          fix: value,
        });
      }
      document.errors = [{ type: 'Syntax error', message: `\`${value}\` was unexpected`, path: 'src/a.py' }];
      return document;
    },
  ],
  [
    'trivy',
    (value) => {
      const document = documentOf('trivy', 'findings');
      document.Results[3].Secrets[0].Match = `token = ${value}`;
      document.Results[3].Secrets[0].Code = { Lines: [{ Content: value }] };
      document.Results[2].Misconfigurations[0].Message = `found ${value}`;
      return document;
    },
  ],
  [
    'checkov',
    (value) => {
      const [, report] = documentOf('checkov', 'findings');
      report.check_type = 'secrets';
      for (const row of report.results.failed_checks) Object.assign(row, { resource: value, code_block: [[1, value]] });
      return report;
    },
  ],
  [
    'sarif',
    (value) => {
      const document = documentOf('sarif', 'findings');
      for (const result of document.runs[0].results) {
        result.message.text = `hard-coded ${value}`;
        result.properties = { offender: value };
        result.locations[0].physicalLocation.region.snippet = { text: value };
      }
      document.runs[0].invocations[0].commandLine = value;
      document.runs[0].invocations[0].toolExecutionNotifications = [{ level: 'error', message: { text: value } }];
      return document;
    },
  ],
  [
    'sarif',
    (value) => {
      const document = documentOf('sarif', 'findings');
      document.runs[0].tool.driver.name = 'gitleaks';
      for (const result of document.runs[0].results)
        result.locations[0].physicalLocation.region.snippet = { text: value };
      return document;
    },
  ],
];

describe('a secret never enters the report', () => {
  it.each(carriers)('%s', (tool, carry) => {
    const secret = fc.stringMatching(/^[A-Za-z0-9+/]{12,40}$/).map((value) => `canary${value}`);
    fc.assert(
      fc.property(secret, (value) => {
        const report = scan(carry(value), { tool });
        expect(report.findings.length).toBeGreaterThan(0);
        expect(canonicalBytes(report).toString('utf8')).not.toContain(value);
      }),
      { numRuns: 15 },
    );
  });

  it.each(TOOLS)('not even one in a report of %s that does not parse', (tool) => {
    const text = `${bytesOf(tool, 'findings').toString('utf8').trimEnd().slice(0, -1)} "canary-value-0010" x }`;
    expect(JSON.stringify(scan(Buffer.from(text), { tool }))).not.toContain('canary');
  });

  it('the canaries of the fixtures are in the files, and in no report', () => {
    for (const tool of TOOLS) {
      const bytes = bytesOf(tool, 'findings');
      const name = tool === 'sarif' ? 'codeql' : tool;
      expect(JSON.stringify(scan(bytes, { sidecar: sidecarFor(bytes, name) }))).not.toContain('canary-value');
    }
    expect(
      ['semgrep', 'gitleaks', 'sarif'].every((tool) => bytesOf(tool as 'sarif', 'findings').includes('canary-value')),
    ).toBe(true);
  });
});
