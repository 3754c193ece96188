import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { digestOf } from '../../src/lib/digest.ts';
import { directoryStore } from '../../src/store/directory.ts';
import type { Put, Store } from '../../src/store/store.ts';

/** A directory store that does not wait for the disk: a bench of the reader must not wait for the fsyncs of the writer. */
export function quickStore(root: string): Store {
  mkdirSync(root, { recursive: true });
  return {
    ...directoryStore(root),
    put: async (key, bytes): Promise<Put> => ({
      created: create(join(root, key), bytes),
      receipt: { schema: 'gatehouse/receipt/1', key, versionId: null, storeTime: null, digest: digestOf(bytes) },
    }),
  };
}

function create(path: string, bytes: Uint8Array): boolean {
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(path, bytes, { flag: 'wx' });
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw cause;
  }
}
