import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput, Denied } from '../lib/errors.ts';
import { digestOfFiles, namesIn, readInput } from '../lib/file.ts';
import { readSidecar, type Sidecar } from './sidecar.ts';

const SUFFIX = '.sidecar.json';
/** Bytes of a sidecar. */
const MOST = 1024 * 1024;

/** One report as a tool wrote it, and how it came to be. */
export interface FolderReport {
  name: string;
  bytes: Buffer;
  sidecarBytes: Buffer;
  sidecar: Sidecar;
}

/**
 * Reads the folder that a scan job left, if it is the very folder: `digest` is what that job put out, null where the caller has
 * made sure of it. Everything is read before anything is made of it. Throws Denied for a changed folder, BadInput for a report without its sidecar and the other way round.
 * `now` in milliseconds.
 */
export function readFolder(folder: string, digest: string | null, now: number): FolderReport[] {
  const files = filesIn(folder);
  if (files.size === 0)
    throw new BadInput(
      'scan.reports',
      `${folder} is empty: scan --phase run leaves its reports there, so it did not run or did not come to its end; look at its log`,
    );
  const found = digestOfFiles(files);
  if (digest !== null && found !== digest)
    throw new Denied(
      'scan.reports_changed',
      `the reports in ${folder} are ${found}, not ${digest} that the scan job put out: they were changed on the way; nothing was recorded`,
    );
  return stemsIn(folder, [...files.keys()]).map((name) => {
    const sidecarBytes = files.get(`${name}${SUFFIX}`) as Buffer;
    const bytes = files.get(`${name}.json`) as Buffer;
    return { name, bytes, sidecarBytes, sidecar: readSidecar(sidecarBytes, bytes, now, `sidecar ${name}${SUFFIX}`) };
  });
}

/**
 * All of the folder by name, each file read once: what is recorded are the very bytes that have the digest. No link leads out of
 * it, no pipe says two things, and no name can stand for two lines of the digest.
 */
function filesIn(folder: string): Map<string, Buffer> {
  return new Map(
    namesIn(folder, 'reports').map((name) => {
      const path = join(folder, name);
      if (!/^[A-Za-z0-9._-]+$/.test(name) || !lstatSync(path).isFile())
        throw new BadInput(
          'scan.reports',
          `${folder} holds ${JSON.stringify(name)}, which is no plain file with a plain name: it is the folder that scan --phase run writes, unchanged`,
        );
      return [name, name.endsWith(SUFFIX) ? readInput(path, 'sidecar', MOST) : readInput(path, 'report')];
    }),
  );
}

function stemsIn(folder: string, names: string[]): string[] {
  const sidecars = names.filter((name) => name.endsWith(SUFFIX));
  const stems = sidecars.map((name) => name.slice(0, -SUFFIX.length));
  const alone = names.filter((name) => !sidecars.includes(name) && !stems.includes(name.replace(/\.json$/, '')));
  const bare = stems.filter((stem) => !names.includes(`${stem}.json`)).map((stem) => `${stem}${SUFFIX}`);
  if (stems.length === 0 || alone.length + bare.length > 0)
    throw new BadInput(
      'scan.reports',
      stems.length === 0
        ? `${folder} holds no report with its sidecar: it is the folder that scan --phase run writes`
        : `${folder} holds ${[...alone, ...bare].join(', ')} without ${alone.length > 0 ? 'a sidecar: how it came to be is not known' : 'its report'}`,
    );
  return stems;
}
