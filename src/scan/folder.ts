import { join } from 'node:path';
import { BadInput, Denied } from '../lib/errors.ts';
import { folderDigest, namesIn, readInput } from '../lib/file.ts';
import { readSidecar, type Sidecar } from './sidecar.ts';

const SUFFIX = '.sidecar.json';

/** One report as a tool wrote it, and how it came to be. */
export interface FolderReport {
  name: string;
  bytes: Buffer;
  sidecarBytes: Buffer;
  sidecar: Sidecar;
}

/**
 * Reads the folder that a scan job left, if it is the very folder: `digest` is what that job put out. Everything is read before
 * anything is made of it. Throws Denied for a changed folder, BadInput for a report without its sidecar and the other way round.
 * `now` in milliseconds.
 */
export function readFolder(folder: string, digest: string, now: number): FolderReport[] {
  const found = folderDigest(folder, 'reports');
  if (found !== digest)
    throw new Denied(
      'scan.reports_changed',
      `the reports in ${folder} are ${found}, not ${digest} that the scan job put out: they were changed on the way; nothing was recorded`,
    );
  return stemsIn(folder).map((name) => {
    const sidecarBytes = readInput(join(folder, `${name}${SUFFIX}`), 'sidecar', 1024 * 1024);
    const bytes = readInput(join(folder, `${name}.json`), 'report');
    return { name, bytes, sidecarBytes, sidecar: readSidecar(sidecarBytes, bytes, now, `sidecar ${name}${SUFFIX}`) };
  });
}

function stemsIn(folder: string): string[] {
  const names = namesIn(folder, 'reports');
  const sidecars = names.filter((name) => name.endsWith(SUFFIX));
  const stems = sidecars.map((name) => name.slice(0, -SUFFIX.length));
  const alone = names.filter((name) => !sidecars.includes(name) && !stems.includes(name.replace(/\.json$/, '')));
  if (stems.length === 0 || alone.length > 0)
    throw new BadInput(
      'scan.reports',
      stems.length === 0
        ? `${folder} holds no report with its sidecar: it is the folder that scan --phase run writes`
        : `${folder} holds ${alone.join(', ')} without a sidecar: how it came to be is not known`,
    );
  return stems;
}
