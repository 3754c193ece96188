/** Debian's packages: installed on the system, only where they are absent. */

import { logFile } from './cache.ts';
import type { DebianTool } from './catalogue.ts';
import { run, type Session } from './run.ts';

let listsAreFresh = false;

/** Installs a package, as root or by sudo. Throws an InstallError. */
export async function installDebian(tool: DebianTool, session: Session): Promise<void> {
  const options = { ...session, log: logFile(tool.name), env: { DEBIAN_FRONTEND: 'noninteractive' } };
  const apt = async (...args: string[]): Promise<void> => {
    const command = ['apt-get', '--quiet', '--option=DPkg::Lock::Timeout=300', ...args];
    const [program = '', ...rest] = process.getuid?.() === 0 ? command : ['sudo', '--non-interactive', ...command];
    await run(program, rest, options);
  };
  if (!listsAreFresh) {
    await apt('update');
    listsAreFresh = true;
  }
  await apt('install', '--yes', '--no-install-recommends', tool.package ?? tool.name);
}
