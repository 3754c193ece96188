import { createHash, randomBytes } from 'node:crypto';
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/store.ts';

/*
 * A process that puts objects into an S3 store, four at a time, until it is killed: node s3-writer.js <url>. An object is
 * acknowledged on stdout, one line with its key, only after its put has returned.
 */
const store = openStore(process.argv[2] as string, process.env);

async function putForEver(writer: number): Promise<never> {
  for (let i = 0; ; i++) {
    const bytes = Buffer.concat([Buffer.from(`${process.pid} ${writer} ${i} `), randomBytes(200 * 1024)]);
    const key = `v1/records/run=${process.pid}/${createHash('sha256').update(bytes).digest('hex')}.json`;
    await store.put(key, bytes);
    writeSync(1, `${key}\n`);
  }
}

await Promise.all([0, 1, 2, 3].map(putForEver));
