import { createHash } from 'node:crypto';

/** `sha256:<64 lower-case hex>` of these bytes: the one form of digest in every document. */
export function digestOf(bytes: Uint8Array | string): string {
  return `sha256:${sha256Hex(bytes)}`;
}

/** The bare 64 hex digits, for file names and checksum headers. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The hex part of a `sha256:…` digest. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
