import * as z from '../lib/zod.ts';
import { atLeastOne, commit, digest, fingerprint, name, platformKind, slug, time } from './primitives.ts';

/** The register is the predicate of a statement with this type. */
export const REGISTER_PREDICATE_TYPE = 'urn:gatehouse:register:v1';

const window = { from: time, until: z.nullable(time) };

/**
 * `gatehouse/register/1`: what must change without a new tag. One document signed by role release, numbered without gaps,
 * create-only at `v1/register/<n10>.json`; gate, deploy and admission read the newest.
 */
export const register = z.strictObject({
  schema: z.literal('gatehouse/register/1'),
  number: z.int().check(z.minimum(1), z.maximum(9_999_999_999)),
  time,
  minimumVersion: name,
  releases: atLeastOne(
    z.strictObject({
      version: name,
      commits: z.array(z.strictObject({ platform: platformKind, host: slug, sha: commit })),
      distDigest: digest,
      contractDigest: digest,
      policyDigest: digest,
      notAfter: z.nullable(time),
    }),
  ),
  /** Windows of the contract's keys by key id; a key without an entry is not in force. */
  keys: z.array(z.strictObject({ id: slug, ...window, revokedAt: z.nullable(time) })),
  revokedDigests: z.array(z.strictObject({ digest, reason: name, since: time })),
  /** Business associate agreements. */
  agreements: z.array(z.strictObject({ service: name, effective: time, expires: time })),
  waivers: z.array(
    z.strictObject({
      id: slug,
      fingerprint: fingerprint,
      digest,
      requester: name,
      approver: name,
      ticket: name,
      effective: time,
      expires: time,
    }),
  ),
  people: z.array(
    z.strictObject({
      personId: name,
      name,
      accounts: z.array(z.strictObject({ platform: platformKind, host: slug, userId: slug })),
    }),
  ),
  groups: z.array(z.strictObject({ group: name, personId: name, active: z.boolean(), ...window })),
});
export type Register = z.infer<typeof register>;
