import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustedTime } from '../../src/attestation/timestamp.ts';
import { http } from '../../src/lib/http.ts';
import type { Reply } from '../support/json-server.ts';
import { sandboxes } from '../support/sandbox.ts';
import { type Authority, makeAuthority, stampReply, startTsa, type TsaServer } from '../support/tsa.ts';

/* Whoever answers in the place of the time stamping authority must not be able to say what time it is. */

const SKEW = 5 * 60_000;
const sandbox = sandboxes();
let ours: Authority;
let theirs: Authority;
let tsa: TsaServer;

beforeAll(async () => {
  ours = makeAuthority(sandbox.folder('ours'));
  theirs = makeAuthority(sandbox.folder('theirs'));
  tsa = await startTsa(ours);
});
afterAll(async () => {
  await tsa.close();
  sandbox.clean();
});

/** A query of openssl's for other bytes, or with another nonce, or with none. */
function otherQuery(...options: string[]): Buffer {
  const folder = sandbox.folder('query');
  execFileSync(
    'openssl',
    ['ts', '-query', '-digest', '11'.repeat(32), '-sha256', '-cert', '-out', 'q.tsq', ...options],
    { cwd: folder, stdio: 'ignore' },
  );
  return readFileSync(join(folder, 'q.tsq'));
}

/** Our request with another nonce: the eight bytes before its last three. */
function withOtherNonce(query: Buffer): Buffer {
  const changed = Buffer.from(query);
  changed[query.length - 4] = (changed[query.length - 4] as number) ^ 1;
  return changed;
}

const stampOfOurs = (query: Buffer) => stampReply(ours.stamp(query));
let kept: Buffer | null = null;

it.each<[string, (query: Buffer) => Reply, string, RegExp]>([
  [
    'a stamp by an authority that the contract does not know',
    (query) => stampReply(theirs.stamp(query)),
    'timestamp.invalid',
    /vouches for its signer/,
  ],
  ['a stamp with another nonce', (query) => stampOfOurs(withOtherNonce(query)), 'timestamp.invalid', /another nonce/],
  ['a stamp of other bytes', () => stampOfOurs(otherQuery()), 'timestamp.invalid', /other bytes/],
  [
    'a stamp of other bytes without nonce',
    () => stampOfOurs(otherQuery('-no_nonce')),
    'timestamp.invalid',
    /other bytes/,
  ],
  [
    'a stamp kept from the last time',
    (query) => {
      const old = kept ?? ours.stamp(query);
      kept = old;
      return stampReply(old);
    },
    'timestamp.invalid',
    /other bytes/,
  ],
  [
    'the refusal of an authority',
    () => ({ bytes: Buffer.from('30053003020102', 'hex') }),
    'timestamp.invalid',
    /refused/,
  ],
  [
    'a granted status without a stamp',
    () => ({ bytes: Buffer.from('30053003020100', 'hex') }),
    'timestamp.invalid',
    /part is missing/,
  ],
  ['nothing', () => ({ bytes: '' }), 'timestamp.invalid', /does not verify/],
  ['a page for people', () => ({ bytes: '<html>it is noon</html>' }), 'timestamp.invalid', /does not verify/],
  [
    'half a stamp',
    (query) => {
      const whole = ours.stamp(query);
      return { bytes: whole.subarray(0, whole.length / 2) };
    },
    'timestamp.invalid',
    /does not verify/,
  ],
  [
    'a stamp with something behind it',
    (query) => ({ bytes: Buffer.concat([ours.stamp(query), Buffer.from([0])]) }),
    'timestamp.invalid',
    /does not verify/,
  ],
  ['more bytes than a stamp has', () => ({ bytes: Buffer.alloc(70_000) }), 'http.too_large', /more than/],
  ['an error', () => ({ status: 503, json: {} }), 'timestamp.unavailable', /answered 503/],
  [
    'a way to another authority',
    () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' }, bytes: '' }),
    'http.redirect',
    /redirect/,
  ],
])('%s gives no time', async (name, answer, code, why) => {
  tsa.answer = answer;
  const asked = () => trustedTime(http, { url: tsa.url, certificates: [ours.root] }, Date.now, SKEW);
  // The first time the stamp is fresh.
  if (name.includes('kept')) expect((await asked()).time).toBeGreaterThan(0);
  await expect(asked()).rejects.toMatchObject({ code, message: expect.stringMatching(why) });
});

it.each([
  ['fast', 6 * 60_000],
  ['slow', -6 * 60_000],
])('a machine whose clock is six minutes %s judges nothing, although the stamp is right', async (_, off) => {
  tsa.answer = stampOfOurs;
  const asked = trustedTime(http, { url: tsa.url, certificates: [ours.root] }, () => Date.now() + off, SKEW);
  await expect(asked).rejects.toMatchObject({
    code: 'timestamp.skew',
    exit: 1,
    message: expect.stringContaining('max-skew (300 s)'),
  });
});

it('the contract’s own certificates are the only ones that vouch: those in the reply do not vouch for each other', async () => {
  tsa.answer = (query) => stampReply(theirs.stamp(query));
  const asked = (certificates: string[]) => trustedTime(http, { url: tsa.url, certificates }, Date.now, SKEW);
  await expect(asked([ours.root, ours.signer])).rejects.toMatchObject({ code: 'timestamp.invalid' });
  expect((await asked([ours.root, theirs.root])).time).toBeGreaterThan(0);
});
