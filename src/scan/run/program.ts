import { existsSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
  const list = listOfFiles(dirname(dirname(real)), name, version);
  return { name, path: found, version, digest: await fileDigest(list ?? real) };
}

/** Where a Python program keeps the list of its files, below its environment's folder; undefined for any other program. */
function listOfFiles(environment: string, name: string, version: string): string | undefined {
  const lib = join(environment, 'lib');
  const record = join('site-packages', `${name.replaceAll('-', '_')}-${version}.dist-info`, 'RECORD');
  if (!existsSync(lib)) return undefined;
  return readdirSync(lib)
    .map((python) => join(lib, python, record))
    .find((file) => existsSync(file));
}
