/**
 * One record into an S3 store as a whole process, against the put of the AWS command line to the same server: what a step of a
 * pipeline waits for. Needs versitygw and aws of `npm run tools`; without them the row says so.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBucket, type S3Server, startVersitygw, urlOf } from '../../test/interop/store-servers.ts';
import { editContract, laySiteHere, steps, succeed } from '../../test/support/direct.ts';
import { findTool, installCommand } from '../tools/find.ts';
import { heading, line, medians, type Process, runWithPeak } from './process.ts';

const BUCKET = 'evidence-of-the-bench';

/** Lines of the bench: medians of alternating runs, and their ratio. */
export async function storeRows(folder: string, runs: number, dist: string): Promise<string[]> {
  const missing = ['versitygw', 'aws'].filter((tool) => findTool(tool) === null);
  if (missing.length > 0)
    return [`SKIPPED: a record into S3 against aws s3api put-object: ${installCommand(...missing)}`];
  const home = join(folder, 'store');
  mkdirSync(home);
  const server = await startVersitygw(home);
  try {
    await makeBucket(server, BUCKET, { days: 2560 });
    const emit = await emitter(join(home, 'site'), server, dist);
    const put = putter(home, server);
    const [ours, theirs] = medians([emit, put], runs) as [number, number];
    return [
      heading('store'),
      line('aws s3api put-object, one object', theirs, 1, null),
      line('gatehouse evidence-emit into S3, one record', ours, ours / theirs, runWithPeak(emit).peak),
    ];
  } finally {
    await server.stop();
  }
}

/** A run whose store is the bucket, and a command that writes one record of it. */
async function emitter(folder: string, server: S3Server, dist: string): Promise<Process> {
  const store = { url: urlOf(server, BUCKET), env: server.env };
  const site = await laySiteHere(folder, '127.0.0.1:9', dist, store);
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const pem = publicKey.export({ type: 'spki', format: 'pem' });
  await succeed(steps.open(site));
  await editContract(
    site,
    (contract) => {
      contract.trust.keys.emit = [{ id: 'bench-emit', public: pem, repositories: ['*'] }];
    },
    false,
  );
  const [key, data] = ['emit.pem', 'data.json'].map((name) => site.path(name)) as [string, string];
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(data, JSON.stringify({ passed: 12, failed: 0 }));
  const words = ['evidence-emit', '--type', 'test.completed', '--data', data, '--run', site.path('run.json')];
  return { args: [site.program, ...words, '--key', `file://${key}`], env: { HOME: '/nonexistent', ...server.env } };
}

function putter(folder: string, { endpoint, env }: S3Server): Process {
  const body = join(folder, 'body.json');
  writeFileSync(body, 'x'.repeat(3000));
  const words = ['s3api', 'put-object', '--endpoint-url', endpoint, '--region', 'us-east-1', '--bucket', BUCKET];
  const how = ['--body', body, '--if-none-match', '*', '--checksum-algorithm', 'SHA256'];
  return {
    program: findTool('aws') as string,
    // Another key each time.
    get args() {
      return [...words, ...how, '--key', `bench/${randomUUID()}`];
    },
    env: { HOME: '/nonexistent', ...env },
  };
}
