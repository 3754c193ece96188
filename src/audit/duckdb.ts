import type { DuckDBConnection } from '@duckdb/node-api';
import { CouldNot } from '../lib/errors.ts';

/** A DuckDB of this process alone, in memory. `close` ends it. */
export interface Database {
  connection: DuckDBConnection;
  close(): void;
}

/** Nothing is fetched, nothing is loaded from elsewhere, and memory has an end. */
const SETTINGS = {
  memory_limit: '1GB',
  threads: '2',
  temp_directory: '',
  autoinstall_known_extensions: 'false',
  autoload_known_extensions: 'false',
  allow_community_extensions: 'false',
};

/**
 * Opens a database. The engine is a native library of 70 MB, so it is no part of dist: it is taken from the node_modules of the
 * checkout. Throws CouldNot `audit.no_duckdb` where it is not.
 */
export async function openDatabase(settings: Partial<typeof SETTINGS> = {}): Promise<Database> {
  const { DuckDBInstance } = await loadEngine();
  const instance = await DuckDBInstance.create(':memory:', { ...SETTINGS, ...settings });
  const connection = await instance.connect();
  return {
    connection,
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/** Whether queries can be run here. */
export async function hasEngine(): Promise<boolean> {
  return await loadEngine().then(
    () => true,
    () => false,
  );
}

async function loadEngine() {
  try {
    // A static import, or one that the bundler sees, would tie every command to the library.
    return await import(/* webpackIgnore: true */ '@duckdb/node-api');
  } catch (cause) {
    throw new CouldNot(
      'audit.no_duckdb',
      'audit needs DuckDB, which is not part of dist: run it from a checkout of gatehouse after npm ci (without --omit=optional), or copy the index there',
      cause,
    );
  }
}
