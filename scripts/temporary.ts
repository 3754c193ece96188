import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A Linux file system in memory. */
const MEMORY = '/dev/shm';
const ROOM = 2 * 1024 ** 3;

/**
 * The folder for temporary files of a test run: tests copy thousands of small files and wait for the disk at each record. In
 * memory where there is room and programs may be started from it; undefined where the system's own folder is to serve.
 */
export function temporaryFolder(memory = MEMORY): string | undefined {
  let folder: string | undefined;
  try {
    const { bavail, bsize } = statfsSync(memory);
    if (bavail * bsize < ROOM) return undefined;
    folder = mkdtempSync(join(memory, 'gatehouse-'));
    const program = join(folder, 'program');
    writeFileSync(program, '#!/bin/sh\nexit 0\n', { mode: 0o755 });
    return spawnSync(program).status === 0 ? memory : undefined;
  } catch {
    return undefined;
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  }
}
