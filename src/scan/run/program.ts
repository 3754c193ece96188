import { globSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CouldNot } from '../../lib/errors.ts';
import { absoluteFolders, type Exec } from '../../lib/exec.ts';
import { fileDigest } from '../../lib/file.ts';

/** A scanner as it is installed. */
export interface Program {
  name: string;
  path: string;
  version: string;
  /** Of its binary, or for a Python program of the list that holds the hash of each of its files. */
  digest: string;
}

/** Finds a scanner on the PATH and asks for its version. Throws CouldNot where it is absent or does not say. */
export async function findProgram(
  name: string,
  ask: readonly string[],
  { path, exec, env }: { path: string; exec: Exec; env: Record<string, string> },
): Promise<Program> {
  const found = absoluteFolders(path)
    .map((folder) => join(folder, name))
    .find((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
  if (found === undefined)
    throw new CouldNot(
      'scan.no_tool',
      `${name} is not on the PATH of this job: run the scan on the runners that the platform team keeps for it, with its pinned scanners`,
    );
  const { stdout, stderr } = await exec(found, ask, { cwd: '/', env });
  const version = /\d+\.\d+\.\d+[\w.+-]*/.exec(`${stdout}\n${stderr}`)?.[0];
  if (version === undefined)
    throw new CouldNot(
      'scan.no_version',
      `${found} does not say its version (${[name, ...ask].join(' ')}): is it ${name}?`,
    );
  const real = realpathSync(found);
  const [list] = globSync(
    resolve(
      dirname(real),
      '..',
      'lib',
      '*',
      'site-packages',
      `${name.replaceAll('-', '_')}-${version}.dist-info`,
      'RECORD',
    ),
  );
  return { name, path: found, version, digest: await fileDigest(list ?? real) };
}
