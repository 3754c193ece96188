import * as z from '../lib/zod.ts';
import { commit, count, digest, name, slug, text } from './primitives.ts';

/**
 * `gatehouse/collected/1`: what `collect` took from a job of another repository's pipeline, and where GitLab says that it came
 * from. It lies beside the folder `files`; its own digest covers every file by theirs.
 */
export const collected = z.strictObject({
  schema: z.literal('gatehouse/collected/1'),
  parent: z.strictObject({ host: slug, repositoryId: slug, runId: slug }),
  child: z.strictObject({ repository: name, repositoryId: slug, runId: slug, ref: name, sha: commit, startedBy: slug }),
  job: z.strictObject({ name, id: slug, finishedAt: text, user: z.nullable(slug), runner: z.nullable(slug) }),
  archive: z.strictObject({ digest, bytes: count }),
  files: z.array(z.strictObject({ path: text, digest, bytes: count })).check(z.minLength(1), z.maxLength(10_000)),
});
/** The jobs of the child component whose artifacts are collected. */
export type Part = 'build' | 'scan';
/** Name of such a job, by the child component's template. */
export const childJob = (part: Part): string => `gatehouse-${part}`;
export type Collected = z.infer<typeof collected>;
