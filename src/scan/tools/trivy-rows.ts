import { baseScore } from '../cvss.ts';
import { cveIds, cweIds } from '../finding.ts';
import { type Category, type Draft, draft } from '../reading.ts';
import { CRITICAL_BY_POLICY, type Rating, rated, severityOfScore, severityOfWord, worst } from '../severity.ts';
import { at, count, isObject, type JsonObject, type Shape, strings, text } from '../shape.ts';

const RESULT_FIELDS = new Set([
  'Packages',
  'Vulnerabilities',
  'Misconfigurations',
  'Secrets',
  'Licenses',
  'CustomResources',
  'ExperimentalModifiedFindings',
]);
const SCORES = ['V40Score', 'V3Score', 'V2Score'];
const VECTORS = ['V40Vector', 'V3Vector', 'V2Vector'];

/** What the results of one report have in common. */
interface Around {
  /** The category of findings in packages. */
  packages: Category;
  image: string | null;
  /** The cluster's resource that the results belong to. */
  within: string | null;
}

/** Where a row stands: operating system packages have no path, since their target is the image's name and tag. */
interface Place extends Around {
  path: string | null;
  type: string;
}

type FromRow = (row: JsonObject, place: Place) => Draft;

/** The drafts of all results, in their order: vulnerabilities, misconfigurations, secrets, licences, and what was suppressed. */
export function draftsOf(results: readonly JsonObject[], around: Around, shape: Shape): Draft[] {
  const drafts: Draft[] = [];
  for (const result of results) {
    shape.unread(result, RESULT_FIELDS, 'Results[]');
    if (text(result.Target) === null) shape.problem('a result without a Target');
    const place: Place = { ...around, path: pathOf(result, around), type: text(result.Type) ?? '' };
    for (const row of shape.rows(result.Vulnerabilities, 'Vulnerabilities')) drafts.push(vulnerability(row, place));
    for (const row of shape.rows(result.Misconfigurations, 'Misconfigurations')) {
      if (row.Status !== 'PASS') drafts.push(misconfiguration(row, place));
    }
    for (const row of shape.rows(result.Secrets, 'Secrets')) drafts.push(secret(row, place));
    for (const row of shape.rows(result.Licenses, 'Licenses')) drafts.push(license(row, place));
    for (const row of shape.rows(result.ExperimentalModifiedFindings, 'ExperimentalModifiedFindings')) {
      drafts.push(modified(row, place, shape));
    }
  }
  return drafts;
}

function pathOf(result: JsonObject, { within }: Around): string | null {
  const target = result.Class === 'os-pkgs' ? null : text(result.Target);
  return within === null ? target : [within, target].filter((part) => part !== null).join(': ');
}

const vulnerability: FromRow = (row, place) => {
  const id = text(row.VulnerabilityID) ?? 'unknown';
  return draft({
    category: place.packages,
    rule: id,
    title: text(row.Title) ?? id,
    ...rating(row),
    path: text(row.PkgPath) ?? place.path,
    package: text(row.PkgName),
    version: text(row.InstalledVersion),
    image: place.image,
    fixedVersion: text(row.FixedVersion),
    cve: cveIds([id]),
    cwe: cweIds(strings(row.CweIDs)),
    tags: strings(row.Status),
    key: [place.type],
  });
};

const misconfiguration: FromRow = (row, place) => {
  const id = text(row.ID) ?? text(row.AVDID) ?? 'unknown';
  const cause = row.CauseMetadata;
  return draft({
    category: 'iac',
    rule: id,
    title: text(row.Title) ?? id,
    ...worst([rated(severityOfWord(row.Severity), 'tool')]),
    path: place.path,
    line: count(at(cause, 'StartLine')),
    suppressed: row.Status === 'EXCEPTION' ? { by: 'trivy exception', reason: '' } : null,
    tags: strings(at(cause, 'Resource')).map((resource) => `resource:${resource}`),
    key: [place.type, text(at(cause, 'Resource')) ?? '', text(row.Message) ?? ''],
  });
};

/** Trivy masks the value itself, so the masked line stands for it, with its place. */
const secret: FromRow = (row, place) => {
  const rule = text(row.RuleID) ?? 'unknown';
  const line = count(row.StartLine);
  const match = text(row.Match);
  return draft({
    category: 'secrets',
    rule,
    title: text(row.Title) ?? rule,
    ...CRITICAL_BY_POLICY,
    path: place.path,
    line,
    image: place.image,
    key: [String(line)],
    secret: match === null ? null : `${place.path}\n${match}`,
  });
};

const license: FromRow = (row, place) => {
  const name = text(row.Name) ?? 'unknown';
  return draft({
    category: place.packages,
    rule: `license:${name}`,
    title: `Licence ${name} (${text(row.Category) ?? 'unknown'})`,
    ...worst([rated(severityOfWord(row.Severity), 'tool')]),
    path: text(row.FilePath) ?? place.path,
    package: text(row.PkgName),
    image: place.image,
    tags: ['license'],
  });
};

const KINDS = new Map<unknown, FromRow>([
  ['vulnerability', vulnerability],
  ['misconfiguration', misconfiguration],
  ['secret', secret],
  ['license', license],
]);

/** A finding that an ignore file or a VEX document took out of the list (`--show-suppressed`). */
function modified(row: JsonObject, place: Place, shape: Shape): Draft {
  const kind = KINDS.get(row.Type);
  if (kind === undefined) shape.problem('a suppressed finding of an unknown type');
  const finding = isObject(row.Finding) ? row.Finding : {};
  const by = ['trivy', text(row.Status), text(row.Source)].filter((part) => part !== null).join(' ');
  return { ...(kind ?? vulnerability)(finding, place), suppressed: { by, reason: text(row.Statement) ?? '' } };
}

/** What trivy says; where it does not know, the worst score that any of its sources gives. */
function rating(row: JsonObject): Rating {
  const said = rated(severityOfWord(row.Severity), 'tool');
  if (said !== null) return said;
  const sources = isObject(row.CVSS) ? Object.values(row.CVSS).filter(isObject) : [];
  const scores = sources.flatMap((source) => [
    ...SCORES.map((key) => source[key]),
    ...VECTORS.map((key) => baseScore(source[key])),
  ]);
  return worst(
    scores.map((score) => rated(typeof score === 'number' && score > 0 ? severityOfScore(score) : null, 'cvss')),
  );
}
