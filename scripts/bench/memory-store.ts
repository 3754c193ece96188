import { digestOf } from '../../src/lib/digest.ts';
import { formatTime } from '../../src/lib/time.ts';
import type { Put, Store } from '../../src/store/store.ts';

/** A store in memory: a bench of the reader must not wait for a hundred thousand fsyncs of the writer. */
export function memoryStore(): Store & { objects: Map<string, { bytes: Buffer; storeTime: string }> } {
  const objects = new Map<string, { bytes: Buffer; storeTime: string }>();
  return {
    objects,
    descriptor: {
      url: 'file:///memory',
      kind: 'directory',
      lock: 'none',
      conditionalCreate: true,
      versions: false,
      serverTime: false,
    },
    put: async (key, bytes): Promise<Put> => {
      const created = !objects.has(key);
      const storeTime = formatTime(Date.now());
      if (created) objects.set(key, { bytes: Buffer.from(bytes), storeTime });
      return {
        created,
        receipt: { schema: 'gatehouse/receipt/1', key, versionId: null, storeTime, digest: digestOf(bytes) },
      };
    },
    get: async (key) => objects.get(key)?.bytes ?? null,
    read: async (key) => {
      const found = objects.get(key);
      return found === undefined ? null : { ...found, versionId: null };
    },
    async *list(prefix) {
      for (const [key, { bytes, storeTime }] of objects)
        if (key.startsWith(prefix)) yield { key, size: bytes.length, storeTime, versionId: null, oddity: null };
    },
  };
}
