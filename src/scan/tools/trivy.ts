import { optionIn } from '../command-line.ts';
import { type Category, type Reading, type Reason, reading, type Tool } from '../reading.ts';
import { at, count, has, isObject, type JsonObject, type Shape, shapeOf, strings, text } from '../shape.ts';
import { draftsOf } from './trivy-rows.ts';
import { switchedOn } from './trivy-scanners.ts';

const NAME = 'trivy';
const CLUSTER_LISTS = ['Resources', 'Vulnerabilities', 'Misconfigurations', 'Findings'];
const FIELDS = new Set(['Results']);
const ALL_SEVERITIES = ['unknown', 'low', 'medium', 'high', 'critical'];

/**
 * Trivy (`--format json`): schema 2, the cluster report, and the list that releases before 0.20 wrote. It ends with 0 whatever
 * it found unless told `--exit-code`, and filters before it writes. Which database it used stands nowhere in the report.
 */
export const trivy: Tool = {
  name: NAME,
  filters: [
    { flags: ['--severity', '-s'], all: ALL_SEVERITIES },
    { flags: ['--ignore-unfixed'], bare: true },
    { flags: ['--ignore-status'] },
    { flags: ['--ignorefile'] },
    { flags: ['--ignore-policy'] },
    { flags: ['--ignored-licenses'] },
    { flags: ['--vex'] },
    { flags: ['--skip-dirs'] },
    { flags: ['--skip-files'] },
    { flags: ['--pkg-types', '--vuln-type'], all: ['os', 'library'] },
    { flags: ['--pkg-relationships'] },
    { flags: ['--config', '-c'] },
  ],
  foundCode(argv) {
    const code = Number(optionIn(argv, '--exit-code') ?? 0);
    return code === 0 ? null : { code, always: true };
  },
  claims(document) {
    if (Array.isArray(document)) {
      if (document.length === 0) return 'possible';
      return document.every((row) => isObject(row) && has(row, 'Target')) ? 'certain' : 'none';
    }
    if (!isObject(document)) return 'none';
    if (has(document, 'SchemaVersion') || (has(document, 'ArtifactName') && has(document, 'ArtifactType')))
      return 'certain';
    return has(document, 'ClusterName') && CLUSTER_LISTS.some((list) => has(document, list)) ? 'certain' : 'none';
  },
  read(document, argv) {
    const shape = shapeOf('trivy report of schema 2');
    if (Array.isArray(document)) return readLegacy(document, shape);
    if (!isObject(document)) return reading({ tool: NAME, format: 'trivy-json' });
    return has(document, 'ClusterName') || has(document, 'Resources')
      ? readCluster(document, shape)
      : readArtifact(document, argv, shape);
  },
};

function readArtifact(document: JsonObject, argv: readonly string[], shape: Shape): Reading {
  if (document.SchemaVersion !== 2) shape.problem('SchemaVersion is not 2');
  shape.unread(document, FIELDS, 'the report');
  const results = shape.rows(document.Results, 'Results');
  const type = text(document.ArtifactType);
  const name = text(document.ArtifactName);
  const packages: Category = type === 'container_image' ? 'container' : 'sca';
  const drafts = draftsOf(results, { packages, image: type === 'container_image' ? name : null, within: null }, shape);
  const covers = switchedOn(coversOf(results, type === null ? null : packages), argv);
  const digests = [name ?? '', ...strings(at(document, 'Metadata', 'RepoDigests'))].flatMap(
    (ref) => ref.match(/sha256:[0-9a-f]{64}$/) ?? [],
  );
  return reading({
    tool: NAME,
    format: 'trivy-json',
    version: text(at(document, 'Trivy', 'Version')),
    covers,
    drafts,
    reasons: [
      ...shape.reasons(),
      ...targetsOf(results, covers),
      ...summariesOf(results),
      ...systemOf(document, results),
    ],
    scanned: results.length,
    about: { digests, commit: text(at(document, 'Metadata', 'Commit')) },
    writtenAt: text(document.CreatedAt),
  });
}

/** The images of a cluster report are many: it shows the cluster's configuration, and no image's completeness. */
function readCluster(document: JsonObject, shape: Shape): Reading {
  shape.unread(document, new Set(CLUSTER_LISTS), 'the report');
  const resources = CLUSTER_LISTS.flatMap((list) => shape.rows(document[list], list));
  const failed = resources.filter((resource) => text(resource.Error) !== null).length;
  const results: JsonObject[] = [];
  const common = reading({ tool: NAME, format: 'trivy-k8s-json', scanned: resources.length });
  for (const resource of resources) {
    const within = [resource.Namespace, resource.Kind, resource.Name].flatMap(strings).join('/');
    const own = shape.rows(resource.Results, 'Resources[].Results');
    for (const draft of draftsOf(own, { packages: 'container', image: null, within }, shape)) common.drafts.push(draft);
    for (const result of own) results.push(result);
  }
  const covers = coversOf(results, null).filter((category) => category === 'iac');
  const errors: Reason[] =
    failed === 0 ? [] : [{ code: 'parse_errors', detail: `${failed} resources could not be scanned` }];
  return {
    ...common,
    covers,
    reasons: [...shape.reasons(), ...errors, ...targetsOf(results, covers), ...summariesOf(results)],
  };
}

function readLegacy(document: unknown[], shape: Shape): Reading {
  shape.problem('a list, as releases before 0.20 wrote it: it does not say what was scanned');
  const results = shape.rows(document, 'the report');
  const drafts = draftsOf(results, { packages: 'container', image: null, within: null }, shape);
  return reading({
    tool: NAME,
    format: 'trivy-json-legacy',
    drafts,
    reasons: [...shape.reasons(), ...targetsOf(results, [])],
    scanned: results.length,
  });
}

/** Only what a result of its class shows. A clean secret scan leaves none, so it cannot be told from no scan. */
function coversOf(results: readonly JsonObject[], packages: Category | null): Category[] {
  const classes = new Set(results.map((result) => result.Class));
  const covers: Category[] = [];
  if (packages !== null && (classes.has('os-pkgs') || classes.has('lang-pkgs'))) covers.push(packages);
  if (classes.has('config')) covers.push('iac');
  if (classes.has('secret')) covers.push('secrets');
  return covers;
}

function targetsOf(results: readonly JsonObject[], covers: readonly Category[]): Reason[] {
  if (results.length === 0) {
    return [
      {
        code: 'no_targets',
        detail: 'no target was scanned (Results is missing or empty): trivy found nothing it knows how to scan',
      },
    ];
  }
  if (covers.length > 0) return [];
  return [
    {
      code: 'no_targets',
      detail: 'no result shows that packages, configuration or secrets of the subject were scanned',
    },
  ];
}

function summariesOf(results: readonly JsonObject[]): Reason[] {
  return results.flatMap((result): Reason[] => {
    const declared = count(at(result, 'MisconfSummary', 'Failures')) ?? 0;
    const rows = result.Misconfigurations;
    const present = Array.isArray(rows) ? rows.length : 0;
    if (declared <= present) return [];
    return [{ code: 'truncated', detail: `a summary counts ${declared} failed checks, the report holds ${present}` }];
  });
}

/** What the image's operating system says about the result. */
function systemOf(document: JsonObject, results: readonly JsonObject[]): Reason[] {
  const system = at(document, 'Metadata', 'OS');
  const family = text(at(system, 'Family'));
  if (family === null) return [];
  const reasons: Reason[] = [];
  const classes = results.map((result) => result.Class);
  if (classes.includes('lang-pkgs') && !classes.includes('os-pkgs')) {
    reasons.push({
      code: 'filtered_output',
      detail: `the image has an operating system (${family}), but its packages are not in the report`,
    });
  }
  if (at(system, 'EOSL') === true) {
    const release = `${family} ${text(at(system, 'Name')) ?? ''}`.trim();
    reasons.push({
      code: 'database_stale',
      detail: `${release} is past its end of life: nobody reports its vulnerabilities any more, so few findings say little`,
    });
  }
  return reasons;
}
