import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { type Reply, startServer } from './json-server.ts';

/** Claims of a test; `undefined` takes one away. */
export type Claims = Record<string, unknown>;

export interface Issuer {
  /** The issuer, and the address at which it describes itself. */
  url: string;
  /** A token by the issuer's key, one minute old, good for five more; `now` in milliseconds. */
  sign(claims: Claims, options?: { now?: number; alg?: 'RS256' | 'ES256'; kid?: string }): Promise<string>;
  /** The public RSA key, as everybody may have it. */
  publicJwk: Record<string, unknown>;
  /** What the runner's own address answers, given the audience. */
  runnerToken: (audience: string) => Promise<string>;
  runnerEnv: Record<string, string>;
  /** Answers instead of the ordinary ones, by path. */
  answers: Map<string, Reply>;
  seen: string[];
  close(): Promise<void>;
}

const DESCRIPTION = '/.well-known/openid-configuration';

/** An OpenID Connect issuer on loopback, with a key of each kind and the address at which GitHub's runner gives out tokens. */
export async function startIssuer(): Promise<Issuer> {
  const rsa = await generateKeyPair('RS256', { extractable: true });
  const ec = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256', use: 'sig' };
  const keys = [publicJwk, { ...(await exportJWK(ec.publicKey)), kid: 'ec', alg: 'ES256', use: 'sig' }];
  const answers = new Map<string, Reply>();
  const server = await startServer(async ({ path, query, headers }) => {
    const instead = answers.get(path);
    if (instead !== undefined) return instead;
    if (path === DESCRIPTION) return { json: { issuer: server.url, jwks_uri: `${server.url}/keys` } };
    if (path === '/keys') return { json: { keys } };
    if (path === '/runner' && headers.authorization === 'Bearer runner-password') {
      return { json: { value: await issuer.runnerToken(query.get('audience') ?? '') } };
    }
    return { status: 404, json: {} };
  });
  const issuer: Issuer = {
    url: server.url,
    sign: (claims, { now = Date.now(), alg = 'RS256', kid = alg === 'RS256' ? 'rsa' : 'ec' } = {}) => {
      const issued = Math.floor(now / 1000) - 60;
      const all = { iss: server.url, sub: 'job', iat: issued, nbf: issued, exp: issued + 360, ...claims };
      const kept = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
      return new SignJWT(kept)
        .setProtectedHeader({ alg, kid, typ: 'JWT' })
        .sign(alg === 'RS256' ? rsa.privateKey : ec.privateKey);
    },
    publicJwk,
    runnerToken: (aud) => issuer.sign({ aud }),
    runnerEnv: {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${server.url}/runner?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'runner-password',
    },
    answers,
    get seen() {
      return server.seen.map(({ path }) => path);
    },
    close: server.close,
  };
  return issuer;
}
