/** Small images for tests, written byte by byte so that they can also be wrong. */
import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import type { ImageContent } from '../../../../src/attestation/sbom/index.ts';

export interface Entry {
  path: string;
  /** A tar type flag; a file where there is `content`, else a folder. */
  type?: string;
  content?: string | Buffer;
  /** Of a link. */
  target?: string;
  /** Changes the header before its checksum is made. */
  edit?: (header: Buffer) => void;
}

export const file = (path: string, content: string | Buffer = ''): Entry => ({ path, type: '0', content });
export const folder = (path: string): Entry => ({ path, type: '5' });
export const symlink = (path: string, target: string): Entry => ({ path, type: '2', target });
export const hardlink = (path: string, target: string): Entry => ({ path, type: '1', target });
/** A pax header for the entry behind it. */
export const pax = (records: Record<string, string>): Entry => ({
  path: 'PaxHeaders/x',
  type: 'x',
  content: Object.entries(records).map(paxRecord).join(''),
});

function paxRecord([key, value]: [string, string]): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  const length = rest + String(rest + String(rest).length).length;
  return `${length} ${key}=${value}\n`;
}

/** One header block. */
export function header({ path, type = '5', content = '', target = '', edit }: Entry): Buffer {
  const block = Buffer.alloc(512);
  block.write(path, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${Buffer.byteLength(content).toString(8).padStart(11, '0')}\0`, 124);
  block.write(type, 156);
  block.write(target, 157, 100);
  block.write('ustar\x0000', 257);
  edit?.(block);
  block.fill(' ', 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

/** An archive without the two blocks that end it. */
export function entriesOf(entries: readonly Entry[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      const body = Buffer.from(entry.content ?? '');
      return [header(entry), body, Buffer.alloc((512 - (body.length % 512)) % 512)];
    }),
  );
}

export const END = Buffer.alloc(1024);
export const tarOf = (entries: readonly Entry[]): Buffer => Buffer.concat([entriesOf(entries), END]);
export const sha256 = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip';

/** An image of these archives, gzipped. */
export function imageOfArchives(archives: readonly Buffer[]): ImageContent {
  return {
    name: 'registry.example/care/app',
    digest: `sha256:${'a'.repeat(64)}`,
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: archives.map(sha256) } },
    layers: archives.map((archive) => {
      const bytes = gzipSync(archive, { level: 1 });
      return { mediaType: GZIP, digest: sha256(bytes), bytes };
    }),
  };
}

/** An image of layers of these entries, lowest first. */
export function imageOf(...layers: readonly Entry[][]): ImageContent {
  return imageOfArchives(layers.map(tarOf));
}

/** dpkg's paragraph for an installed package. */
export const debian = (name: string, version = '1.0'): string =>
  `Package: ${name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: ${version}\n\n`;
