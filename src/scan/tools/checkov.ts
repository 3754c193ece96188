import { plural } from '../../lib/plural.ts';
import { cveIds } from '../finding.ts';
import { type Category, type Draft, draft, type Reason, reading, type Tool } from '../reading.ts';
import { CRITICAL_BY_POLICY, rated, severityOfWord, worst } from '../severity.ts';
import { at, count, has, isObject, type JsonObject, shapeOf, text } from '../shape.ts';

const NAME = 'checkov';
const MAJORS = /^[23]\./;
const LISTS = new Set(['passed_checks', 'failed_checks', 'skipped_checks', 'parsing_errors']);
const FIELDS = new Set(['check_type', 'results', 'summary', 'url', 'support_path']);

/**
 * Checkov 2 and 3 (`-o json`): an object for one framework, a list for several, a flat summary when no framework found a file.
 * Exit code 0 and no failed checks say nothing of the files it could not parse.
 */
export const checkov: Tool = {
  name: NAME,
  filters: [
    { flags: ['--check', '-c'] },
    { flags: ['--skip-check'] },
    { flags: ['--skip-path'] },
    { flags: ['--skip-framework'] },
    { flags: ['--skip-cve-package'] },
    { flags: ['--baseline'] },
  ],
  abbreviates: true,
  foundCode: (argv) => ({ code: 1, always: !argv.some((word) => /^(-s$|--soft|--hard)/.test(word)) }),
  claims(document) {
    if (!Array.isArray(document)) return isReport(document) ? 'certain' : 'none';
    if (document.length === 0) return 'possible';
    return document.every(isReport) ? 'certain' : 'none';
  },
  read(document) {
    const shape = shapeOf('checkov report of version 2 or 3');
    const drafts: Draft[] = [];
    const reasons: Reason[] = [];
    const totals = { checks: 0, resources: 0, unparsed: 0 };
    const reports = shape.rows(Array.isArray(document) ? document : [document], 'the report');
    for (const report of reports) {
      const summary = has(report, 'results') ? report.summary : report;
      const version = text(at(summary, 'checkov_version'));
      if (version === null || !MAJORS.test(version)) shape.problem(`version ${version ?? 'missing'}`);
      const numbers = (key: string) => count(at(summary, key)) ?? 0;
      totals.checks += numbers('passed') + numbers('failed') + numbers('skipped');
      totals.resources += numbers('resource_count');
      if (!has(report, 'results')) {
        totals.unparsed += Math.max(numbers('parsing_errors'), numbers('parsingerrors'));
        continue;
      }
      shape.unread(report, FIELDS, 'the report');
      const results = report.results;
      if (isObject(results)) shape.unread(results, LISTS, 'results');
      const category = categoryOf(text(report.check_type));
      const failed = shape.required(at(results, 'failed_checks'), 'results.failed_checks');
      const skipped = shape.rows(at(results, 'skipped_checks'), 'results.skipped_checks');
      for (const row of failed) drafts.push(fromRow(row, category));
      for (const row of skipped) drafts.push({ ...fromRow(row, category), suppressed: suppression(row) });
      const declared = count(at(summary, 'failed'));
      if (declared === null) shape.problem('summary.failed is missing');
      else if (declared > failed.length) reasons.push(lost(declared, failed.length));
      if (numbers('skipped') > skipped.length) reasons.push(hidden(numbers('skipped') - skipped.length));
      const unparsed = at(results, 'parsing_errors');
      totals.unparsed += Math.max(Array.isArray(unparsed) ? unparsed.length : 0, numbers('parsing_errors'));
    }
    if (totals.unparsed > 0) {
      reasons.push({
        code: 'parse_errors',
        detail: `${plural(totals.unparsed, 'file')} could not be parsed, so nothing there was checked`,
      });
    }
    if (totals.checks === 0 && totals.resources === 0) {
      reasons.push({
        code: 'no_targets',
        detail: 'no resource was found and no check ran: check the directory and the frameworks',
      });
    }
    return reading({
      tool: NAME,
      format: 'checkov-json',
      version: text(at(reports[0], 'summary', 'checkov_version')) ?? text(at(reports[0], 'checkov_version')),
      covers: coversOf(reports),
      drafts,
      reasons: [...shape.reasons(), ...reasons],
      scanned: totals.resources,
    });
  },
};

function isReport(value: unknown): boolean {
  if (!isObject(value)) return false;
  if (has(value, 'check_type')) return has(value, 'results') || has(value, 'summary');
  return has(value, 'checkov_version') && has(value, 'passed') && has(value, 'failed');
}

function categoryOf(checkType: string | null): Category {
  if (checkType === null) return 'iac';
  if (checkType === 'secrets') return 'secrets';
  if (checkType === 'sca_package') return 'sca';
  if (checkType === 'sca_image') return 'container';
  return checkType.startsWith('sast') ? 'sast' : 'iac';
}

/** Only frameworks that found something to check are in the report. */
function coversOf(reports: readonly JsonObject[]): Category[] {
  return [
    ...new Set(
      reports.filter((report) => has(report, 'check_type')).map((report) => categoryOf(text(report.check_type))),
    ),
  ];
}

function fromRow(row: JsonObject, category: Category): Draft {
  const rule = text(row.check_id) ?? 'unknown';
  const resource = text(row.resource);
  const isSecret = category === 'secrets';
  const lines = row.file_line_range;
  const details = row.vulnerability_details;
  const rating = isSecret
    ? CRITICAL_BY_POLICY
    : worst([rated(severityOfWord(row.severity) ?? severityOfWord(at(details, 'severity')), 'tool')]);
  return draft({
    category,
    rule,
    title: text(row.check_name) ?? rule,
    ...rating,
    path: text(row.file_path),
    line: Array.isArray(lines) ? count(lines[0]) : null,
    package: text(at(details, 'package_name')),
    version: text(at(details, 'package_version')),
    fixedVersion: text(at(details, 'fix_version')),
    cve: cveIds([text(at(details, 'id')) ?? '']),
    tags: resource === null || isSecret ? [] : [`resource:${resource}`],
    key: [resource ?? ''],
    // For a secret the resource is an unsalted hash of its value.
    secret: isSecret ? resource : null,
  });
}

function suppression(row: JsonObject): Draft['suppressed'] {
  return { by: 'checkov:skip', reason: text(at(row, 'check_result', 'suppress_comment')) ?? '' };
}

function lost(declared: number, present: number): Reason {
  return { code: 'truncated', detail: `the summary counts ${declared} failed checks, the report holds ${present}` };
}

function hidden(missing: number): Reason {
  return {
    code: 'filtered_output',
    detail: `${missing} skipped checks are counted but not listed: run checkov without --quiet`,
  };
}
