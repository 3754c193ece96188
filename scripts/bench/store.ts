/**
 * One record into an S3 store as a whole process, against the put of the AWS command line to the same server: what a step of a
 * pipeline waits for. Needs versitygw and aws of `npm run tools`; without them the row says so.
 */
import { spawnSync } from 'node:child_process';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeBucket, type S3Server, startVersitygw, urlOf } from '../../test/interop/store-servers.ts';
import { editContract, laySiteHere, steps, succeed } from '../../test/support/direct.ts';
import { findTool, installCommand } from '../tools/find.ts';

const BUCKET = 'evidence-of-the-bench';

/** Rows of the bench: medians of alternating runs in milliseconds, and their ratio. */
export async function storeRows(folder: string, runs: number, median: (values: number[]) => number): Promise<string[]> {
  const missing = ['versitygw', 'aws'].filter((tool) => findTool(tool) === null);
  if (missing.length > 0)
    return [`SKIPPED: a record into S3 against aws s3api put-object: ${installCommand(...missing)}`];
  const home = join(folder, 'store');
  mkdirSync(home);
  const server = await startVersitygw(home);
  try {
    await makeBucket(server, BUCKET, { days: 2560 });
    const emit = await emitter(join(home, 'site'), server);
    const put = putter(home, server);
    const times: [number[], number[]] = [[], []];
    for (let round = -1; round < runs; round++) {
      const took = [emit(), put()] as const;
      // The first round fills the file system's caches.
      if (round >= 0) for (const [i, each] of took.entries()) (times[i] as number[]).push(each);
    }
    const [ours, theirs] = times.map(median) as [number, number];
    const row = (name: string, ms: number) =>
      `${name.padEnd(46)} ${ms.toFixed(1).padStart(5)}  ${(ms / theirs).toFixed(2).padStart(5)}×`;
    return [row('aws s3api put-object, one object', theirs), row('gatehouse evidence-emit into S3, one record', ours)];
  } finally {
    await server.stop();
  }
}

/** A run whose store is the bucket, and a command that writes one record of it. */
async function emitter(folder: string, server: S3Server): Promise<() => number> {
  const store = { url: urlOf(server, BUCKET), env: server.env };
  const site = await laySiteHere(folder, '127.0.0.1:9', 'dist', store);
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
  return () => timed(process.execPath, [site.program, ...words, '--key', `file://${key}`], server.env);
}

function putter(folder: string, { endpoint, env }: S3Server): () => number {
  const body = join(folder, 'body.json');
  writeFileSync(body, 'x'.repeat(3000));
  const words = ['s3api', 'put-object', '--endpoint-url', endpoint, '--region', 'us-east-1', '--bucket', BUCKET];
  const how = ['--body', body, '--if-none-match', '*', '--checksum-algorithm', 'SHA256'];
  return () => timed(findTool('aws') as string, [...words, ...how, '--key', `bench/${randomUUID()}`], env);
}

/** Milliseconds of one whole process. Throws when it does not end with exit 0: a failure is not to be timed. */
function timed(program: string, args: string[], env: Record<string, string>): number {
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(program, args, {
    env: { PATH: process.env.PATH, HOME: '/nonexistent', ...env },
    encoding: 'utf8',
  });
  const took = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with exit ${status}: ${stdout}${stderr}`);
  return took;
}
