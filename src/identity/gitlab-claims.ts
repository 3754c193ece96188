import { commit, name } from '../contract/primitives.ts';
import type { Role } from '../contract/roles.ts';
import * as z from '../lib/zod.ts';
import { type ClaimedIdentity, claimsOf, type HostedPlatform, untrusted } from './claims.ts';

const decimal = z.string().check(z.regex(/^[1-9]\d{0,18}$/, 'expected a number as text'));

/** Claims of a GitLab ID token (GitLab docs, ID token payload; lib/gitlab/ci/jwt.rb): ids are texts, but for the runner's. */
const schema = z.looseObject({
  project_id: decimal,
  project_path: name,
  job_project_id: z.optional(decimal),
  ci_config_ref_uri: name,
  ci_config_sha: commit,
  ref: name,
  ref_type: z.enum(['branch', 'tag']),
  ref_protected: z.enum(['true', 'false']),
  sha: commit,
  pipeline_id: decimal,
  pipeline_source: name,
  job_id: decimal,
  user_id: decimal,
  environment: z.optional(name),
  runner_id: z.int().check(z.positive()),
  runner_environment: z.enum(['gitlab-hosted', 'self-hosted']),
});

/**
 * Sources whose pipeline is the project's own configuration, as `ci_config_ref_uri` says. Of a child pipeline or a policy's
 * job GitLab claims that file too though the jobs came from elsewhere, and a merge request's is not merged yet.
 */
const SOURCES = ['push', 'web', 'schedule', 'api', 'trigger', 'pipeline'];

/** The pipeline that a verified GitLab token claims: of the parent project's configuration on its protected ref, in the job that holds the role's environment. */
export function gitlabIdentity(payload: unknown, platform: HostedPlatform, role: Role): ClaimedIdentity {
  const read = claimsOf(payload, schema);
  if (!read.ok) return read;
  const { claims } = read;
  const trusted = platform['workflow-ref'];
  if (claims.ci_config_ref_uri !== trusted) {
    return untrusted(`the job's pipeline is of ${claims.ci_config_ref_uri}; only ${trusted} is trusted`);
  }
  if (claims.ref_protected !== 'true') {
    return untrusted(`ref ${claims.ref} is not protected: anybody who may push to it would decide what the job does`);
  }
  if (!SOURCES.includes(claims.pipeline_source)) {
    return untrusted(
      `the pipeline's source is ${claims.pipeline_source}; trusted jobs run in pipelines from ${SOURCES.join(', ')}`,
    );
  }
  if (claims.job_project_id !== undefined && claims.job_project_id !== claims.project_id) {
    return untrusted(`the job runs in project ${claims.job_project_id} for code of project ${claims.project_id}`);
  }
  const environment = `gatehouse/${role}`;
  if (claims.environment !== environment) {
    return untrusted(
      `the job runs under ${claims.environment === undefined ? 'no environment' : `environment ${claims.environment}`}, role ${role} belongs to environment ${environment}`,
    );
  }
  const workflow = { ref: claims.ci_config_ref_uri, sha: claims.ci_config_sha };
  return {
    ok: true,
    claimed: {
      run: {
        platform: 'gitlab',
        host: platform.host,
        repository: claims.project_path,
        repositoryId: claims.project_id,
        id: claims.pipeline_id,
        // GitLab retries jobs, never a pipeline: a retried job is another job of the same run.
        attempt: 1,
        parent: null,
        caller: null,
        workflow,
        ref: `refs/${claims.ref_type === 'branch' ? 'heads' : 'tags'}/${claims.ref}`,
        sha: claims.sha,
        event: claims.pipeline_source,
        job: claims.job_id,
      },
      workflow: { callerRef: null, callerSha: null, jobRef: workflow.ref, jobSha: workflow.sha },
      actor: claims.user_id,
      owner: null,
      runner: {
        id: String(claims.runner_id),
        environment: claims.runner_environment,
        hosted: claims.runner_environment === 'gitlab-hosted',
      },
    },
  };
}
