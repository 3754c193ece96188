import type { Job } from './promote-copy.ts';

/**
 * Which permission of the job's token a request needs (GitHub docs, "Permissions required for fine-grained personal access
 * tokens"); null for what every token may read (metadata).
 */
const NEEDS: [pattern: RegExp, permission: string | null][] = [
  [/^GET \/repos\/[^/]+\/[^/]+$/, null],
  [/^GET \/repos\/[^/]+\/[^/]+\/rules\/branches\/[^/]+$/, null],
  [/^GET \/repos\/[^/]+\/[^/]+\/actions\/(runs|jobs)\//, 'actions'],
  [/^GET \/repos\/[^/]+\/[^/]+\/(branches|commits|compare)\/[^/]+$/, 'contents'],
  [/^GET \/repos\/[^/]+\/[^/]+\/activity$/, 'contents'],
  [/^GET \/repos\/[^/]+\/[^/]+\/commits\/[^/]+\/pulls$/, 'pull-requests'],
  [/^GET \/repos\/[^/]+\/[^/]+\/pulls\//, 'pull-requests'],
];

/** The permissions that a job needs: by what it asked of the API and the runner, and by the actions that it uses. Sorted. */
export function permissionsOf(job: Job, asked: ReadonlySet<string> | undefined): string[] {
  const byRequest = [...(asked ?? [])].map((request) => {
    const found = NEEDS.find(([pattern]) => pattern.test(request));
    if (found === undefined) throw new Error(`nothing is known of the permission that ${request} needs`);
    return found[1];
  });
  const bySteps = job.steps.flatMap(({ uses = '', env }) => [
    ...(uses.startsWith('actions/checkout@') ? ['contents'] : []),
    ...(JSON.stringify(env ?? {}).includes('ghcr.io') ? ['packages'] : []),
  ]);
  const needed = [...byRequest, ...bySteps, ...(asked === undefined ? [] : ['id-token'])];
  return [...new Set(needed.filter((permission) => permission !== null))].sort();
}
