import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { GivenApproval, PlatformApproval } from '../platform.ts';
import type { GithubApi } from './api.ts';
import { approvals, type Job, jobs } from './replies.ts';

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
  const what = `read the jobs of run ${run.id}, attempt ${run.attempt}`;
  const all = await api.list({
    path: `/actions/runs/${run.id}/attempts/${run.attempt}/jobs`,
    schema: jobs,
    what,
    need: 'permission actions: read',
  });
  if (all.some(({ total }) => total !== all.length)) {
    throw new CouldNot('platform.incomplete', `could not ${what}: there are more jobs than the platform listed`);
  }
  const own = all.find(({ id }) => String(id) === run.job);
  if (own === undefined) {
    throw new CouldNot('platform.incomplete', `could not ${what}: job ${run.job}, which asks, is not among them`);
  }
  const name = siblingName(own.name);
  const named = all.filter((job) => job.name === name);
  if (named.length > 1) {
    throw new CouldNot(
      'platform.ambiguous',
      `run ${run.id} has ${named.length} jobs ${name}: which of them was approved cannot be told; rename the one in the calling workflow`,
    );
  }
  const [found] = named;
  return found === undefined ? null : passed(found, run);
}

/** A job of a called workflow is named `<calling job> / <job>`. */
function siblingName(own: string): string {
  const end = own.lastIndexOf(' / ');
  return end < 0 ? APPROVE : `${own.slice(0, end)} / ${APPROVE}`;
}

/** A job that a partial re-run took over from an earlier attempt starts before it is created: it was approved back then. */
function passed(job: Job, run: Run): { createdAt: string; startedAt: string } | null {
  const { status, conclusion, created_at: createdAt, started_at: startedAt } = job;
  const done = status === 'completed' && conclusion === 'success' && startedAt !== null && startedAt >= createdAt;
  const ofThisRun = String(job.run_id) === run.id && job.run_attempt === run.attempt && job.head_sha === run.sha;
  return done && ofThisRun ? { createdAt, startedAt } : null;
}
