import type { Category, Conventions, Filter } from '../reading.ts';

/** What is known of a tool that writes SARIF. */
export interface SarifTool {
  /** Our name for it. */
  name: string;
  /** What its driver calls itself, in lower case, with a dash for all that is no letter or digit. */
  drivers: readonly string[];
  covers: readonly Category[];
  /** It lists every rule that it ran, so that none means a failed engine. */
  listsRules?: boolean;
  /** It writes the same version for ever (gitleaks: v8.0.0), which is none. */
  fixedVersion?: boolean;
}

const TOOLS: readonly SarifTool[] = [
  { name: 'semgrep', drivers: ['semgrep', 'semgrep-oss', 'semgrep-pro'], covers: ['sast'], listsRules: true },
  { name: 'codeql', drivers: ['codeql', 'codeql-command-line-toolchain'], covers: ['sast'], listsRules: true },
  { name: 'gitleaks', drivers: ['gitleaks'], covers: ['secrets'], listsRules: true, fixedVersion: true },
  { name: 'checkov', drivers: ['checkov'], covers: ['iac'] },
  { name: 'osv-scanner', drivers: ['osv-scanner'], covers: ['sca'] },
  { name: 'trivy', drivers: ['trivy'], covers: ['container'] },
  { name: 'grype', drivers: ['grype'], covers: ['container'] },
  { name: 'snyk', drivers: ['snykcode', 'snyk-code'], covers: ['sast'] },
  { name: 'snyk', drivers: ['snyk-open-source'], covers: ['sca'] },
  { name: 'snyk', drivers: ['snyk-container'], covers: ['container'] },
  { name: 'snyk', drivers: ['snyk-iac'], covers: ['iac'] },
  { name: 'trufflehog', drivers: ['trufflehog'], covers: ['secrets'] },
  { name: 'kics', drivers: ['kics'], covers: ['iac'] },
  { name: 'tfsec', drivers: ['tfsec', 'defsec'], covers: ['iac'] },
  { name: 'hadolint', drivers: ['hadolint'], covers: ['lint'] },
];
const BY_DRIVER = new Map(TOOLS.flatMap((tool) => tool.drivers.map((driver) => [driver, tool] as const)));

/** A tool that is not in the table keeps its own name and covers no category unless the caller says which. */
export function sarifTool(driver: string): SarifTool {
  const slug = driver
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
  return BY_DRIVER.get(slug) ?? { name: slug === '' ? 'unknown' : slug.slice(0, 128), drivers: [slug], covers: [] };
}

const FILTERS = new Map<string, readonly Filter[]>([
  [
    'grype',
    [
      { flags: ['--only-fixed'], bare: true },
      { flags: ['--only-notfixed'], bare: true },
      { flags: ['--ignore-states'] },
      { flags: ['--exclude'] },
      { flags: ['--vex'] },
    ],
  ],
  ['snyk', [{ flags: ['--severity-threshold'] }, { flags: ['--exclude'] }]],
  [
    'trufflehog',
    [
      { flags: ['--only-verified'], bare: true },
      { flags: ['--results'] },
      { flags: ['--exclude-paths', '-x'] },
      { flags: ['--exclude-detectors'] },
    ],
  ],
  [
    'kics',
    [
      { flags: ['--exclude-severities'] },
      { flags: ['--exclude-queries'] },
      { flags: ['--exclude-paths', '-e'] },
      { flags: ['--exclude-results', '-x'] },
    ],
  ],
]);

/** The command line of a tool that has no reader of its own. Exit code 1 may mean findings, and never means a clean scan. */
export function conventionsOf(name: string): Conventions {
  return {
    filters: FILTERS.get(name) ?? [],
    foundCode: () => ({ code: 1, always: false }),
    codes: name === 'snyk' ? new Map([[3, 'no_targets']]) : new Map(),
  };
}
