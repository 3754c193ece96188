import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AuditIndex, auditIndex } from '../contract/audit-index.ts';
import { problemText } from '../contract/problems.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, CouldNot, messageOf } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { whyNot } from '../lib/write.ts';
import { type Database, openDatabase } from './duckdb.ts';
import { MACROS } from './macros.ts';
import { quoted } from './table-file.ts';
import { type TableName, tableNames } from './tables.ts';

/** An index with its tables ready to be asked. */
export interface OpenIndex extends Database {
  index: AuditIndex;
}

/**
 * Opens an index: every table as a view over its file. From then on the engine reaches these files and nothing else: no other
 * file, no network, no extension. Throws BadInput when the folder holds no index or not the bytes that its index.json names.
 */
export async function openIndex(folder: string): Promise<OpenIndex> {
  const index = readIndex(folder);
  const database = await openDatabase();
  try {
    const path = (name: TableName) => quoted(resolve(folder, `${name}.parquet`));
    const run = (sql: string) => database.connection.run(sql);
    await run(`set allowed_paths = [${tableNames.map((name) => `'${path(name)}'`).join(', ')}]`);
    await run('set enable_external_access = false');
    await run("set timezone = 'UTC'");
    await run('set lock_configuration = true');
    for (const name of tableNames) await run(`create view ${name} as select * from read_parquet('${path(name)}')`);
    for (const macro of MACROS) await run(`create macro ${macro}`);
    return { ...database, index };
  } catch (cause) {
    database.close();
    throw new CouldNot('audit.index', `index ${folder} cannot be opened: ${messageOf(cause)}; build it again`, cause);
  }
}

function readIndex(folder: string): AuditIndex {
  const file = join(folder, 'index.json');
  const advice = 'build it with gatehouse audit index --store URL --trust FILE --out FOLDER';
  if (!existsSync(file))
    throw new BadInput('audit.index', `${folder} holds no index (index.json is not there): ${advice}`);
  const parsed = auditIndex.safeParse(parseJson(readInput(file, 'index', 1024 * 1024), `index ${file}`));
  if (!parsed.success)
    throw new BadInput(
      'audit.index',
      `${file} does not fit its schema: ${problemText(parsed.error, auditIndex)}; ${advice}`,
    );
  for (const name of tableNames) {
    const table = parsed.data.tables[name];
    const path = join(folder, `${name}.parquet`);
    if (table === undefined || !existsSync(path) || digestOf(readFileSync(path)) !== table.digest)
      throw new BadInput(
        'audit.index',
        `${path} is not what index.json names: the index is damaged, or of another version of gatehouse; ${advice}`,
      );
  }
  return parsed.data;
}

/** Makes an empty folder for an index; an index that is there already gives way. Throws BadInput for a folder with anything else. */
export function emptyIndexFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
    const found = readdirSync(folder);
    const ours = new Set(['index.json', '.rows', ...tableNames.map((name) => `${name}.parquet`)]);
    const strange = found.filter((name) => !ours.has(name));
    if (strange.length > 0)
      throw new BadInput(
        'audit.folder',
        `${folder} holds ${strange[0]}, which is no part of an index: name an empty folder, or one with an earlier index`,
      );
    for (const name of found) rmSync(join(folder, name), { recursive: true });
  } catch (cause) {
    if (cause instanceof BadInput) throw cause;
    throw new BadInput('audit.folder', `cannot make folder ${folder}: ${whyNot(cause)}`, cause);
  }
}
