import { cveIds, cweIds } from '../finding.ts';
import { type Draft, draft, type Reading, type Reason, reading } from '../reading.ts';
import { rated, severityOfWord, worst } from '../severity.ts';
import { at, count, type JsonObject, shapeOf, strings, text } from '../shape.ts';

/**
 * A page of vulnerabilities out of the Semgrep platform (`vulns`). It lists what the platform knows, which is not what one
 * scan of one commit read: its findings are kept, but it never counts as a complete scan.
 */
export function readVulnerabilityExport(document: JsonObject): Reading {
  const shape = shapeOf('semgrep vulnerability export');
  const drafts = shape.required(document.vulns, 'vulns').map(fromRow);
  const reasons: Reason[] = [
    {
      code: 'no_targets',
      detail:
        'this is an export of the Semgrep platform, not the report of a scan: hand in the output of semgrep --json',
    },
  ];
  if (document.hasMore !== false)
    reasons.push({ code: 'truncated', detail: 'the export has more pages than this one (hasMore)' });
  return reading({ tool: 'semgrep', format: 'semgrep-vulns', drafts, reasons: [...shape.reasons(), ...reasons] });
}

function fromRow(row: JsonObject): Draft {
  const advisory = row.advisory;
  const rule = text(at(advisory, 'ruleId')) ?? 'unknown';
  const ignored = at(row, 'triage', 'status') === 'IGNORED';
  return draft({
    category: 'sca',
    rule,
    title: text(row.title) ?? rule,
    ...worst([rated(severityOfWord(at(advisory, 'severity')), 'tool')]),
    path: text(at(row, 'dependencyFileLocation', 'path')),
    line: count(at(row, 'dependencyFileLocation', 'startLine')),
    package: text(at(row, 'matchedDependency', 'name')),
    version: text(at(row, 'matchedDependency', 'versionSpecifier')),
    fixedVersion: text(at(row, 'closestSafeDependency', 'versionSpecifier')),
    cve: cveIds(strings(at(advisory, 'references', 'cveIds'))),
    cwe: cweIds(strings(at(advisory, 'references', 'cweIds'))),
    suppressed: ignored ? { by: 'semgrep triage', reason: text(at(row, 'triage', 'dismissReason')) ?? '' } : null,
    key: [text(row.repositoryId) ?? ''],
  });
}
