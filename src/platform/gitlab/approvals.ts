import type { Run } from '../../contract/run.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { PlatformApproval } from '../platform.ts';
import { type GitlabApi, NEED } from './api.ts';
import { type Deployment, deployment, deploymentList, jobs } from './replies.ts';

/** The job of the parent pipeline that names the protected environment and does nothing. */
const APPROVE = 'gatehouse-approve';

/**
 * Who approved or rejected the deployment that job `gatehouse-approve` of this pipeline stands for (Premium), each with its own
 * time. Where GitLab has no such approvals, the one who played the manual job approved it, which is worth less. No such job,
 * or one that did not get through: nobody approved.
 */
export async function gitlabApprovals(api: GitlabApi, run: Run, environment: string): Promise<PlatformApproval[]> {
  const what = `read the jobs of pipeline ${run.id}`;
  const all = await api.list({ path: `/pipelines/${run.id}/jobs`, schema: jobs, what, need: NEED });
  if (!all.some(({ id }) => String(id) === run.job)) {
    throw new CouldNot('platform.incomplete', `could not ${what}: job ${run.job}, which asks, is not among them`);
  }
  const named = all.filter(({ name }) => name === APPROVE);
  if (named.length > 1) {
    throw new CouldNot(
      'platform.ambiguous',
      `pipeline ${run.id} has ${named.length} jobs ${APPROVE}: which of them was approved cannot be told`,
    );
  }
  const [job] = named;
  if (job?.status !== 'success' || job.started_at === null || String(job.pipeline.id) !== run.id) return [];
  const found = await deploymentOf(api, job.id, environment);
  if (found === null) return [];
  if (found.environment.name !== environment || found.sha !== run.sha || found.deployable?.id !== job.id) {
    throw new CouldNot(
      'platform.inconsistent',
      `deployment ${found.id} is listed for job ${job.id} and ${environment}, yet is of something else; run again`,
    );
  }
  const given = approvalsOf(found);
  if ((found.pending_approval_count ?? 0) > 0) {
    throw new CouldNot(
      'platform.inconsistent',
      `deployment ${found.id} still waits for ${found.pending_approval_count} approvals, yet its job ran: look at who may bypass the environment's protection`,
    );
  }
  const player = job.user === null ? null : String(job.user.id);
  return given.length > 0
    ? given
    : [{ userId: player, state: 'approved', at: job.started_at, atFrom: 'job', digest: null, strength: 'job' }];
}

/** The newest deployments are looked at: this one was made minutes or days ago, by this pipeline. */
async function deploymentOf(api: GitlabApi, jobId: number, environment: string): Promise<Deployment | null> {
  const path = `/deployments?environment=${encodeURIComponent(environment)}&order_by=id&sort=desc`;
  const what = `find the deployment of job ${jobId}`;
  for await (const page of api.pages({ path, schema: deploymentList, what, need: NEED })) {
    const found = page.find(({ deployable }) => deployable?.id === jobId);
    if (found !== undefined) {
      return await api.get({
        path: `/deployments/${found.id}`,
        schema: deployment,
        what: `read deployment ${found.id}`,
        need: NEED,
      });
    }
  }
  return null;
}

/** With several approval rules GitLab files the approvals under their rules; one under two rules is one. */
function approvalsOf({ approvals = [], approval_summary: summary }: Deployment): PlatformApproval[] {
  const rules = summary ? summary.rules : [];
  const all = [...approvals, ...rules.flatMap((rule) => rule.deployment_approvals)];
  const distinct = new Map(all.map((each) => [`${each.user?.id} ${each.status} ${each.created_at}`, each]));
  return [...distinct.values()].map(({ user, status, created_at: at }) => ({
    userId: user === null ? null : String(user.id),
    state: status,
    at,
    atFrom: 'platform',
    digest: null,
    strength: 'job',
    givenAfter: at,
  }));
}
