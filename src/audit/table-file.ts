import { closeSync, openSync, writeSync } from 'node:fs';
import { type Row, type TableName, tables, type Value } from './tables.ts';

const MEGABYTE = 1024 * 1024;

/** Rows of one table on their way into a file, one JSON object a line; a store of any size passes through a few megabytes. */
export class TableFile<T extends TableName> {
  readonly path: string;
  readonly #file: number;
  #waiting: string[] = [];
  #size = 0;
  rows = 0;
  /** Characters of its longest line. */
  longest = 0;

  constructor(path: string) {
    this.path = path;
    this.#file = openSync(path, 'wx', 0o600);
  }

  add(row: Row<T>): void {
    const line = `${JSON.stringify(row)}\n`;
    this.#waiting.push(line);
    this.#size += line.length;
    this.longest = Math.max(this.longest, line.length);
    this.rows++;
    if (this.#size > MEGABYTE) this.#flush();
  }

  close(): void {
    this.#flush();
    closeSync(this.#file);
  }

  #flush(): void {
    const bytes = Buffer.from(this.#waiting.join(''));
    // One write may stop short.
    for (let at = 0; at < bytes.length; ) at += writeSync(this.#file, bytes, at);
    this.#waiting = [];
    this.#size = 0;
  }
}

/**
 * SQL that reads such a file with the table's own types and nothing guessed. The engine has buffers for the largest line that it is told
 * of, and refuses a larger one.
 */
export function readerOf<T extends TableName>(table: T, { path, longest }: TableFile<T>): string {
  const limit = Math.max(MEGABYTE, 3 * longest);
  const columns = Object.entries(tables[table]).map(([name, type]) => `"${name}": '${type}'`);
  return `select * from read_json('${quoted(path)}', format = 'newline_delimited', maximum_object_size = ${limit}, columns = {${columns.join(', ')}})`;
}

/** A path inside quotes of SQL. */
export function quoted(path: string): string {
  return path.replaceAll("'", "''");
}

/** Milliseconds as DuckDB and Trino read a timestamp: UTC, without a zone. */
export function timestamp(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', '');
}

/** The value where it is text, else null: what a record’s data holds is not known. */
export function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** The value where it is a whole number that JSON keeps exactly, else null. */
export function countOf(value: unknown): Value {
  return Number.isSafeInteger(value) ? (value as number) : null;
}
