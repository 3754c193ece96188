import { BadInput, messageOf } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';
import { broken, checkBlob, checkFolder, checkThere, readBlob, readSmall } from './layout-files.ts';
import {
  type Descriptor,
  fitsPlatform,
  type ImageManifest,
  type Manifest,
  parseIndex,
  parseManifest,
  platformOf,
} from './manifest.ts';
import { DOCKER_CONFIG, isIndexType, MANIFEST_TYPES, OCI_CONFIG } from './media-types.ts';

/** An image manifest or an index of a layout, checked with everything it points at. */
export interface LayoutManifest {
  descriptor: Descriptor;
  bytes: Buffer;
  /** `os/architecture[/variant]`; null for an index and for an artifact that is no image. */
  platform: string | null;
  /** Config and layers; empty for an index. */
  blobs: Descriptor[];
}

export interface Layout {
  folder: string;
  top: LayoutManifest;
  /** The manifests of an index, in its order; empty where the top is a single image. */
  children: LayoutManifest[];
}

/**
 * Reads an OCI image layout (OCI image specification 1.1, image-layout.md) and checks all of it: every descriptor's digest
 * and size, no links, exactly one manifest at the top or the one that `digest` names, one level of index, and that a child is
 * of the platform that the index says (a scanner picks children by that).
 *
 * Throws BadInput `layout.*` saying what is wrong with which part.
 */
export function readLayout(folder: string, digest: string | null = null): Layout {
  checkThere(folder);
  checkMarker(folder);
  checkFolder(folder, 'blobs');
  checkFolder(folder, 'blobs', 'sha256');
  const descriptor = chooseTop(folder, digest);
  const { manifest, read: top } = readManifest(folder, descriptor);
  if (manifest.kind === 'image') return { folder, top, children: [] };
  return { folder, top, children: readChildren(folder, manifest.document.manifests) };
}

const marker = z.looseObject({ imageLayoutVersion: z.literal('1.0.0') });

function checkMarker(folder: string): void {
  const bytes = readSmall(folder, 'oci-layout');
  if (!marker.safeParse(parsed(folder, bytes, 'oci-layout')).success) {
    throw broken(folder, 'the file oci-layout does not say imageLayoutVersion 1.0.0');
  }
}

function chooseTop(folder: string, digest: string | null): Descriptor {
  const { manifests } = parseIndex(readSmall(folder, 'index.json'), 'index.json', (_code, message, cause) =>
    broken(folder, message, cause),
  );
  const fitting = digest === null ? manifests : manifests.filter((entry) => entry.digest === digest);
  const [top] = fitting;
  if (top === undefined) {
    throw new BadInput(
      'layout.no_image',
      digest === null
        ? `the image layout ${folder} has no image: index.json lists none`
        : `the image layout ${folder} has no image ${digest}: it has ${listOf(manifests)}`,
    );
  }
  if (fitting.length > 1) {
    throw new BadInput(
      'layout.several_images',
      `the image layout ${folder} has ${fitting.length} images (${listOf(fitting)}): build one at a time, or say which one by its digest`,
    );
  }
  return top;
}

function readManifest(folder: string, descriptor: Descriptor): { manifest: Manifest; read: LayoutManifest } {
  const { digest, mediaType } = descriptor;
  if (!MANIFEST_TYPES.includes(mediaType)) throw broken(folder, `${digest} is of type ${mediaType}, which is no image`);
  const bytes = readBlob(folder, descriptor);
  const manifest = parseManifest(bytes, mediaType, `manifest ${digest}`, (_code, message, cause) =>
    broken(folder, message, cause),
  );
  if (manifest.kind === 'index') return { manifest, read: { descriptor, bytes, platform: null, blobs: [] } };
  const { config, layers } = manifest.document;
  for (const blob of [config, ...layers]) checkBlob(folder, blob);
  return {
    manifest,
    read: { descriptor, bytes, platform: readPlatform(folder, manifest.document), blobs: [config, ...layers] },
  };
}

function readChildren(folder: string, descriptors: Descriptor[]): LayoutManifest[] {
  if (descriptors.length === 0) throw broken(folder, 'its index lists no image');
  if (new Set(descriptors.map(({ digest }) => digest)).size < descriptors.length) {
    throw broken(folder, 'its index lists one image twice');
  }
  return descriptors.map((descriptor) => {
    if (isIndexType(descriptor.mediaType)) throw broken(folder, `its index lists another index, ${descriptor.digest}`);
    const { read } = readManifest(folder, descriptor);
    const said = platformOf(descriptor);
    if (said !== null && read.platform !== null && !fitsPlatform(said, read.platform)) {
      throw broken(
        folder,
        `its index says that ${descriptor.digest} is for ${said}, but it was built for ${read.platform}`,
      );
    }
    return { ...read, platform: said ?? read.platform };
  });
}

const imageConfig = z.looseObject({
  os: z.string().check(z.minLength(1), z.maxLength(128)),
  architecture: z.string().check(z.minLength(1), z.maxLength(128)),
  variant: z.nullish(z.string().check(z.maxLength(128))),
});

function readPlatform(folder: string, { config }: ImageManifest): string | null {
  if (config.mediaType !== OCI_CONFIG && config.mediaType !== DOCKER_CONFIG) return null;
  const image = imageConfig.safeParse(parsed(folder, readBlob(folder, config), `config ${config.digest}`));
  if (!image.success) throw broken(folder, `config ${config.digest} does not say os and architecture`);
  return platformOf({ platform: image.data });
}

function parsed(folder: string, bytes: Buffer, what: string): unknown {
  try {
    return parseJson(bytes, what);
  } catch (cause) {
    throw broken(folder, messageOf(cause), cause);
  }
}

function listOf(descriptors: Descriptor[]): string {
  const digests = descriptors.map((entry) => entry.digest);
  return digests.length === 0 ? 'none' : `${digests.slice(0, 5).join(', ')}${digests.length > 5 ? ', …' : ''}`;
}
