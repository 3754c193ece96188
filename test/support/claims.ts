import type { Claims } from './issuer.ts';

/** What GitHub's token of the gate's job says, in shape and kinds as GitHub documents it; the people and places are made up. */
export const GITHUB_CLAIMS: Claims = {
  aud: 'gatehouse',
  sub: 'repo:care/lab-results:environment:gatehouse-gate',
  repository: 'care/lab-results',
  repository_id: '7001',
  repository_owner: 'care',
  repository_owner_id: '70',
  repository_visibility: 'private',
  ref: 'refs/heads/main',
  ref_type: 'branch',
  ref_protected: 'true',
  sha: 'a'.repeat(40),
  event_name: 'push',
  workflow: 'release',
  workflow_ref: 'care/lab-results/.github/workflows/release.yml@refs/heads/main',
  workflow_sha: 'a'.repeat(40),
  job_workflow_ref: 'example-health/compliance-workflows/.github/workflows/promote.yml@refs/tags/v1.0.0',
  job_workflow_sha: 'c'.repeat(40),
  environment: 'gatehouse-gate',
  run_id: '9001',
  run_number: '12',
  run_attempt: '1',
  check_run_id: '5003',
  actor: 'dev-4',
  actor_id: '104',
  head_ref: '',
  base_ref: '',
  runner_environment: 'self-hosted',
};

export const GITHUB_WORKFLOW = String(GITHUB_CLAIMS.job_workflow_ref);

/** The same of GitLab: ids are texts but for the runner's (lib/gitlab/ci/jwt.rb, jwt_v2.rb). */
export const GITLAB_CLAIMS: Claims = {
  aud: 'gatehouse',
  sub: 'project_path:care/release:ref_type:branch:ref:main',
  namespace_id: '72',
  namespace_path: 'care',
  project_id: '7002',
  project_path: 'care/release',
  job_project_id: '7002',
  job_project_path: 'care/release',
  user_id: '101',
  user_login: 'dev-1',
  user_access_level: 'maintainer',
  pipeline_id: '9002',
  pipeline_source: 'push',
  job_id: '6003',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  environment: 'gatehouse/gate',
  environment_protected: 'false',
  deployment_tier: 'other',
  runner_id: 31,
  runner_environment: 'self-hosted',
  sha: 'a'.repeat(40),
  project_visibility: 'private',
  ci_config_ref_uri: 'gitlab.example.org/care/release//.gitlab-ci.yml@refs/heads/main',
  ci_config_sha: 'a'.repeat(40),
};

export const GITLAB_WORKFLOW = String(GITLAB_CLAIMS.ci_config_ref_uri);
