import { BadInput, CouldNot, Denied, messageOf } from '../lib/errors.ts';
import { ATTACHMENT_LIMITS, type Attachment, readAttachments } from './attachments.ts';
import { type ArtifactManifest, bundleManifest, EMPTY_CONFIG } from './bundle-manifest.ts';
import type { RegistryClient } from './client.ts';
import { addToLegacyTag, attestationLayer, type LegacyLayer, signatureLayer } from './legacy-tag.ts';
import type { Descriptor } from './manifest.ts';
import { OCI_MANIFEST } from './media-types.ts';
import { addToReferrersTag } from './referrers-tag.ts';
import { RegistryRefused } from './refusal.ts';

/** What to attach, already signed. Bytes are stored as they are. */
export interface ReadyAttachment {
  /** The Sigstore bundle, as JSON. */
  bundleBytes: Buffer;
  predicateType: string;
  /** The DSSE envelope as JSON: also kept at `.att`, for readers of cosign's older format. */
  envelope?: Buffer;
  /** Simple signing payload and its signature in base64: also kept at `.sig`. */
  simpleSigning?: { payload: Buffer; signature: string };
}

export interface AttachedAll {
  /** The manifests of the bundles, in the order of the input. */
  bundles: Descriptor[];
  /** Digests of the manifests at the older tags, null where nothing was to be kept there. */
  signatureManifest: string | null;
  attestationManifest: string | null;
}

/**
 * Attaches everything to one subject in one step: each bundle as a referrer, envelopes at `.att` and payloads at `.sig`;
 * then reads all of it back, as a verifier would, and compares the bytes. `now` (milliseconds) is the annotation `created`.
 *
 * What is not there when it is read back is written again: on a busy machine another writer may take longer from reading a tag
 * to writing it than anybody waits for. Writing again adds nothing that is there.
 *
 * Throws BadInput for what no reader would take, Denied where the subject is not there as described or what is read back is
 * not what was written, CouldNot where the registry does not keep it. After an error some of it may be there: do it again.
 */
export async function attachAll(
  client: RegistryClient,
  repository: string,
  subject: Descriptor,
  attachments: readonly ReadyAttachment[],
  now: number,
): Promise<AttachedAll> {
  for (const attachment of attachments) check(attachment);
  await checkSubject(client, repository, subject);
  const manifests = attachments.map(({ bundleBytes, predicateType }) =>
    bundleManifest(subject, bundleBytes, predicateType, now),
  );
  const signatures = attachments.flatMap(({ simpleSigning }) =>
    simpleSigning === undefined ? [] : [signatureLayer(simpleSigning.payload, simpleSigning.signature)],
  );
  const attestations = attachments.flatMap(({ envelope, predicateType }) =>
    envelope === undefined ? [] : [attestationLayer(envelope, predicateType)],
  );
  for (let round = 1; ; round++) {
    const [, signatureManifest, attestationManifest] = await Promise.all([
      attachBundles(client, repository, subject.digest, attachments, manifests),
      writeLegacy(client, repository, subject.digest, 'signature-tag', signatures),
      writeLegacy(client, repository, subject.digest, 'attestation-tag', attestations),
    ]);
    try {
      await readBack(client, repository, subject.digest, { attachments, manifests, signatures, attestations });
      return { bundles: manifests.map(({ descriptor }) => descriptor), signatureManifest, attestationManifest };
    } catch (thrown) {
      if (round === ROUNDS || !(thrown instanceof CouldNot && thrown.code === 'attach.not_kept')) throw thrown;
      await client.timing.sleep(ROUND_DELAY * round * (0.5 + client.timing.random()));
    }
  }
}

const ROUNDS = 4;
/** Milliseconds. */
const ROUND_DELAY = 1000;

function check({ bundleBytes, predicateType, envelope, simpleSigning }: ReadyAttachment): void {
  for (const [what, bytes] of [
    ['bundle', bundleBytes],
    ['envelope', envelope],
    ['payload', simpleSigning?.payload],
  ] as const) {
    if (bytes !== undefined && (bytes.length === 0 || bytes.length > ATTACHMENT_LIMITS.bytes)) {
      throw new BadInput(
        'attach.size',
        `the ${what} of ${predicateType} has ${bytes.length} bytes: readers take 1 to ${ATTACHMENT_LIMITS.bytes}; keep large content in the evidence store and sign its digest`,
      );
    }
  }
  if (simpleSigning !== undefined && !/^[A-Za-z0-9+/]+={0,2}$/.test(simpleSigning.signature)) {
    throw new BadInput('attach.signature', `the simple signing signature beside ${predicateType} is not base64`);
  }
}

async function checkSubject(client: RegistryClient, repository: string, subject: Descriptor): Promise<void> {
  const found = await client.getManifest(repository, subject.digest);
  if (found.size !== subject.size || found.mediaType !== subject.mediaType) {
    throw new Denied(
      'attach.subject',
      `${repository}@${subject.digest} is ${found.mediaType} of ${found.size} bytes, not ${subject.mediaType} of ${subject.size}: referrers would name a subject that is not there`,
    );
  }
}

async function attachBundles(
  client: RegistryClient,
  repository: string,
  subject: string,
  attachments: readonly ReadyAttachment[],
  manifests: ArtifactManifest[],
): Promise<void> {
  if (manifests.length === 0) return;
  await client.putBytes(repository, EMPTY_CONFIG);
  for (const { bundleBytes } of attachments) await client.putBytes(repository, bundleBytes);
  for (const { bytes } of manifests) await client.putManifest(repository, { mediaType: OCI_MANIFEST, bytes });
  await ensureListed(
    client,
    repository,
    subject,
    manifests.map(({ descriptor }) => descriptor),
  );
}

const LISTINGS = 3;
const LISTING_DELAY = 300;

/**
 * Sees to it that referrers can be found: by the registry's API, which may need a moment, else by the referrers tag. It
 * trusts what the API lists, not that there is one: some answer 200 and list nothing.
 */
export async function ensureListed(
  client: RegistryClient,
  repository: string,
  subject: string,
  referrers: Descriptor[],
): Promise<void> {
  let missing = referrers;
  for (let listing = 1; listing <= LISTINGS; listing++) {
    const listed = await client.listReferrers(repository, subject);
    if (listed === null) break;
    const digests = new Set(listed.map((entry) => entry.digest));
    missing = referrers.filter((entry) => !digests.has(entry.digest));
    if (missing.length === 0) return;
    if (listing < LISTINGS) await client.timing.sleep(LISTING_DELAY * listing);
  }
  await advised(() => addToReferrersTag(client, repository, subject, missing));
}

async function writeLegacy(
  client: RegistryClient,
  repository: string,
  subject: string,
  source: 'signature-tag' | 'attestation-tag',
  layers: LegacyLayer[],
): Promise<string | null> {
  if (layers.length === 0) return null;
  return await advised(() => addToLegacyTag(client, repository, subject, source, layers));
}

/** A registry that refuses to write a tag a second time says little about the way out. */
async function advised<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof RegistryRefused) || ![400, 403, 405, 409, 412].includes(error.status)) throw error;
    throw new CouldNot(
      'registry.tag_refused',
      `${messageOf(error)}. If the repository's tags are immutable, except sha256-* from that (signatures are kept under such tags), or attach bundles only`,
      error,
    );
  }
}

interface Expected {
  attachments: readonly ReadyAttachment[];
  manifests: ArtifactManifest[];
  signatures: LegacyLayer[];
  attestations: LegacyLayer[];
}

async function readBack(
  client: RegistryClient,
  repository: string,
  subject: string,
  expected: Expected,
): Promise<void> {
  const found = await readAttachments(client, repository, subject);
  const missing = [
    ...expected.manifests.filter(
      (manifest, i) => !found.some((entry) => isBundle(entry, manifest, expected.attachments[i]?.bundleBytes)),
    ),
    ...expected.signatures.filter(
      (layer) =>
        !found.some(
          (entry) =>
            entry.kind === 'legacy-signature' &&
            isLayer(entry.bytes, layer) &&
            entry.signature === layer.descriptor.annotations['dev.cosignproject.cosign/signature'],
        ),
    ),
    ...expected.attestations.filter(
      (layer) => !found.some((entry) => entry.kind === 'legacy-attestation' && isLayer(entry.bytes, layer)),
    ),
  ];
  if (missing.length > 0) {
    const what = missing.map(({ descriptor }) => descriptor.digest).join(', ');
    throw new CouldNot(
      'attach.not_kept',
      `${client.registry}/${repository}@${subject}: ${missing.length} of what was attached cannot be read back (${what}): the registry did not keep it or somebody removed it; run again`,
    );
  }
}

function isBundle(entry: Attachment, { descriptor }: ArtifactManifest, bytes: Buffer | undefined): boolean {
  return (
    entry.kind === 'bundle' && entry.from === descriptor.digest && bytes !== undefined && entry.bytes.equals(bytes)
  );
}

function isLayer(bytes: Buffer, layer: LegacyLayer): boolean {
  return bytes.equals(layer.bytes);
}
