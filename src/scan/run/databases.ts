import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../../lib/digest.ts';
import { fileDigest } from '../../lib/file.ts';
import { formatTime } from '../../lib/time.ts';
import * as z from '../../lib/zod.ts';
import type { Database } from '../reading.ts';

/** What trivy writes beside its database (its `metadata.json`, version 2 of the format). */
const trivyMetadata = z.looseObject({ Version: z.int(), UpdatedAt: z.string() });

/** Trivy's database: when it was built stands beside it. Null where it cannot be told, which denies. */
export async function trivyDatabase(folder: string): Promise<Database> {
  try {
    const { Version, UpdatedAt } = trivyMetadata.parse(JSON.parse(readFileSync(join(folder, 'metadata.json'), 'utf8')));
    const builtAt = Date.parse(UpdatedAt);
    if (Number.isNaN(builtAt)) return null;
    return {
      version: String(Version),
      builtAt: formatTime(builtAt),
      digest: await fileDigest(join(folder, 'trivy.db')),
    };
  } catch {
    return null;
  }
}

/** OSV's archives, one an ecosystem: as old as the oldest. Null where there is none, which denies. */
export async function osvDatabase(folder: string): Promise<Database> {
  try {
    const archives = (await readdir(folder)).sort().map((ecosystem) => join(folder, ecosystem, 'all.zip'));
    if (archives.length === 0) return null;
    const lines: string[] = [];
    const times: number[] = [];
    for (const archive of archives) {
      times.push((await stat(archive)).mtimeMs);
      lines.push(`${await fileDigest(archive)}  ${archive.slice(folder.length + 1)}\n`);
    }
    return { version: null, builtAt: formatTime(Math.min(...times)), digest: digestOf(lines.join('')) };
  } catch {
    return null;
  }
}
