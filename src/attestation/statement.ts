import * as z from '../lib/zod.ts';

export const STATEMENT_V1 = 'https://in-toto.io/Statement/v1';
/** `cosign attest` still writes this one; read, never written. */
const STATEMENT_V0 = 'https://in-toto.io/Statement/v0.1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

const subject = z.looseObject({
  name: z.optional(z.string()),
  digest: z
    .record(z.string(), z.string().check(z.regex(/^[0-9a-f]{40,128}$/)))
    .check(z.refine((digests) => Object.keys(digests).length > 0, 'expected at least one digest')),
});

/** in-toto Statement: whoever knows the predicate type has to check the predicate with its own schema. */
export const statement = z.strictObject({
  _type: z.enum([STATEMENT_V1, STATEMENT_V0]),
  subject: z.array(subject).check(z.minLength(1), z.maxLength(1024)),
  predicateType: z.string().check(z.minLength(1), z.maxLength(512)),
  predicate: z.record(z.string(), z.unknown()),
});
export type Statement = z.infer<typeof statement>;

/** Pre-authentication encoding of DSSE: the bytes that are signed (secure-systems-lab/dsse, protocol.md). */
export function preAuthEncoding(payloadType: string, payload: Uint8Array): Buffer {
  return Buffer.concat([
    Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `),
    payload,
  ]);
}
