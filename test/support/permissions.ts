import type { Job } from './promote-copy.ts';

/** Permissions of a job's token by scope, as a workflow grants them: `{ contents: 'read' }`. */
export type Permissions = Record<string, string>;
type Need = [scope: string, level: 'read' | 'write'];

/**
 * What a request needs of the job's token (GitHub docs, "Permissions required for fine-grained personal access tokens", and
 * for the registry "Working with the Container registry"); empty for what every token may read (metadata). Requests to the
 * registry are those below /v2/: whatever host the image lies on here, on GitHub's it is the scope `packages` that is asked.
 */
const REQUESTS: [pattern: RegExp, needs: Need[]][] = [
  [/^GET \/repos\/[^/]+\/[^/]+$/, []],
  [/^GET \/repos\/[^/]+\/[^/]+\/rules\/branches\/[^/]+$/, []],
  [/^GET \/repos\/[^/]+\/[^/]+\/actions\/(runs|jobs)\//, [['actions', 'read']]],
  [/^GET \/repos\/[^/]+\/[^/]+\/(branches|commits|compare)\/[^/]+$/, [['contents', 'read']]],
  [/^GET \/repos\/[^/]+\/[^/]+\/activity$/, [['contents', 'read']]],
  [/^GET \/repos\/[^/]+\/[^/]+\/commits\/[^/]+\/pulls$/, [['pull-requests', 'read']]],
  [/^GET \/repos\/[^/]+\/[^/]+\/pulls\//, [['pull-requests', 'read']]],
  // Of an issue it would be `issues`; of a pull request either will do.
  [/^GET \/repos\/[^/]+\/[^/]+\/issues\/[^/]+\/events$/, [['pull-requests', 'read']]],
  [/^(GET|HEAD) \/v2\//, [['packages', 'read']]],
  [/^(POST|PATCH|PUT) \/v2\//, [['packages', 'write']]],
];

/** What the actions of others need, each by its own README. Ours ask the API, the runner and the registry themselves. */
const ACTIONS: Record<string, Need[]> = {
  'actions/checkout': [['contents', 'read']],
  'actions/upload-artifact': [],
  'actions/download-artifact': [],
  'actions/attest-build-provenance': [
    ['attestations', 'write'],
    ['id-token', 'write'],
  ],
};

/** What a command of a script needs that is given the job's token: GitHub docs, "Create a release", "Create" and "Update a reference". */
const SCRIPTS: [pattern: RegExp, needs: Need[]][] = [
  [/^gh release (create|edit) /, [['contents', 'write']]],
  [/^gh api --method (PATCH|POST) "?repos\/\S+\/git\/refs/, [['contents', 'write']]],
];

/**
 * The permissions that a job needs: by its steps and, for our own actions, by what they were seen to ask (`METHOD path`) of the
 * API and the registry. `asked` is undefined for a job that never asked the runner who it is. Throws for a step or a request
 * of which nothing is known.
 */
export function permissionsOf(job: Job, asked: ReadonlySet<string> | undefined): Permissions {
  const byRequest = [...(asked ?? [])].flatMap((request) => known(REQUESTS, request));
  return union([
    ...byRequest,
    ...(asked === undefined ? [] : [['id-token', 'write'] as Need]),
    ...job.steps.flatMap(ofStep),
  ]);
}

function ofStep({ uses, run, ...step }: Job['steps'][number]): Need[] {
  if (run !== undefined) {
    if (!/github\.token|secrets\.GITHUB_TOKEN/.test(JSON.stringify(step))) return [];
    return (run.match(/\b(?:gh|git|curl) .*/g) ?? [run]).flatMap((command) => known(SCRIPTS, command));
  }
  const [name = ''] = (uses ?? '').split('@');
  if (name.startsWith('$/')) return [];
  const needs = ACTIONS[name];
  if (needs === undefined) throw new Error(`nothing is known of the permissions that ${name} needs`);
  return needs;
}

function known(table: [pattern: RegExp, needs: Need[]][], text: string): Need[] {
  const found = table.filter(([pattern]) => pattern.test(text));
  if (found.length === 0) throw new Error(`nothing is known of the permission that ${text} needs`);
  return found.flatMap(([, needs]) => needs);
}

/** The least that grants all of these: of a scope that is named more than once, the higher level. */
export function union(needs: Iterable<readonly [scope: string, level: string]>): Permissions {
  const all: Permissions = {};
  for (const [scope, level] of needs) if (all[scope] !== 'write') all[scope] = level;
  return all;
}

/** How what is granted differs from what is needed, a line for each scope. */
export function differences(granted: Permissions, needed: Permissions): string[] {
  const scopes = [...new Set([...Object.keys(granted), ...Object.keys(needed)])].sort();
  return scopes
    .filter((scope) => granted[scope] !== needed[scope])
    .map((scope) => `${scope} is granted ${granted[scope] ?? 'not at all'}, needed ${needed[scope] ?? 'not at all'}`);
}

/** The same for every job of a workflow, by what each was seen to ask. */
export function permissionFaults(jobs: Record<string, Job>, asked: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  return Object.entries(jobs).flatMap(([name, job]) =>
    differences(job.permissions ?? {}, permissionsOf(job, asked.get(name))).map((fault) => `${name}: ${fault}`),
  );
}
