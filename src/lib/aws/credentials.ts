import { readFileSync } from 'node:fs';
import { BadInput, CouldNot, messageOf } from '../errors.ts';
import { requestGithubToken } from '../github-token.ts';
import type { Http } from '../http.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** What credentials are for: the first part of an error's code, and the token service that its URL leads to, if any. */
export interface Purpose {
  of: 'store' | 'key';
  sts: string | null;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  /** Until when they are good; they are fetched anew before. */
  expiration?: Date;
}

/**
 * The audience that AWS takes GitHub's tokens for (GitHub docs, configuring OpenID Connect in Amazon Web Services). A token with ours,
 * which proves to Gatehouse who a job is, is never sent to a token service.
 */
const AUDIENCE = 'sts.amazonaws.com';

/**
 * Credentials from where a pipeline leaves them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or AWS_ROLE_ARN
 * with a web identity token: in the file AWS_WEB_IDENTITY_TOKEN_FILE, in GATEHOUSE_AWS_TOKEN (GitLab's `id_tokens`) or, on
 * GitHub, as the runner gives it; the token service of the URL turns it into credentials. Profiles, configuration files and
 * metadata services are not asked: each of them can redirect. Throws BadInput when neither is there or one is there in half,
 * CouldNot when the token service refuses.
 */
export async function credentialsFrom(env: Environment, purpose: Purpose, http: Http): Promise<Credentials> {
  const { sts } = purpose;
  const missing = (why: string) => lacking(purpose, why);
  const id = variable(env, 'AWS_ACCESS_KEY_ID');
  const secret = variable(env, 'AWS_SECRET_ACCESS_KEY');
  const session = variable(env, 'AWS_SESSION_TOKEN');
  if (id !== null && secret !== null)
    return { accessKeyId: id, secretAccessKey: secret, ...(session === null ? {} : { sessionToken: session }) };
  if (id !== null || secret !== null)
    throw missing(`only ${id === null ? 'AWS_SECRET_ACCESS_KEY' : 'AWS_ACCESS_KEY_ID'} is set, they come in pairs`);
  const file = variable(env, 'AWS_WEB_IDENTITY_TOKEN_FILE');
  const role = variable(env, 'AWS_ROLE_ARN');
  if (file === null && role === null) throw missing('none are set');
  if (role === null) throw missing('only AWS_WEB_IDENTITY_TOKEN_FILE is set, it comes with AWS_ROLE_ARN');
  if (sts === null)
    throw missing(
      `a web identity needs sts= in the ${purpose.of}’s URL when it has endpoint=: nothing else says who may see the token`,
    );
  const token =
    file === null
      ? (variable(env, 'GATEHOUSE_AWS_TOKEN') ?? (await runnersToken(env, purpose, http)))
      : tokenIn(file, purpose);
  return await exchange({ ...purpose, sts }, token, role, variable(env, 'AWS_ROLE_SESSION_NAME') ?? 'gatehouse', http);
}

function tokenIn(file: string, { of }: Purpose): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new BadInput(
      `${of}.credentials`,
      `cannot read the web identity token ${file} (AWS_WEB_IDENTITY_TOKEN_FILE): ${messageOf(cause)}`,
      cause,
    );
  }
}

async function runnersToken(env: Environment, purpose: Purpose, http: Http): Promise<string> {
  const asked = await requestGithubToken(env, AUDIENCE, http);
  if (asked.token === null)
    throw lacking(
      purpose,
      `AWS_ROLE_ARN is set without AWS_WEB_IDENTITY_TOKEN_FILE or GATEHOUSE_AWS_TOKEN, and ${asked.why}`,
    );
  return asked.token;
}

/** AssumeRoleWithWebIdentity: the one call to a token service, so it takes no SDK. The token itself is the authentication. */
async function exchange(
  { of, sts }: Purpose & { sts: string },
  token: string,
  role: string,
  session: string,
  http: Http,
): Promise<Credentials> {
  const form = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: session,
    WebIdentityToken: token,
  });
  const { status, body } = await http({
    method: 'POST',
    url: `${sts}/`,
    what: `exchange the web identity token for credentials of the ${of}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(form.toString()),
    limit: 64 * 1024,
    timeout: 30_000,
  });
  const text = body.toString('utf8');
  if (status !== 200) {
    const code = /^[A-Za-z.]{1,64}$/.exec(field(text, 'Code') ?? '')?.[0] ?? `HTTP ${status}`;
    throw new CouldNot(
      `${of}.credentials`,
      `the token service refused role ${role} (${code}): ${code.includes('Expired') ? 'the token is too old, run the job again' : 'check that the role trusts this issuer, audience and subject'}`,
    );
  }
  const [id, secret, sessionToken, until] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Expiration'].map(
    (name) => field(text, name),
  );
  if (!id || !secret || !sessionToken || !until || Number.isNaN(Date.parse(until)))
    throw new CouldNot(
      `${of}.credentials`,
      `the token service answered without credentials: check sts= in the ${of}’s URL`,
    );
  return { accessKeyId: id, secretAccessKey: secret, sessionToken, expiration: new Date(until) };
}

/** The reply is XML of fixed form, and what it holds is letters, digits and `+/=-:`. */
function field(xml: string, name: string): string | null {
  return new RegExp(`<${name}>([^<&]*)</${name}>`).exec(xml)?.[1] ?? null;
}

function variable(env: Environment, name: string): string | null {
  const value = env[name];
  return value === undefined || value === '' ? null : value;
}

function lacking({ of }: Purpose, why: string): BadInput {
  return new BadInput(
    `${of}.credentials`,
    `the ${of} needs credentials, ${why}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with AWS_SESSION_TOKEN), or AWS_ROLE_ARN with a web identity token (AWS_WEB_IDENTITY_TOKEN_FILE, on GitLab GATEHOUSE_AWS_TOKEN); profiles and configuration files are not read`,
  );
}
