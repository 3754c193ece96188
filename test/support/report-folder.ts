import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { folderDigest } from '../../src/lib/file.ts';
import { REPORTS } from './direct.ts';

export const COMMIT = 'c'.repeat(40);
export const IMAGE = `sha256:${'a'.repeat(64)}`;

/** The folder that a scan job leaves, out of the sample's reports: `trivy` ones are about the image, others about the commit. */
export function layReports(
  folder: string,
  names: readonly string[],
  about: { commit?: string; image?: string } = {},
): { reports: string; digest: string } {
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const sidecar = JSON.parse(readFileSync(join(REPORTS, `${name}.sidecar.json`), 'utf8'));
    const subject = name.startsWith('trivy') ? { image: about.image ?? IMAGE } : { commit: about.commit ?? COMMIT };
    writeFileSync(join(folder, `${name}.json`), readFileSync(join(REPORTS, `${name}.json`)));
    writeFileSync(join(folder, `${name}.sidecar.json`), JSON.stringify({ ...sidecar, subject }));
  }
  return { reports: folder, digest: folderDigest(folder, 'reports') };
}
