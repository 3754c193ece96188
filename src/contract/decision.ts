import * as z from '../lib/zod.ts';
import { atLeastOne, digest, name, stage, text, time } from './primitives.ts';
import { run } from './run.ts';
import { imageSubject, workflow } from './subject.ts';
import { target } from './target.ts';

export const reason = z.strictObject({
  rule: z.string().check(z.regex(/^[a-z]+([._][a-z]+)*$/)),
  /** `skipped`: not judged, because profile local has nothing to judge or because the rule named in the message failed first. */
  outcome: z.enum(['pass', 'fail', 'waived', 'skipped']),
  message: text,
  fix: z.nullable(text),
  /** Citations out of the control map, for example `45 CFR 164.312(b)`. */
  controls: z.array(name),
  /** Record keys and registry digests that the rule looked at. */
  evidence: z.array(text),
});
export type Reason = z.infer<typeof reason>;

/**
 * `gatehouse/decision/1`. Everything that came from facts is null or empty when the facts did not fit their schema: such a
 * decision is a denial `facts.schema`.
 */
export const decision = z.strictObject({
  schema: z.literal('gatehouse/decision/1'),
  id: z.uuid(),
  stage: z.nullable(stage),
  outcome: z.enum(['allow', 'deny']),
  subjects: z.array(imageSubject),
  environment: z.nullable(name),
  target: z.nullable(target),
  run: z.nullable(run),
  workflow: z.nullable(workflow),
  now: time,
  notAfter: time,
  simulated: z.boolean(),
  reasons: atLeastOne(reason),
  input: z.strictObject({
    factsDigest: digest,
    contractDigest: digest,
    policyDigest: digest,
    customPolicyDigest: z.nullable(digest),
    registerDigest: z.nullable(digest),
    registerNumber: z.nullable(z.int().check(z.minimum(1))),
    engine: name,
  }),
  waivers: z.array(name),
});
export type Decision = z.infer<typeof decision>;
