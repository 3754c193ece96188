import { type Patience, systemPatience } from '../../lib/aws/retry.ts';
import type { Environment, Store } from '../store.ts';
import { parseS3Url, type S3Address } from './address.ts';
import { list } from './list.ts';
import { put } from './put.ts';
import { read } from './read.ts';
import { Session } from './session.ts';

/** Opens `s3://bucket/prefix?region=…`. Nothing is loaded or asked before the first use. Throws BadInput for a wrong URL. */
export function openS3(url: string, env: Environment): Store {
  return s3Store(parseS3Url(url), env);
}

/**
 * A store in a bucket. Every put asks for create-only and carries the SHA-256 of its bytes, which the server has to confirm;
 * the lock is the bucket's default, never asked for here, since a writer that may choose a lock may choose a short one.
 */
export function s3Store(address: S3Address, env: Environment, patience: Patience = systemPatience): Store {
  const session = new Session(address, env, patience);
  return {
    descriptor: {
      url: address.url,
      kind: 's3',
      lock: 'as the bucket is set (gatehouse doctor --store shows it)',
      conditionalCreate: true,
      versions: true,
      serverTime: true,
    },
    put: (key, bytes, mediaType) => put(session, key, bytes, mediaType),
    get: async (key, versionId) => (await read(session, key, versionId))?.bytes ?? null,
    read: (key, versionId) => read(session, key, versionId),
    list: (prefix) => list(session, prefix),
  };
}
