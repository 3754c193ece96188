import { CouldNot } from '../../lib/errors.ts';
import type { ClaimedRun, RunIdentity } from '../platform.ts';
import { identityWith, mismatch } from '../run-identity.ts';
import type { GithubApi } from './api.ts';
import { job, repository, runAttempt } from './replies.ts';

/**
 * Completes a claimed run: the API must confirm repository, owner, run, attempt and job by their ids, and adds who started
 * and re-ran it and which runner group took the job (a token says only whether the runner is GitHub's own).
 *
 * Throws Denied `platform.mismatch`, CouldNot where the API does not answer or the job has no runner.
 */
export async function identifyGithub(api: GithubApi, claimed: ClaimedRun): Promise<RunIdentity> {
  const { run } = claimed;
  await confirmRepository(api, run, claimed.owner);
  const attempt = await api.get({
    path: `/actions/runs/${run.id}/attempts/${run.attempt}`,
    schema: runAttempt,
    what: `read run ${run.id}, attempt ${run.attempt}`,
    need: 'permission actions: read',
  });
  const found = await api.get({
    path: `/actions/jobs/${run.job}`,
    schema: job,
    what: `read job ${run.job}`,
    need: 'permission actions: read',
  });
  const pairs: [string, unknown, unknown][] = [
    ['run', run.id, String(attempt.id)],
    ['attempt', run.attempt, attempt.run_attempt],
    ['repository id', run.repositoryId, String(attempt.repository.id)],
    ['commit', run.sha, attempt.head_sha],
    ['event', run.event, attempt.event],
    ['job', run.job, String(found.id)],
    ['run of the job', run.id, String(found.run_id)],
    ['attempt of the job', run.attempt, found.run_attempt],
    ['commit of the job', run.sha, found.head_sha],
  ];
  for (const [name, claim, answer] of pairs) {
    if (claim !== answer) throw mismatch(`${name} is ${claim} in the token and ${answer} in the API`);
  }
  if (found.status === 'completed') throw mismatch(`job ${run.job} has ended`);
  const starters = [attempt.actor, attempt.triggering_actor].map((user) => String(user.id));
  if (!starters.includes(claimed.actor)) {
    throw mismatch(`actor ${claimed.actor} is neither who started the run nor who re-ran it`);
  }
  if (found.runner_name === null || found.runner_group_name === null) {
    throw new CouldNot(
      'platform.runner',
      `job ${run.job} runs, yet the platform names no runner and group for it: the pool cannot be checked; run again`,
    );
  }
  const [triggeredBy = '', latest = ''] = starters;
  return identityWith(claimed, {
    name: found.runner_name,
    pool: found.runner_group_name,
    triggeredBy,
    reranBy: run.attempt > 1 || latest !== triggeredBy ? latest : null,
  });
}

/** A name may be given to another repository: the ids must be those of the token. */
async function confirmRepository(api: GithubApi, run: ClaimedRun['run'], owner: string | null): Promise<void> {
  const found = await api.get({
    path: '',
    schema: repository,
    what: `read repository ${run.repository}`,
    need: 'permission metadata: read',
  });
  if (String(found.id) !== run.repositoryId) {
    throw mismatch(`repository ${run.repository} has id ${found.id} in the API and ${run.repositoryId} in the token`);
  }
  if (String(found.owner.id) !== owner) {
    throw mismatch(`the owner of ${run.repository} has id ${found.owner.id} in the API and ${owner} in the token`);
  }
  if (found.full_name !== run.repository) throw mismatch(`repository ${run.repository} is now ${found.full_name}`);
}
