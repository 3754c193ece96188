import * as z from '../lib/zod.ts';
import { atLeastOne, name, pem, slug, time } from './primitives.ts';
import { role } from './roles.ts';

export const KEY_PREDICATE_TYPE = 'urn:gatehouse:key:v1';

/**
 * `gatehouse/key/1`: a public key of the ledger, whose role it has, for which repositories and when. The predicate of a
 * statement signed by role release, at `v1/keys/<id>.json`; a later word on the same key (an end, a revocation) is another
 * document, at `v1/keys/<id>~<digest>.json`, and every one of them has to allow what the key signs.
 */
export const keyDocument = z.strictObject({
  schema: z.literal('gatehouse/key/1'),
  id: slug,
  role,
  publicKey: pem,
  /** Repository ids whose runs it may sign for; `*` for any. */
  repositories: atLeastOne(name),
  from: time,
  until: z.nullable(time),
  revokedAt: z.nullable(time),
});
export type KeyDocument = z.infer<typeof keyDocument>;
