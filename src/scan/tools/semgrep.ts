import { cveIds, cweIds } from '../finding.ts';
import { type Draft, draft, type Reason, reading, type Severity, type Tool } from '../reading.ts';
import { CRITICAL_BY_POLICY, rated, severityOfWord, worst } from '../severity.ts';
import { at, count, has, isObject, type JsonObject, shapeOf, strings, text } from '../shape.ts';
import { readVulnerabilityExport } from './semgrep-export.ts';

const NAME = 'semgrep';
const FIELDS = new Set([
  'version',
  'results',
  'errors',
  'paths',
  'skipped_rules',
  'interfile_languages_used',
  'profiling_results',
  'explanations',
  'rules_by_engine',
]);
const WORDS = new Map<string, Severity>([
  ['critical', 'critical'],
  ['error', 'high'],
  ['high', 'high'],
  ['warning', 'medium'],
  ['medium', 'medium'],
  ['info', 'low'],
  ['low', 'low'],
]);
/** Reasons for which a file was not to be read. Any other, also one that is not known here, means that it should have been. */
const LEFT_OUT = new Set([
  'always_skipped',
  'binary',
  'cli_exclude_flags_match',
  'cli_include_flags_do_not_match',
  'dotfile',
  'excluded_by_config',
  'gitignore_patterns_match',
  'irrelevant_rule',
  'minified',
  'semgrepignore_patterns_match',
  'wrong_language',
]);

/**
 * Semgrep 1 (`--json --verbose`). Its exit code is 0 with findings and with files it could not parse; without `--disable-nosem`
 * it leaves out what a `nosemgrep` comment in the judged code hides. Files over 1 MB are not scanned unless it is told to
 * (`--max-target-bytes 0`), and only `--verbose` lists them.
 */
export const semgrep: Tool = {
  name: NAME,
  filters: [
    { flags: ['--severity'], all: ['info', 'warning', 'error'] },
    { flags: ['--exclude'] },
    { flags: ['--exclude-rule'] },
    { flags: ['--include'] },
    { flags: ['--baseline-commit'] },
    { flags: ['--max-target-bytes'], all: ['0'] },
    { flags: ['--exclude-minified-files'], bare: true },
  ],
  abbreviates: true,
  foundCode: (argv) => ({ code: 1, always: argv.includes('--error') }),
  claims(document) {
    if (!isObject(document)) return 'none';
    const { results, vulns } = document;
    if (Array.isArray(vulns)) return vulns.every((row) => isObject(at(row, 'advisory'))) ? 'certain' : 'none';
    if (!has(document, 'results') || has(document, 'check_type')) return 'none';
    const rows = Array.isArray(results) ? results : [];
    if (rows.length > 0 && !rows.some((row) => isObject(row) && has(row, 'check_id'))) return 'none';
    if (rows.length > 0 || isObject(document.paths)) return 'certain';
    return has(document, 'errors') && !has(document, 'metrics') ? 'possible' : 'none';
  },
  read(document, argv) {
    if (!isObject(document)) return reading({ tool: NAME, format: 'semgrep-json' });
    if (has(document, 'vulns')) return readVulnerabilityExport(document);
    const shape = shapeOf('semgrep report of version 1');
    const version = text(document.version);
    if (version === null || !version.startsWith('1.')) shape.problem(`version ${version ?? 'missing'}`);
    shape.unread(document, FIELDS, 'the report');
    const drafts = shape.required(document.results, 'results').map(fromRow);
    const scanned = at(document, 'paths', 'scanned');
    const timed = at(document, 'time', 'rules');
    return reading({
      tool: NAME,
      format: 'semgrep-json',
      version,
      rules: Array.isArray(timed) && timed.length > 0 ? timed.length : null,
      covers: argv.includes('--supply-chain') ? ['sca'] : ['sast'],
      drafts,
      reasons: [...shape.reasons(), ...unparsed(document), ...untargeted(scanned)],
      scanned: Array.isArray(scanned) ? scanned.length : null,
    });
  },
};

function fromRow(row: JsonObject): Draft {
  const rule = text(row.check_id) ?? 'unknown';
  const metadata = at(row, 'extra', 'metadata');
  const weaknesses = strings(at(metadata, 'cwe'));
  const isSecret = /(^|\.)secrets\./.test(rule) || strings(at(metadata, 'technology')).includes('secrets');
  const line = count(at(row, 'start', 'line'));
  const known = loggedIn(at(row, 'extra', 'fingerprint'));
  const rating = isSecret
    ? CRITICAL_BY_POLICY
    : worst([rated(severityOfWord(at(row, 'extra', 'severity'), WORDS), 'tool')]);
  const dependency = at(row, 'extra', 'sca_info', 'dependency_match', 'found_dependency');
  return draft({
    category: at(row, 'extra', 'sca_info') !== undefined ? 'sca' : isSecret ? 'secrets' : 'sast',
    rule,
    title: title(rule, metadata),
    ...rating,
    path: text(row.path),
    line,
    package: text(at(dependency, 'package')),
    version: text(at(dependency, 'version')),
    cve: cveIds([rule, ...strings(at(metadata, 'sca-vuln-database-identifier'))]),
    cwe: cweIds(weaknesses),
    suppressed: at(row, 'extra', 'is_ignored') === true ? { by: 'nosemgrep', reason: '' } : null,
    key: [known ?? `${line}:${count(at(row, 'start', 'col'))}`],
    secret: isSecret ? (loggedIn(at(row, 'extra', 'lines')) ?? known) : null,
  });
}

/** The message quotes the code that matched, which may hold a secret: the rule's own words alone make the title. */
function title(rule: string, metadata: unknown): string {
  const name = rule.slice(rule.lastIndexOf('.') + 1) || rule;
  const kinds = strings(at(metadata, 'vulnerability_class'));
  return kinds.length === 0 ? name : `${name} (${kinds.join(', ')})`;
}

/** Without an account the tool writes "requires login" where the fingerprint and the lines would be. */
function loggedIn(value: unknown): string | null {
  const known = text(value);
  return known === 'requires login' ? null : known;
}

/** Any entry of `errors` means that some rule did not see some file; what it says quotes the code and stays here. */
function unparsed(document: JsonObject): Reason[] {
  const { errors } = document;
  if (!Array.isArray(errors)) {
    return [
      { code: 'parse_errors', detail: 'the report does not say which files could not be parsed (errors is missing)' },
    ];
  }
  const skipped = at(document, 'paths', 'skipped');
  const unread = Array.isArray(skipped) ? skipped.filter((file) => !LEFT_OUT.has(String(at(file, 'reason')))) : [];
  const rules = Array.isArray(document.skipped_rules) ? document.skipped_rules : [];
  const said: [number, string][] = [
    [errors.length, `errors${placesOf(errors)}`],
    [unread.length, `files left out as too big or not understood${placesOf(unread)}`],
    [rules.length, 'rules that this version cannot run'],
  ];
  const details = said.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`);
  if (!Array.isArray(skipped))
    details.push(
      'the report does not say which files were left out (paths.skipped), and those over 1 MB are by default: run semgrep with --verbose --max-target-bytes 0',
    );
  return details.map((detail) => ({ code: 'parse_errors', detail }));
}

function placesOf(entries: unknown[]): string {
  const paths = [...new Set(entries.flatMap((entry) => strings(at(entry, 'path'))))];
  return paths.length === 0 ? '' : ` in ${paths.slice(0, 5).join(', ')}${paths.length > 5 ? ' and others' : ''}`;
}

function untargeted(scanned: unknown): Reason[] {
  if (Array.isArray(scanned) && scanned.length > 0) return [];
  const what = Array.isArray(scanned) ? 'no file was scanned' : 'the report does not say which files were scanned';
  return [
    {
      code: 'no_targets',
      detail: `${what} (paths.scanned): check the path and .semgrepignore; semgrep reads only what git tracks`,
    },
  ];
}
