import { digestOf, hexOf } from '../lib/digest.ts';
import { parseBundle } from './bundle.ts';
import type { Provenance } from './provenance.ts';
import { PROVENANCE_TYPE } from './provenance.ts';
import { signStatement } from './sign.ts';
import type { Signer } from './signer.ts';
import { STATEMENT_V1 } from './statement.ts';

/** An image signature, as cosign 3 writes it. */
export const SIGNATURE_TYPE = 'https://sigstore.dev/cosign/sign/v1';
export const CYCLONEDX_TYPE = 'https://cyclonedx.org/bom';

/** One signed statement about an image, in the newer format and, ready beside it, in the older one of cosign 1 and 2. */
export interface ImageAttestation {
  bundleBytes: Buffer;
  predicateType: string;
  /** Of the bundle's bytes; the record artifact.signed names it. */
  digest: string;
  envelope?: Buffer;
  simpleSigning?: { payload: Buffer; signature: string };
}

/**
 * Signs all that an image needs to be promoted: signature, provenance and, for what has content of its own, the SBOM. Both
 * formats of each statement, since readers of one are confused by the other alone (cosign 3 ignores older signatures as soon
 * as any bundle is there).
 */
export async function attestImage(
  signer: Signer,
  image: { name: string; digest: string },
  provenance: Provenance,
  sbom: Record<string, unknown> | null,
): Promise<ImageAttestation[]> {
  const predicates: [string, Record<string, unknown>][] = [
    [PROVENANCE_TYPE, { ...provenance }],
    ...(sbom === null ? [] : [[CYCLONEDX_TYPE, sbom] as [string, Record<string, unknown>]]),
  ];
  const attestations = await Promise.all(predicates.map(([type, predicate]) => attest(signer, image, type, predicate)));
  const signature = await attest(signer, image, SIGNATURE_TYPE, {});
  const { envelope: _, ...bundleOnly } = signature;
  return [...attestations, { ...bundleOnly, simpleSigning: await signSimply(signer, image) }];
}

/** One statement about an image, with its envelope for the older format. */
export async function attest(
  signer: Signer,
  image: { name: string; digest: string },
  predicateType: string,
  predicate: Record<string, unknown>,
): Promise<ImageAttestation & { envelope: Buffer }> {
  const bundleBytes = await signStatement(signer, {
    _type: STATEMENT_V1,
    subject: [{ name: image.name, digest: { sha256: hexOf(image.digest) } }],
    predicateType,
    predicate,
  });
  return { bundleBytes, predicateType, digest: digestOf(bundleBytes), envelope: envelopeOf(bundleBytes) };
}

/** The DSSE envelope of a bundle as JSON of its own. */
export function envelopeOf(bundleBytes: Buffer): Buffer {
  const { payload, payloadType, signature } = parseBundle(bundleBytes, 'bundle');
  return Buffer.from(
    JSON.stringify({
      payloadType,
      payload: payload.toString('base64'),
      signatures: [{ keyid: '', sig: signature.toString('base64') }],
    }),
  );
}

/** Simple signing (containers/image, "atomic signature"): what cosign 1 and 2 verify. */
async function signSimply(
  signer: Signer,
  image: { name: string; digest: string },
): Promise<{ payload: Buffer; signature: string }> {
  const payload = Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': image.name },
        image: { 'docker-manifest-digest': image.digest },
        type: 'cosign container image signature',
      },
      optional: null,
    }),
  );
  return { payload, signature: (await signer.sign(payload)).toString('base64') };
}
