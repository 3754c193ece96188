import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { findTool } from '../../scripts/tools/find.ts';
import { openStore } from '../../src/store/store.ts';
import { cleanEnvironment, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';
import { makeBucket, type S3Server, startVersitygw, urlOf } from './store-servers.ts';

const WRITER = fileURLToPath(new URL('./s3-writer.js', import.meta.url));
const KILLS = 40;
const BUCKET = 'evidence-of-the-killed';

const sandbox = sandboxes();
const servers: S3Server[] = [];
beforeAll(async () => {
  if (findTool('versitygw') === null) return;
  const server = await startVersitygw(sandbox.folder('kill'));
  servers.push(server);
  await makeBucket(server, BUCKET, { days: 2560 });
});
afterAll(async () => {
  for (const server of servers) await server.stop();
  sandbox.clean();
});

/** Runs one writer and kills it so many milliseconds after its first acknowledgement; gives what it acknowledged. */
async function killed({ endpoint, env }: S3Server, after: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, urlOf({ endpoint }, BUCKET)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: cleanEnvironment('/nonexistent', env),
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '') setTimeout(() => child.kill('SIGKILL'), after);
    said += text;
  });
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  return said.split('\n').slice(0, -1);
}

itWith('versitygw')(
  `a writer that is killed at any moment, ${KILLS} times: nothing torn, nothing acknowledged lost`,
  async () => {
    const server = servers[0] as S3Server;
    const acknowledged = new Set<string>();
    const queue = Array.from({ length: KILLS }, () => Math.random() * 60).values();
    const worker = async () => {
      for (const after of queue) for (const key of await killed(server, after)) acknowledged.add(key);
    };
    await Promise.all([worker(), worker()]);

    const store = openStore(urlOf(server, BUCKET), server.env);
    const whole = new Set<string>();
    let objects = 0;
    for await (const { key, versionId, oddity } of store.list('')) {
      expect(oddity).toBeNull();
      objects += 1;
      const bytes = (await store.get(key, versionId)) as Buffer;
      if (key.endsWith(`/${createHash('sha256').update(bytes).digest('hex')}.json`)) whole.add(key);
    }
    const lost = [...acknowledged].filter((key) => !whole.has(key));
    process.stdout.write(
      `killed ${KILLS} times: ${acknowledged.size} acknowledged, ${objects} there, ${lost.length} lost\n`,
    );
    expect({ torn: objects - whole.size, lost: lost.length }).toEqual({ torn: 0, lost: 0 });
    expect(acknowledged.size).toBeGreaterThanOrEqual(KILLS);
    // Some died between the server's taking an object and saying so: otherwise the kills came at quiet moments only.
    expect(objects).toBeGreaterThan(acknowledged.size);
  },
);
