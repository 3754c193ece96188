import { Denied, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';
import type { RegistryClient } from './client.ts';
import { type Descriptor, fitsPlatform, type ImageManifest, parseManifest, platformOf } from './manifest.ts';
import { inParallel } from './parallel.ts';

/** One manifest of an image in a registry. `image` is null for an index. */
export interface RegistryManifest {
  descriptor: Descriptor;
  /** `os/architecture[/variant]`; null for an index. */
  platform: string | null;
  image: ImageManifest | null;
}

/** The most bytes of an image's config and of one layer that are read here. */
const CONFIG_LIMIT = 4 * 1024 * 1024;
const LAYER_LIMIT = 4 * 1024 * 1024 * 1024;

const denied = (code: string, message: string, cause?: unknown) => new Denied(code, message, cause);

/**
 * The manifests that a digest stands for: the image, or the index and then each of its children, every one checked against its
 * digest. Each of them is a subject of its own. Throws Denied for what is neither, CouldNot when it is not there.
 */
export async function readImage(
  client: RegistryClient,
  repository: string,
  digest: string,
): Promise<RegistryManifest[]> {
  const top = await readOne(client, repository, digest, null);
  if (top.index === null) return [top.read];
  const children = await inParallel(top.index, 4, async (descriptor) => {
    const child = await readOne(client, repository, descriptor.digest, platformOf(descriptor));
    if (child.index !== null)
      throw denied(
        'image.nested',
        `${repository}@${digest} lists another index, ${descriptor.digest}: nobody scans what is in there`,
      );
    return child.read;
  });
  if (children.length === 0) throw denied('image.empty', `${repository}@${digest} is an index without images`);
  return [top.read, ...children];
}

/** The image's config, as parsed JSON. Throws Denied when it is not JSON. */
export async function readConfig(client: RegistryClient, repository: string, image: ImageManifest): Promise<unknown> {
  const what = `config ${image.config.digest}`;
  const bytes = await client.getBlob(repository, image.config, CONFIG_LIMIT);
  try {
    return parseJson(bytes, what);
  } catch (cause) {
    throw denied('image.config', messageOf(cause), cause);
  }
}

/** The image's layers as they are stored, lowest first, each read when it is asked for and checked against its digest. */
export async function* readLayers(client: RegistryClient, repository: string, image: ImageManifest) {
  for (const { mediaType, digest, size } of image.layers) {
    yield { mediaType, digest, bytes: await client.openBlob(repository, { digest, size }, LAYER_LIMIT) };
  }
}

const platform = z.looseObject({
  os: z.string().check(z.minLength(1), z.maxLength(128)),
  architecture: z.string().check(z.minLength(1), z.maxLength(128)),
  variant: z.nullish(z.string().check(z.maxLength(128))),
});

async function readOne(
  client: RegistryClient,
  repository: string,
  digest: string,
  said: string | null,
): Promise<{ read: RegistryManifest; index: Descriptor[] | null }> {
  const { bytes, mediaType, size } = await client.getManifest(repository, digest);
  const descriptor = { mediaType, digest, size };
  const manifest = parseManifest(bytes, mediaType, `${repository}@${digest}`, denied);
  if (manifest.kind === 'index')
    return { read: { descriptor, platform: null, image: null }, index: manifest.document.manifests };
  const config = platform.safeParse(await readConfig(client, repository, manifest.document));
  if (!config.success)
    throw denied(
      'image.config',
      `${repository}@${digest} does not say its os and architecture: it is no container image`,
    );
  const own = platformOf({ platform: { ...config.data, variant: config.data.variant ?? null } });
  if (said !== null && own !== null && !fitsPlatform(said, own)) {
    throw denied('image.platform', `${repository}@${digest} is listed for ${said} but was built for ${own}`);
  }
  return { read: { descriptor, platform: said ?? own, image: manifest.document }, index: null };
}
