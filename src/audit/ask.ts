import type { DuckDBConnection } from '@duckdb/node-api';
import { BadInput } from '../lib/errors.ts';
import { formatTime } from '../lib/time.ts';
import { bindings } from './parameters.ts';
import type { Query } from './query-file.ts';
import type { Value } from './tables.ts';

export interface Answer {
  columns: string[];
  rows: { [column: string]: Value }[];
}

/** Asks one of the named queries. Throws BadInput for parameters that do not fit and for a deploy that the index does not have. */
export async function ask(connection: DuckDBConnection, query: Query, words: readonly string[]): Promise<Answer> {
  const values = bindings(query, words);
  for (const [i, { type }] of query.parameters.entries()) {
    if (type !== 'deploy') continue;
    const known = await select(connection, 'select 1 as known from deploys where deploy_id = ?', [values[i] as string]);
    if (known.rows.length === 0)
      throw new BadInput(
        'audit.unknown_deploy',
        `there is no deploy ${values[i]} in this index: take an id from the column deploy_id of deploys-by-person, deploys-by-environment or deploys-by-digest`,
      );
  }
  return await select(connection, query.sql, values);
}

/** Runs SQL with bound values. Times come back as RFC 3339 in UTC, whole numbers as numbers. */
export async function select(
  connection: DuckDBConnection,
  sql: string,
  values: readonly string[] = [],
): Promise<Answer> {
  const prepared = await connection.prepare(sql);
  try {
    for (const [i, value] of values.entries()) prepared.bindVarchar(i + 1, value);
    const reader = await prepared.runAndReadAll();
    const columns = reader.columnNames();
    const rows = reader
      .getRows()
      .map((row) => Object.fromEntries(row.map((value, i) => [columns[i] as string, plain(value)])));
    return { columns, rows };
  } finally {
    prepared.destroySync();
  }
}

/** Of the engine's values, those that the tables have. */
function plain(value: unknown): Value {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') return Number(value);
  if (typeof value === 'object' && 'micros' in value && typeof value.micros === 'bigint')
    return formatTime(Number(value.micros / 1000n));
  throw new Error(`a query answered with a value of a type that tables do not have: ${String(value)}`);
}
