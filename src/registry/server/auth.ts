import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { sha256Hex } from '../../lib/digest.ts';
import { type Answer, json, Refusal } from './answer.ts';

export interface ServerAuth {
  username: string;
  password: string;
  /** `basic` (the default) asks for the password itself; `bearer` for a token, which the password buys at `/token`. */
  scheme?: 'basic' | 'bearer';
}

export interface Gate {
  /** Throws the challenge unless the request may do this. */
  admit(request: { method: string; repository: string | null; headers: IncomingHttpHeaders; host: string }): void;
  /** The token service, for `bearer`. */
  giveToken(query: URLSearchParams, headers: IncomingHttpHeaders): Answer;
}

/** One user with one password, who may do everything. */
export function createGate({ username, password, scheme = 'basic' }: ServerAuth): Gate {
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const scopes = new Map<string, Set<string>>();

  const admit: Gate['admit'] = ({ method, repository, headers, host }) => {
    const { authorization = '' } = headers;
    if (scheme === 'basic') {
      if (!same(authorization, basic)) throw challenge('Basic realm="registry"');
      return;
    }
    const access = method === 'GET' || method === 'HEAD' ? 'pull' : 'pull,push';
    const wanted = repository === null ? null : `repository:${repository}:${access}`;
    const granted = scopes.get(authorization.replace(/^Bearer /, ''));
    const enough = granted !== undefined && (wanted === null || [...granted].some((scope) => covers(scope, wanted)));
    if (!enough)
      throw challenge(
        `Bearer realm="http://${host}/token",service="registry"${wanted === null ? '' : `,scope="${wanted}"`}`,
      );
  };

  return {
    admit,
    giveToken(query, headers) {
      if (scheme !== 'bearer') throw new Refusal(404, 'UNSUPPORTED', 'this registry takes passwords, not tokens');
      if (!same(headers.authorization ?? '', basic)) throw challenge('Basic realm="registry"');
      const token = randomBytes(24).toString('base64url');
      scopes.set(token, new Set(query.getAll('scope').flatMap((scope) => scope.split(' '))));
      return json(200, { token, expires_in: 300 });
    },
  };
}

/** `repository:acme/app:pull,push` covers `repository:acme/app:pull`. */
function covers(granted: string, wanted: string): boolean {
  const [kind, name, actions = ''] = granted.split(':');
  const [wantedKind, wantedName, wantedActions = ''] = wanted.split(':');
  const has = new Set(actions.split(','));
  return kind === wantedKind && name === wantedName && wantedActions.split(',').every((action) => has.has(action));
}

function same(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(sha256Hex(a)), Buffer.from(sha256Hex(b)));
}

function challenge(header: string): Refusal {
  return new Refusal(401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': header });
}
