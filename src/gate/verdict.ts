import { attest, type ImageAttestation } from '../attestation/image.ts';
import type { Signer } from '../attestation/signer.ts';
import type { Decision } from '../contract/decision.ts';
import { hexOf } from '../lib/digest.ts';

export const VERDICT_TYPE = 'https://slsa.dev/verification_summary/v1';

/**
 * An allowed deploy as a SLSA verification summary (slsa.dev/spec/v1.0/verification_summary), for readers in the cluster: one
 * statement that says which policy passed for which environment. `record` is the decision's.
 */
export async function attestVerdict(
  signer: Signer,
  image: { name: string; digest: string },
  decision: Decision,
  record: { key: string; digest: string },
): Promise<ImageAttestation> {
  return await attest(signer, image, VERDICT_TYPE, {
    verifier: { id: 'urn:gatehouse:gate' },
    timeVerified: decision.now,
    resourceUri: `${image.name}@${image.digest}`,
    policy: {
      uri: `urn:gatehouse:policy/${decision.workflow?.release ?? 'unreleased'}/${decision.environment}/${decision.stage}`,
      digest: { sha256: hexOf(decision.input.policyDigest) },
    },
    inputAttestations: [{ uri: `urn:gatehouse:record:${record.key}`, digest: { sha256: hexOf(record.digest) } }],
    verificationResult: 'PASSED',
    verifiedLevels: [],
  });
}
