import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ImageContent } from '../../src/attestation/sbom/index.ts';
import { hexOf } from '../../src/lib/digest.ts';
import { readLayout } from '../../src/registry/layout.ts';

/** The image of a layout of one platform, checked, as the SBOM takes it. */
export function imageInLayout(folder = 'sample/image', name = 'registry.example/care/lab-results'): ImageContent {
  const { descriptor, blobs } = readLayout(folder).top;
  const [config, ...layers] = blobs.map((blob) => ({
    ...blob,
    bytes: readFileSync(join(folder, 'blobs', 'sha256', hexOf(blob.digest))),
  }));
  if (config === undefined) throw new Error(`${folder} holds no image`);
  return { name, digest: descriptor.digest, config: JSON.parse(config.bytes.toString()), layers };
}

/** The files below a folder, as paths below it. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => statSync(join(folder, path)).isFile())
    .sort();

/** The Go that made the sample's program, as `go1.26.8`. */
export const sampleToolchain = () => /^toolchain (\S+)$/m.exec(readFileSync('sample/app/go.mod', 'utf8'))?.[1];

/** The Go on the PATH, as `go1.26.8`, or null. */
export function goVersion(): string | null {
  const { status, stdout } = spawnSync('go', ['env', 'GOVERSION'], {
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  });
  return status === 0 ? stdout.trim() : null;
}
