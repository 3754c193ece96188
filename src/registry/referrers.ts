import { Denied, type GatehouseError } from '../lib/errors.ts';
import type { RegistryClient } from './client.ts';
import { parseManifest } from './manifest.ts';
import type { FetchedManifest } from './manifests.ts';
import { OCI_INDEX } from './media-types.ts';
import { tagOfDigest } from './names.ts';

/** Where an artifact was found. */
export type Source = 'referrers-api' | 'referrers-tag' | 'signature-tag' | 'attestation-tag';

export interface ListedReferrer {
  digest: string;
  source: Source;
}

export interface ReferrersList {
  /** Each manifest once, in the order of the lists, those of the API first. */
  listed: ListedReferrer[];
  /** A referrers tag that cannot be read as a list: it may hide something, so it is never passed over. */
  problems: { source: Source; from: string; error: GatehouseError }[];
}

/**
 * Everything that is said to refer to a digest: the union of the referrers API and of the index at the tag `sha256-<hex>`
 * (distribution specification 1.1, "Referrers tag schema"). Both are always read: some registries answer the API with an
 * empty list while the tag has entries (kyverno issue 16678).
 */
export async function listAllReferrers(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<ReferrersList> {
  const [api, tag] = await Promise.all([
    client.listReferrers(repository, digest),
    readReferrersTag(client, repository, digest),
  ]);
  const fromApi = (api ?? []).map((found) => ({ digest: found.digest, source: 'referrers-api' as const }));
  const fromTag = tag.digests.map((found) => ({ digest: found, source: 'referrers-tag' as const }));
  const once = new Map<string, ListedReferrer>();
  for (const entry of [...fromApi, ...fromTag]) if (!once.has(entry.digest)) once.set(entry.digest, entry);
  return { listed: [...once.values()], problems: tag.problems };
}

async function readReferrersTag(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<{ digests: string[]; problems: ReferrersList['problems'] }> {
  const tag = tagOfDigest(digest);
  try {
    const found = await client.findManifest(repository, tag);
    const digests =
      found === null ? [] : indexAtTag(found, `${repository}:${tag}`).manifests.map((entry) => entry.digest);
    return { digests, problems: [] };
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    return { digests: [], problems: [{ source: 'referrers-tag', from: tag, error }] };
  }
}

/** The index that a referrers tag must hold. Throws Denied. */
export function indexAtTag(found: FetchedManifest, what: string) {
  const refuse = (code: string, message: string, cause?: unknown): GatehouseError => new Denied(code, message, cause);
  if (found.mediaType !== OCI_INDEX) {
    throw refuse(
      'referrers.not_an_index',
      `${what} should be the list of referrers, but is of type ${found.mediaType}: somebody wrote something else under this tag; delete it if it is not needed`,
    );
  }
  const parsed = parseManifest(found.bytes, found.mediaType, what, refuse);
  if (parsed.kind !== 'index') throw refuse('referrers.not_an_index', `${what} is no index`);
  return parsed.document;
}
