import type { Run } from '../../contract/run.ts';
import type { GivenApproval, PlatformApproval } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { siblingJob } from './jobs.ts';
import { approvals, type Job } from './replies.ts';

/** The job of the reusable workflow that waits under the protected environment. */
const APPROVE = 'approve';

/**
 * Who approved or rejected the environment in this run, by GitHub's review history. It covers all attempts and knows no
 * times, and one review may name several environments.
 */
export async function approvalsGiven(api: GithubApi, run: Run, environment: string): Promise<GivenApproval[]> {
  const history = await api.get({
    path: `/actions/runs/${run.id}/approvals`,
    schema: approvals,
    what: `read the approvals of run ${run.id}`,
    need: 'permission actions: read',
  });
  return history.flatMap(({ environments, state, user }) =>
    state !== 'pending' && environments.some(({ name }) => name === environment)
      ? [{ userId: user === null ? null : String(user.id), state }]
      : [],
  );
}

/**
 * The same with times: those of job `approve` of this attempt, in which nothing but the protected environment made the run
 * wait. It was asked for at that job's `created_at` and had been given at its `started_at`. No such job, or one that did not
 * get through: nobody approved this attempt. Throws CouldNot where two jobs bear the name.
 */
export async function approvalsWithTimes(api: GithubApi, run: Run, environment: string): Promise<PlatformApproval[]> {
  const waited = await approveJob(api, run);
  if (waited === null) return [];
  const given = await approvalsGiven(api, run, environment);
  return given.map((each) => ({
    ...each,
    at: waited.startedAt,
    atFrom: 'job-start',
    digest: null,
    strength: 'job',
    givenAfter: waited.createdAt,
  }));
}

async function approveJob(api: GithubApi, run: Run): Promise<{ createdAt: string; startedAt: string } | null> {
  const found = await siblingJob(api, run, APPROVE);
  return found === null ? null : passed(found, run);
}

/** A job that a partial re-run took over from an earlier attempt starts before it is created: it was approved back then. */
function passed(job: Job, run: Run): { createdAt: string; startedAt: string } | null {
  const { status, conclusion, created_at: createdAt, started_at: startedAt } = job;
  const done = status === 'completed' && conclusion === 'success' && startedAt !== null && startedAt >= createdAt;
  const ofThisRun = String(job.run_id) === run.id && job.run_attempt === run.attempt && job.head_sha === run.sha;
  return done && ofThisRun ? { createdAt, startedAt } : null;
}
