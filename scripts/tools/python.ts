/** Python tools: a virtual environment each, from the wheels that the pin names by hash. */

import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillCache } from './cache.ts';
import type { PythonTool } from './catalogue.ts';
import { InstallError } from './failure.ts';
import { pinPath } from './pin.ts';
import { run, type Session } from './run.ts';

/** Installs a tool into the cache. Throws an InstallError. */
export async function installPython(tool: PythonTool, session: Session): Promise<void> {
  await fillCache(tool, async (folder, log, final) => {
    const options = { ...session, log };
    await run(findPython(), ['-m', 'venv', folder], options);
    const install = (lock: string, more: string[] = []) => {
      // Only wheels: building from source would run code, and fetch build tools, that no hash of the pin covers.
      const pinned = ['--require-hashes', '--only-binary=:all:', ...more, '--requirement', lock];
      return run(join(folder, 'bin', 'python'), ['-m', 'pip', 'install', '--no-input', ...pinned], options);
    };
    if (tool.sources === undefined) await install(pinPath(tool));
    else {
      await install(buildTools(pinPath(tool), folder));
      await install(pinPath(tool), ['--no-build-isolation', ...tool.sources.map((name) => `--no-binary=${name}`)]);
    }
    moveScripts(folder, final);
  });
}

/** A lock of setuptools alone, taken from the tool's: what is built from source is built with it. */
function buildTools(lock: string, folder: string): string {
  const pinned = /^setuptools==.*(?:\n {4}--hash=.*)+/m.exec(readFileSync(lock, 'utf8'))?.[0];
  if (pinned === undefined)
    throw new InstallError(`${lock} does not name setuptools`, { fix: 'make the lock again (tools/README.md)' });
  const file = join(folder, 'build-tools.txt');
  writeFileSync(file, `${pinned}\n`);
  return file;
}

/** The lowest version that the pins are resolved for. */
const OLDEST = [3, 11] as const;

function findPython(): string {
  const python = ['python3', 'python3.11'].find(isNewEnough);
  if (python === undefined) {
    throw new InstallError(`there is no Python ${OLDEST.join('.')} or newer on the PATH`, {
      fix: 'install Python 3.11 with its venv module (Debian: apt-get install python3 python3-venv)',
    });
  }
  return python;
}

function isNewEnough(python: string): boolean {
  try {
    const test = `import sys; sys.exit(sys.version_info < (${OLDEST.join(', ')}))`;
    execFileSync(python, ['-c', test], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Scripts begin with the absolute path of their environment's Python: this makes it the path after the move. */
function moveScripts(folder: string, final: string): void {
  const bin = join(folder, 'bin');
  for (const script of readdirSync(bin).map((name) => join(bin, name))) {
    // Links lead to the Python of the system, which is not ours to change.
    const content = lstatSync(script).isFile() ? readFileSync(script) : null;
    if (content?.subarray(0, 2).toString() === '#!') {
      writeFileSync(script, content.toString().replaceAll(folder, final));
    }
  }
}
