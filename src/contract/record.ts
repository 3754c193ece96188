import * as z from '../lib/zod.ts';
import { atLeastOne, count, digest, name, slug, text, time } from './primitives.ts';
import { run } from './run.ts';
import { subject } from './subject.ts';

export const PREDICATE_TYPE = 'urn:gatehouse:evidence:v1';
export const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** A record with its envelope has at most 64 KiB (a C2SP log entry's limit); larger things are attachments. */
export const RECORD_LIMIT = 64 * 1024;

export const attachment = z.strictObject({
  key: text,
  digest,
  size: count,
  mediaType: name,
  encoding: z.enum(['identity', 'gzip']),
  role: name,
});
export type Attachment = z.infer<typeof attachment>;

export const changeTicket = z.strictObject({
  system: name,
  id: name,
  state: z.nullable(name),
  verifiedAt: z.nullable(time),
});

/** `gatehouse/record/1`: the predicate of one piece of evidence. `data` depends on `type`; unknown types stay opaque to readers. */
export const record = z.strictObject({
  specversion: z.literal('1.0'),
  schema: z.literal('gatehouse/record/1'),
  /** UUID v5 of the slot: run, job key, step key, seq, type. */
  id: z.uuid(),
  type: z.string().check(z.regex(/^[a-z]+(\.[a-z]+)+$/), z.maxLength(64)),
  source: text,
  time,
  producer: z.strictObject({ name, version: name, digest }),
  run,
  actor: z.strictObject({
    identity: name,
    kind: z.enum(['human', 'workload']),
    provider: name,
    subjectId: name,
    triggeredBy: z.nullable(name),
    session: z.nullable(z.strictObject({ role: name, name })),
    authn: z.nullable(z.strictObject({ method: name, time })),
  }),
  environment: z.nullable(name),
  subjects: z.array(subject).check(z.minLength(1), z.maxLength(64)),
  outcome: z.enum(['success', 'failure', 'denied', 'error', 'skipped', 'cancelled']),
  changeTicket: z.nullable(changeTicket),
  /** The deploy id, on records of one deploy. */
  opId: z.nullable(z.uuid()),
  controls: atLeastOne(name),
  policy: z.array(z.strictObject({ name, digest })),
  /** Counts the records of one process from 0. */
  seq: z.int().check(z.minimum(0), z.maximum(9999)),
  attachments: z.array(attachment).check(z.maxLength(64)),
  data: z.record(z.string(), z.unknown()),
});
export type Record = z.infer<typeof record>;

/** in-toto Statement v1 around a record. */
export const recordStatement = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: atLeastOne(
    z.strictObject({ name, digest: z.record(slug, z.string().check(z.regex(/^[0-9a-f]{40,128}$/))) }),
  ),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: record,
});
