import { BadInput, Denied, type GatehouseError } from '../lib/errors.ts';
import { ensureListed } from './attach.ts';
import { legacyTag } from './attachments.ts';
import type { RegistryClient } from './client.ts';
import { appendLayers } from './legacy-tag.ts';
import { type Descriptor, type Manifest, parseManifest } from './manifest.ts';
import type { FetchedManifest } from './manifests.ts';
import { inParallel } from './parallel.ts';
import { listAllReferrers } from './referrers.ts';
import { updateTag } from './update-tag.ts';

/** A repository in a registry. */
export interface Place {
  client: RegistryClient;
  repository: string;
}

export interface Copied {
  /** Digests of the image manifests: the one that was asked for, then its children. */
  images: string[];
  /** Digests of the referrers. */
  referrers: string[];
  /** Older tags that were written. */
  tags: string[];
  /** What is listed at the source but is not what it says, and so was left there. */
  left: { from: string; error: GatehouseError }[];
}

const AT_ONCE = 3;
/** No layer is larger; it only keeps a stream without end from running for ever. */
const LAYER_LIMIT = 64 * 1024 ** 3;

/**
 * Copies an image by digest with all that belongs to it: its children, and for it and each child the referrers, `.sig` and
 * `.att`. Everything keeps its digest. A tag that already exists at the target gets the layers it lacks.
 *
 * Throws Denied where the image's own content does not match its digests; a broken referrer is left and reported instead, so
 * that nobody can stop a copy by attaching one.
 */
export async function copyImage(source: Place, digest: string, target: Place): Promise<Copied> {
  const images = await copyTree(source, digest, target);
  const copied: Copied = { images, referrers: [], tags: [], left: [] };
  for (const image of images) {
    await copyReferrers(source, image, target, copied);
    for (const kind of ['signature-tag', 'attestation-tag'] as const)
      await copyTag(source, legacyTag(image, kind), target, copied);
  }
  return copied;
}

/** Copies a manifest after all it points at; gives its digest and those of its children. */
async function copyTree(source: Place, digest: string, target: Place): Promise<string[]> {
  const fetched = await source.client.getManifest(source.repository, digest);
  const manifest = parsed(fetched);
  const children = manifest.kind === 'index' ? manifest.document.manifests : [];
  const below: string[] = [];
  for (const child of children) below.push(...(await copyTree(source, child.digest, target)));
  await copyManifest(source, fetched, manifest, target);
  return [digest, ...below];
}

async function copyManifest(source: Place, fetched: FetchedManifest, manifest: Manifest, target: Place): Promise<void> {
  const blobs = manifest.kind === 'image' ? [manifest.document.config, ...manifest.document.layers] : [];
  await inParallel(blobs, AT_ONCE, (blob) => copyBlob(source, blob, target));
  await target.client.putManifest(target.repository, fetched);
  const back = await target.client.getManifest(target.repository, fetched.digest);
  if (back.mediaType !== fetched.mediaType) {
    throw new Denied(
      'push.not_kept',
      `${target.repository}@${fetched.digest} reads back as ${back.mediaType}, not ${fetched.mediaType}`,
    );
  }
}

async function copyBlob(source: Place, blob: Descriptor, target: Place): Promise<void> {
  await target.client.putBlob(target.repository, blob, async function* () {
    yield* await source.client.openBlob(source.repository, blob, LAYER_LIMIT);
  });
}

async function copyReferrers(source: Place, subject: string, target: Place, copied: Copied): Promise<void> {
  const { listed, problems } = await listAllReferrers(source.client, source.repository, subject);
  copied.left.push(...problems.map(({ from, error }) => ({ from, error })));
  const descriptors: Descriptor[] = [];
  for (const { digest } of listed) {
    const descriptor = await orLeft(digest, copied, () => copyReferrer(source, digest, subject, target));
    if (descriptor !== null) descriptors.push(descriptor);
  }
  if (descriptors.length > 0) await ensureListed(target.client, target.repository, subject, descriptors);
  copied.referrers.push(...descriptors.map((entry) => entry.digest));
}

async function copyReferrer(source: Place, digest: string, subject: string, target: Place): Promise<Descriptor> {
  const fetched = await source.client.getManifest(source.repository, digest);
  const manifest = parsed(fetched);
  const { document } = manifest;
  if (document.subject?.digest !== subject) {
    throw new Denied(
      'attachment.foreign_subject',
      `referrer ${digest} is listed for ${subject} but its manifest names ${document.subject?.digest ?? 'no subject'}`,
    );
  }
  await copyTree(source, digest, target);
  const artifactType =
    document.artifactType ?? (manifest.kind === 'image' ? manifest.document.config.mediaType : undefined);
  const { mediaType, size } = fetched;
  return {
    mediaType,
    digest,
    size,
    ...(artifactType ? { artifactType } : {}),
    ...(document.annotations ? { annotations: document.annotations } : {}),
  };
}

async function copyTag(source: Place, tag: string, target: Place, copied: Copied): Promise<void> {
  const fetched = await source.client.findManifest(source.repository, tag);
  if (fetched === null) return;
  const done = await orLeft(tag, copied, async () => {
    const manifest = parsed(fetched);
    if (manifest.kind === 'index')
      throw new Denied(
        'attachment.malformed',
        `${source.repository}:${tag} is an index: signatures are kept in an image manifest`,
      );
    const { layers } = manifest.document;
    await copyManifest(source, fetched, manifest, target);
    await updateTag(target.client, target.repository, tag, (current) =>
      current === null ? { ...fetched, blobs: [] } : appendLayers(current, layers, `${target.repository}:${tag}`),
    );
    return tag;
  });
  if (done !== null) copied.tags.push(done);
}

async function orLeft<T>(from: string, copied: Copied, copy: () => Promise<T>): Promise<T | null> {
  try {
    return await copy();
  } catch (error) {
    if (!(error instanceof Denied || error instanceof BadInput)) throw error;
    copied.left.push({ from, error });
    return null;
  }
}

function parsed(fetched: FetchedManifest): Manifest {
  return parseManifest(
    fetched.bytes,
    fetched.mediaType,
    `manifest ${fetched.digest}`,
    (code, message, cause) => new Denied(code, message, cause),
  );
}
