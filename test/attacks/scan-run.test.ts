import type { ScanReport } from '../../src/contract/scan-report.ts';
import type { NormaliseInput } from '../../src/scan/index.ts';
import { bytesOf, ran, sarifRun, scan } from '../unit/scan/scanning.ts';

/* Attacks with how a tool was run: what it was told to leave out, and an exit code that its file contradicts. */
type Attack = [
  name: string,
  document: unknown,
  more: Partial<NormaliseInput>,
  status: ScanReport['execution']['status'],
  code: string,
];
const ATTACKS: Attack[] = [
  [
    'F27 only high and critical were asked for',
    bytesOf('trivy', 'clean'),
    { origin: ran('trivy', 0, ['trivy', 'image', '--severity', 'HIGH,CRITICAL']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 unfixed were left out',
    bytesOf('trivy', 'clean'),
    { origin: ran('trivy', 0, ['trivy', 'image', '--ignore-unfixed']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 the same inside a shell',
    bytesOf('trivy', 'clean'),
    { origin: ran('sh', 0, ['sh', '-c', 'trivy image --ignore-unfixed x']), tool: 'trivy' },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 a baseline hides old secrets',
    Buffer.from('[]'),
    { origin: ran('gitleaks', 0, ['gitleaks', 'git', '--baseline-path', 'b.json']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 only verified secrets, in SARIF',
    sarifRun({ tool: { driver: { name: 'TruffleHog' } } }),
    { origin: ran('trufflehog', 0, ['trufflehog', 'git', '--only-verified']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 a limit of size hides what is over it, in SARIF that does not say so',
    sarifRun({ tool: { driver: { name: 'Semgrep OSS', rules: [{ id: 'x' }] } } }),
    { origin: ran('semgrep', 0, ['semgrep', 'scan', '--sarif', '.']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F27 a limit of size that is lower still',
    bytesOf('semgrep', 'clean'),
    { origin: ran('semgrep', 0, ['semgrep', '--max-target-bytes', '100']) },
    'degraded',
    'filtered_output',
  ],
  [
    'F28 gitleaks crashed with 1 beside an empty list',
    Buffer.from('[]'),
    { origin: ran('gitleaks', 1, ['gitleaks', 'git']) },
    'degraded',
    'exit_code_conflict',
  ],
  [
    'F28 findings that the exit code denies',
    bytesOf('osv-scanner', 'findings'),
    { origin: ran('osv-scanner', 0, ['osv-scanner']) },
    'degraded',
    'exit_code_conflict',
  ],
  [
    'F28 the findings were taken out of the file',
    bytesOf('osv-scanner', 'clean'),
    { origin: ran('osv-scanner', 1, ['osv-scanner']) },
    'degraded',
    'exit_code_conflict',
  ],
  [
    'F28 osv-scanner found no package',
    bytesOf('osv-scanner', 'clean'),
    { origin: ran('osv-scanner', 128, ['osv-scanner']) },
    'incomplete',
    'no_targets',
  ],
  [
    'F28 osv-scanner failed',
    bytesOf('osv-scanner', 'clean'),
    { origin: ran('osv-scanner', 127, ['osv-scanner']) },
    'error',
    'engine_failed',
  ],
  [
    'F28 a clean file of a tool that was killed',
    bytesOf('semgrep', 'clean'),
    { origin: ran('semgrep', 137, ['semgrep']) },
    'error',
    'engine_failed',
  ],
  [
    'a scan for secrets looks like a clean one for vulnerabilities',
    bytesOf('trivy', 'clean'),
    { origin: ran('trivy', 0, ['trivy', 'image', '--scanners', 'secret']) },
    'incomplete',
    'no_targets',
  ],
];

describe('attacks with how a tool was run', () => {
  it.each(ATTACKS)('%s is denied', (_, document, more, status, code) => {
    const { execution } = scan(document, more);
    expect(execution.status).toBe(status);
    expect(execution.reasons.map((reason) => reason.code)).toContain(code);
    expect(execution.reasons.every((reason) => reason.detail !== '')).toBe(true);
  });

  it('F28 the exit code is in the report, whatever it means', () => {
    const origin = ran('trivy', 0, ['trivy', 'image']);
    expect(scan(bytesOf('trivy', 'clean'), { origin }).execution).toMatchObject({
      exitCode: 0,
      argv: ['trivy', 'image'],
    });
  });

  it('F30 every secret is critical, and the history that was read is in the report', () => {
    const report = scan(bytesOf('gitleaks', 'findings'), {
      origin: ran('gitleaks', 1, ['gitleaks', 'git', '--log-opts=-1']),
    });
    expect(report.findings.map((one) => one.severity)).toEqual(['critical', 'critical']);
    expect(report.execution.range).toBe('-1');
  });
});
