/** Installs tools one after another, because each build already uses every core, and reports on each. */

import { cacheFolder } from './cache.ts';
import type { Tool } from './catalogue.ts';
import { installDebian } from './debian.ts';
import { explain } from './failure.ts';
import { findTool, installCommand } from './find.ts';
import { installGo } from './go.ts';
import { versionOf } from './pin.ts';
import { beginProgress, secondsSince } from './progress.ts';
import { installPython } from './python.ts';
import type { Session } from './run.ts';

/**
 * Installs those of the tools that are absent. One that fails does not keep the others from being tried.
 * Gives the exit code: 0 all are there, 3 some are not, 130 stopped by a signal.
 */
export async function installAll(tools: readonly Tool[]): Promise<number> {
  const signal = stoppedByPerson();
  const failed: string[] = [];
  for (const [index, tool] of tools.entries()) {
    const label = `[${index + 1}/${tools.length}] ${tool.name} ${versionOf(tool)}`;
    if (findTool(tool.name) !== null) {
      console.log(`${label}: there already`);
    } else if (!(await installOne(tool, label, signal))) {
      failed.push(tool.name);
    }
    if (signal.aborted) {
      console.error('stopped: what was half done is removed');
      return 130;
    }
  }
  if (failed.length > 0) {
    console.error(
      `error: ${failed.length} of ${tools.length} not installed; to try again: ${installCommand(...failed)}`,
    );
    return 3;
  }
  console.log(`all are there; cache: ${cacheFolder()}`);
  return 0;
}

function stoppedByPerson(): AbortSignal {
  const stopped = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => stopped.abort());
  }
  return stopped.signal;
}

async function installOne(tool: Tool, label: string, signal: AbortSignal): Promise<boolean> {
  const start = Date.now();
  const { onLog, end } = beginProgress(label, tool.seconds);
  try {
    await install(tool, { onLog, signal });
    end(`installed in ${secondsSince(start)} s`);
    return true;
  } catch (error) {
    end(`${signal.aborted ? 'stopped' : 'FAILED'} after ${secondsSince(start)} s`);
    if (!signal.aborted) {
      console.error(explain(error));
    }
    return false;
  }
}

async function install(tool: Tool, session: Session): Promise<void> {
  switch (tool.kind) {
    case 'go':
      return await installGo(tool, session);
    case 'python':
      return await installPython(tool, session);
    case 'debian':
      return await installDebian(tool, session);
  }
}
