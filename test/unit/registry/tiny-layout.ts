import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { digestOf, hexOf, sha256Hex } from '../../../src/lib/digest.ts';

/** An image small enough to write out: one gzip layer with one file, a config, a manifest. */
export interface TinyImage {
  blobs: Buffer[];
  manifest: Buffer;
  digest: string;
  platform: { os: string; architecture: string };
}

export const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
export const INDEX = 'application/vnd.oci.image.index.v1+json';
export const CONFIG = 'application/vnd.oci.image.config.v1+json';
export const LAYER = 'application/vnd.oci.image.layer.v1.tar+gzip';

export function descriptorOf(bytes: Buffer, mediaType: string) {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

export function tinyImage(architecture = 'amd64', text = 'hello'): TinyImage {
  const tar = tarOf('hello.txt', Buffer.from(`${text} from ${architecture}\n`));
  const layer = gzipSync(tar);
  const rootfs = { type: 'layers', diff_ids: [`sha256:${sha256Hex(tar)}`] };
  const platform = { os: 'linux', architecture };
  const config = json({
    ...platform,
    config: { Entrypoint: ['/hello.txt'] },
    rootfs,
    history: [{ created: '2026-01-01T00:00:00Z' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: descriptorOf(config, CONFIG),
    layers: [descriptorOf(layer, LAYER)],
  });
  return { blobs: [config, layer], manifest, digest: digestOf(manifest), platform };
}

/** An index of images, one a platform. */
export function tinyIndex(images: TinyImage[]): Buffer {
  const manifests = images.map(({ manifest, platform }) => ({ ...descriptorOf(manifest, MANIFEST), platform }));
  return json({ schemaVersion: 2, mediaType: INDEX, manifests });
}

/** What a layout holds, to be changed before it is written. */
export interface LayoutParts {
  marker: Buffer;
  index: Buffer;
  blobs: Buffer[];
}

export function imageParts(image = tinyImage()): LayoutParts {
  return {
    marker: MARKER,
    index: topIndex(descriptorOf(image.manifest, MANIFEST)),
    blobs: [...image.blobs, image.manifest],
  };
}

export function indexParts(images = [tinyImage('amd64'), tinyImage('arm64')], index = tinyIndex(images)): LayoutParts {
  const blobs = images.flatMap((image) => [...image.blobs, image.manifest]);
  return { marker: MARKER, index: topIndex(descriptorOf(index, INDEX)), blobs: [...blobs, index] };
}

export function topIndex(...manifests: unknown[]): Buffer {
  return json({ schemaVersion: 2, manifests });
}

/** Writes a layout into a fresh folder; gives the folder back. */
export function writeLayout(folder: string, { marker, index, blobs }: LayoutParts): string {
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  writeFileSync(join(folder, 'oci-layout'), marker);
  writeFileSync(join(folder, 'index.json'), index);
  for (const blob of blobs) writeFileSync(blobFile(folder, digestOf(blob)), blob);
  return folder;
}

export function blobFile(folder: string, digest: string): string {
  return join(folder, 'blobs', 'sha256', hexOf(digest));
}

const MARKER = json({ imageLayoutVersion: '1.0.0' });

/** A ustar archive of one file (POSIX.1-1988): a header block, the content padded to 512 bytes, two empty blocks. */
function tarOf(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\x0000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding, Buffer.alloc(1024)]);
}
