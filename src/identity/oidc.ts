import type { JSONWebKeySet, JWTPayload } from 'jose';
import { atLeastOne } from '../contract/primitives.ts';
import { problemText } from '../contract/problems.ts';
import { CouldNot, messageOf } from '../lib/errors.ts';
import type { Http } from '../lib/http.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';

/** What an ID token says, all of it verified, or why it is not to be believed; the reason is for a person. */
export type VerifiedToken = { ok: true; claims: JWTPayload } | { ok: false; why: string };

export interface TokenExpectation {
  /** The issuer, exactly, from the contract. */
  issuer: string;
  audience: string;
  /** Milliseconds. */
  now: number;
  maxSkew: number;
  http: Http;
}

/** Asymmetric only: with HS256 everybody who has the public key could sign. */
const ALGORITHMS = ['RS256', 'ES256'];
const LONGEST_TOKEN = 16 * 1024;
const LIMIT = 256 * 1024;
const TIMEOUT = 15_000;

/**
 * Verifies an ID token (OpenID Connect Core 1.0, section 3.1.3.7): signed by a key that the issuer publishes, for this
 * audience, in force. Throws CouldNot where the issuer does not answer or answers something else than its own description.
 */
export async function verifyIdToken(token: string, expected: TokenExpectation): Promise<VerifiedToken> {
  if (token.length > LONGEST_TOKEN) return refused(`it is longer than ${LONGEST_TOKEN} bytes`);
  const keys = await issuerKeys(expected);
  // Only here: the judge alone needs none of it (7 ms).
  const { jwtVerify } = await import('jose/jwt/verify');
  const { createLocalJWKSet } = await import('jose/jwks/local');
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
      algorithms: ALGORITHMS,
      issuer: expected.issuer,
      audience: expected.audience,
      currentDate: new Date(expected.now),
      clockTolerance: Math.floor(expected.maxSkew / 1000),
      requiredClaims: ['iat', 'exp', 'sub'],
    });
    return believed(payload, expected);
  } catch (thrown) {
    return refused(reasonOf(thrown));
  }
}

/** The audience must be ours alone: a token that others take too may have been handed on by one of them. */
function believed(claims: JWTPayload, { audience, now, maxSkew }: TokenExpectation): VerifiedToken {
  if (claims.aud !== audience) return refused(`its audience is not ${audience} alone`);
  if (typeof claims.iat !== 'number' || claims.iat * 1000 > now + maxSkew) return refused('it is from the future');
  return { ok: true, claims };
}

const discovery = z.looseObject({ issuer: z.string(), jwks_uri: z.string() });
const keySet = z.looseObject({ keys: atLeastOne(z.looseObject({ kty: z.string() })) });

/** Keys by OpenID Connect Discovery 1.0, section 4: the description must name the very issuer that was asked. */
async function issuerKeys({ issuer, http }: TokenExpectation): Promise<JSONWebKeySet> {
  const read = async <S extends z.ZodMiniType>(url: string, schema: S, what: string): Promise<z.infer<S>> => {
    const reply = await http({ method: 'GET', url, what, limit: LIMIT, timeout: TIMEOUT });
    if (reply.status !== 200) throw failure(what, `it answered ${reply.status}; run again later`);
    return fitting(reply.body, schema, what);
  };
  const described = await read(
    `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
    discovery,
    `read the description of issuer ${issuer}`,
  );
  const what = `read the keys of issuer ${issuer}`;
  if (described.issuer !== issuer)
    throw failure(what, `it calls itself ${described.issuer}; check issuer in contract.yml`);
  if (!isSafe(described.jwks_uri, issuer)) {
    throw failure(
      what,
      `it keeps them at ${described.jwks_uri}, which is not https: anybody on the way could replace them`,
    );
  }
  return (await read(described.jwks_uri, keySet, what)) as JSONWebKeySet;
}

/** https, or plain http at the issuer's own origin (a loopback issuer: `http` takes no other). */
function isSafe(address: string, issuer: string): boolean {
  if (!URL.canParse(address)) return false;
  const url = new URL(address);
  return url.protocol === 'https:' || url.origin === new URL(issuer).origin;
}

function fitting<S extends z.ZodMiniType>(bytes: Buffer, schema: S, what: string): z.infer<S> {
  let document: unknown;
  try {
    document = parseJson(bytes, 'the answer');
  } catch (cause) {
    throw failure(what, messageOf(cause));
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success)
    throw failure(what, `the answer is not of the expected shape: ${problemText(parsed.error, schema)}`);
  return parsed.data;
}

function failure(what: string, why: string): CouldNot {
  return new CouldNot('oidc.issuer', `could not ${what}: ${why}`);
}

function refused(why: string): VerifiedToken {
  return { ok: false, why: `the job's ID token is not to be believed: ${why}` };
}

/** jose's codes in words; what they carry never holds the token. */
function reasonOf(thrown: unknown): string {
  const { code, claim } = thrown as { code?: string; claim?: string };
  if (code === 'ERR_JWT_EXPIRED') return 'it has expired';
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return CLAIMS[claim ?? ''] ?? `claim ${claim} is missing or wrong`;
  return REASONS[code ?? ''] ?? `it is not a valid token (${code ?? 'unreadable'})`;
}

const CLAIMS: Record<string, string> = {
  iss: "its issuer is not the contract's",
  aud: 'its audience is another',
  nbf: 'it is not valid yet',
};
const REASONS: Record<string, string> = {
  ERR_JOSE_ALG_NOT_ALLOWED: `its algorithm is not one of ${ALGORITHMS.join(', ')}`,
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "its signature is not by the issuer's key",
  ERR_JWKS_NO_MATCHING_KEY: 'the issuer has no key by which it is signed',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'it does not say which of the issuer’s keys signed it',
  ERR_JWS_INVALID: 'it is not a signed token',
  ERR_JWT_INVALID: 'it holds no claims',
};
