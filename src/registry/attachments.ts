import { CouldNot, Denied, type GatehouseError } from '../lib/errors.ts';
import type { RegistryClient } from './client.ts';
import { type Descriptor, type ImageManifest, parseManifest } from './manifest.ts';
import { DSSE_ENVELOPE, isBundleType, SIMPLE_SIGNING } from './media-types.ts';
import { tagOfDigest } from './names.ts';
import { inParallel } from './parallel.ts';
import { listAllReferrers, type Source } from './referrers.ts';

interface Found {
  /** Digest of the manifest that holds it, or the tag where not even that could be read. */
  from: string;
  source: Source;
}

/** A Sigstore bundle, unverified. */
export interface BundleAttachment extends Found {
  kind: 'bundle';
  mediaType: string;
  bytes: Buffer;
}

/** A cosign signature of the older kind, unverified: the simple signing payload and what signs it. */
export interface LegacySignature extends Found {
  kind: 'legacy-signature';
  bytes: Buffer;
  /** Base64; empty where the manifest has none. */
  signature: string;
  annotations: Record<string, string>;
}

/** A DSSE envelope of the older kind, unverified. */
export interface LegacyAttestation extends Found {
  kind: 'legacy-attestation';
  bytes: Buffer;
  annotations: Record<string, string>;
}

/** A referrer that holds no Sigstore bundle: another tool's SBOM or signature. */
export interface OtherReferrer extends Found {
  kind: 'other';
  artifactType: string | null;
}

/** Something that is there but cannot be read, or is not what it says: Denied for its content, CouldNot for the registry. */
export interface UnreadableAttachment extends Found {
  kind: 'unreadable';
  error: GatehouseError;
}

export type Attachment = BundleAttachment | LegacySignature | LegacyAttestation | OtherReferrer | UnreadableAttachment;

export interface AttachmentLimits {
  /** The most bytes of one attachment. */
  bytes: number;
  /** The most referrers of an image, and the most layers under each of its older tags. */
  count: number;
}

/** The same limits as Kyverno's, so that what is read here is also read in the cluster. */
export const ATTACHMENT_LIMITS: AttachmentLimits = { bytes: 10 * 1024 * 1024, count: 50 };

const AT_ONCE = 6;

/**
 * Everything attached to a digest, in both formats and from every place where it may be: the referrers API, the referrers
 * tag, `.sig` and `.att`. Nothing is verified but that content has its digest and that a referrer's own manifest names this
 * subject; what the lists say of an artifact's type is ignored. Each artifact is read on its own: one that is broken becomes
 * an `unreadable` entry and hides no other.
 *
 * Throws Denied `attachments.too_many` above the limit, CouldNot where a list itself cannot be had.
 */
export async function readAttachments(
  client: RegistryClient,
  repository: string,
  digest: string,
  limits: AttachmentLimits = ATTACHMENT_LIMITS,
): Promise<Attachment[]> {
  const reader = { client, repository, digest, limits };
  const [referrers, signatures, attestations] = await Promise.all([
    readReferrers(reader),
    readLegacy(reader, 'signature-tag'),
    readLegacy(reader, 'attestation-tag'),
  ]);
  return [...referrers, ...signatures, ...attestations];
}

/** `sha256-<hex>.sig` and `sha256-<hex>.att`: where cosign's older format keeps what belongs to a digest. */
export function legacyTag(digest: string, source: 'signature-tag' | 'attestation-tag'): string {
  return `${tagOfDigest(digest)}.${source === 'signature-tag' ? 'sig' : 'att'}`;
}

interface Reader {
  client: RegistryClient;
  repository: string;
  digest: string;
  limits: AttachmentLimits;
}

async function readReferrers(reader: Reader): Promise<Attachment[]> {
  const { listed, problems } = await listAllReferrers(reader.client, reader.repository, reader.digest);
  refuseTooMany(listed.length, 'referrers', reader);
  const read = await inParallel(listed, AT_ONCE, (entry) => {
    const found = { from: entry.digest, source: entry.source };
    return orUnreadable(found, () => readReferrer(reader, found));
  });
  return [...problems.map((problem) => ({ kind: 'unreadable' as const, ...problem })), ...read];
}

async function readReferrer(reader: Reader, found: Found): Promise<Attachment> {
  const { client, repository, digest, limits } = reader;
  const fetched = await client.getManifest(repository, found.from);
  const { kind, document } = parseManifest(fetched.bytes, fetched.mediaType, `referrer ${found.from}`, denied);
  if (document.subject?.digest !== digest) {
    throw denied(
      'attachment.foreign_subject',
      `referrer ${found.from} is listed for ${digest} but its manifest names ${document.subject?.digest ?? 'no subject'}: it says nothing about this image`,
    );
  }
  const bundles = kind === 'image' ? document.layers.filter((layer) => isBundleType(layer.mediaType)) : [];
  const [bundle] = bundles;
  if (bundle === undefined || kind !== 'image') {
    return {
      ...found,
      kind: 'other',
      artifactType: document.artifactType ?? (kind === 'image' ? document.config.mediaType : null),
    };
  }
  if (document.layers.length !== 1) {
    throw denied(
      'attachment.malformed',
      `referrer ${found.from} has ${document.layers.length} layers: a bundle's manifest has exactly one`,
    );
  }
  return {
    ...found,
    kind: 'bundle',
    mediaType: bundle.mediaType,
    bytes: await client.getBlob(repository, bundle, limits.bytes),
  };
}

async function readLegacy(reader: Reader, source: 'signature-tag' | 'attestation-tag'): Promise<Attachment[]> {
  const tag = legacyTag(reader.digest, source);
  const manifest = await readLegacyManifest(reader, tag);
  if (manifest === null) return [];
  if ('error' in manifest) return [{ kind: 'unreadable', from: tag, source, error: manifest.error }];
  const { from, layers } = manifest;
  refuseTooMany(layers.length, `layers at the tag ${tag}`, reader);
  return await inParallel(layers, AT_ONCE, (layer) =>
    orUnreadable({ from, source }, () => readLayer(reader, { from, source }, layer)),
  );
}

async function readLegacyManifest(
  { client, repository }: Reader,
  tag: string,
): Promise<{ from: string; layers: ImageManifest['layers'] } | { error: Denied } | null> {
  try {
    const fetched = await client.findManifest(repository, tag);
    if (fetched === null) return null;
    const { kind, document } = parseManifest(fetched.bytes, fetched.mediaType, `${repository}:${tag}`, denied);
    if (kind !== 'image')
      throw denied(
        'attachment.malformed',
        `${repository}:${tag} is an index: signatures are kept in an image manifest`,
      );
    return { from: fetched.digest, layers: document.layers };
  } catch (error) {
    if (error instanceof Denied) return { error };
    throw error;
  }
}

async function readLayer({ client, repository, limits }: Reader, found: Found, layer: Descriptor): Promise<Attachment> {
  const expected = found.source === 'signature-tag' ? SIMPLE_SIGNING : DSSE_ENVELOPE;
  if (layer.mediaType !== expected) {
    throw denied(
      'attachment.malformed',
      `layer ${layer.digest} of ${found.from} is of type ${layer.mediaType}: expected ${expected}`,
    );
  }
  const bytes = await client.getBlob(repository, layer, limits.bytes);
  const annotations = layer.annotations ?? {};
  return found.source === 'signature-tag'
    ? {
        ...found,
        kind: 'legacy-signature',
        bytes,
        signature: annotations['dev.cosignproject.cosign/signature'] ?? '',
        annotations,
      }
    : { ...found, kind: 'legacy-attestation', bytes, annotations };
}

async function orUnreadable(found: Found, read: () => Promise<Attachment>): Promise<Attachment> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof Denied || error instanceof CouldNot) return { ...found, kind: 'unreadable', error };
    throw error;
  }
}

function refuseTooMany(count: number, what: string, { repository, digest, limits }: Reader): void {
  if (count > limits.count) {
    throw denied(
      'attachments.too_many',
      `${repository}@${digest} has ${count} ${what}, more than the ${limits.count} that are read: among so many one could be hidden; remove what does not belong to it`,
    );
  }
}

function denied(code: string, message: string, cause?: unknown): Denied {
  return new Denied(code, message, cause);
}
