import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectLockConfigurationCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { freePorts } from '../support/ports.ts';
import { cleanEnvironment } from '../support/sandbox.ts';
import { toolPath } from '../support/tools.ts';

/** An S3 server of ours for one test file. */
export interface S3Server {
  endpoint: string;
  /** Credentials of its administrator, as a job finds them. */
  env: Record<string, string>;
  admin: S3Client;
  stop(): Promise<void>;
}

export const KEY_ID = 'gatehouse-test';
export const SECRET = 'a-secret-that-must-never-be-printed';

/** versitygw over two folders: the newest versions, and those below them. */
export async function startVersitygw(folder: string): Promise<S3Server> {
  const [port] = (await freePorts(1)) as [number];
  const [data, versions] = ['data', 'versions'].map((name) => join(folder, name)) as [string, string];
  for (const each of [data, versions]) mkdirSync(each);
  const args = ['--port', `127.0.0.1:${port}`, '--quiet', 'posix', '--versioning-dir', versions, data];
  const child = spawn(toolPath('versitygw'), args, {
    stdio: 'ignore',
    env: cleanEnvironment(folder, { ROOT_ACCESS_KEY: KEY_ID, ROOT_SECRET_KEY: SECRET }),
  });
  return await ready(child, port);
}

/** LocalStack's S3, STS and KMS; takes any credentials. */
export async function startLocalstack(folder: string): Promise<S3Server> {
  const [port] = (await freePorts(1)) as [number];
  const child = spawn(join(dirname(toolPath('localstack')), 'python'), ['-m', 'localstack.runtime.main'], {
    stdio: 'ignore',
    env: cleanEnvironment(folder, {
      GATEWAY_LISTEN: `127.0.0.1:${port}`,
      SERVICES: 's3,sts,iam,kms',
      DISABLE_EVENTS: '1',
      SKIP_SSL_CERT_DOWNLOAD: '1',
      LOCALSTACK_VOLUME_DIR: folder,
    }),
  });
  return await ready(child, port);
}

/** Creates a bucket as it is given out for evidence: with versions and, where a number of days is given, a COMPLIANCE lock. */
export async function makeBucket(
  { admin }: S3Server,
  bucket: string,
  { versions = true, days = null as number | null, mode = 'COMPLIANCE' as 'COMPLIANCE' | 'GOVERNANCE' } = {},
): Promise<void> {
  await admin.send(
    new CreateBucketCommand({ Bucket: bucket, ...(days === null ? {} : { ObjectLockEnabledForBucket: true }) }),
  );
  if (versions)
    await admin.send(
      new PutBucketVersioningCommand({ Bucket: bucket, VersioningConfiguration: { Status: 'Enabled' } }),
    );
  if (days === null) return;
  await admin.send(
    new PutObjectLockConfigurationCommand({
      Bucket: bucket,
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: mode, Days: days } } },
    }),
  );
}

export function urlOf(server: Pick<S3Server, 'endpoint'>, bucket: string, prefix = 'evidence'): string {
  return `s3://${bucket}/${prefix}?region=us-east-1&endpoint=${server.endpoint}`;
}

async function ready(child: ChildProcess, port: number): Promise<S3Server> {
  const endpoint = `http://127.0.0.1:${port}`;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const admin = new S3Client({
    region: 'us-east-1',
    endpoint,
    forcePathStyle: true,
    credentials: { accessKeyId: KEY_ID, secretAccessKey: SECRET },
  });
  const stop = async () => {
    admin.destroy();
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(late);
  };
  for (let waited = 0; ; waited += 250) {
    if (child.exitCode !== null) throw new Error(`${child.spawnfile} ended with exit ${child.exitCode} at its start`);
    const answers = await fetch(endpoint).then(
      () => true,
      () => false,
    );
    if (answers) break;
    if (waited > 180_000) {
      await stop();
      throw new Error(`${child.spawnfile} does not answer at ${endpoint}`);
    }
    await sleep(250);
  }
  return { endpoint, env: { AWS_ACCESS_KEY_ID: KEY_ID, AWS_SECRET_ACCESS_KEY: SECRET }, admin, stop };
}
