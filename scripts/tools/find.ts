/** Where the installed tools are: the only part that tests and other scripts need. */

import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cachedTool } from './cache.ts';
import { TOOLS } from './catalogue.ts';

/**
 * Gives the absolute path of a tool's binary: of exactly the pinned version in the cache, or Debian's on the PATH.
 * null where it is not installed. Throws where the catalogue has no such tool, so that a misspelt name in a test is
 * not taken for an absent tool.
 */
export function findTool(name: string): string | null {
  const tool = TOOLS.find((each) => each.name === name);
  if (tool === undefined) {
    throw new Error(`there is no tool ${name} in scripts/tools/catalogue.ts`);
  }
  return tool.kind === 'debian' ? onPath(name) : cachedTool(tool);
}

/** The command that installs tools, for messages. */
export function installCommand(...names: string[]): string {
  return `npm run tools -- ${names.join(' ')}`;
}

/** Gives the first executable of this name on the PATH, or null. */
function onPath(command: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, command)).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
