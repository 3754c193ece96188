/**
 * The cache of built tools, outside the repository: one folder a pin, NAME-VERSION-KEY, with bin/NAME and a stamp.
 * A folder is filled under another name and renamed when it is whole, so that nobody ever finds half a tool; of two
 * runs that build the same tool at once, the first to rename wins and the other throws its own away.
 */

import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { InstallError } from './failure.ts';
import { type Pin, type PinnedTool, readPin } from './pin.ts';

/** The cache's absolute path: $GATEHOUSE_TOOLS, else gatehouse/tools in $XDG_CACHE_HOME, else in ~/.cache. */
export function cacheFolder(): string {
  const { GATEHOUSE_TOOLS: own, XDG_CACHE_HOME: shared } = process.env;
  return resolve(own || join(shared || join(homedir(), '.cache'), 'gatehouse', 'tools'));
}

/** Gives the path of the binary that the tool's pin stands for, or null where it is not in the cache. */
export function cachedTool(tool: PinnedTool): string | null {
  const folder = join(cacheFolder(), folderName(tool, readPin(tool)));
  const binary = join('bin', tool.name);
  // A virtual environment links to the system's Python, which may have gone since.
  const needed = [STAMP, binary, ...(tool.kind === 'python' ? [join('bin', 'python')] : [])];
  return needed.every((file) => existsSync(join(folder, file))) ? join(folder, binary) : null;
}

/**
 * Has `build(folder, log, final)` fill a fresh folder, writing what it says to the file `log`, and moves the folder to
 * its place `final`. Where the build throws, nothing remains but the log, whose path the error then carries.
 */
export async function fillCache(
  tool: PinnedTool,
  build: (folder: string, log: string, final: string) => Promise<void>,
): Promise<void> {
  const pin = readPin(tool);
  const name = folderName(tool, pin);
  const final = join(cacheFolder(), name);
  const folder = join(cacheFolder(), `${BUILDING}${hostname()}.${process.pid}.${name}`);
  const log = join(folder, 'build.log');
  prepare(folder);
  try {
    await build(folder, log, final);
    if (!existsSync(join(folder, 'bin', tool.name))) {
      throw new InstallError(`the build made no program of the name ${tool.name}`, { fix: 'see the log', log });
    }
    writeFileSync(join(folder, STAMP), `${JSON.stringify({ name: tool.name, ...pin })}\n`);
    publish(folder, final, tool);
  } catch (error) {
    throw error instanceof InstallError ? error.withLog(keepLog(log, name)) : error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Gives the path for the log of a step that fills no folder of the cache. */
export function logFile(name: string): string {
  const logs = join(cacheFolder(), 'logs');
  withFix(() => makeFolder(logs));
  return join(logs, `${name}.log`);
}

const STAMP = 'stamp.json';
const BUILDING = '.building.';

function folderName({ name }: PinnedTool, { version, key }: Pin): string {
  return `${name}-${version}-${key}`;
}

function prepare(folder: string): void {
  withFix(() => {
    makeFolder(cacheFolder());
    removeAbandoned();
    rmSync(folder, { recursive: true, force: true });
    makeFolder(folder);
  });
}

function withFix(change: () => void): void {
  try {
    change();
  } catch (cause) {
    throw new InstallError(`cannot write to the cache ${cacheFolder()}: ${(cause as Error).message}`, {
      fix: 'set GATEHOUSE_TOOLS to a folder that you may write to',
      cause,
    });
  }
}

/** Not mkdir's own `recursive`: on Node 24 that loops for ever below /proc and calls a read-only disk ENOENT. */
function makeFolder(folder: string): void {
  if (!existsSync(folder)) {
    makeFolder(dirname(folder));
    try {
      mkdirSync(folder);
    } catch (error) {
      // Another run may have made it in the meantime.
      if (!existsSync(folder)) {
        throw error;
      }
    }
  }
}

/** Removes what killed runs of this machine left: a lock file would not survive them any better than a process id. */
function removeAbandoned(): void {
  for (const entry of readdirSync(cacheFolder())) {
    const ours = `${BUILDING}${hostname()}.`;
    if (entry.startsWith(ours) && !isRunning(Number.parseInt(entry.slice(ours.length), 10))) {
      rmSync(join(cacheFolder(), entry), { recursive: true, force: true });
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function publish(folder: string, final: string, tool: PinnedTool): void {
  try {
    renameSync(folder, final);
  } catch {
    if (cachedTool(tool) === null) {
      // Not another run's whole tool, but one of which somebody has deleted a part.
      rmSync(final, { recursive: true, force: true });
      renameSync(folder, final);
    }
  }
}

function keepLog(log: string, name: string): string | null {
  if (!existsSync(log)) {
    return null;
  }
  const kept = logFile(name);
  renameSync(log, kept);
  return kept;
}
