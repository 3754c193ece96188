import { createHash } from 'node:crypto';
import { parseS3Url } from '../../../../src/store/s3/address.ts';
import { s3Store } from '../../../../src/store/s3/store.ts';
import type { Store } from '../../../../src/store/store.ts';
import { FAKE_CREDENTIALS, type Flaws, s3Error, startFakeS3 } from '../../../support/fake-s3.ts';
import type { Reply, TestServer } from '../../../support/json-server.ts';

const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});

async function open(flaws: Flaws = {}): Promise<{ store: Store; server: TestServer; slept: number[] }> {
  const server = await startFakeS3(flaws);
  running.push(server);
  const slept: number[] = [];
  const patience = { sleep: async (milliseconds: number) => void slept.push(milliseconds), random: () => 1 };
  return { store: s3Store(parseS3Url(server.store), FAKE_CREDENTIALS, patience), server, slept };
}
/** Answers the first requests so, one after the other, and then as the rest does. */
const firstly =
  (...replies: Reply[]) =>
  () =>
    replies.shift();
const bytes = Buffer.from('hello');

describe('a put', () => {
  it('is create-only, signed, carries algorithm and SHA-256, and asks for no lock of its own', async () => {
    const { store, server } = await open();
    await store.put('v1/a.json', bytes, 'application/json');
    const [{ method, path, headers, body }] = server.seen as [(typeof server.seen)[number]];
    expect([method, path, body.toString()]).toEqual(['PUT', '/fake/p/v1/a.json', 'hello']);
    expect(headers).toMatchObject({
      'if-none-match': '*',
      'content-length': '5',
      'content-type': 'application/json',
      'x-amz-sdk-checksum-algorithm': 'SHA256',
      'x-amz-checksum-sha256': createHash('sha256').update(bytes).digest('base64'),
      authorization: expect.stringContaining('AKIAFAKE0123456789AB'),
    });
    expect(Object.keys(headers).filter((name) => /object-lock|acl|storage-class|retain/.test(name))).toEqual([]);
  });

  it('names the owner of the bucket where the URL does', async () => {
    const { server } = await open();
    const url = server as TestServer & { store: string };
    await s3Store(parseS3Url(`${url.store}&owner=123456789012`), FAKE_CREDENTIALS).put('v1/a', bytes);
    expect(server.seen[0]?.headers['x-amz-expected-bucket-owner']).toBe('123456789012');
  });

  it.each([
    ['two conditional puts that meet', s3Error(409, 'ConditionalRequestConflict')],
    ['a server that asks to slow down', s3Error(503, 'SlowDown')],
    ['a server error', s3Error(500, 'InternalError')],
  ])('is sent again after %s, with the same bytes', async (_, reply) => {
    const { store, server, slept } = await open({ first: firstly(reply, reply) });
    expect((await store.put('v1/a', bytes)).created).toBe(true);
    expect(server.seen.map(({ body }) => body.toString())).toEqual(['hello', 'hello', 'hello']);
    expect(slept).toEqual([500, 1000]);
  });

  it('whose answer is lost is sent again, finds its own object, and says that the key was taken', async () => {
    const { store, server } = await open({ losesAnswers: 1 });
    expect((await store.put('v1/a', bytes)).created).toBe(false);
    expect(server.seen).toHaveLength(2);
    expect((await store.get('v1/a'))?.equals(bytes)).toBe(true);
  });

  it('gives up after six times, with what to do', async () => {
    const { store, server, slept } = await open({ first: () => s3Error(503, 'SlowDown') });
    await expect(store.put('v1/a', bytes)).rejects.toMatchObject({ code: 'store.failed', exit: 3 });
    expect(server.seen).toHaveLength(6);
    expect(slept).toEqual([500, 1000, 2000, 4000, 8000]);
  });

  it.each([
    ['without a confirmation', null],
    ['with the confirmation of other bytes', createHash('sha256').update('other').digest('base64')],
  ])('%s is no success', async (_, echo) => {
    const { store } = await open({ echo });
    await expect(store.put('v1/a', bytes)).rejects.toMatchObject({ code: 'store.checksum', exit: 3 });
  });
});

describe('failures', () => {
  it.each<[string, Reply, string, RegExp]>([
    ['no bucket', s3Error(404, 'NoSuchBucket'), 'store.no_bucket', /create it/],
    ['no right', s3Error(403, 'AccessDenied'), 'store.denied', /s3:PutObject/],
    ['old credentials', s3Error(400, 'ExpiredToken'), 'store.expired', /fetch new/],
    ['unknown credentials', s3Error(403, 'InvalidAccessKeyId'), 'store.credentials', /AWS_ACCESS_KEY_ID/],
    ['a wrong clock', s3Error(403, 'RequestTimeTooSkewed'), 'store.clock', /clock/],
    ['a wrong checksum', s3Error(400, 'BadDigest'), 'store.checksum', /as they were sent/],
    ['what the server has not', s3Error(501, 'NotImplemented'), 'store.unsupported', /doctor/],
    [
      'another region',
      s3Error(301, 'PermanentRedirect', 'no', { 'x-amz-bucket-region': 'eu-west-9', location: 'http://127.0.0.1:1/' }),
      'store.region',
      /eu-west-9/,
    ],
    ['no XML at all', { status: 418, bytes: 'hunter2hunter2' }, 'store.failed', /418/],
  ])('%s is said with what to do', async (_, reply, code, advice) => {
    const { store, server } = await open({ first: () => reply });
    await expect(store.put('v1/a', bytes)).rejects.toMatchObject({
      code,
      exit: 3,
      message: expect.stringMatching(advice),
    });
    expect(server.seen).toHaveLength(1);
  });

  it('a message of the server is never repeated: it may hold a credential', async () => {
    const { store } = await open({
      first: () => s3Error(403, 'InvalidAccessKeyId', 'AKIAFAKE0123456789AB hunter2hunter2'),
    });
    const thrown = await store.put('v1/a', bytes).catch((cause) => cause);
    expect(`${thrown.message}${thrown.stack}`).not.toMatch(/hunter2|AKIAFAKE/);
  });

  it('a server that is not there', async () => {
    const { store, server } = await open();
    await server.close();
    running.length = 0;
    const thrown = await store.put('v1/a', bytes).catch((cause) => cause);
    expect(thrown).toMatchObject({ code: 'store.unreachable', exit: 3 });
    expect(thrown.message).toContain('did not answer; check the network');
  });
});

describe('reading', () => {
  it('a body that is cut off is never taken for the object', async () => {
    const { store } = await open({
      first: ({ method }) =>
        method === 'GET' ? { headers: { 'content-length': '500', connection: 'close' }, bytes: 'half' } : undefined,
    });
    await store.put('v1/a', bytes);
    await expect(store.get('v1/a')).rejects.toMatchObject({ exit: 3 });
  });

  it('an answer without a length, or beyond the limit, is not read', async () => {
    const { store } = await open({ first: () => ({ headers: { 'transfer-encoding': 'chunked' }, bytes: 'endless' }) });
    await expect(store.get('v1/a')).rejects.toMatchObject({ code: 'store.size', exit: 3 });
    const large = await open({ first: () => ({ headers: { 'content-length': '999999999999' }, bytes: 'x' }) });
    await expect(large.store.get('v1/a')).rejects.toMatchObject({ code: 'store.size', exit: 3 });
  });

  it('a listing that goes on nowhere, or for ever, is a failure', async () => {
    const page = (next: string) => ({
      headers: { 'content-type': 'application/xml' },
      bytes: `<ListVersionsResult><IsTruncated>true</IsTruncated>${next}</ListVersionsResult>`,
    });
    for (const next of ['', '<NextKeyMarker>p/v1/a</NextKeyMarker>']) {
      const { store } = await open({ first: () => page(next) });
      const all = async () => {
        for await (const _ of store.list('v1/')) expect(_).toBeUndefined();
      };
      await expect(all()).rejects.toMatchObject({ code: 'store.listing', exit: 3 });
    }
  });
});
