import { probeS3 } from './s3/probe.ts';
import { type Environment, openStore } from './store.ts';
import { probeObject, type StoreFacts } from './store-facts.ts';

/**
 * Looks at a store by using it: puts a probe object, puts it again, and asks the server for its settings. Leaves the probe
 * object behind, which a lock keeps as long as any evidence. Throws BadInput for a wrong URL, CouldNot where there is no store.
 */
export async function probeStore(url: string, env: Environment, now: () => number): Promise<StoreFacts> {
  return url.startsWith('s3:') ? await probeS3(url, env, now) : await probeDirectory(url, env, now);
}

async function probeDirectory(url: string, env: Environment, now: () => number): Promise<StoreFacts> {
  const store = openStore(url, env);
  const { key, bytes, other } = probeObject(now());
  const putAt = now();
  const { receipt } = await store.put(key, bytes, 'application/json');
  const again = await store.put(key, other, 'application/json');
  const there = await store.get(key);
  return {
    url: store.descriptor.url,
    kind: 'directory',
    left: [key],
    putAt,
    createOnly: { value: !again.created },
    kept: { value: there?.equals(bytes) === true },
    serverTime: { unknown: `a directory has the clock of this machine (${receipt.storeTime})` },
    server: null,
  };
}
