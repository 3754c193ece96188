import { createHmac } from 'node:crypto';
import { type TokenExpectation, verifyIdToken } from '../../../src/identity/oidc.ts';
import { http } from '../../../src/lib/http.ts';
import { type Issuer, startIssuer } from '../../support/issuer.ts';

const NOW = Date.parse('2026-01-31T08:00:00Z');
const MINUTE = 60_000;
let issuer: Issuer;
let stranger: Issuer;

beforeAll(async () => {
  [issuer, stranger] = await Promise.all([startIssuer(), startIssuer()]);
});
afterAll(() => Promise.all([issuer.close(), stranger.close()]));
beforeEach(() => issuer.answers.clear());

const expected = (changes: Partial<TokenExpectation> = {}): TokenExpectation => ({
  issuer: issuer.url,
  audience: 'gatehouse',
  now: NOW,
  maxSkew: 5 * MINUTE,
  http,
  ...changes,
});
const sign = (claims: Record<string, unknown> = {}, options = {}) =>
  issuer.sign({ aud: 'gatehouse', ...claims }, { now: NOW, ...options });
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1000);

describe('an ID token that is believed', () => {
  it.each([['RS256'], ['ES256']] as const)('is signed by the issuer with %s and gives its claims', async (alg) => {
    const verified = await verifyIdToken(await sign({ run_id: '42' }, { alg }), expected());
    expect(verified).toMatchObject({ ok: true, claims: { run_id: '42', aud: 'gatehouse' } });
  });

  it.each([
    ['expired within the allowed skew', { exp: seconds(NOW - 4 * MINUTE) }],
    ['valid soon, within the allowed skew', { nbf: seconds(NOW + 4 * MINUTE), iat: seconds(NOW + 4 * MINUTE) }],
    ['without nbf', { nbf: undefined }],
  ])('may be %s', async (_, claims) => {
    expect((await verifyIdToken(await sign(claims), expected())).ok).toBe(true);
  });
});

describe('an ID token that is refused', () => {
  it.each([
    ['expired', { exp: seconds(NOW - 6 * MINUTE) }, /has expired/],
    ['not valid yet', { nbf: seconds(NOW + 6 * MINUTE) }, /not valid yet/],
    ['issued in the future', { iat: seconds(NOW + 6 * MINUTE) }, /from the future/],
    ['for another audience', { aud: 'sigstore' }, /audience is another/],
    ['for others too', { aud: ['gatehouse', 'sigstore'] }, /not gatehouse alone/],
    ['for nobody', { aud: undefined }, /audience is another/],
    ['without an end', { exp: undefined }, /claim exp/],
    ['without a beginning', { iat: undefined }, /claim iat/],
    ['without a subject', { sub: undefined }, /claim sub/],
    ['with a time as text', { exp: 'never' }, /claim exp/],
    ['of an issuer that is like ours', { iss: 'http://127.0.0.1/' }, /issuer is not the contract's/],
  ])('is %s', async (_, claims, why) => {
    const verified = await verifyIdToken(await sign(claims), expected());
    expect(verified).toEqual({ ok: false, why: expect.stringMatching(why) });
  });

  it('is one of another issuer, whose key ours does not publish', async () => {
    const token = await stranger.sign({ aud: 'gatehouse', iss: issuer.url }, { now: NOW });
    expect(await verifyIdToken(token, expected())).toEqual({
      ok: false,
      why: expect.stringContaining("not by the issuer's key"),
    });
  });

  it('is one that names a key that nobody has', async () => {
    const verified = await verifyIdToken(await sign({}, { kid: 'other' }), expected());
    expect(verified).toEqual({ ok: false, why: expect.stringContaining('no key by which it is signed') });
  });

  const body = () =>
    encoded({ iss: issuer.url, aud: 'gatehouse', sub: 'x', iat: seconds(NOW), exp: seconds(NOW) + 300 });
  const hmac = (alg: string, secret: string) => {
    const unsigned = `${encoded({ alg, kid: 'rsa' })}.${body()}`;
    return `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
  };

  it.each([
    [
      'unsigned (alg none)',
      () => `${encoded({ alg: 'none' })}.${body()}.`,
      /algorithm is not one of|not a signed token/,
    ],
    [
      '"signed" with the public key as a password',
      () => hmac('HS256', JSON.stringify(issuer.publicJwk)),
      /algorithm is not one of RS256, ES256/,
    ],
    ['signed with an algorithm nobody asked for', () => hmac('PS256', 'x'), /algorithm is not one of/],
    ['no token', () => 'hello', /not a signed token|not a valid token/],
    ['empty', () => '', /not a signed token|not a valid token/],
    ['endless', () => 'x'.repeat(17_000), /longer than/],
  ])('is %s', async (_, token, why) => {
    expect(await verifyIdToken(token(), expected())).toEqual({ ok: false, why: expect.stringMatching(why) });
  });

  it('is one of whose claims a letter was changed', async () => {
    const [head, claims, signature] = (await sign({ environment: 'gatehouse-emit' })).split('.');
    const changed = encoded({
      ...JSON.parse(Buffer.from(claims ?? '', 'base64url').toString()),
      environment: 'gatehouse-gate',
    });
    const verified = await verifyIdToken(`${head}.${changed}.${signature}`, expected());
    expect(verified).toEqual({ ok: false, why: expect.stringContaining("not by the issuer's key") });
  });
});

describe('an issuer that cannot be believed', () => {
  const DESCRIPTION = '/.well-known/openid-configuration';
  it.each([
    [
      'calls itself otherwise',
      DESCRIPTION,
      () => ({ json: { issuer: 'https://example.org', jwks_uri: `${issuer.url}/keys` } }),
      'oidc.issuer',
      /calls itself/,
    ],
    [
      'keeps its keys at plain http elsewhere',
      DESCRIPTION,
      () => ({ json: { issuer: issuer.url, jwks_uri: 'http://keys.example.org/' } }),
      'oidc.issuer',
      /not https/,
    ],
    [
      'keeps its keys at plain http on this machine, at another port',
      DESCRIPTION,
      () => ({ json: { issuer: issuer.url, jwks_uri: 'http://127.0.0.1:1/' } }),
      'oidc.issuer',
      /not https/,
    ],
    ['keeps its keys nowhere', DESCRIPTION, () => ({ json: { issuer: issuer.url } }), 'oidc.issuer', /expected shape/],
    [
      'sends elsewhere for its keys',
      '/keys',
      () => ({ status: 302, headers: { location: `${stranger.url}/keys` }, json: {} }),
      'http.redirect',
      /redirect/,
    ],
    [
      'sends elsewhere for its description',
      DESCRIPTION,
      () => ({ status: 307, headers: { location: `${stranger.url}${DESCRIPTION}` }, json: {} }),
      'http.redirect',
      /redirect/,
    ],
    ['has no keys', '/keys', () => ({ json: { keys: [] } }), 'oidc.issuer', /expected shape/],
    ['answers a page for people', '/keys', () => ({ bytes: '<html>Sign in</html>' }), 'oidc.issuer', /not JSON/],
    ['is down', '/keys', () => ({ status: 503, json: {} }), 'oidc.issuer', /answered 503/],
  ])('%s', async (_, path, answer, code, why) => {
    issuer.answers.set(path, answer());
    await expect(verifyIdToken(await sign(), expected())).rejects.toMatchObject({
      code,
      exit: 3,
      message: expect.stringMatching(why),
    });
  });

  it('holds a symmetric key, which is taken for nothing', async () => {
    const secret = Buffer.from('a password that is long enough for HS256');
    issuer.answers.set('/keys', {
      json: { keys: [{ kty: 'oct', kid: 'rsa', alg: 'HS256', k: secret.toString('base64url') }] },
    });
    const unsigned = `${encoded({ alg: 'HS256', kid: 'rsa' })}.${encoded({ iss: issuer.url, aud: 'gatehouse', sub: 'x', iat: seconds(NOW), exp: seconds(NOW) + 300 })}`;
    const token = `${unsigned}.${createHmac('sha256', secret).update(unsigned).digest('base64url')}`;
    expect(await verifyIdToken(token, expected())).toEqual({ ok: false, why: expect.stringContaining('algorithm') });
  });
});
