import * as zlib from 'node:zlib';
import { BadInput } from '../../lib/errors.ts';

type Decompressor = zlib.Gunzip | zlib.ZstdDecompress;

/**
 * What unpacks a layer of this media type; null for plain tar. Types: OCI image-spec (layer.md, media-types.md) and
 * Docker's image manifest v2.2. Throws BadInput for another type, or for zstd on a Node.js without it.
 */
export function decompressorFor(mediaType: string, digest: string): Decompressor | null {
  const compression = TYPES.get(mediaType);
  if (compression === undefined) {
    throw new BadInput(
      'sbom.media_type',
      `layer ${digest} has the media type ${JSON.stringify(mediaType)}, which is no file system that can be read (${[...TYPES.keys()].join(', ')}); is this a container image?`,
    );
  }
  if (compression === 'zstd' && !('createZstdDecompress' in zlib)) {
    throw new BadInput(
      'sbom.zstd',
      `layer ${digest} is compressed with zstd, which Node.js ${process.version} cannot unpack; run with Node.js 22.15 or newer, or build the image with gzip layers`,
    );
  }
  const options = { chunkSize: 256 * 1024 };
  if (compression === 'gzip') return zlib.createGunzip(options);
  return compression === 'zstd' ? zlib.createZstdDecompress(options) : null;
}

const OCI = 'application/vnd.oci.image.layer.v1.tar';
const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar';
const DOCKER = 'application/vnd.docker.image.rootfs.diff.tar';

const TYPES = new Map<string, 'none' | 'gzip' | 'zstd'>([
  [OCI, 'none'],
  [`${OCI}+gzip`, 'gzip'],
  [`${OCI}+zstd`, 'zstd'],
  [OCI_FOREIGN, 'none'],
  [`${OCI_FOREIGN}+gzip`, 'gzip'],
  [`${OCI_FOREIGN}+zstd`, 'zstd'],
  [DOCKER, 'none'],
  [`${DOCKER}.gzip`, 'gzip'],
  ['application/vnd.docker.image.rootfs.foreign.diff.tar.gzip', 'gzip'],
]);
