import { CouldNot } from '../../lib/errors.ts';
import type { ClaimedRun, RunIdentity } from '../platform.ts';
import { identityWith, mismatch } from '../run-identity.ts';
import { type GitlabApi, NEED } from './api.ts';
import { job, pipeline, project } from './replies.ts';

/**
 * Completes a claimed run: the API must confirm project, pipeline, job and runner by their ids, and adds who started the
 * pipeline and who played or retried this job. The pool is the runner's number, which only an administrator can give out: tags
 * are words that any job may ask for.
 *
 * Throws Denied `platform.mismatch`, CouldNot where the API does not answer or the job has no runner.
 */
export async function identifyGitlab(api: GitlabApi, claimed: ClaimedRun): Promise<RunIdentity> {
  const { run } = claimed;
  const where = await api.get({ path: '', schema: project, what: `read project ${run.repositoryId}`, need: NEED });
  const started = await api.get({
    path: `/pipelines/${run.id}`,
    schema: pipeline,
    what: `read pipeline ${run.id}`,
    need: NEED,
  });
  const found = await api.get({ path: `/jobs/${run.job}`, schema: job, what: `read job ${run.job}`, need: NEED });
  const runner = found.runner;
  if (runner === null || found.user === null) {
    throw new CouldNot(
      'platform.runner',
      `job ${run.job} runs, yet GitLab names no ${runner === null ? 'runner' : 'user'} for it; run again`,
    );
  }
  const pairs: [string, unknown, unknown][] = [
    ['project', run.repositoryId, String(where.id)],
    ['path of the project', run.repository, where.path_with_namespace],
    ['pipeline', run.id, String(started.id)],
    ['project of the pipeline', run.repositoryId, String(started.project_id)],
    ['commit', run.sha, started.sha],
    ['ref', run.ref.replace(/^refs\/(heads|tags)\//, ''), started.ref],
    ['source', run.event, started.source],
    ['job', run.job, String(found.id)],
    ['pipeline of the job', run.id, String(found.pipeline.id)],
    ['user of the job', claimed.actor, String(found.user.id)],
    ['runner', claimed.runner.id, String(runner.id)],
  ];
  for (const [name, claim, answer] of pairs) {
    if (claim !== answer) throw mismatch(`${name} is ${claim} in the token and ${answer} in the API`);
  }
  if (ENDED.includes(found.status)) throw mismatch(`job ${run.job} has ended (${found.status})`);
  const triggeredBy = String(started.user.id);
  return identityWith(claimed, {
    name: runner.description || `runner ${runner.id}`,
    pool: String(runner.id),
    triggeredBy,
    reranBy: claimed.actor === triggeredBy ? null : claimed.actor,
  });
}

const ENDED = ['success', 'failed', 'canceled', 'skipped'];
