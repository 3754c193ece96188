import type { S3Client } from '@aws-sdk/client-s3';
import { type Patience, withRetries } from '../../lib/aws/retry.ts';
import { formatTime } from '../../lib/time.ts';
import { keyParts } from '../key.ts';
import type { Environment } from '../store.ts';
import type { S3Address } from './address.ts';

/** The SDK and one client, both made at the first request. */
export class Session {
  readonly address: S3Address;
  readonly #env: Environment;
  readonly #patience: Patience;
  #loaded: Promise<Loaded> | undefined;

  constructor(address: S3Address, env: Environment, patience: Patience) {
    this.address = address;
    this.#env = env;
    this.#patience = patience;
  }

  /** Runs a request with retries. Throws what the SDK threw. */
  async send<T>(request: (loaded: Loaded) => Promise<T>): Promise<T> {
    this.#loaded ??= load(this.address, this.#env);
    const loaded = await this.#loaded;
    return await withRetries(this.#patience, () => request(loaded));
  }

  /** Bucket and key as the SDK wants them. */
  at(key: string): { Bucket: string; Key: string; ExpectedBucketOwner?: string } {
    return { ...this.bucket(), Key: `${this.address.prefix}${keyParts(key).join('/')}` };
  }

  bucket(): { Bucket: string; ExpectedBucketOwner?: string } {
    const { bucket, owner } = this.address;
    return { Bucket: bucket, ...(owner === null ? {} : { ExpectedBucketOwner: owner }) };
  }
}

export interface Loaded {
  client: S3Client;
  sdk: typeof import('./sdk.ts');
}

/** Lazily, so that no command without an S3 store pays for the SDK. */
async function load(address: S3Address, env: Environment): Promise<Loaded> {
  const sdk = await import('./sdk.ts');
  return { client: sdk.clientFor(address, env), sdk };
}

/** Without versions a bucket calls its one version `null`. */
export function idOf(versionId: string | undefined): string | null {
  return versionId === undefined || versionId === 'null' ? null : versionId;
}

/** A time of the SDK as RFC 3339, null where it is none. */
export function timeOf(date: Date | undefined): string | null {
  return date === undefined || Number.isNaN(date.getTime()) ? null : formatTime(date.getTime());
}
