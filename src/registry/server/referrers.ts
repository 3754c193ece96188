import { hexOf } from '../../lib/digest.ts';
import type { Descriptor, Manifest } from '../manifest.ts';
import { OCI_INDEX } from '../media-types.ts';
import { type Answer, json } from './answer.ts';
import { digestIn, type Exchange, pageSize } from './exchange.ts';
import type { Storage } from './storage.ts';

/** Notes a manifest under its subject as the referrers API will show it; gives the subject's digest, or null. */
export function noteReferrer(
  storage: Storage,
  repository: string,
  stored: Descriptor,
  { kind, document }: Manifest,
): string | null {
  const { subject, annotations } = document;
  if (!subject) return null;
  const artifactType = document.artifactType ?? (kind === 'image' ? document.config.mediaType : null);
  const descriptor = { ...stored, ...(artifactType ? { artifactType } : {}), ...(annotations ? { annotations } : {}) };
  storage.put(
    `${folderOf(repository, subject.digest)}/${hexOf(stored.digest)}`,
    Buffer.from(JSON.stringify(descriptor)),
  );
  return subject.digest;
}

/** GET of the referrers (distribution specification 1.1, "Listing Referrers"): an index, empty where there are none. */
export function listReferrers({ storage, repository, last, query }: Exchange, mostOnPage: number): Answer {
  const digest = digestIn(last);
  const folder = folderOf(repository, digest);
  const after = query.get('last') ?? '';
  const wanted = query.get('artifactType');
  const all = storage.list(folder).filter((hex) => hex > after);
  const page = all.slice(0, Math.min(pageSize(query), mostOnPage));
  const manifests = page.map((hex) => JSON.parse(String(storage.get(`${folder}/${hex}`))) as Descriptor);
  const fitting = wanted === null ? manifests : manifests.filter((entry) => entry.artifactType === wanted);
  const rest = new URLSearchParams(query);
  rest.set('last', page.at(-1) ?? '');
  const next = `/v2/${repository}/referrers/${digest}?${rest}`;
  return json(
    200,
    { schemaVersion: 2, mediaType: OCI_INDEX, manifests: fitting },
    {
      'content-type': OCI_INDEX,
      ...(wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }),
      ...(page.length > 0 && page.length < all.length ? { link: `<${next}>; rel="next"` } : {}),
    },
  );
}

function folderOf(repository: string, subject: string): string {
  return `${repository}/_referrers/${hexOf(subject)}`;
}
