import { createHash } from 'node:crypto';
import { mkdirSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { directoryStore, type Step } from '../../src/store/directory.ts';

/*
 * A process that puts objects into a folder until it is killed: node kill-writer.js <folder> <writer> <step> <count>. It kills itself
 * right after the count-th time of the step, or waits for its parent to do it when step is `never`. An object is acknowledged on
 * stdout, one line with its key, only after its put has returned.
 */
const [root, writer, killAfter, count] = process.argv.slice(2) as [string, string, Step | 'never', string];

let seen = 0;
function onStep(step: Step): void {
  if (step !== killAfter) return;
  seen += 1;
  if (seen === Number(count)) process.kill(process.pid, 'SIGKILL');
}

/** Does what people do: opens the final name and writes into it. Planted, to show that the test can fail. */
async function naivePut(key: string, bytes: Buffer): Promise<void> {
  const path = join(root, key);
  mkdirSync(dirname(path), { recursive: true });
  const file = await open(path, 'wx');
  onStep('open');
  await file.write(bytes.subarray(0, bytes.length / 2));
  onStep('write');
  await file.write(bytes.subarray(bytes.length / 2));
  await file.sync();
  onStep('fsync');
  await file.close();
  onStep('link');
}

const store = directoryStore(root, onStep);
const put = writer === 'naive' ? naivePut : (key: string, bytes: Buffer) => store.put(key, bytes);

for (let i = 0; ; i++) {
  const bytes = Buffer.alloc(96 * 1024, `${process.pid} ${i} `);
  const key = `v1/records/dt=2026-01-31/run=${i % 3}/${createHash('sha256').update(bytes).digest('hex')}.json`;
  await put(key, bytes);
  writeSync(1, `${key}\n`);
}
