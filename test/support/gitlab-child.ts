import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { type GitlabWorld, gitlabWorld, PEOPLE, type Where } from './fake-gitlab.ts';
import { type ZipEntry, zip } from './zip.ts';

type Json = Record<string, unknown>;

export const CHILD: Where = { project: 7001, path: 'care/lab-results', pipeline: 9101, sha: 'c'.repeat(40) };
export const COMPONENT_SHA = 'e'.repeat(40);
export const CHILD_TEMPLATE = 'gitlab-components/templates/child/template.yml';
export const CHILD_JOBS = { build: 6101, test: 6102, scan: 6103 } as const;

/** The jobs of a template as GitLab merges them into a configuration: inputs and the component's commit filled in. */
export function rendered(template: string, inputs: Record<string, string>, sha: string): Json {
  const [header, body] = parseAllDocuments(template).map((document) => document.toJS());
  const values = Object.entries(header.spec.inputs as Record<string, { default?: string }>).map(
    ([name, { default: preset }]): [string, string | undefined] => [`inputs.${name}`, inputs[name] ?? preset],
  );
  const fillings = new Map([...values, ['component.sha', sha]]);
  const fill = (value: unknown): unknown => {
    if (typeof value === 'string')
      return value.replace(/\$\[\[ ([a-z.-]+) \]\]/g, (_, name: string) => {
        const filling = fillings.get(name);
        if (filling === undefined) throw new Error(`input ${name} is not given`);
        return filling;
      });
    if (Array.isArray(value)) return value.map(fill);
    if (typeof value === 'object' && value !== null)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [fill(key), fill(inner)]));
    return value;
  };
  return fill(body) as Json;
}

export const COMPONENTS = 'example-health/compliance-components';
const IMAGES = {
  'build-image': `registry.example.org/ci/build@sha256:${'1'.repeat(64)}`,
  'job-image': `registry.example.org/ci/node@sha256:${'2'.repeat(64)}`,
};

/** What the child's scan runs in, as the parent names it. */
export const SCAN_IMAGE = IMAGES['job-image'];

/** The child's own file, of which GitLab makes that configuration. */
export function childFile(sha = COMPONENT_SHA): Record<string, unknown> {
  return {
    include: [{ component: `gitlab.example.org/${COMPONENTS}/child@${sha}`, inputs: IMAGES }],
    default: { before_script: ['echo hello'] },
    lint: { script: ['npm run lint'] },
  };
}

/** The child's whole configuration: our component at this commit, and a job of the application's own. */
export function childConfiguration(sha = COMPONENT_SHA): Json {
  return {
    default: { before_script: ['echo hello'] },
    lint: { script: ['npm run lint'] },
    ...rendered(readFileSync(CHILD_TEMPLATE, 'utf8'), IMAGES, sha),
  };
}

/** Sets the configuration as GitLab's lint gives it. */
export function configure(child: GitlabWorld, change: (configuration: Record<string, Json>) => void): void {
  const configuration = parse(String(child.lint?.merged_yaml));
  change(configuration);
  child.lint = { valid: true, merged_yaml: stringify(configuration), errors: [], warnings: [] };
}

/** Puts what a job left into its archive. */
export function leave(child: GitlabWorld, jobId: number, archive: Buffer): void {
  child.artifacts.set(jobId, archive);
  Object.assign(child.jobs.find(({ id }) => id === jobId) as Json, {
    artifacts: [
      { file_type: 'archive', size: archive.length, filename: 'artifacts.zip', file_format: 'zip' },
      { file_type: 'metadata', size: 160, filename: 'metadata.gz', file_format: 'gzip' },
    ],
  });
}

/** An honest child of the parent's pipeline: started by a trigger job, all its jobs succeeded. */
export function addChild(world: GitlabWorld, at: Where = CHILD, sha = COMPONENT_SHA): GitlabWorld {
  const child = gitlabWorld(at);
  Object.assign(child.pipeline, { source: 'pipeline', status: 'success', tag: false });
  const job = (id: number, name: string) =>
    child.make.job(
      id + at.pipeline - CHILD.pipeline,
      name,
      { allow_failure: false, finished_at: '2026-01-31T07:55:00.000Z', artifacts: [] },
      at,
    );
  child.jobs = [
    job(CHILD_JOBS.build, 'gatehouse-build'),
    job(CHILD_JOBS.test, 'gatehouse-test'),
    job(CHILD_JOBS.scan, 'gatehouse-scan'),
    job(6104, 'lint'),
  ];
  child.lint = {
    valid: true,
    merged_yaml: stringify(childConfiguration(sha)),
    errors: [],
    warnings: [],
  };
  child.files.set('.gitlab-ci.yml', stringify(childFile(sha), { aliasDuplicateObjects: false }));
  world.children.push(child);
  world.bridges.push({
    id: 6200 + world.bridges.length,
    name: `gatehouse-${at.path.split('/').at(-1)}-children`,
    status: 'success',
    allow_failure: false,
    user: child.make.user(PEOPLE.merger),
    downstream_pipeline: {
      id: at.pipeline,
      project_id: at.project,
      sha: at.sha,
      ref: 'main',
      status: 'success',
      source: 'pipeline',
    },
  });
  leave(
    child,
    job(CHILD_JOBS.scan, '').id as number,
    zip([
      { name: 'reports/', mode: 0o040755 },
      { name: 'reports/a.json', content: '{}' },
    ]),
  );
  leave(child, job(CHILD_JOBS.build, '').id as number, zip([{ name: 'image/index.json', content: '{}' }]));
  return child;
}

/** The files of a folder as entries of an archive, below `as`. */
export function entriesOf(folder: string, as: string): ZipEntry[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort()
    .map((path) => ({ name: `${as}/${path}`, content: readFileSync(join(folder, path)) }));
}
