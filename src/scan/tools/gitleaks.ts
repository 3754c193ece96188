import { optionIn } from '../command-line.ts';
import { type Draft, draft, reading, type Tool } from '../reading.ts';
import { CRITICAL_BY_POLICY } from '../severity.ts';
import { count, has, isObject, type JsonObject, shapeOf, strings, text } from '../shape.ts';

const NAME = 'gitleaks';

/**
 * Gitleaks 8 (`--report-format json`), and the rows of 7. Its clean report is `[]`, once `null`: legal, but only the exit code
 * tells it from a scan of nothing. It has no severities: every secret is critical.
 */
export const gitleaks: Tool = {
  name: NAME,
  filters: [
    { flags: ['--baseline-path', '-b'] },
    { flags: ['--enable-rule'] },
    { flags: ['--max-target-megabytes'] },
    { flags: ['--gitleaks-ignore-path', '-i'] },
  ],
  foundCode: (argv) => ({ code: Number(optionIn(argv, '--exit-code') ?? 1), always: true }),
  claims(document) {
    if (document === null) return 'possible';
    if (!Array.isArray(document)) return 'none';
    if (document.length === 0) return 'possible';
    return document.every((row) => isObject(row) && (isVersion8(row) || isVersion7(row))) ? 'certain' : 'none';
  },
  read(document, argv) {
    const shape = shapeOf('gitleaks report');
    const rows = shape.rows(document ?? [], 'the report');
    if (rows.some((row) => !isVersion8(row))) shape.problem('rows of version 7');
    return reading({
      tool: NAME,
      format: 'gitleaks-json',
      covers: ['secrets'],
      drafts: rows.map((row) => (isVersion8(row) ? fromVersion8(row) : fromVersion7(row))),
      reasons: shape.reasons(),
      range: historyRange(argv),
    });
  },
};

function isVersion8(row: JsonObject): boolean {
  return has(row, 'RuleID') && (has(row, 'File') || has(row, 'Fingerprint'));
}

function isVersion7(row: JsonObject): boolean {
  return has(row, 'rule') && has(row, 'offender') && has(row, 'file');
}

function fromVersion8(row: JsonObject): Draft {
  const line = count(row.StartLine);
  const rule = text(row.RuleID) ?? 'unknown';
  return secret(rule, text(row.Description) ?? rule, {
    path: text(row.File),
    line,
    tags: [...strings(row.Tags), ...commitTag(row.Commit)],
    key: [text(row.Fingerprint) ?? `${row.Commit}:${line}`, String(count(row.StartColumn))],
    secret: value(has(row, 'Secret') ? row.Secret : row.Match),
  });
}

function fromVersion7(row: JsonObject): Draft {
  const line = count(row.lineNumber);
  const rule = text(row.rule) ?? 'unknown';
  return secret(rule, rule, {
    path: text(row.file),
    line,
    tags: commitTag(row.commit),
    key: [`${row.commit}:${line}`],
    secret: value(row.offender),
  });
}

function secret(rule: string, title: string, rest: Partial<Draft>): Draft {
  return draft({ category: 'secrets', rule, title, ...CRITICAL_BY_POLICY, ...rest });
}

/** With `--redact` the tool itself withholds the value: then only the place tells two secrets apart. */
function value(found: unknown): string | null {
  const known = text(found);
  return known === null || /REDACTED/.test(known) ? null : known;
}

function commitTag(commit: unknown): string[] {
  return text(commit) === null ? [] : [`commit:${commit}`];
}

/** Which history was read: a limited range must be visible, a scan of files alone has none. */
function historyRange(argv: readonly string[]): string | null {
  if (argv.includes('--no-git') || !argv.some((word) => word === 'git' || word === 'detect')) return null;
  if (argv.includes('--staged') || argv.includes('--pre-commit')) return 'uncommitted changes';
  return optionIn(argv, '--log-opts') ?? '--full-history --all';
}
