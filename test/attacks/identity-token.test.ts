import { createHmac } from 'node:crypto';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW, GITLAB_WORKFLOW } from '../support/claims.ts';
import type { Claims } from '../support/issuer.ts';
import { identityScene } from './identity-scene.ts';

/* Whoever is not the trusted workflow must not get a run. */

const scene = identityScene();
const DESCRIPTION = '/.well-known/openid-configuration';

const claiming = (claims: Claims) => {
  scene.sent = () => scene.issuer.sign({ ...GITHUB_CLAIMS, ...claims });
};
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const now = () => Math.floor(Date.now() / 1000);

describe('honest jobs', () => {
  it('on GitHub get their run', async () => {
    expect(await scene.onGithub()).toMatchObject({
      ok: true,
      identity: {
        run: { platform: 'github', id: '9001', job: '5003', runner: { pool: 'gatehouse-deploy' } },
        triggeredBy: '104',
      },
    });
    expect(scene.github.violations).toEqual([]);
  });

  it('on GitLab get theirs', async () => {
    expect(await scene.onGitlab()).toMatchObject({
      ok: true,
      identity: { run: { platform: 'gitlab', id: '9002', job: '6003', runner: { pool: '31' } }, triggeredBy: '101' },
    });
  });
});

describe('a job that is not the trusted workflow gets no run', () => {
  const unsigned = (head: object) =>
    `${encoded(head)}.${encoded({ iss: scene.issuer.url, sub: 'x', iat: now(), exp: now() + 300, ...GITHUB_CLAIMS })}`;

  it.each<[string, () => void, RegExp]>([
    [
      'a token of another issuer',
      () => (scene.sent = () => scene.stranger.sign(GITHUB_CLAIMS)),
      /no github issuer of contract.yml/,
    ],
    [
      'a token of another issuer in ours name',
      () => (scene.sent = () => scene.stranger.sign({ ...GITHUB_CLAIMS, iss: scene.issuer.url })),
      /not by the issuer's key/,
    ],
    [
      'a token without signature (alg none)',
      () => (scene.sent = async () => `${unsigned({ alg: 'none' })}.`),
      /not to be believed/,
    ],
    [
      'a token signed with the public key as a password (HS256)',
      () =>
        (scene.sent = async () => {
          const text = unsigned({ alg: 'HS256', kid: 'rsa' });
          return `${text}.${createHmac('sha256', JSON.stringify(scene.issuer.publicJwk)).update(text).digest('base64url')}`;
        }),
      /algorithm is not one of RS256, ES256/,
    ],
    ['an expired token', () => claiming({ exp: now() - 360 }), /has expired/],
    ['a token that is not valid yet', () => claiming({ nbf: now() + 360 }), /not valid yet/],
    ['a token from the future', () => claiming({ iat: now() + 360 }), /from the future/],
    ['a token that a cloud was given', () => claiming({ aud: 'sts.amazonaws.com' }), /audience is another/],
    [
      'a token for a cloud and for us',
      () => claiming({ aud: ['gatehouse', 'sts.amazonaws.com'] }),
      /not gatehouse alone/,
    ],
    [
      'a workflow whose name only begins like ours',
      () => claiming({ job_workflow_ref: `${GITHUB_WORKFLOW}.evil` }),
      /only .* is trusted/,
    ],
    [
      'a workflow whose name only ends like ours',
      () => claiming({ job_workflow_ref: `evil-${GITHUB_WORKFLOW}` }),
      /only .* is trusted/,
    ],
    [
      'the same path of another owner',
      () => claiming({ job_workflow_ref: GITHUB_WORKFLOW.replace('example-health', 'example-heaIth') }),
      /only .* is trusted/,
    ],
    [
      'our workflow at a branch',
      () => claiming({ job_workflow_ref: GITHUB_WORKFLOW.replace('refs/tags/v1.0.0', 'refs/heads/x') }),
      /only .* is trusted/,
    ],
    [
      'our workflow in other letters',
      () => claiming({ job_workflow_ref: GITHUB_WORKFLOW.replace('promote', 'Promote') }),
      /only .* is trusted/,
    ],
    [
      'a job of the caller beside our workflow',
      () => claiming({ job_workflow_ref: 'care/lab-results/.github/workflows/release.yml@refs/heads/main' }),
      /only .* is trusted/,
    ],
    ['our workflow without a commit', () => claiming({ job_workflow_sha: undefined }), /job_workflow_sha/],
    ['a job without environment', () => claiming({ environment: undefined }), /no environment/],
    [
      'a job of another role',
      () => claiming({ environment: 'gatehouse-emit' }),
      /belongs to environment gatehouse-gate/,
    ],
    ['a pull request', () => claiming({ event_name: 'pull_request' }), /not merged yet/],
    [
      'a pull request that runs with the target’s rights',
      () => claiming({ event_name: 'pull_request_target' }),
      /not merged yet/,
    ],
    ['a token without its job', () => claiming({ check_run_id: undefined }), /check_run_id/],
    ['a repository that climbs out of its path', () => claiming({ repository: 'care/../../orgs' }), /repository/],
  ])('%s', async (_, attack, why) => {
    attack();
    expect(await scene.onGithub()).toEqual({ ok: false, why: expect.stringMatching(why) });
    expect(scene.github.seen.filter(({ path }) => path.includes('..'))).toEqual([]);
  });

  it.each([
    ['nothing in the environment but that it is a job', { GITHUB_ACTIONS: 'true' }],
    [
      'variables that look like the right job',
      {
        GITHUB_ACTIONS: 'true',
        GITHUB_REPOSITORY: 'care/lab-results',
        GITHUB_RUN_ID: '9001',
        GITHUB_JOB: 'gate',
        GITHUB_ACTOR_ID: '103',
      },
    ],
  ])('%s', async (_, env) => {
    expect(await scene.onGithub(env as Record<string, string>)).toEqual({
      ok: false,
      why: expect.stringContaining('id-token: write'),
    });
  });

  it('a process that is no job at all', async () => {
    await expect(scene.onGithub({})).rejects.toMatchObject({ code: 'platform.none', exit: 2 });
  });

  it.each<[string, Claims, RegExp]>([
    ['an unprotected ref', { ref_protected: 'false' }, /not protected/],
    ['a merge request', { pipeline_source: 'merge_request_event' }, /source is merge_request_event/],
    [
      'a child pipeline from an artifact, for which GitLab claims the project’s own file',
      { pipeline_source: 'parent_pipeline' },
      /source is parent_pipeline/,
    ],
    ['a file whose name only begins like ours', { ci_config_ref_uri: `${GITLAB_WORKFLOW}-2` }, /only .* is trusted/],
    ['our file at another host', { ci_config_ref_uri: `evil.${GITLAB_WORKFLOW}` }, /only .* is trusted/],
    ['a job of another role', { environment: 'gatehouse/emit' }, /belongs to environment gatehouse\/gate/],
    ['a GitHub token in GitLab’s variable', GITHUB_CLAIMS, /claim|trusted|environment/],
  ])('on GitLab: %s', async (_, claims, why) => {
    expect(await scene.onGitlab(claims)).toEqual({ ok: false, why: expect.stringMatching(why) });
  });
});

describe('an issuer that is not to be believed stops the job', () => {
  it.each<[string, string, () => object, string]>([
    [
      'keys that it sends elsewhere for',
      '/keys',
      () => ({ status: 302, headers: { location: `${scene.stranger.url}/keys` }, json: {} }),
      'http.redirect',
    ],
    [
      'keys at plain http',
      DESCRIPTION,
      () => ({ json: { issuer: scene.issuer.url, jwks_uri: 'http://keys.example.org/' } }),
      'oidc.issuer',
    ],
    [
      'keys at another port of this machine',
      DESCRIPTION,
      () => ({ json: { issuer: scene.issuer.url, jwks_uri: `${scene.stranger.url}/keys` } }),
      'oidc.issuer',
    ],
    [
      'a description of another issuer',
      DESCRIPTION,
      () => ({ json: { issuer: scene.stranger.url, jwks_uri: `${scene.issuer.url}/keys` } }),
      'oidc.issuer',
    ],
    ['a page for people', DESCRIPTION, () => ({ bytes: '<html>' }), 'oidc.issuer'],
  ])('%s', async (_, path, answer, code) => {
    scene.issuer.answers.set(path, answer());
    await expect(scene.onGithub()).rejects.toMatchObject({ code });
  });
});
