import { run as runSchema } from '../../../src/contract/run.ts';
import type { HostedPlatform } from '../../../src/identity/claims.ts';
import { githubIdentity } from '../../../src/identity/github-claims.ts';
import { gitlabIdentity } from '../../../src/identity/gitlab-claims.ts';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW, GITLAB_CLAIMS, GITLAB_WORKFLOW } from '../../support/claims.ts';
import type { Claims } from '../../support/issuer.ts';

const github: HostedPlatform = {
  kind: 'github',
  host: 'github.com',
  api: 'https://api.github.com',
  issuer: 'https://token.actions.githubusercontent.com',
  'workflow-ref': GITHUB_WORKFLOW,
};
const gitlab: HostedPlatform = {
  kind: 'gitlab',
  host: 'gitlab.example.org',
  api: 'https://gitlab.example.org/api/v4',
  issuer: 'https://gitlab.example.org',
  'workflow-ref': GITLAB_WORKFLOW,
};
const without = (claims: Claims, name: string): Claims =>
  Object.fromEntries(Object.entries(claims).filter(([key]) => key !== name));

describe('a GitHub token', () => {
  it('of the trusted workflow claims a run that fits a record', () => {
    const found = githubIdentity(GITHUB_CLAIMS, github, 'gate');
    expect(found).toEqual({
      ok: true,
      claimed: {
        run: {
          platform: 'github',
          host: 'github.com',
          repository: 'care/lab-results',
          repositoryId: '7001',
          id: '9001',
          attempt: 1,
          parent: null,
          caller: { ref: 'care/lab-results/.github/workflows/release.yml@refs/heads/main', sha: 'a'.repeat(40) },
          workflow: { ref: GITHUB_WORKFLOW, sha: 'c'.repeat(40) },
          ref: 'refs/heads/main',
          sha: 'a'.repeat(40),
          event: 'push',
          job: '5003',
        },
        workflow: {
          callerRef: 'care/lab-results/.github/workflows/release.yml@refs/heads/main',
          callerSha: 'a'.repeat(40),
          jobRef: GITHUB_WORKFLOW,
          jobSha: 'c'.repeat(40),
        },
        actor: '104',
        owner: '70',
        runner: { id: null, environment: 'self-hosted', hosted: false },
      },
    });
    if (!found.ok) throw new Error('unreachable');
    const runner = { name: 'x', pool: 'y', environment: 'self-hosted', hosted: false, image: null };
    expect(runSchema.safeParse({ ...found.claimed.run, runner }).success).toBe(true);
  });

  it('of a runner of GitHub says hosted', () => {
    const found = githubIdentity({ ...GITHUB_CLAIMS, runner_environment: 'github-hosted' }, github, 'gate');
    expect(found).toMatchObject({ ok: true, claimed: { runner: { hosted: true } } });
  });

  it.each(['gate', 'build', 'scan', 'deploy', 'notary', 'admin', 'release', 'emit', 'cluster'] as const)(
    'of environment gatehouse-%s is of that role and no other',
    (role) => {
      const claims = { ...GITHUB_CLAIMS, environment: `gatehouse-${role}` };
      expect(githubIdentity(claims, github, role).ok).toBe(true);
      expect(githubIdentity(claims, github, role === 'gate' ? 'deploy' : 'gate')).toEqual({
        ok: false,
        why: expect.stringContaining('belongs to environment'),
      });
    },
  );

  const workflow = 'example-health/compliance-workflows/.github/workflows/promote.yml@refs/tags/v1.0.0';
  it.each([
    ['of a workflow whose name only begins like ours', { job_workflow_ref: `${workflow}-evil` }],
    ['of a workflow whose name only ends like ours', { job_workflow_ref: `evil-${workflow}` }],
    ['of another owner', { job_workflow_ref: workflow.replace('example-health', 'evil') }],
    ['of another file', { job_workflow_ref: workflow.replace('promote.yml', 'other.yml') }],
    ['of a branch', { job_workflow_ref: workflow.replace('refs/tags/v1.0.0', 'refs/heads/main') }],
    ['of another tag', { job_workflow_ref: workflow.replace('v1.0.0', 'v1.0.1') }],
    ['in other letters', { job_workflow_ref: workflow.toUpperCase() }],
    ['with a line break', { job_workflow_ref: `${workflow}\n` }],
  ])('%s is not trusted', (_, changes) => {
    expect(githubIdentity({ ...GITHUB_CLAIMS, ...changes }, github, 'gate')).toEqual({
      ok: false,
      why: expect.stringMatching(/only .* is trusted|job_workflow_ref/),
    });
  });

  it.each([
    ['pull_request', /what is not merged yet/],
    ['pull_request_target', /what is not merged yet/],
    ['pull_request_review', /what is not merged yet/],
  ])('of event %s is refused', (event_name, why) => {
    expect(githubIdentity({ ...GITHUB_CLAIMS, event_name }, github, 'gate')).toEqual({
      ok: false,
      why: expect.stringMatching(why),
    });
  });

  it.each([
    ['unprotected', 'false', /ref refs\/heads\/main is not protected/],
    ['protected as a boolean', true, /ref_protected/],
    ['not said to be either', undefined, /ref_protected/],
  ])('of a ref that is %s is refused', (_, ref_protected, why) => {
    expect(githubIdentity({ ...GITHUB_CLAIMS, ref_protected }, github, 'gate')).toEqual({
      ok: false,
      why: expect.stringMatching(why),
    });
  });

  it.each([
    ['no environment', undefined],
    ['the protected environment itself', 'production'],
    ['an environment in other letters', 'Gatehouse-gate'],
    ['the same with GitLab’s spelling', 'gatehouse/gate'],
  ])('of a job under %s is refused', (_, environment) => {
    expect(githubIdentity({ ...GITHUB_CLAIMS, environment }, github, 'gate').ok).toBe(false);
  });

  it('without check_run_id is refused: its job cannot be told from others', () => {
    expect(githubIdentity(without(GITHUB_CLAIMS, 'check_run_id'), github, 'gate')).toEqual({
      ok: false,
      why: expect.stringContaining('check_run_id'),
    });
  });

  const needed = [
    'job_workflow_ref',
    'job_workflow_sha',
    'workflow_ref',
    'workflow_sha',
    'repository',
    'repository_id',
    'repository_owner_id',
    'ref',
    'sha',
    'event_name',
    'environment',
    'run_id',
    'run_attempt',
    'check_run_id',
    'actor_id',
    'runner_environment',
  ];
  it.each(needed)('without %s is refused, and so is one with null, a number or an empty text there', (name) => {
    for (const claims of [
      without(GITHUB_CLAIMS, name),
      ...[null, 7, '', {}, ['x']].map((value) => ({ ...GITHUB_CLAIMS, [name]: value })),
    ]) {
      expect(githubIdentity(claims, github, 'gate')).toEqual({
        ok: false,
        why: expect.stringContaining(name === 'environment' ? 'environment' : name),
      });
    }
  });

  it.each([
    ['repository', '../../orgs/care'],
    ['repository', 'care/lab/results'],
    ['repository', 'care/..'],
    ['repository_id', '7001/../1'],
    ['run_id', '-1'],
    ['run_attempt', '0'],
    ['sha', 'main'],
    ['job_workflow_sha', 'c'.repeat(39)],
  ])('with %s %j is refused', (name, value) => {
    expect(githubIdentity({ ...GITHUB_CLAIMS, [name]: value }, github, 'gate').ok).toBe(false);
  });
});

describe('a GitLab token', () => {
  it('of the trusted pipeline claims a run that fits a record', () => {
    const found = gitlabIdentity(GITLAB_CLAIMS, gitlab, 'gate');
    expect(found).toMatchObject({
      ok: true,
      claimed: {
        run: {
          platform: 'gitlab',
          repository: 'care/release',
          repositoryId: '7002',
          id: '9002',
          attempt: 1,
          ref: 'refs/heads/main',
          event: 'push',
          job: '6003',
          caller: null,
        },
        workflow: { callerRef: null, callerSha: null, jobRef: GITLAB_WORKFLOW, jobSha: 'a'.repeat(40) },
        actor: '101',
        runner: { id: '31', hosted: false },
      },
    });
    if (!found.ok) throw new Error('unreachable');
    const runner = { name: 'x', pool: 'y', environment: 'self-hosted', hosted: false, image: null };
    expect(runSchema.safeParse({ ...found.claimed.run, runner }).success).toBe(true);
  });

  it.each([
    ['of a file whose name only begins like ours', { ci_config_ref_uri: `${GITLAB_WORKFLOW}2` }, /only .* is trusted/],
    [
      'of another host',
      { ci_config_ref_uri: GITLAB_WORKFLOW.replace('gitlab.example.org', 'gitlab.example.org.evil.net') },
      /only .* is trusted/,
    ],
    ['of another ref', { ci_config_ref_uri: GITLAB_WORKFLOW.replace('main', 'topic') }, /only .* is trusted/],
    ['of an unprotected ref', { ref_protected: 'false' }, /not protected/],
    ['with ref_protected as a boolean', { ref_protected: true }, /ref_protected/],
    ['of a merge request', { pipeline_source: 'merge_request_event' }, /source is merge_request_event/],
    [
      'of a child pipeline, whose file GitLab names wrongly',
      { pipeline_source: 'parent_pipeline' },
      /source is parent_pipeline/,
    ],
    ['of a source that nobody knows yet', { pipeline_source: 'moonlight' }, /source is moonlight/],
    ['of code from a fork', { job_project_id: '8' }, /for code of project/],
    ['of another role', { environment: 'gatehouse/deploy' }, /belongs to environment gatehouse\/gate/],
    ['of no environment', { environment: undefined }, /no environment/],
    ['of a merge request’s ref', { ref_type: 'merge_request' }, /ref_type/],
    ['with a runner id as text', { runner_id: '31' }, /runner_id/],
  ])('%s is refused', (_, changes, why) => {
    const claims = Object.fromEntries(
      Object.entries({ ...GITLAB_CLAIMS, ...changes }).filter(([, value]) => value !== undefined),
    );
    expect(gitlabIdentity(claims, gitlab, 'gate')).toEqual({ ok: false, why: expect.stringMatching(why) });
  });

  const needed = [
    'project_id',
    'project_path',
    'ci_config_ref_uri',
    'ci_config_sha',
    'ref',
    'ref_type',
    'ref_protected',
    'sha',
    'pipeline_id',
    'pipeline_source',
    'job_id',
    'user_id',
    'runner_id',
    'runner_environment',
  ];
  it.each(needed)('without %s is refused, and so is one with null or an object there', (name) => {
    for (const claims of [
      without(GITLAB_CLAIMS, name),
      { ...GITLAB_CLAIMS, [name]: null },
      { ...GITLAB_CLAIMS, [name]: {} },
    ]) {
      expect(gitlabIdentity(claims, gitlab, 'gate')).toEqual({ ok: false, why: expect.stringContaining(name) });
    }
  });

  it('of a tag claims the tag, never a branch of that name', () => {
    expect(gitlabIdentity({ ...GITLAB_CLAIMS, ref_type: 'tag', ref: 'main' }, gitlab, 'gate')).toMatchObject({
      ok: true,
      claimed: { run: { ref: 'refs/tags/main' } },
    });
  });
});
