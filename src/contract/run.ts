import * as z from '../lib/zod.ts';
import { attempt, commit, name, platformKind, slug } from './primitives.ts';

/** A ref and a commit of it; the pair in which callers and workflows are named. */
const pinned = z.strictObject({ ref: name, sha: commit });

export const runner = z.strictObject({
  name,
  /** Runner group (GitHub), runner tag or id (GitLab), `local`. */
  pool: name,
  environment: z.nullable(name),
  hosted: z.boolean(),
  image: z.nullable(name),
});

/** Which run said this: the same shape in records, facts and decisions. Values come from verified claims, never from variables. */
export const run = z.strictObject({
  platform: z.enum([...platformKind.options, 'cluster']),
  host: slug,
  repository: name,
  repositoryId: slug,
  id: slug,
  attempt: attempt,
  parent: z.nullable(z.strictObject({ host: slug, repositoryId: slug, runId: slug })),
  caller: z.nullable(pinned),
  workflow: z.nullable(pinned),
  ref: name,
  sha: commit,
  event: name,
  job: slug,
  runner,
});
export type Run = z.infer<typeof run>;

/** The file `--run` of a local run: which run it is and how many steps it has had. Written by `evidence-emit --type run.opened`. */
export const runFile = z.strictObject({
  id: slug,
  attempt: attempt,
  jobKey: slug,
  nextStep: z.int().check(z.minimum(1), z.maximum(100_000)),
});
export type RunFile = z.infer<typeof runFile>;
