import type { DeleteMarkerEntry, ListObjectVersionsCommandOutput, ObjectVersion } from '@aws-sdk/client-s3';
import { CouldNot } from '../../lib/errors.ts';
import type { StoreEntry } from '../store.ts';
import type { S3Address } from './address.ts';
import { failureOf } from './failure.ts';
import { idOf, type Session, timeOf } from './session.ts';
import { type Version, VersionsByKey } from './versions.ts';

/** Every version and every delete marker under a prefix, page by page. */
export async function* list(session: Session, prefix: string): AsyncGenerator<StoreEntry> {
  const { address } = session;
  const keys = new VersionsByKey();
  let from: { KeyMarker?: string; VersionIdMarker?: string } | null = {};
  while (from !== null) {
    const page: ListObjectVersionsCommandOutput = await listPage(session, prefix, from);
    from = page.IsTruncated ? nextOf(page, from, address) : null;
    const last = from?.KeyMarker?.slice(address.prefix.length) ?? null;
    yield* keys.take(versionsOf(page, address), last);
  }
}

async function listPage(session: Session, prefix: string, from: object): Promise<ListObjectVersionsCommandOutput> {
  const { address } = session;
  try {
    return await session.send(({ client, sdk }) =>
      client.send(
        new sdk.ListObjectVersionsCommand({ ...session.bucket(), Prefix: `${address.prefix}${prefix}`, ...from }),
      ),
    );
  } catch (thrown) {
    throw failureOf(thrown, `list ${prefix || 'everything'}`, 's3:ListBucketVersions', address);
  }
}

/** A server that says that there is more and not where, or the same place again, would keep us here or hide the rest. */
function nextOf(page: ListObjectVersionsCommandOutput, from: object, address: S3Address) {
  const { NextKeyMarker: key, NextVersionIdMarker: version } = page;
  const next = { ...(key ? { KeyMarker: key } : {}), ...(version ? { VersionIdMarker: version } : {}) };
  if (!key || JSON.stringify(next) === JSON.stringify(from))
    throw new CouldNot(
      'store.listing',
      `bucket ${address.bucket} says that its listing goes on and not where: what it holds cannot be known; see gatehouse doctor --store`,
    );
  return next;
}

type ListedName = Pick<ObjectVersion & DeleteMarkerEntry, 'Key' | 'VersionId' | 'LastModified'>;

/** Both kinds together; each key's in the order in which they were put, newest first. */
function versionsOf(page: ListObjectVersionsCommandOutput, { prefix }: S3Address): Version[] {
  const common = (found: ListedName) => ({
    key: (found.Key ?? '').slice(prefix.length),
    versionId: idOf(found.VersionId),
    storeTime: timeOf(found.LastModified),
  });
  return [
    ...(page.DeleteMarkers ?? []).map((marker) => ({ ...common(marker), size: 0, marker: true })),
    ...(page.Versions ?? []).map((version) => ({ ...common(version), size: version.Size ?? 0, marker: false })),
  ];
}
