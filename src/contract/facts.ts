import * as z from '../lib/zod.ts';
import {
  atLeastOne,
  buildKind,
  commit,
  count,
  digest,
  fingerprint,
  isolation,
  milliseconds,
  name,
  stage,
  strength,
  text,
} from './primitives.ts';
import { role } from './roles.ts';
import { run } from './run.ts';
import { scanReportWith } from './scan-report-shape.ts';
import { imageSubject, workflow } from './subject.ts';
import { target } from './target.ts';

/** In facts: the same, with times in milliseconds. */
export const scanReportFact = scanReportWith(milliseconds);

/** Where a fact was verified: a record's key or a digest in the registry. */
const from = text;
/** Null when the platform's user could not be resolved to a person; that denies. */
const personId = z.nullable(name);

export const review = z.strictObject({
  personId,
  state: z.enum(['approved', 'changes_requested', 'commented', 'dismissed']),
  at: milliseconds,
});
export const person = z.strictObject({
  personId,
  as: z.enum(['author', 'coauthor', 'committer', 'pusher', 'trigger', 'rerunner']),
});

const source = z.strictObject({
  repositoryId: name,
  ref: name,
  sha: commit,
  protected: z.boolean(),
  reachableFromProtected: z.boolean(),
  reviews: z.array(review),
  people: atLeastOne(person),
  /** The commit that is deployed and upon which this one would be; null where none is. */
  base: z.nullable(commit),
  /** What landed in between, each with its own people and reviews; null in profile local and in previews, where nobody is asked. */
  beneath: z.nullable(z.array(z.strictObject({ sha: commit, people: atLeastOne(person), reviews: z.array(review) }))),
});

const signature = z.strictObject({ subject: digest, role, signer: name, time: z.nullable(milliseconds), from });

const provenance = z.strictObject({
  subject: digest,
  build: buildKind,
  isolation,
  builder: text,
  /** Null for an adopted image: no source is claimed for what we did not build. */
  repositoryId: z.nullable(name),
  ref: z.nullable(name),
  sha: z.nullable(commit),
  event: z.nullable(name),
  time: z.nullable(milliseconds),
  from,
});

const sbom = z.strictObject({
  subject: digest,
  format: name,
  components: count,
  time: z.nullable(milliseconds),
  from,
});

const scan = z.strictObject({
  subject: z.nullable(digest),
  commit: z.nullable(commit),
  report: scanReportFact,
  time: z.nullable(milliseconds),
  from,
});

export const approval = z.strictObject({
  personId,
  state: z.enum(['approved', 'rejected']),
  at: milliseconds,
  /** Which clock says `at`: the platform's time of a review, of the waiting job's start, of the job's player. */
  atFrom: z.enum(['review', 'job-start', 'job', 'platform']),
  digest: z.nullable(digest),
  strength,
  entitlement: z.nullable(z.strictObject({ group: name, active: z.boolean(), at: milliseconds })),
  from,
});

const tls = z.strictObject({
  endpoint: name,
  protocol: name,
  acceptedProtocols: atLeastOne(name),
  notAfter: milliseconds,
  time: milliseconds,
  from,
});

/** A business associate whom the environment's services reach, with the dates of the agreement. */
const service = z.strictObject({ id: name, effective: milliseconds, expires: milliseconds });

const waiver = z.strictObject({
  id: name,
  fingerprint,
  digest,
  requester: name,
  approver: name,
  ticket: name,
  effective: milliseconds,
  expires: milliseconds,
});

/**
 * `gatehouse/facts/1`: all that the judge is told. Assembled by `src/facts` from verified evidence and nothing else; times are
 * milliseconds. Missing, null where it may not be, unknown keys and other types are a denial `facts.schema`.
 */
export const facts = z.strictObject({
  schema: z.literal('gatehouse/facts/1'),
  stage,
  environment: name,
  target: z.nullable(target),
  subjects: z.array(imageSubject).check(z.minLength(1), z.maxLength(64)),
  run,
  workflow,
  source,
  signatures: z.array(signature),
  provenance: z.array(provenance),
  sboms: z.array(sbom),
  scans: z.array(scan),
  approvals: z.array(approval),
  runner: z.strictObject({ name, pool: name, hosted: z.boolean() }),
  registries: atLeastOne(name),
  services: z.array(service),
  tls: z.array(tls),
  waivers: z.array(waiver),
  /** Digests that the register revokes. */
  revoked: z.array(digest),
  receipts: z.array(z.strictObject({ type: name, key: text, time: milliseconds })),
  changeTicket: z.nullable(
    z.strictObject({ system: name, id: name, state: z.nullable(name), verifiedAt: z.nullable(milliseconds) }),
  ),
  /** `openedWith`: the number that run.opened saw; a lower one now means that somebody hides registers. */
  register: z.strictObject({
    digest,
    number: z.int().check(z.minimum(1)),
    time: milliseconds,
    openedWith: z.nullable(z.int().check(z.minimum(1))),
  }),
  clock: z.enum(['tsa', 'local']),
});
export type Facts = z.infer<typeof facts>;
