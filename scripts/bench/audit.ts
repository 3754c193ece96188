/**
 * The auditor's ten questions over a ledger of generated, signed records: how long the index takes (verifying included), how
 * long each question takes over it, and the least that SQL on the raw store must do for any question: read every seal, decode
 * every record, keep those of one type. That peer is DuckDB as well, over the same evidence, and verifies nothing.
 */
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, select } from '../../src/audit/ask.ts';
import { buildIndex } from '../../src/audit/build-index.ts';
import { openDatabase } from '../../src/audit/duckdb.ts';
import { type OpenIndex, openIndex } from '../../src/audit/open-index.ts';
import { queries } from '../../src/audit/queries.ts';
import { layDeliveries, PER_RUN } from './deliveries.ts';
import { memoryStore } from './memory-store.ts';

export async function benchAudit(records: number, rounds: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-audit-'));
  try {
    const store = memoryStore();
    const [laid, trust] = await timed(() => layDeliveries(store, Math.ceil(records / PER_RUN)));
    console.log(`${store.objects.size} objects signed and laid into memory: ${seconds(laid)}`);
    const index = join(folder, 'index');
    mkdirSync(index);
    const [built, made] = await timed(() => buildIndex(store, trust, index, Date.now()));
    const bytes = Object.values(made.tables).reduce((sum, { file }) => sum + statSync(join(index, file)).size, 0);
    console.log(
      `index of ${made.ledger.records} records, verified: ${seconds(built)}, ${(bytes / 1e6).toFixed(1)} MB, peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB with the store in memory`,
    );
    const seals = join(folder, 'seals');
    mkdirSync(seals);
    let number = 0;
    for (const [key, object] of store.objects)
      if (key.startsWith('v1/seals/')) writeFileSync(join(seals, `${number++}.ndjson`), object.bytes);
    store.objects.clear();
    const raw = await rawScan(seals, rounds);
    const open = await openIndex(index);
    console.log(
      `\nquestion                                       ms   rows   peer ${raw.toFixed(0)} ms: times as long`,
    );
    for (const { name } of queries) console.log(await row(open, name, rounds, raw));
    open.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function row(open: OpenIndex, name: string, rounds: number, raw: number): Promise<string> {
  const query = queries.find((each) => each.name === name) as (typeof queries)[number];
  const [deploy] = (
    await select(
      open.connection,
      "select deploy_id, digest from deploys where outcome = 'success' order by time desc limit 1",
    )
  ).rows;
  const given: { [parameter: string]: string } = {
    person: 'dev-7',
    environment: 'production',
    digest: String(deploy?.digest),
    deploy: String(deploy?.deploy_id),
    name: 'example.org/module-7',
  };
  const words = query.parameters
    .filter(({ fallback }) => fallback === null)
    .map((each) => `${each.name}=${given[each.name]}`);
  let rows = 0;
  const ms = await median(rounds, async () => {
    rows = (await ask(open.connection, query, words)).rows.length;
  });
  return `${name.padEnd(42)} ${ms.toFixed(1).padStart(6)}  ${String(rows).padStart(5)}   ${(raw / ms).toFixed(1).padStart(6)}×`;
}

/** Milliseconds of one pass over the raw seals. */
async function rawScan(seals: string, rounds: number): Promise<number> {
  const database = await openDatabase();
  const sql = `select count(*) as n from (
    select json_extract_string(decode(from_base64(json_extract_string(line, '$.dsseEnvelope.payload'))), '$.predicate.type') as type
    from (select unnest(string_split(content, chr(10))) as line from read_text('${seals}/*.ndjson')) where line <> ''
  ) where type = 'deploy.outcome'`;
  try {
    return await median(Math.min(rounds, 5), async () => void (await select(database.connection, sql)));
  } finally {
    database.close();
  }
}

async function median(rounds: number, act: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) times.push((await timed(act))[0]);
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] as number;
}

async function timed<T>(act: () => Promise<T>): Promise<[milliseconds: number, value: T]> {
  const start = process.hrtime.bigint();
  const value = await act();
  return [Number(process.hrtime.bigint() - start) / 1e6, value];
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`;
