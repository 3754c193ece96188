import { Denied } from '../lib/errors.ts';
import type { RegistryClient } from './client.ts';
import type { Layout, LayoutManifest } from './layout.ts';
import { openBlob } from './layout-files.ts';
import type { Descriptor } from './manifest.ts';
import { inParallel } from './parallel.ts';

/** A manifest that is in the registry: what may be signed and deployed by its digest. */
export interface PushedManifest {
  digest: string;
  /** `os/architecture[/variant]`; null for an index. */
  platform: string | null;
  mediaType: string;
  /** Bytes of the manifest. */
  size: number;
}

const AT_ONCE = 3;

/**
 * Pushes a checked layout by digest: blobs, then children, then the top, so that nothing is ever there that points at
 * something missing; then reads it back. Gives the top first, then the children. No tag is written.
 *
 * Throws Denied where the registry serves something else than was pushed or the layout has changed since it was read.
 */
export async function pushLayout(
  client: RegistryClient,
  layout: Layout,
  repository: string,
): Promise<PushedManifest[]> {
  const manifests = [...layout.children, layout.top];
  const blobs = onceEach(manifests.flatMap((manifest) => manifest.blobs));
  await inParallel(blobs, AT_ONCE, (blob) => client.putBlob(repository, blob, () => openBlob(layout.folder, blob)));
  for (const { descriptor, bytes } of manifests)
    await client.putManifest(repository, { mediaType: descriptor.mediaType, bytes });
  for (const manifest of manifests) await readBackManifest(client, repository, manifest);
  await inParallel(blobs, AT_ONCE, (blob) => readBackBlob(client, repository, blob));
  return [layout.top, ...layout.children].map(({ descriptor, platform }) => {
    const { digest, mediaType, size } = descriptor;
    return { digest, platform, mediaType, size };
  });
}

function onceEach(blobs: Descriptor[]): Descriptor[] {
  return [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
}

async function readBackManifest(
  client: RegistryClient,
  repository: string,
  { descriptor, bytes, blobs }: LayoutManifest,
): Promise<void> {
  const { digest, mediaType } = descriptor;
  const found = await client.getManifest(repository, digest);
  if (!found.bytes.equals(bytes) || found.mediaType !== mediaType) {
    throw new Denied(
      'push.not_kept',
      `${client.registry}/${repository}@${digest} reads back as ${found.mediaType} of ${found.size} bytes, not the ${mediaType} of ${bytes.length} bytes that was pushed`,
    );
  }
  // The config decides what runs, and it is small: read it whole.
  const [config] = blobs;
  if (config !== undefined) await client.getBlob(repository, config, config.size);
}

async function readBackBlob(client: RegistryClient, repository: string, blob: Descriptor): Promise<void> {
  const size = await client.headBlob(repository, blob.digest);
  if (size === 'unknown') {
    for await (const _ of await client.openBlob(repository, blob, blob.size));
  } else if (size !== blob.size) {
    throw new Denied(
      'push.not_kept',
      `blob ${blob.digest} of ${client.registry}/${repository} reads back with ${size ?? 'no'} bytes, not the ${blob.size} that were pushed`,
    );
  }
}
