import { commit, name } from '../contract/primitives.ts';
import type { Role } from '../contract/roles.ts';
import * as z from '../lib/zod.ts';
import { type ClaimedIdentity, claimsOf, type HostedPlatform, untrusted } from './claims.ts';

const decimal = z.string().check(z.regex(/^[1-9]\d{0,18}$/, 'expected a number as text'));

/** Claims of a GitHub Actions ID token (GitHub docs, OpenID Connect reference); all of them are texts. */
const schema = z.looseObject({
  job_workflow_ref: name,
  job_workflow_sha: commit,
  workflow_ref: name,
  workflow_sha: commit,
  repository: z.string().check(z.regex(/^[A-Za-z0-9-]+\/[A-Za-z0-9_][A-Za-z0-9._-]*$/, 'expected owner/repository')),
  repository_id: decimal,
  repository_owner_id: decimal,
  ref: name,
  ref_protected: z.enum(['true', 'false']),
  sha: commit,
  event_name: name,
  environment: z.optional(name),
  run_id: decimal,
  run_attempt: z.string().check(z.regex(/^[1-9]\d{0,3}$/, 'expected the number of an attempt')),
  check_run_id: z.optional(decimal),
  actor_id: decimal,
  runner_environment: z.enum(['github-hosted', 'self-hosted']),
});

/**
 * The run that a verified GitHub token claims. It must come from the one reusable workflow, compared as a whole (a prefix or
 * pattern would accept a neighbour's), in the job that holds the role's environment, of a protected ref, and not from a pull
 * request.
 *
 * The job is the token's `check_run_id`: without it two jobs of a run could not be told apart, so a GitHub that does not send
 * it (Enterprise Servers older than the claim, November 2025) is refused rather than guessed at.
 */
export function githubIdentity(payload: unknown, platform: HostedPlatform, role: Role): ClaimedIdentity {
  const read = claimsOf(payload, schema);
  if (!read.ok) return read;
  const { claims } = read;
  const trusted = platform['workflow-ref'];
  if (claims.job_workflow_ref !== trusted) {
    return untrusted(`the job's code is of ${claims.job_workflow_ref}; only ${trusted} is trusted`);
  }
  if (claims.event_name.startsWith('pull_request')) {
    return untrusted(`the run was started by ${claims.event_name}: what is not merged yet gets no trusted job`);
  }
  if (claims.ref_protected !== 'true') {
    return untrusted(`ref ${claims.ref} is not protected: anybody who may push to it would decide what is built`);
  }
  const environment = `gatehouse-${role}`;
  if (claims.environment !== environment) {
    return untrusted(
      `the job runs under ${claims.environment === undefined ? 'no environment' : `environment ${claims.environment}`}, role ${role} belongs to environment ${environment}`,
    );
  }
  if (claims.check_run_id === undefined) {
    return untrusted(
      "the job's ID token has no check_run_id, so its job cannot be told from others of the run; update GitHub Enterprise Server",
    );
  }
  const workflow = { ref: claims.job_workflow_ref, sha: claims.job_workflow_sha };
  const caller = { ref: claims.workflow_ref, sha: claims.workflow_sha };
  return {
    ok: true,
    claimed: {
      run: {
        platform: 'github',
        host: platform.host,
        repository: claims.repository,
        repositoryId: claims.repository_id,
        id: claims.run_id,
        attempt: Number(claims.run_attempt),
        parent: null,
        caller,
        workflow,
        ref: claims.ref,
        sha: claims.sha,
        event: claims.event_name,
        job: claims.check_run_id,
      },
      workflow: { callerRef: caller.ref, callerSha: caller.sha, jobRef: workflow.ref, jobSha: workflow.sha },
      actor: claims.actor_id,
      owner: claims.repository_owner_id,
      runner: {
        id: null,
        environment: claims.runner_environment,
        hosted: claims.runner_environment === 'github-hosted',
      },
    },
  };
}
