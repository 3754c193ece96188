import { z } from 'zod';
import { buildKind, commit, digest, isolation, milliseconds, name, stage, strength, text } from './primitives.ts';
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
const personId = name.nullable();

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
  people: z.array(person).min(1),
  base: commit.nullable(),
});

const signature = z.strictObject({ subject: digest, role, signer: name, time: milliseconds.nullable(), from });

const provenance = z.strictObject({
  subject: digest,
  build: buildKind,
  isolation,
  builder: text,
  /** Null for an adopted image: no source is claimed for what we did not build. */
  repositoryId: name.nullable(),
  ref: name.nullable(),
  sha: commit.nullable(),
  event: name.nullable(),
  time: milliseconds.nullable(),
  from,
});

const sbom = z.strictObject({
  subject: digest,
  format: name,
  components: z.int().min(0),
  time: milliseconds.nullable(),
  from,
});

const scan = z.strictObject({
  subject: digest.nullable(),
  commit: commit.nullable(),
  report: scanReportFact,
  time: milliseconds.nullable(),
  from,
});

export const approval = z.strictObject({
  personId,
  state: z.enum(['approved', 'rejected']),
  at: milliseconds,
  /** Which clock says `at`: the platform's time of a review, of the waiting job's start, of the job's player. */
  atFrom: z.enum(['review', 'job-start', 'job', 'platform']),
  digest: digest.nullable(),
  strength,
  entitlement: z.strictObject({ group: name, active: z.boolean(), at: milliseconds }).nullable(),
  from,
});

const tls = z.strictObject({
  endpoint: name,
  protocol: name,
  acceptedProtocols: z.array(name).min(1),
  notAfter: milliseconds,
  time: milliseconds,
  from,
});

/** A business associate whom the environment's services reach, with the dates of the agreement. */
const service = z.strictObject({ id: name, effective: milliseconds, expires: milliseconds });

const waiver = z.strictObject({
  id: name,
  fingerprint: z.string().regex(/^[0-9a-f]{16}$/),
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
  target: target.nullable(),
  subjects: z.array(imageSubject).min(1).max(64),
  run,
  workflow,
  source,
  signatures: z.array(signature),
  provenance: z.array(provenance),
  sboms: z.array(sbom),
  scans: z.array(scan),
  approvals: z.array(approval),
  runner: z.strictObject({ name, pool: name, hosted: z.boolean() }),
  registries: z.array(name).min(1),
  services: z.array(service),
  tls: z.array(tls),
  waivers: z.array(waiver),
  /** Digests that the register revokes. */
  revoked: z.array(digest),
  receipts: z.array(z.strictObject({ type: name, key: text, time: milliseconds })),
  changeTicket: z
    .strictObject({ system: name, id: name, state: name.nullable(), verifiedAt: milliseconds.nullable() })
    .nullable(),
  /** `openedWith`: the number that run.opened saw; a lower one now means that somebody hides registers. */
  register: z.strictObject({
    digest,
    number: z.int().min(1),
    time: milliseconds,
    openedWith: z.int().min(1).nullable(),
  }),
  clock: z.enum(['tsa', 'local']),
});
export type Facts = z.infer<typeof facts>;
