import { problemText } from '../contract/problems.ts';
import { Denied } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';

export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Standard base64 that decodes to one thing only: spare bits would let two texts mean one signature. */
const base64 = z.pipe(
  z.string().check(
    z.minLength(1),
    z.refine((text) => Buffer.from(text, 'base64').toString('base64') === text, 'expected base64'),
  ),
  z.transform((text) => Buffer.from(text, 'base64')),
);

/**
 * A Sigstore bundle v0.3 that holds a DSSE envelope signed by a plain key: the only kind written here. A certificate, a log
 * entry or a second signature is refused rather than ignored: what nobody checks must not ride along.
 */
const bundle = z.strictObject({
  mediaType: z.literal(BUNDLE_TYPE),
  verificationMaterial: z.strictObject({
    publicKey: z.strictObject({ hint: z.optional(z.string().check(z.maxLength(256))) }),
    tlogEntries: z.optional(z.array(z.unknown()).check(z.maxLength(0))),
    timestampVerificationData: z.optional(
      z.strictObject({
        rfc3161Timestamps: z.optional(z.array(z.strictObject({ signedTimestamp: base64 })).check(z.maxLength(8))),
      }),
    ),
  }),
  dsseEnvelope: z.strictObject({
    payload: base64,
    payloadType: z.string(),
    signatures: z.array(z.strictObject({ sig: base64, keyid: z.optional(z.literal('')) })).check(z.length(1)),
  }),
});

/** What a bundle says, all of it still unverified. */
export interface Bundle {
  payload: Buffer;
  payloadType: string;
  signature: Buffer;
  hint: string;
  /** RFC 3161 tokens over the signature. */
  timestamps: Buffer[];
}

/** Reads a bundle's JSON. Throws Denied `attestation.bundle` with the place that does not fit. */
export function parseBundle(bytes: Uint8Array, what: string): Bundle {
  let document: unknown;
  try {
    document = parseJson(bytes, what);
  } catch (cause) {
    throw new Denied('attestation.bundle', `not verified: ${(cause as Error).message}`, cause);
  }
  const parsed = bundle.safeParse(document);
  if (!parsed.success) {
    throw new Denied(
      'attestation.bundle',
      `not verified: ${what} is not a key-signed Sigstore bundle v0.3: ${problemText(parsed.error, bundle)}`,
    );
  }
  const { verificationMaterial: material, dsseEnvelope: envelope } = parsed.data;
  const [signature] = envelope.signatures as [{ sig: Buffer }];
  return {
    payload: envelope.payload,
    payloadType: envelope.payloadType,
    signature: signature.sig,
    hint: material.publicKey.hint ?? '',
    timestamps: (material.timestampVerificationData?.rfc3161Timestamps ?? []).map(
      (timestamp) => timestamp.signedTimestamp,
    ),
  };
}
