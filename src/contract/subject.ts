import * as z from '../lib/zod.ts';
import { commitDigest, digest, name } from './primitives.ts';

export const subject = z.strictObject({
  /** For an image `registry/repository`. */
  name,
  kind: z.enum(['image', 'commit', 'plan', 'file']),
  digest: z.union([digest, commitDigest]),
});

/** A subject of a promotion: always an image, an index and each of its children on their own. */
export const imageSubject = z.strictObject({ name, kind: z.literal('image'), digest, platform: z.nullable(name) });

/** The workflow that the gate runs in, by verified claims. `release` is the registered version that this commit is. */
export const workflow = z.strictObject({
  callerRef: z.nullable(name),
  callerSha: z.nullable(name),
  jobRef: z.nullable(name),
  jobSha: z.nullable(name),
  release: z.nullable(name),
});
