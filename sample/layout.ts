/** An OCI image layout (image-spec 1.1, image-layout.md) on disk, of one image made of these layers. */
import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type File, gzip, tar } from './archive.ts';

export interface ImageConfig {
  architecture: string;
  os: string;
  config: Record<string, unknown>;
}

/** Replaces the folder. `layers` are lowest first, each with what its history line says. Gives the manifest's digest. */
export function writeLayout(
  folder: string,
  tag: string,
  config: ImageConfig,
  layers: readonly { files: File[]; createdBy: string }[],
): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, 'blobs', 'sha256'), { recursive: true });
  const store = (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    writeFileSync(join(folder, 'blobs', 'sha256', digest.slice('sha256:'.length)), bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const archives = layers.map(({ files }) => tar(files));
  const manifest = store(
    `${OCI}.image.manifest.v1+json`,
    json({
      schemaVersion: 2,
      mediaType: `${OCI}.image.manifest.v1+json`,
      config: store(
        `${OCI}.image.config.v1+json`,
        json({
          created: NEVER,
          ...config,
          rootfs: { type: 'layers', diff_ids: archives.map(digestOf) },
          history: layers.map(({ createdBy }) => ({ created: NEVER, created_by: createdBy })),
        }),
      ),
      layers: archives.map((archive) => store(`${OCI}.image.layer.v1.tar+gzip`, gzip(archive))),
    }),
  );
  const annotations = { 'org.opencontainers.image.ref.name': tag };
  writeFileSync(
    join(folder, 'index.json'),
    json({
      schemaVersion: 2,
      mediaType: `${OCI}.image.index.v1+json`,
      manifests: [{ ...manifest, platform: { architecture: config.architecture, os: config.os }, annotations }],
    }),
  );
  writeFileSync(join(folder, 'oci-layout'), json({ imageLayoutVersion: '1.0.0' }));
  return manifest.digest;
}

const OCI = 'application/vnd.oci';
/** A time of building would make every build another image. */
const NEVER = '1970-01-01T00:00:00Z';

const json = (document: unknown) => Buffer.from(`${JSON.stringify(document, null, 2)}\n`);
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
