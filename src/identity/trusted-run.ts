import type { ContractFile } from '../contract/contract-file.ts';
import type { Role } from '../contract/roles.ts';
import { BadInput } from '../lib/errors.ts';
import { requestGithubToken } from '../lib/github-token.ts';
import type { Http } from '../lib/http.ts';
import { parseDuration } from '../lib/time.ts';
import { githubPlatform } from '../platform/github/github.ts';
import { gitlabPlatform } from '../platform/gitlab/gitlab.ts';
import type { ClaimedRun, Platform, RunIdentity } from '../platform/platform.ts';
import { type HostedPlatform, untrusted } from './claims.ts';
import { githubIdentity } from './github-claims.ts';
import { gitlabIdentity } from './gitlab-claims.ts';
import { verifyIdToken } from './oidc.ts';

/** The audience of tokens that say who a job is; a token for anything else is not taken. */
export const AUDIENCE = 'gatehouse';

export interface TrustedRunWorld {
  env: Readonly<Record<string, string | undefined>>;
  http: Http;
  /** Milliseconds. */
  now(): number;
  sleep(milliseconds: number): Promise<void>;
  /** Token for the platform's API; on GitLab a job's own token answers too little, `private` is an access token with read_api. */
  apiToken: { value: string; kind: 'job' | 'private' };
}

/** A run in the one trusted workflow, with the platform that answers for it, or why it is none. */
export type TrustedRun = { ok: true; platform: Platform; identity: RunIdentity } | { ok: false; why: string };

/**
 * Which run this job belongs to, by a verified ID token and the platform's own API: nothing that an environment variable says
 * is believed. The token must come from an issuer of the contract and from its trusted workflow, in the job of this role.
 *
 * Throws BadInput `platform.none` where there is no job, Denied `platform.mismatch` where the API contradicts the token, CouldNot
 * where issuer or API do not answer.
 */
export async function trustedRun(contract: ContractFile, role: Role, world: TrustedRunWorld): Promise<TrustedRun> {
  const asked = await requestToken(world);
  if (asked.token === null) return untrusted(asked.why);
  const hosted = contract.platforms.filter((platform): platform is HostedPlatform => platform.kind === asked.kind);
  const issuer = await issuerOf(asked.token);
  const platform = hosted.find((each) => each.issuer === issuer);
  if (platform === undefined)
    return untrusted(`the job's ID token is by ${issuer ?? 'nobody'}, no ${asked.kind} issuer of contract.yml`);
  const verified = await verifyIdToken(asked.token, {
    issuer: platform.issuer,
    audience: AUDIENCE,
    now: world.now(),
    maxSkew: parseDuration(contract.trust['max-skew']) ?? 0,
    http: world.http,
  });
  if (!verified.ok) return verified;
  const found = (platform.kind === 'github' ? githubIdentity : gitlabIdentity)(verified.claims, platform, role);
  if (!found.ok) return found;
  const answers = openPlatform(platform, found.claimed, world);
  return { ok: true, platform: answers, identity: await answers.identify() };
}

type AskedToken = { token: string; kind: HostedPlatform['kind'] } | { token: null; why: string };

/** GitHub's runner gives a token when asked; GitLab puts it into the variable that the job's `id_tokens` names. */
async function requestToken({ env, http }: TrustedRunWorld): Promise<AskedToken> {
  if (env.GATEHOUSE_ID_TOKEN) return { token: env.GATEHOUSE_ID_TOKEN, kind: 'gitlab' };
  // Without a token nothing is trusted; what the platforms call themselves only decides what is said about it.
  if (env.GITLAB_CI)
    return { token: null, why: `this job has no ID token GATEHOUSE_ID_TOKEN (\`id_tokens\`, audience ${AUDIENCE})` };
  if (!env.GITHUB_ACTIONS && !env.ACTIONS_ID_TOKEN_REQUEST_URL)
    throw new BadInput(
      'platform.none',
      'this is no job of GitHub or GitLab, and contract.yml trusts theirs alone: by what the platform says of a job it is known whose it is. On one machine only a contract of profile local works, as gatehouse demo --keep FOLDER leaves one',
    );
  const asked = await requestGithubToken(env, AUDIENCE, http);
  return asked.token === null ? asked : { token: asked.token, kind: 'github' };
}

/** The issuer that a token names, to find its platform by; it is verified against that platform's afterwards. */
async function issuerOf(token: string): Promise<string | null> {
  const { decodeJwt } = await import('jose/jwt/decode');
  try {
    return decodeJwt(token).iss ?? null;
  } catch {
    return null;
  }
}

function openPlatform({ kind, api }: HostedPlatform, claimed: ClaimedRun, world: TrustedRunWorld): Platform {
  const { http, sleep, apiToken } = world;
  if (kind === 'github') return githubPlatform({ http, api, token: apiToken.value, sleep }, claimed);
  const token = {
    kind: apiToken.kind === 'job' ? ('JOB-TOKEN' as const) : ('PRIVATE-TOKEN' as const),
    value: apiToken.value,
  };
  return gitlabPlatform({ http, api, token, sleep }, claimed);
}
