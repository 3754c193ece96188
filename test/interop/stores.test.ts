import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { findTool } from '../../scripts/tools/find.ts';
import { digestOf } from '../../src/lib/digest.ts';
import { directoryStore } from '../../src/store/directory.ts';
import { openStore, type Store, type StoreEntry } from '../../src/store/store.ts';
import { sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';
import { makeBucket, type S3Server, startLocalstack, startVersitygw, urlOf } from './store-servers.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** What every store has to do, whatever it is made of. */
const KINDS = [
  { name: 'a folder', tools: [] as string[], start: null },
  { name: 'versitygw', tools: ['versitygw'], start: startVersitygw },
  { name: 'LocalStack', tools: ['localstack'], start: startLocalstack },
];
const BUCKET = 'evidence-of-acme';

describe.each(KINDS)('a store in $name', ({ tools, start }) => {
  const test = itWith(...tools);
  const installed = tools.every((tool) => findTool(tool) !== null);
  let server: S3Server | null = null;
  let store: Store;
  /** Another process would open its own. */
  let again: () => Store;

  beforeAll(async () => {
    if (!installed) return;
    const folder = sandbox.folder('stores');
    if (start === null) again = () => directoryStore(folder);
    else {
      const running = await start(folder);
      server = running;
      await makeBucket(running, BUCKET, { days: 2560 });
      again = () => openStore(urlOf(running, BUCKET), running.env);
    }
    store = again();
  }, 240_000);
  afterAll(() => server?.stop());

  const fresh = (name = 'a') => `v1/records/${randomBytes(8).toString('hex')}/${name}.json`;
  const listed = async (prefix: string, from = store): Promise<StoreEntry[]> => {
    const entries: StoreEntry[] = [];
    for await (const entry of from.list(prefix)) entries.push(entry);
    return entries.sort((a, b) => (a.key < b.key ? -1 : 1));
  };

  test('creates an object, and says when and as which version', async () => {
    const key = fresh();
    const bytes = Buffer.from('hello');
    const { created, receipt } = await store.put(key, bytes, 'application/json');
    expect(created).toBe(true);
    expect(receipt).toEqual({
      schema: 'gatehouse/receipt/1',
      key,
      versionId: store.descriptor.versions ? expect.any(String) : null,
      storeTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      digest: digestOf(bytes),
    });
    expect(Math.abs(Date.parse(receipt.storeTime as string) - Date.now())).toBeLessThan(60_000);
    const read = await again().read(key);
    expect(read).toMatchObject({ bytes, versionId: receipt.versionId });
    expect(Math.abs(Date.parse(read?.storeTime as string) - Date.parse(receipt.storeTime as string))).toBeLessThan(
      60_000,
    );
  });

  test('never replaces what is there', async () => {
    const key = fresh();
    await store.put(key, Buffer.from('first'));
    const { created, receipt } = await again().put(key, Buffer.from('forged'));
    expect([created, receipt.versionId, receipt.storeTime]).toEqual([false, null, null]);
    expect((await store.get(key))?.toString()).toBe('first');
    expect(await listed(key)).toHaveLength(1);
  });

  test('of 16 puts at the same time exactly one wins', async () => {
    for (let round = 0; round < 5; round++) {
      const key = fresh();
      const puts = await Promise.all(
        Array.from({ length: 16 }, (_, i) => again().put(key, Buffer.from(`writer ${i}`))),
      );
      const winners = puts.flatMap(({ created }, i) => (created ? [i] : []));
      expect(winners).toHaveLength(1);
      expect((await store.get(key))?.toString()).toBe(`writer ${winners[0]}`);
      expect(await listed(key)).toHaveLength(1);
    }
  });

  test('holds nothing, all bytes, and large objects', async () => {
    const contents = [Buffer.alloc(0), Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(9_000_000)];
    for (const bytes of contents) {
      const key = fresh();
      await store.put(key, bytes);
      expect((await store.get(key))?.equals(bytes)).toBe(true);
    }
  });

  test('has nothing where nothing was put', async () => {
    expect(await store.get(fresh())).toBeNull();
    expect(await listed(`v1/records/none${randomBytes(4).toString('hex')}`)).toEqual([]);
  });

  test('lists by prefix, also one that ends within a name, with size, time and version', async () => {
    const folder = `v1/log/${randomBytes(8).toString('hex')}`;
    for (const name of ['ab/1', 'ab/2', 'abc', 'b']) await store.put(`${folder}/${name}`, Buffer.from(name));
    const keys = async (prefix: string) => (await listed(prefix)).map(({ key }) => key.slice(folder.length + 1));
    expect(await keys(`${folder}/`)).toEqual(['ab/1', 'ab/2', 'abc', 'b']);
    expect(await keys(`${folder}/ab`)).toEqual(['ab/1', 'ab/2', 'abc']);
    expect(await keys(`${folder}/ab/`)).toEqual(['ab/1', 'ab/2']);
    const [entry] = await listed(`${folder}/abc`);
    expect(entry).toEqual({
      key: `${folder}/abc`,
      size: 3,
      storeTime: expect.any(String),
      versionId: store.descriptor.versions ? expect.any(String) : null,
      oddity: null,
    });
    expect((await store.get(`${folder}/abc`, entry?.versionId))?.toString()).toBe('abc');
  });

  test('takes every name that the ledger gives', async () => {
    const hex = 'ab'.repeat(16);
    const keys = [
      `v1/records/dt=2026-01-31/repo=github~github.com~4711/run=${hex}/job_1/step-1.x-0000-scan.completed-${hex}.json`,
      `v1/blobs/sha256/ab/${hex}${hex}~0af.gz`,
      `v1/by-digest/sha256-${hex}${hex}/gate.decided-${hex}.json`,
    ].map((key) => key.replace('dt=2026-01-31', `dt=${randomBytes(4).toString('hex')}`));
    for (const key of keys) {
      await store.put(key, Buffer.from(key));
      expect((await store.get(key))?.toString()).toBe(key);
      expect((await listed(key)).map((entry) => entry.key)).toEqual([key]);
    }
  });

  test('refuses names that no key has, before anything is sent', async () => {
    for (const key of ['', '../outside', 'v1//a', 'v1/a/', 'v1/.hidden', 'v1/a b', 'v1/é']) {
      await expect(store.put(key, Buffer.from('x'))).rejects.toMatchObject({ code: 'store.key', exit: 2 });
      await expect(store.get(key)).rejects.toMatchObject({ code: 'store.key' });
    }
  });

  if (start !== null) {
    const name = (key: string) => ({ Bucket: BUCKET, Key: `evidence/${key}` });
    const admin = () => (server as S3Server).admin;

    test('a delete marker over an object denies by name, shows in the listing and leaves the version', async () => {
      const key = fresh();
      const { receipt } = await store.put(key, Buffer.from('kept'));
      await admin().send(new DeleteObjectCommand(name(key)));
      await expect(store.get(key)).rejects.toMatchObject({ code: 'store.hidden', exit: 1 });
      const entries = await listed(key);
      expect(entries.map(({ covers, oddity }) => covers ?? oddity).sort()).toEqual(['hides', null]);
      expect((await store.get(key, receipt.versionId))?.toString()).toBe('kept');
    });

    test('a put without condition over an object is a shadow, and the first version stays the object', async () => {
      const key = fresh();
      const { receipt } = await store.put(key, Buffer.from('first'));
      for (const body of ['second', 'third']) await admin().send(new PutObjectCommand({ ...name(key), Body: body }));
      expect((await store.get(key))?.toString()).toBe('third');
      const entries = await listed(key);
      expect(entries.filter(({ covers }) => covers === 'shadows')).toHaveLength(2);
      const object = entries.find(({ oddity }) => oddity === null);
      expect(object?.versionId).toBe(receipt.versionId);
      expect((await store.get(key, object?.versionId))?.toString()).toBe('first');
    });

    test('a key that was made again after a marker shows both', async () => {
      const key = fresh();
      await store.put(key, Buffer.from('first'));
      await admin().send(new DeleteObjectCommand(name(key)));
      // AWS lets a create-only put pass here, versitygw does not; without the condition both do.
      await admin().send(new PutObjectCommand({ ...name(key), Body: 'again' }));
      const entries = await listed(key);
      expect(entries.map(({ covers, oddity }) => covers ?? oddity)).toEqual(
        expect.arrayContaining(['hides', 'shadows', null]),
      );
      const object = entries.find(({ oddity }) => oddity === null);
      expect((await store.get(key, object?.versionId))?.toString()).toBe('first');
    });

    test('more objects and versions than one page holds are all listed, once', async () => {
      const folder = `v1/blobs/${randomBytes(8).toString('hex')}`;
      const keys = Array.from({ length: 1100 }, (_, i) => `${folder}/${String(i).padStart(5, '0')}`);
      const queue = keys.values();
      const worker = async () => {
        for (const key of queue) await store.put(key, Buffer.from('x'));
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      // The versions of this key lie on both sides of the end of the first page.
      const torn = keys[996] as string;
      for (let i = 0; i < 8; i++) await admin().send(new PutObjectCommand({ ...name(torn), Body: `over ${i}` }));
      const entries = await listed(`${folder}/`);
      expect(entries.filter(({ oddity }) => oddity === null).map(({ key }) => key)).toEqual(keys);
      const covering = entries.filter(({ covers }) => covers === 'shadows');
      expect(covering.map(({ key }) => key)).toEqual(Array(8).fill(torn));
      const object = entries.find(({ key, oddity }) => key === torn && oddity === null);
      expect((await store.get(torn, object?.versionId))?.toString()).toBe('x');
    });

    test('says what is wrong with bucket and credentials, and no secret', async () => {
      const running = server as S3Server;
      const missing = openStore(urlOf(running, 'no-such-bucket'), running.env);
      const acts = [() => missing.put('v1/a', Buffer.from('x')), () => missing.get('v1/a'), () => listed('', missing)];
      for (const act of acts)
        await expect(act()).rejects.toMatchObject({
          code: 'store.no_bucket',
          exit: 3,
          message: expect.stringContaining('no-such-bucket'),
        });
    });
  }
});

describe('a web identity', () => {
  const ending: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const end of ending) await end();
  });

  itWith('localstack')('is exchanged at the token service of the URL, and opens the store', async () => {
    const folder = sandbox.folder('web-identity');
    const server = await startLocalstack(folder);
    ending.push(server.stop);
    await makeBucket(server, BUCKET);
    // This token service believes any token of the right form: what a role trusts cannot be tried here.
    const part = (content: object) => Buffer.from(JSON.stringify(content)).toString('base64url');
    const token = join(folder, 'token');
    writeFileSync(
      token,
      `${part({ alg: 'RS256' })}.${part({ sub: 'repo:acme/app', aud: 'sts.amazonaws.com' })}.c2ln\n`,
    );
    const env = { AWS_WEB_IDENTITY_TOKEN_FILE: token, AWS_ROLE_ARN: 'arn:aws:iam::000000000000:role/emit' };
    const store = openStore(`${urlOf(server, BUCKET)}&sts=${server.endpoint}`, env);
    expect((await store.put('v1/a', Buffer.from('x'))).created).toBe(true);
    expect((await store.get('v1/a'))?.toString()).toBe('x');
  });
});

describe('credentials', () => {
  let server: S3Server;
  beforeAll(async () => {
    if (findTool('versitygw') !== null) server = await startVersitygw(sandbox.folder('credentials'));
  });
  afterAll(() => server?.stop());

  itWith('versitygw')('that the server does not know are refused without being printed', async () => {
    await makeBucket(server, BUCKET);
    const wrong = { AWS_ACCESS_KEY_ID: server.env.AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: 'wrong-secret-0123456789' };
    const unknown = { AWS_ACCESS_KEY_ID: 'UNKNOWNKEY0123456789', AWS_SECRET_ACCESS_KEY: 'wrong-secret-0123456789' };
    for (const env of [wrong, unknown]) {
      const failure = await openStore(urlOf(server, BUCKET), env)
        .put('v1/a', Buffer.from('x'))
        .then(
          () => null,
          (thrown) => thrown,
        );
      expect(failure).toMatchObject({ code: 'store.credentials', exit: 3 });
      expect(`${failure.message} ${failure.stack}`).not.toMatch(/wrong-secret|UNKNOWNKEY|gatehouse-test/);
    }
  });
});
