import { optionIn } from '../command-line.ts';
import { type Category, type Draft, type Reason, reading, type Tool } from '../reading.ts';
import { at, has, isObject, type JsonObject, type Shape, shapeOf, strings, text } from '../shape.ts';
import { draftsOfResult } from './sarif-results.ts';
import { rulesOf } from './sarif-rules.ts';
import { conventionsOf, type SarifTool, sarifTool } from './sarif-tools.ts';
import { switchedOn } from './trivy-scanners.ts';

const RUN_FIELDS = new Set([
  'results',
  'artifacts',
  'invocations',
  'logicalLocations',
  'threadFlowLocations',
  'taxonomies',
  'versionControlProvenance',
  'graphs',
  'addresses',
  'translations',
  'policies',
  'webRequests',
  'webResponses',
  'runAggregates',
]);
const FIELDS = new Set(['runs', 'inlineExternalProperties']);
const NOTIFICATIONS = ['toolExecutionNotifications', 'toolConfigurationNotifications'];
/** SARIF 2.1.0 §3.58.6: a notification without a level is a warning. */
const HARMLESS = new Set<unknown>(['note', 'none']);

/** SARIF 2.1.0 of any tool. The tool's name comes out of the file (`tool.driver.name`). */
export const sarif: Tool = {
  name: 'sarif',
  ...conventionsOf('sarif'),
  claims(document) {
    return isObject(document) && has(document, 'runs') && (has(document, 'version') || has(document, '$schema'))
      ? 'certain'
      : 'none';
  },
  read(document, argv) {
    const shape = shapeOf('SARIF of version 2.1.0');
    if (at(document, 'version') !== '2.1.0') shape.problem('version is not 2.1.0');
    if (isObject(document)) shape.unread(document, FIELDS, 'the report');
    const runs = shape.required(at(document, 'runs'), 'runs');
    const names = [...new Set(runs.map((run) => text(at(run, 'tool', 'driver', 'name')) ?? 'unknown'))];
    const tool = sarifTool(names[0] ?? 'unknown');
    const covers = runs.length === 0 ? [] : coversOf(tool, runs, argv);
    const drafts: Draft[] = [];
    const reasons: Reason[] = [];
    let total = 0;
    for (const run of runs) {
      const rules = rulesOf(run);
      total += rules.total;
      shape.unread(run, RUN_FIELDS, 'runs[]');
      for (const result of shape.rows(run.results ?? [], 'runs[].results')) {
        for (const draft of draftsOfResult(result, rules, tool.covers[0] ?? 'sast', run)) drafts.push(draft);
      }
      reasons.push(...reasonsOf(run, shape));
    }
    if (runs.length === 0) reasons.push({ code: 'no_targets', detail: 'the report holds no run' });
    if (tool.listsRules && total === 0)
      reasons.push({ code: 'engine_failed', detail: `${tool.name} ran no rule: check the rule set's name` });
    if (tool.name === 'semgrep' && argv.length > 0 && optionIn(argv, '--max-target-bytes') !== '0') {
      reasons.push({
        code: 'filtered_output',
        detail:
          'semgrep left out files over a size of its own, and its SARIF does not say which: run it with --max-target-bytes 0',
      });
    }
    if (names.length > 1) {
      reasons.push({
        code: 'wrong_tool',
        detail: `the report holds runs of ${names.length} tools (${names.slice(0, 5).join(', ')}): hand in one report a tool`,
      });
    }
    const driver = at(runs[0], 'tool', 'driver');
    return reading({
      tool: tool.name,
      format: 'sarif-2.1.0',
      version: tool.fixedVersion ? null : (text(at(driver, 'semanticVersion')) ?? text(at(driver, 'version'))),
      rules: tool.listsRules ? total : null,
      covers,
      drafts,
      reasons: [...shape.reasons(), ...reasons],
      about: aboutOf(runs),
    });
  },
};

/** Trivy writes the same SARIF for images, files and configuration; only for an image it names one. */
function coversOf(tool: SarifTool, runs: readonly JsonObject[], argv: readonly string[]): Category[] {
  if (tool.name !== 'trivy') return [...tool.covers];
  return runs.every((run) => text(at(run, 'properties', 'imageID')) !== null) ? switchedOn(['container'], argv) : [];
}

function reasonsOf(run: JsonObject, shape: Shape): Reason[] {
  const reasons: Reason[] = [];
  if (!has(run, 'results'))
    reasons.push({ code: 'no_targets', detail: 'a run has no results: the tool only described itself' });
  else if (run.results === null)
    reasons.push({ code: 'engine_failed', detail: 'the results of a run are null: the tool did not get to scan' });
  const elsewhere = at(run, 'externalPropertyFileReferences', 'results');
  if (Array.isArray(elsewhere) && elsewhere.length > 0) {
    reasons.push({
      code: 'truncated',
      detail: 'results of a run stand in other files (externalPropertyFileReferences)',
    });
  }
  const invocations = shape.rows(run.invocations, 'runs[].invocations');
  if (invocations.some(failed))
    reasons.push({
      code: 'engine_failed',
      detail: 'the tool says that its run was not successful (executionSuccessful)',
    });
  const notifications = invocations.flatMap((invocation) =>
    NOTIFICATIONS.flatMap((key) => shape.rows(invocation[key], key)),
  );
  const serious = notifications.filter((notification) => !HARMLESS.has(notification.level));
  if (serious.length > 0)
    reasons.push({
      code: 'parse_errors',
      detail: `the tool reports ${serious.length} errors and warnings of its own${kindsOf(serious)}`,
    });
  return reasons;
}

function failed(invocation: JsonObject): boolean {
  return (
    invocation.executionSuccessful === false ||
    has(invocation, 'processStartFailureMessage') ||
    has(invocation, 'exitSignalName')
  );
}

/** What a notification says quotes the code; its kind does not. */
function kindsOf(notifications: readonly JsonObject[]): string {
  const kinds = [...new Set(notifications.flatMap((notification) => strings(at(notification, 'descriptor', 'id'))))];
  return kinds.length === 0 ? '' : `: ${kinds.slice(0, 5).join(', ')}`;
}

function aboutOf(runs: readonly JsonObject[]): { digests: string[]; commit: string | null } {
  const references = runs.flatMap((run) => strings(at(run, 'properties', 'repoDigests')));
  const digests = references.flatMap((reference) => reference.match(/sha256:[0-9a-f]{64}$/) ?? []);
  const provenance = runs.flatMap((run) =>
    Array.isArray(run.versionControlProvenance) ? run.versionControlProvenance : [],
  );
  const commits = [...new Set(provenance.flatMap((one) => strings(at(one, 'revisionId'))))];
  return { digests, commit: commits.length === 1 ? (commits[0] as string) : null };
}
