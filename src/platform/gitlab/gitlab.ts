import type { Run } from '../../contract/run.ts';
import type { ClaimedRun, Platform } from '../platform.ts';
import { type GitlabAccess, gitlabApi } from './api.ts';
import { gitlabApprovals } from './approvals.ts';
import { childRun, outcomeOf } from './child-run.ts';
import { type Fetched, fetchFromChild, type Wanted } from './collect.ts';
import { identifyGitlab } from './identify.ts';
import { gitlabSource } from './source.ts';

/** GitLab, asked about the pipeline that a verified token claims. */
export interface GitlabPlatform extends Platform {
  /** See `fetchFromChild`. */
  fetchFromChild(run: Run, wanted: Wanted): Promise<Fetched>;
}

/** Nothing is asked before one of its functions is called; each throws CouldNot where the API does not answer. */
export function gitlabPlatform(access: GitlabAccess, claimed: ClaimedRun): GitlabPlatform {
  const api = gitlabApi(access, claimed.run.repositoryId);
  return {
    identify: () => identifyGitlab(api, claimed),
    source: (run, deployed) => gitlabSource(api, run, deployed),
    // Each approval belongs to one job's deployment: none of an earlier one comes back.
    approvalsGiven: async () => [],
    approvals: (run, environment) => gitlabApprovals(api, run, environment),
    outcome: () => outcomeOf(api, claimed.run),
    child: (parent, path) => childRun(api, parent, path),
    fetchFromChild: (run, wanted) => fetchFromChild(api, run, wanted),
  };
}
