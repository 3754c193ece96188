import { Denied } from '../../lib/errors.ts';

/** How much of an image is read before it is refused: an image is made by the party that is judged, and may be a bomb. */
export interface Limits {
  /** Bytes of all layers together after decompression. */
  unpackedBytes: number;
  /** Entries of all layers together. */
  entries: number;
  /** Bytes of one path or link target; Linux takes no longer one. */
  pathBytes: number;
  /** Bytes of one executable: it is held in memory while it is read. */
  executableBytes: number;
  /** Bytes of all package lists and manifests together: they are held until the last layer is read. */
  listBytes: number;
}

const MiB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = {
  unpackedBytes: 16 * 1024 * MiB,
  entries: 1_000_000,
  pathBytes: 4096,
  executableBytes: 768 * MiB,
  listBytes: 256 * MiB,
};

/** Throws Denied `sbom.too_large` when a count is above its limit. `what` completes "the image has more than <limit> …". */
export function enforce(count: number, limit: number, what: string): void {
  if (count > limit) {
    throw new Denied(
      'sbom.too_large',
      `the image has more than ${limit} ${what}: it is not read further, so there is no SBOM for it; make the image smaller, or raise the limit if you know why it is that large`,
    );
  }
}
