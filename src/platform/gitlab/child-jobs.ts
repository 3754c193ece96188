import { CouldNot, Denied } from '../../lib/errors.ts';
import { type GitlabApi, NEED } from './api.ts';
import type { Child } from './children.ts';
import { type ChildJob, childJobs } from './replies.ts';

/** Names of this kind belong to our child component: another job under one of them would pass for ours. */
const OURS = 'gatehouse-';

/**
 * The jobs that the child component defines, by name: each there once, of this pipeline and commit, the newest of its name,
 * finished with success and not allowed to fail. Throws Denied `children.*` for the first that is not.
 */
export async function requireJobs(
  api: GitlabApi,
  child: Child,
  names: readonly string[],
): Promise<Map<string, ChildJob>> {
  if (child.status !== 'success')
    throw new Denied(
      'children.failed',
      `pipeline ${child.pipelineId} of ${child.path} is ${child.status}, not success; mend it there and start a new pipeline here`,
    );
  const path = `/pipelines/${child.pipelineId}/jobs`;
  const what = `read the jobs of pipeline ${child.pipelineId} of ${child.path}`;
  const current = await api.list({ path, schema: childJobs, what, need: NEED });
  const attempts = await api.list({ path: `${path}?include_retried=true`, schema: childJobs, what, need: NEED });
  const strange = [...current, ...attempts].find((job) => !isOf(job, child));
  if (strange !== undefined)
    throw new CouldNot(
      'platform.inconsistent',
      `could not ${what}: job ${strange.id} (${strange.name}) is listed, yet is of pipeline ${strange.pipeline.id} of project ${strange.pipeline.project_id} at ${strange.commit?.id ?? strange.pipeline.sha}`,
    );
  const extra = [...new Set(current.map(({ name }) => name))].filter(
    (name) => name.startsWith(OURS) && !names.includes(name),
  );
  if (extra.length > 0)
    throw new Denied(
      'children.extra_job',
      `${child.path} has jobs that our component does not define: ${extra.join(', ')}; names that begin with ${OURS} are its own`,
    );
  return new Map(names.map((name) => [name, requireJob(name, child, current, attempts)]));
}

function isOf({ pipeline, commit }: ChildJob, { pipelineId, projectId, sha }: Child): boolean {
  return (
    String(pipeline.id) === pipelineId &&
    String(pipeline.project_id) === projectId &&
    pipeline.sha === sha &&
    commit?.id === sha
  );
}

function requireJob(name: string, child: Child, current: readonly ChildJob[], attempts: readonly ChildJob[]): ChildJob {
  const where = `job ${name} of ${child.path}`;
  const [job, ...more] = current.filter((each) => each.name === name);
  if (job === undefined)
    throw new Denied(
      'children.job_missing',
      `${where} is not there: its configuration must include the child component, unchanged`,
    );
  if (more.length > 0)
    throw new Denied(
      'children.job_twice',
      `${where} is there ${more.length + 1} times: which of them counts cannot be told`,
    );
  const newest = Math.max(...attempts.filter((each) => each.name === name).map(({ id }) => id));
  if (newest !== job.id)
    throw new Denied(
      'children.job_retried',
      `${where} was retried: ${job.id} is not its newest attempt${Number.isFinite(newest) ? ` (${newest})` : ''}; run again when it has ended`,
    );
  if (job.status !== 'success' || job.finished_at === null)
    throw new Denied(
      'children.job_failed',
      `${where} (${job.id}) is ${job.status}${job.status === 'manual' ? ', nobody ran it' : ''}: only what succeeded is taken`,
    );
  if (job.allow_failure)
    throw new Denied('children.job_optional', `${where} is allowed to fail, which our component does not say`);
  return job;
}
