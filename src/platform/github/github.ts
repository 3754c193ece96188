import type { ClaimedRun, Platform } from '../platform.ts';
import { type GithubAccess, githubApi } from './api.ts';
import { approvalsGiven, approvalsWithTimes } from './approvals.ts';
import { identifyGithub } from './identify.ts';
import { namesakes, siblingJob } from './jobs.ts';
import { githubSource } from './source.ts';

/** GitHub, asked about the run that a verified token claims. */
export function githubPlatform(access: GithubAccess, claimed: ClaimedRun): Platform {
  const api = githubApi(access, claimed.run.repository);
  const noReplyHost = `users.noreply.${claimed.run.host}`;
  return {
    identify: () => identifyGithub(api, claimed),
    source: (run, deployed) => githubSource(api, run, deployed, noReplyHost),
    approvalsGiven: (run, environment) => approvalsGiven(api, run, environment),
    approvals: (run, environment) => approvalsWithTimes(api, run, environment),
    poolOf: async (run, job) => (await siblingJob(api, run, job))?.runner_group_name ?? null,
    namesakes: (run) => namesakes(api, run),
  };
}
