import { cveIds, cweIds } from '../finding.ts';
import { type Category, type Draft, draft, type Severity } from '../reading.ts';
import { CRITICAL_BY_POLICY, type Rating, rated, severityOfScore, severityOfWord, worst } from '../severity.ts';
import { at, count, isObject, type JsonObject, strings, text } from '../shape.ts';
import { type Rules, ruleIdOf, wordsOf } from './sarif-rules.ts';

/** SARIF 2.1.0 §3.27.9: these kinds of result are no findings; a missing or unknown kind is one. */
const NO_FINDING = new Set<unknown>(['pass', 'open', 'informational', 'notApplicable', 'review']);
/** Rules of checkov and semgrep that look for secrets. */
const SECRET_RULE = /^CKV_SECRET_|(^|\.)secrets\./;
/** The level "none" is for what is no finding; on a finding it says nothing (trivy writes it for an unknown severity). */
const LEVELS = new Map<string, Severity>([
  ['error', 'high'],
  ['warning', 'medium'],
  ['note', 'low'],
]);

/**
 * The drafts of one result: one a location, so that a waiver for one place excuses no other, and at least one.
 * `category` is that of the tool.
 */
export function draftsOfResult(result: JsonObject, rules: Rules, category: Category, run: JsonObject): Draft[] {
  if (NO_FINDING.has(result.kind)) return [];
  const rule = rules.of(result);
  const id = ruleIdOf(result) ?? text(rule?.id);
  const own = categoryOf(id ?? '', wordsOf(rule), category);
  const isSecret = own === 'secrets';
  const common: Pick<Draft, 'category' | 'rule' | 'title'> & Partial<Draft> = {
    category: own,
    rule: id ?? 'unknown',
    title: titleOf(rule) ?? id ?? 'a finding without a rule',
    ...(isSecret ? CRITICAL_BY_POLICY : ratingOf(result, rule)),
    cve: cveIds([id ?? '', ...wordsOf(rule)]),
    cwe: cweIds([...wordsOf(rule), ...strings(at(result, 'properties', 'cwe'))]),
    suppressed: suppressionOf(result),
  };
  const prints = [...leaves(result.fingerprints), ...leaves(result.partialFingerprints)];
  const locations = Array.isArray(result.locations) ? result.locations : [];
  return (locations.length === 0 ? [undefined] : locations).map((location) => {
    const region = at(location, 'physicalLocation', 'region');
    const line = count(at(region, 'startLine'));
    const place = `${line}:${count(at(region, 'startColumn'))}:${count(at(region, 'byteOffset'))}`;
    return draft({
      ...common,
      path: pathOf(location, run),
      line,
      key: prints.length > 0 && !isSecret ? prints : [place, ...logical(location)],
      secret: isSecret ? text(at(region, 'snippet', 'text')) : null,
    });
  });
}

/** Trivy's rules say of what kind a finding is; a secret found by any tool is a secret. */
function categoryOf(id: string, words: readonly string[], category: Category): Category {
  if (words.includes('secret') || SECRET_RULE.test(id)) return 'secrets';
  return words.includes('misconfiguration') ? 'iac' : category;
}

/**
 * The worst of the result's level, its rule's default level and the rule's `security-severity`: an error of 9.8 is critical,
 * which no level can say. A level that nobody gives is unknown, not the "warning" that the schema would assume.
 */
function ratingOf(result: JsonObject, rule: JsonObject | null): Rating {
  const level = rated(severityOfWord(result.level, LEVELS), 'tool');
  const byDefault = rated(severityOfWord(at(rule, 'defaultConfiguration', 'level'), LEVELS), 'rule-default');
  return worst([level ?? byDefault, rated(scored(result), 'tool'), rated(scored(rule), 'rule-default')]);
}

/** A score as text or number; some tools write a word there. */
function scored(holder: unknown): Severity | null {
  const value = at(holder, 'properties', 'security-severity');
  const score = typeof value === 'number' ? value : text(value) === null ? Number.NaN : Number(value);
  return severityOfScore(score) ?? severityOfWord(value);
}

/** Only the rule's own words: a result's message quotes the code, which may hold a secret. */
function titleOf(rule: JsonObject | null): string | null {
  return (
    text(at(rule, 'shortDescription', 'text')) ?? text(at(rule, 'name')) ?? text(at(rule, 'fullDescription', 'text'))
  );
}

/** SARIF 2.1.0 §3.35.3: under review or rejected is not suppressed. */
function suppressionOf(result: JsonObject): Draft['suppressed'] {
  const all = Array.isArray(result.suppressions) ? result.suppressions.filter(isObject) : [];
  const [first] = all;
  if (first === undefined || !all.every((one) => one.status === undefined || one.status === 'accepted')) return null;
  return { by: text(first.kind) ?? 'unknown', reason: text(first.justification) ?? '' };
}

function pathOf(location: unknown, run: JsonObject): string | null {
  const artifact = at(location, 'physicalLocation', 'artifactLocation');
  const index = count(at(artifact, 'index'));
  const artifacts = run.artifacts;
  const listed = index !== null && Array.isArray(artifacts) ? at(artifacts[index], 'location', 'uri') : undefined;
  return text(at(artifact, 'uri')) ?? text(listed);
}

function logical(location: unknown): string[] {
  const names = at(location, 'logicalLocations');
  return Array.isArray(names) ? names.flatMap((name) => strings(at(name, 'fullyQualifiedName'))) : [];
}

/** Fingerprints as `name=value`, also where a tool nests them once; semgrep's "requires login" tells nothing apart. */
function leaves(value: unknown): string[] {
  if (!isObject(value)) return [];
  const flat = Object.entries(value).flatMap(([key, one]) =>
    isObject(one) ? Object.entries(one).map(([inner, leaf]) => [`${key}.${inner}`, leaf]) : [[key, one]],
  );
  return flat
    .flatMap(([key, leaf]) => (text(leaf) === null || leaf === 'requires login' ? [] : [`${key}=${leaf}`]))
    .sort();
}
