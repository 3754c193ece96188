import { BadInput, CouldNot } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import * as z from '../lib/zod.ts';
import { collect } from './body.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { HttpReply, HttpRequest, Send } from './http.ts';
import { locate, placeOf } from './redirect.ts';
import { throwTransient } from './retry.ts';
import type { Timing } from './timing.ts';

export interface Credentials {
  username: string;
  password: string;
}

/** Sends a request with what the registry asks for to allow `scope` (`repository:acme/app:pull,push`). */
export type SendAs = (request: HttpRequest, scope: string) => Promise<HttpReply>;

/**
 * Answers a registry's challenge: Basic, or Bearer with a token from the realm that it names (distribution specification,
 * "token authentication"). Nothing is sent before the registry asks, and nothing to another origin than the registry's and
 * its realm. Tokens are kept for each scope until shortly before they expire.
 */
export function authenticate(send: Send, registry: URL, credentials: Credentials | null, timing: Timing): SendAs {
  const basic = credentials === null ? null : basicHeader(credentials);
  const tokens = new Map<string, Promise<Token>>();
  let learnt: Challenge | null = null;

  const tokenFor = async (challenge: Challenge, scope: string): Promise<string> => {
    const known = await tokens.get(scope)?.catch(() => null);
    if (known && known.until > timing.now()) return known.value;
    const fetching = fetchToken(send, { registry, challenge, scope, basic, timing });
    tokens.set(scope, fetching);
    return (await fetching).value;
  };

  const answer = async (challenge: Challenge, scope: string): Promise<string> => {
    if (challenge.scheme === 'bearer') return `Bearer ${await tokenFor(challenge, scope)}`;
    return basic ?? noCredentials(registry);
  };

  return async (request, scope) => {
    if (request.url.origin !== registry.origin) return await send(request);
    const before = learnt === null ? null : await answer(learnt, scope);
    const reply = await send(before === null ? request : withHeader(request, before));
    if (reply.status !== 401 || reply.url.origin !== registry.origin) return reply;
    reply.body.resume();
    const challenge = choose(reply, registry);
    // A token that was refused is not tried twice.
    if (before !== null) tokens.delete(scope);
    const header = await answer(challenge, scope);
    learnt = challenge;
    return await send(withHeader(request, header));
  };
}

interface Token {
  value: string;
  until: number;
}

function withHeader(request: HttpRequest, authorization: string): HttpRequest {
  return { ...request, headers: { ...request.headers, authorization } };
}

function basicHeader({ username, password }: Credentials): string {
  if (username.includes(':')) {
    throw new BadInput(
      'registry.username',
      'a registry user name contains a colon, which HTTP Basic authentication cannot carry: check the credentials',
    );
  }
  return `Basic ${Buffer.from(`${username}:${password}`, 'utf8').toString('base64')}`;
}

function choose(reply: HttpReply, registry: URL): Challenge {
  const challenges = parseChallenges(reply.headers['www-authenticate'] ?? '');
  const chosen =
    challenges.find(({ scheme }) => scheme === 'bearer') ?? challenges.find(({ scheme }) => scheme === 'basic');
  if (chosen === undefined) {
    throw new CouldNot(
      'registry.challenge',
      `${registry.host} asks for an authentication that is neither Bearer nor Basic: only these two are spoken here`,
    );
  }
  return chosen;
}

function noCredentials(registry: URL): never {
  throw new CouldNot(
    'registry.credentials_missing',
    `${registry.host} wants a user name and a password and none were given: log in to it, or pass its credentials`,
  );
}

const tokenReply = z.looseObject({
  token: z.optional(z.string()),
  access_token: z.optional(z.string()),
  expires_in: z.optional(z.number().check(z.minimum(0))),
});

/** A token without a lifetime is good for 60 seconds (distribution specification); ten are left for the way. */
const DEFAULT_LIFETIME = 60;
const MARGIN = 10_000;

interface Asked {
  registry: URL;
  challenge: Challenge;
  scope: string;
  basic: string | null;
  timing: Timing;
}

async function fetchToken(send: Send, { registry, challenge, scope, basic, timing }: Asked): Promise<Token> {
  const url = realmOf(challenge, registry);
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  url.searchParams.set('scope', scope);
  const reply = await send({
    method: 'GET',
    url,
    headers: { accept: 'application/json', ...(basic === null ? {} : { authorization: basic }) },
  });
  throwTransient(reply, `a token for ${registry.host}`);
  const bytes = await collect(
    reply.body,
    1024 * 1024,
    () => new CouldNot('registry.token', `${placeOf(url)} answered with more than a token`),
  );
  if (reply.status !== 200) {
    throw new CouldNot(
      'registry.unauthorized',
      `${placeOf(url)} gave no token for ${scope} (HTTP ${reply.status}): check the credentials for ${registry.host} and that they may do this`,
    );
  }
  const parsed = tokenReply.safeParse(parseReply(bytes, url));
  const value = parsed.data?.token ?? parsed.data?.access_token;
  if (value === undefined || !/^[\x21-\x7e]+$/.test(value)) {
    throw new CouldNot(
      'registry.token',
      `${placeOf(url)} answered without a usable token: check that it is the token service of ${registry.host}`,
    );
  }
  return { value, until: timing.now() + (parsed.data?.expires_in ?? DEFAULT_LIFETIME) * 1000 - MARGIN };
}

/** The realm may be any host, as everywhere; but a password that is meant for https never leaves in plain text. */
function realmOf(challenge: Challenge, registry: URL): URL {
  const realm = challenge.parameters.get('realm');
  const url = realm === undefined ? null : locate(realm, registry);
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && registry.protocol === 'http:'))) {
    throw new CouldNot(
      'registry.realm',
      `${registry.host} names ${url === null ? 'no token service' : placeOf(url)} in its challenge: expected an https address`,
    );
  }
  return url;
}

function parseReply(bytes: Buffer, url: URL): unknown {
  try {
    return parseJson(bytes, `the answer of ${placeOf(url)}`);
  } catch (cause) {
    throw new CouldNot(
      'registry.token',
      `${placeOf(url)} did not answer with JSON: check that it is the registry's token service`,
      cause,
    );
  }
}
