import type { ClaimedIdentity } from '../../src/identity/claims.ts';
import { githubIdentity } from '../../src/identity/github-claims.ts';
import { gitlabIdentity } from '../../src/identity/gitlab-claims.ts';
import { http } from '../../src/lib/http.ts';
import { githubPlatform } from '../../src/platform/github/github.ts';
import { gitlabPlatform } from '../../src/platform/gitlab/gitlab.ts';
import type { ClaimedRun, Platform } from '../../src/platform/platform.ts';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW, GITLAB_CLAIMS, GITLAB_WORKFLOW } from './claims.ts';
import type { Claims } from './issuer.ts';

const sleep = async () => undefined;

/** GitHub at this address, asked about the run of the test's claims. */
export function githubAt(api: string, changes: Claims = {}): Platform {
  return githubPlatform({ http, api, token: 'github-token', sleep }, claimedGithub(changes));
}

export function claimedGithub(changes: Claims = {}): ClaimedRun {
  const platform = {
    kind: 'github',
    host: 'github.com',
    api: 'https://api.github.com',
    issuer: 'https://issuer.example.org',
    'workflow-ref': GITHUB_WORKFLOW,
  } as const;
  return claimedOf(githubIdentity({ ...GITHUB_CLAIMS, ...changes }, platform, 'gate'));
}

/** GitLab at this address, likewise. */
export function gitlabAt(api: string, changes: Claims = {}): Platform {
  const platform = {
    kind: 'gitlab',
    host: 'gitlab.example.org',
    api,
    issuer: 'https://gitlab.example.org',
    'workflow-ref': GITLAB_WORKFLOW,
  } as const;
  const claimed = claimedOf(gitlabIdentity({ ...GITLAB_CLAIMS, ...changes }, platform, 'gate'));
  return gitlabPlatform({ http, api, token: { kind: 'PRIVATE-TOKEN', value: 'gitlab-token' }, sleep }, claimed);
}

function claimedOf(found: ClaimedIdentity): ClaimedRun {
  if (found.ok) return found.claimed;
  throw new Error(`the test's own claims are refused: ${found.why}`);
}
