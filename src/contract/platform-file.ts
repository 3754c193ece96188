import * as z from '../lib/zod.ts';
import { attempt, commit, name, slug, time } from './primitives.ts';

/**
 * `gatehouse/platform/1`: one JSON file that plays the platform for profile local, read the way an API would be asked. It
 * proves nothing about people or refs: whoever can write it can say anything, which is why only profile local reads it.
 */
export const platformFile = z.strictObject({
  schema: z.literal('gatehouse/platform/1'),
  host: slug,
  repository: z.strictObject({ id: slug, name }),
  protectedRefs: z.array(name),
  commits: z.array(
    z.strictObject({
      sha: commit,
      base: z.nullable(commit),
      reachableFrom: z.array(name),
      people: z.array(z.strictObject({ userId: slug, as: z.enum(['author', 'coauthor', 'committer', 'pusher']) })),
      reviews: z.array(
        z.strictObject({
          userId: slug,
          state: z.enum(['approved', 'changes_requested', 'commented', 'dismissed']),
          at: time,
        }),
      ),
    }),
  ),
  /** The last entry is the run that a new `run.opened` belongs to. */
  runs: z.array(
    z.strictObject({
      id: slug,
      attempt: attempt,
      job: slug,
      ref: name,
      sha: commit,
      event: name,
      triggeredBy: slug,
      reranBy: z.nullable(slug),
    }),
  ),
  approvals: z.array(
    z.strictObject({
      runId: slug,
      attempt: attempt,
      environment: name,
      userId: slug,
      state: z.enum(['approved', 'rejected']),
      at: time,
    }),
  ),
});
export type PlatformFile = z.infer<typeof platformFile>;
