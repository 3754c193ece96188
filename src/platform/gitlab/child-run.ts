import type { Run } from '../../contract/run.ts';
import { Denied } from '../../lib/errors.ts';
import type { ChildRun, RunIdentity, RunOutcome } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import { gitlabApprovals } from './approvals.ts';
import { bridgesOf, childOf } from './children.ts';
import { jobs } from './replies.ts';
import { gitlabSource } from './source.ts';

/** The jobs of the parent that seal runs end so; see templates/promote. */
const SEAL = '-seal';

/**
 * The run of a repository whose pipeline this parent pipeline started: source and commit are the child's, everything that is
 * trusted stays the parent's (workflow, job, runner, who started it), and approvals are asked of the parent. Throws Denied
 * `children.*`, and `run.sealed` once a job of this pipeline has sealed it: what is added to a sealed run is a finding.
 */
export async function childRun(api: GitlabApi, parent: RunIdentity, path: string): Promise<ChildRun> {
  await requireUnsealed(api, parent.run);
  const child = await childOf(api, parent.run, path);
  const run: Run = {
    ...parent.run,
    repository: child.path,
    repositoryId: child.projectId,
    id: child.pipelineId,
    parent: { host: parent.run.host, repositoryId: parent.run.repositoryId, runId: parent.run.id },
    ref: child.ref,
    sha: child.sha,
    event: 'pipeline',
  };
  const identity = { ...parent, run };
  return {
    identity,
    platform: {
      identify: async () => identity,
      source: async (_, deployed) => {
        const source = await gitlabSource(api.of(child.projectId), run, deployed);
        // Where the job that starts the child was retried, somebody else has a part in it.
        return child.startedBy === parent.triggeredBy
          ? source
          : { ...source, contributors: [...source.contributors, { userId: child.startedBy, as: 'trigger' }] };
      },
      approvalsGiven: async () => [],
      approvals: (_, environment) => gitlabApprovals(api, parent.run, environment),
      outcome: () => outcomeOf(api, parent.run),
      // Whoever may retry a job of the child chooses which runner its name leads to: collected is a job with its runner.
      poolOf: async () => null,
    },
  };
}

/** A seal job that was retried counts as it ended first: its retry finds the seal there, and fails. */
async function requireUnsealed(api: GitlabApi, run: Run): Promise<void> {
  const all = await jobsOf(api, run, '?include_retried=true');
  const own = all.find(({ id }) => String(id) === run.job);
  const sealed = all.find(({ name, status }) => name.endsWith(SEAL) && status === 'success');
  if (sealed !== undefined && own?.name.endsWith(SEAL) !== true)
    throw new Denied(
      'run.sealed',
      `pipeline ${run.id} is sealed by job ${sealed.name} (${sealed.id}): a retried job cannot add to it; start a new pipeline`,
    );
}

/** How a run's pipeline went, by its jobs but for this one and those that seal: they run however the others ended. */
export async function outcomeOf(api: GitlabApi, run: Pick<Run, 'id' | 'job'>): Promise<RunOutcome> {
  const states = [...(await jobsOf(api, run)), ...(await bridgesOf(api, run))]
    .filter(({ id, name }) => String(id) !== run.job && !name.endsWith(SEAL))
    .map(({ status }) => status);
  if (states.includes('failed')) return 'failure';
  if (states.some((status) => status === 'canceled' || status === 'canceling')) return 'cancelled';
  return states.length > 0 && states.every((status) => status === 'success') ? 'success' : 'skipped';
}

function jobsOf(api: GitlabApi, run: Pick<Run, 'id'>, which = '') {
  return api.list({
    path: `/pipelines/${run.id}/jobs${which}`,
    schema: jobs,
    what: `read the jobs of pipeline ${run.id}`,
    need: NEED,
  });
}
