import type { ClaimedRun, Platform } from '../platform.ts';
import { type GitlabAccess, gitlabApi } from './api.ts';
import { gitlabApprovals } from './approvals.ts';
import { identifyGitlab } from './identify.ts';
import { gitlabSource } from './source.ts';

/** GitLab, asked about the pipeline that a verified token claims. */
export function gitlabPlatform(access: GitlabAccess, claimed: ClaimedRun): Platform {
  const api = gitlabApi(access, claimed.run.repositoryId);
  return {
    identify: () => identifyGitlab(api, claimed),
    source: (run) => gitlabSource(api, run),
    // Each approval belongs to one job's deployment: none of an earlier one comes back.
    approvalsGiven: async () => [],
    approvals: (run, environment) => gitlabApprovals(api, run, environment),
  };
}
