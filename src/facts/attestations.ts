import { CYCLONEDX_TYPE, SIGNATURE_TYPE } from '../attestation/image.ts';
import { claimsOf, PROVENANCE_TYPE, provenance as provenanceSchema } from '../attestation/provenance.ts';
import { type Verified, verifyStatement } from '../attestation/verify.ts';
import type { Facts } from '../contract/facts.ts';
import type { LedgerKey } from '../evidence/ledger-keys.ts';
import { digestOf } from '../lib/digest.ts';
import { Denied } from '../lib/errors.ts';
import * as z from '../lib/zod.ts';
import { type Attachment, readAttachments } from '../registry/attachments.ts';
import type { RegistryClient } from '../registry/client.ts';
import type { Ledger, VerifiedRecord } from './evidence.ts';

export type AttestationFacts = Pick<Facts, 'signatures' | 'provenance' | 'sboms'>;

/** CycloneDX 1.4 to 1.7, as far as rules read it. */
const cyclonedx = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.enum(['1.4', '1.5', '1.6', '1.7']),
  components: z.array(z.unknown()),
});

const signedData = z.looseObject({
  statements: z.array(z.strictObject({ predicateType: z.string(), digest: z.string() })),
});

/**
 * What the registry holds about one digest and a key of role build, in force at the time, has signed: signature, provenance,
 * SBOM. The key must be one that may sign for the run's repository, since provenance can claim any. A statement's time is the
 * store's time of the artifact.signed record that names its digest; one that no record names has no time, so no key was in force,
 * and it does not count. Anything else attached there is somebody else's and ignored.
 */
export async function attestationFacts(
  ledger: Ledger,
  client: RegistryClient,
  image: { repository: string; digest: string },
  signed: VerifiedRecord[],
  repositoryId: string,
): Promise<AttestationFacts> {
  const { repository, digest } = image;
  const times = statementTimes(signed);
  const keys = ledger.keys.filter((key) => key.role === 'build' && key.mayWrite(repositoryId));
  const facts: AttestationFacts = { signatures: [], provenance: [], sboms: [] };
  for (const attachment of await readAttachments(client, repository, digest)) {
    if (attachment.kind !== 'bundle') continue;
    const time = times.get(digestOf(attachment.bytes)) ?? null;
    const verified = verify(keys, attachment, digest, time);
    if (verified !== null) add(facts, verified, { subject: digest, time, from: attachment.from });
  }
  return facts;
}

/** Statement digest → milliseconds, by the earliest record that names it. */
function statementTimes(signed: VerifiedRecord[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const { record, storedAt } of signed) {
    // What a role may sign it may also sign badly: a record that says nothing gives no statement a time.
    for (const statement of signedData.safeParse(record.data).data?.statements ?? [])
      times.set(statement.digest, Math.min(storedAt, times.get(statement.digest) ?? storedAt));
  }
  return times;
}

function verify(
  keys: readonly LedgerKey[],
  attachment: Attachment & { kind: 'bundle' },
  digest: string,
  time: number | null,
): Verified | null {
  try {
    return verifyStatement(attachment.bytes, {
      keys,
      subjectDigest: digest,
      predicateTypes: [SIGNATURE_TYPE, PROVENANCE_TYPE, CYCLONEDX_TYPE],
      inForce: (id) => time !== null && keys.some((key) => key.id === id && key.inForce(time)),
    });
  } catch (cause) {
    if (cause instanceof Denied) return null;
    throw cause;
  }
}

function add(
  facts: AttestationFacts,
  { statement, signer }: Verified,
  common: { subject: string; time: number | null; from: string },
): void {
  if (statement.predicateType === SIGNATURE_TYPE) facts.signatures.push({ ...common, role: 'build', signer });
  if (statement.predicateType === PROVENANCE_TYPE) {
    const parsed = provenanceSchema.safeParse(statement.predicate);
    if (parsed.success) facts.provenance.push({ ...common, ...claimsOf(parsed.data) });
  }
  if (statement.predicateType === CYCLONEDX_TYPE) {
    const parsed = cyclonedx.safeParse(statement.predicate);
    if (parsed.success)
      facts.sboms.push({
        ...common,
        format: `CycloneDX ${parsed.data.specVersion}`,
        components: parsed.data.components.length,
      });
  }
}
