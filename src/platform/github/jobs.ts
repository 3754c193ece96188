import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { GithubApi } from './api.ts';
import { type Job, jobs } from './replies.ts';

/**
 * The job of this name in the same call of the reusable workflow as the run's own job; null where this attempt has none. Throws
 * CouldNot where the platform lists fewer jobs than there are, or two of the name.
 */
export async function siblingJob(api: GithubApi, run: Run, job: string): Promise<Job | null> {
  const { all, own } = await jobsOf(api, run);
  const { call } = partsOf(own.name);
  const name = call === null ? job : `${call} / ${job}`;
  const named = all.filter((each) => each.name === name);
  if (named.length > 1) {
    throw new CouldNot(
      'platform.ambiguous',
      `run ${run.id} has ${named.length} jobs ${name}: which of them is meant cannot be told; rename the one in the calling workflow`,
    );
  }
  return named[0] ?? null;
}

/** Names of the other jobs of this attempt that are called as the run's own: where the workflow is called a second time. */
export async function namesakes(api: GithubApi, run: Run): Promise<string[]> {
  const { all, own } = await jobsOf(api, run);
  const called = partsOf(own.name);
  return all
    .map(({ name }) => name)
    .filter((name) => {
      const { call, job } = partsOf(name);
      return job === called.job && call !== called.call && call !== null;
    });
}

async function jobsOf(api: GithubApi, run: Run): Promise<{ all: Job[]; own: Job }> {
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
  return { all, own };
}

/** A job of a called workflow is named `<calling job> / <job>`. */
function partsOf(name: string): { call: string | null; job: string } {
  const end = name.lastIndexOf(' / ');
  return end < 0 ? { call: null, job: name } : { call: name.slice(0, end), job: name.slice(end + ' / '.length) };
}
