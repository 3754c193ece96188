import type { Http } from './http.ts';
import { parseJson } from './json.ts';
import * as z from './zod.ts';

/** An ID token, not verified yet, or why there is none. */
export type RequestedToken = { token: string } | { token: null; why: string };

const reply = z.looseObject({ value: z.string().check(z.minLength(1)) });

/**
 * Asks GitHub's runner for an ID token with this audience. Address and password come from the environment and are believed for
 * nothing but this: whatever answers, only the verified token counts. Throws CouldNot where nothing answers.
 */
export async function requestGithubToken(
  env: Readonly<Record<string, string | undefined>>,
  audience: string,
  http: Http,
): Promise<RequestedToken> {
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: password } = env;
  if (!address || !password) {
    // Only what is said depends on it.
    if (!env.GITHUB_ACTIONS && !address && !password)
      return none('there is no runner of GitHub to ask for an ID token');
    return none(
      'this job may not ask for an ID token; add `permissions: id-token: write` to it (a pull request from a fork never may)',
    );
  }
  if (!URL.canParse(address)) return none('ACTIONS_ID_TOKEN_REQUEST_URL is no address');
  const url = new URL(address);
  url.searchParams.set('audience', audience);
  const { status, body } = await http({
    method: 'GET',
    url: url.href,
    what: 'ask the runner for an ID token',
    headers: { authorization: `Bearer ${password}`, accept: 'application/json; api-version=2.0' },
    limit: 64 * 1024,
    timeout: 15_000,
  });
  if (status !== 200) return none(`the runner answered ${status} instead of an ID token`);
  try {
    return { token: reply.parse(parseJson(body, 'the answer')).value };
  } catch {
    return none('the runner answered something that holds no ID token');
  }
}

function none(why: string): RequestedToken {
  return { token: null, why };
}
