import { Denied } from '../lib/errors.ts';
import { ATTACHMENT_LIMITS } from './attachments.ts';
import type { RegistryClient } from './client.ts';
import type { Descriptor } from './manifest.ts';
import type { FetchedManifest } from './manifests.ts';
import { OCI_INDEX } from './media-types.ts';
import { tagOfDigest } from './names.ts';
import { indexAtTag } from './referrers.ts';
import { type Replacement, updateTag } from './update-tag.ts';

/**
 * Adds descriptors to the index at the tag `sha256-<hex>`, which takes the place of the referrers API where a registry has
 * none (distribution specification 1.1, "Referrers tag schema"). What the index holds stays as it is.
 *
 * Throws Denied where the tag holds something that is not an index, since writing would destroy it.
 */
export async function addToReferrersTag(
  client: RegistryClient,
  repository: string,
  subject: string,
  referrers: Descriptor[],
): Promise<void> {
  const tag = tagOfDigest(subject);
  await updateTag(client, repository, tag, (current) => merge(current, referrers, `${repository}:${tag}`));
}

function merge(current: FetchedManifest | null, referrers: Descriptor[], what: string): Replacement | null {
  const index =
    current === null ? { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [] } : indexAtTag(current, what);
  const present = new Set(index.manifests.map((entry: Descriptor) => entry.digest));
  const missing = referrers.filter((entry) => !present.has(entry.digest));
  if (missing.length === 0) return null;
  const manifests = [...index.manifests, ...missing];
  if (manifests.length > ATTACHMENT_LIMITS.count) {
    throw new Denied(
      'attachments.too_many',
      `${what} would list ${manifests.length} referrers, and readers stop at ${ATTACHMENT_LIMITS.count}: remove what does not belong to the image`,
    );
  }
  return { mediaType: OCI_INDEX, bytes: Buffer.from(JSON.stringify({ ...index, manifests })), blobs: [] };
}
