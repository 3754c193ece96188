import { baseScore } from '../cvss.ts';
import { cveIds, cweIds } from '../finding.ts';
import { type Category, type Draft, draft, type Reason, reading, type Tool } from '../reading.ts';
import { CRITICAL_BY_POLICY, type Rating, rated, severityOfScore, severityOfWord, worst } from '../severity.ts';
import { at, has, isObject, type JsonObject, type Shape, shapeOf, strings, text } from '../shape.ts';

const NAME = 'osv-scanner';
const FIELDS = new Set(['results', 'experimental_config', 'image_metadata', 'license_summary']);
const SOURCE_FIELDS = new Set(['source', 'packages', 'experimental_pes']);
const PACKAGE_FIELDS = new Set([
  'package',
  'vulnerabilities',
  'groups',
  'dependency_groups',
  'licenses',
  'license_violations',
]);

/**
 * OSV-Scanner 1 and 2 (`--format json`). Severities are CVSS vectors, or words of the advisory's database, or missing. A clean
 * report is `results: []`; where no package was found it is empty or `results: null`.
 */
export const osvScanner: Tool = {
  name: NAME,
  filters: [
    { flags: ['--config'] },
    { flags: ['--experimental-exclude', '--exclude'] },
    { flags: ['--experimental-disable-plugins'] },
  ],
  foundCode: () => ({ code: 1, always: true }),
  codes: new Map([[128, 'no_targets']]),
  claims(document) {
    if (!isObject(document) || !has(document, 'results')) return 'none';
    const { results } = document;
    if (has(document, 'experimental_config')) return 'certain';
    if (!Array.isArray(results)) return 'none';
    if (results.length === 0) return Object.keys(document).length === 1 ? 'possible' : 'none';
    return results.every((row) => isObject(row) && has(row, 'packages')) ? 'certain' : 'none';
  },
  read(document) {
    const shape = shapeOf('osv-scanner report');
    const category: Category = at(document, 'image_metadata') === undefined ? 'sca' : 'container';
    const results = at(document, 'results');
    const drafts: Draft[] = [];
    let lost = 0;
    if (isObject(document)) shape.unread(document, FIELDS, 'the report');
    for (const source of shape.rows(results ?? [], 'results')) {
      shape.unread(source, SOURCE_FIELDS, 'results[]');
      const path = text(at(source, 'source', 'path'));
      for (const row of shape.required(source.packages, 'results[].packages')) {
        shape.unread(row, PACKAGE_FIELDS, 'packages[]');
        lost += addPackage(row, { category, path }, shape, drafts);
      }
    }
    const reasons: Reason[] = [];
    if (lost > 0)
      reasons.push({
        code: 'truncated',
        detail: `the groups name ${lost} vulnerabilities that the report does not hold`,
      });
    if (!Array.isArray(results)) {
      reasons.push({ code: 'no_targets', detail: 'no package was found: check which lockfiles it was given' });
    }
    return reading({
      tool: NAME,
      format: 'osv-scanner-json',
      covers: [category],
      drafts,
      reasons: [...shape.reasons(), ...reasons],
    });
  },
};

/** Adds the findings in one package; gives how many vulnerabilities its groups name beyond those listed. */
function addPackage(
  row: JsonObject,
  common: { category: Category; path: string | null },
  shape: Shape,
  drafts: Draft[],
): number {
  const found = row.package;
  if (!isObject(found)) shape.problem('packages[].package is not an object');
  const place = {
    ...common,
    package: text(at(found, 'name')) ?? text(at(found, 'commit')),
    version: text(at(found, 'version')),
  };
  const groups = groupsById(shape.rows(row.groups, 'packages[].groups'));
  const vulnerabilities = shape.rows(row.vulnerabilities, 'packages[].vulnerabilities');
  for (const vulnerability of vulnerabilities) {
    drafts.push({ ...fromVulnerability(vulnerability, groups, place.package), ...place });
  }
  for (const licence of strings(row.license_violations)) {
    drafts.push(
      draft({
        rule: `license:${licence}`,
        title: `Licence ${licence} is not on the allow-list`,
        tags: ['license'],
        ...place,
      }),
    );
  }
  if (at(found, 'deprecated') === true) {
    drafts.push(
      draft({ rule: 'deprecated', title: 'The package version is deprecated', tags: ['deprecated'], ...place }),
    );
  }
  return Math.max(0, groups.size - vulnerabilities.length);
}

function fromVulnerability(row: JsonObject, groups: ReadonlyMap<string, JsonObject>, name: string | null): Draft {
  const id = text(row.id) ?? 'unknown';
  const names = [id, ...strings(row.aliases)];
  const group = groups.get(id);
  const affected = [row.affected].flat().filter(isObject);
  const mine = affected.filter((one) => at(one, 'package', 'name') === name);
  return draft({
    category: 'sca',
    rule: id,
    title: text(row.summary) ?? id,
    ...rating(row, names, group),
    fixedVersion: fixesOf(mine),
    cve: cveIds(names),
    cwe: cweIds(weaknesses(row, affected)),
    tags: uncalled(id, group) ? ['uncalled'] : [],
  });
}

/** The worst that the advisory says of itself; the scanner's own number only when it says nothing. */
function rating(row: JsonObject, names: readonly string[], group: JsonObject | undefined): Rating {
  if (names.some((name) => name.startsWith('MAL-'))) return CRITICAL_BY_POLICY;
  const affected = [row.affected].flat().filter(isObject);
  const vectors = [row, ...affected].flatMap((one) => [one.severity].flat()).filter(isObject);
  const said = worst([
    rated(severityOfWord(at(row, 'database_specific', 'severity')), 'tool'),
    ...vectors.map((vector) => rated(severityOfScore(baseScore(vector.score)), 'cvss')),
  ]);
  if (said.severity !== 'unknown') return said;
  const number = text(group?.max_severity);
  return worst([rated(severityOfScore(number === null ? null : Number(number)), 'cvss')]);
}

function groupsById(groups: readonly JsonObject[]): Map<string, JsonObject> {
  return new Map(groups.flatMap((group) => strings(group.ids).map((id) => [id, group] as const)));
}

/** Vulnerable code that is never called does not make the tool fail, but it is a finding like any other. */
function uncalled(id: string, group: JsonObject | undefined): boolean {
  const analysis = at(group?.experimental_analysis ?? group?.experimentalAnalysis, id);
  return at(analysis, 'called') === false || at(analysis, 'unimportant') === true;
}

function fixesOf(affected: readonly JsonObject[]): string | null {
  const ranges = affected.flatMap((one) => [one.ranges].flat());
  const events = ranges.flatMap((range) => [at(range, 'events')].flat());
  const fixed = [...new Set(events.flatMap((event) => strings(at(event, 'fixed'))))];
  return fixed.length === 0 ? null : fixed.join(', ');
}

function weaknesses(row: JsonObject, affected: readonly JsonObject[]): string[] {
  return [row, ...affected].flatMap((one) => {
    const specific = one.database_specific;
    return [
      ...strings(at(specific, 'cwe_ids')),
      ...[at(specific, 'cwes')].flat().flatMap((cwe) => strings(at(cwe, 'cweId'))),
    ];
  });
}
