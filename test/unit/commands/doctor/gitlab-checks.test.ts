import type { Check } from '../../../../src/commands/doctor/check.ts';
import { checkGitlab, type GitlabDemand } from '../../../../src/commands/doctor/gitlab-checks.ts';
import { http } from '../../../../src/lib/http.ts';
import { readPipelineProject, readProject } from '../../../../src/platform/gitlab/protection.ts';
import {
  APPLICATION,
  type FakeGitlabProtection,
  type GitlabProtection,
  gitlabProtection,
  PIPELINE,
  startGitlabProtection,
  TOKEN,
} from '../../../support/fake-gitlab-protection.ts';

let gitlab: FakeGitlabProtection;
beforeAll(async () => {
  gitlab = await startGitlabProtection();
});
afterAll(() => gitlab.close());
beforeEach(() => {
  gitlab.world = gitlabProtection();
});

const demand: GitlabDemand = {
  workflow: { path: '.gitlab-ci.yml', ref: 'refs/heads/main' },
  environment: 'production',
  refs: ['refs/heads/main'],
  approvals: 1,
};

async function checks(changed: Partial<GitlabDemand> = {}, pools = ['31']): Promise<Check[]> {
  const token = { kind: 'PRIVATE-TOKEN', value: TOKEN } as const;
  const access = { http, api: gitlab.url, token, sleep: async () => undefined };
  const pipeline = await readPipelineProject(access, PIPELINE, pools);
  return checkGitlab(pipeline, await readProject(access, APPLICATION), { ...demand, ...changed });
}
const notOk = (all: Check[]) =>
  all.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);

it('of a world as it should be everything is ok, and nothing was written', async () => {
  const all = await checks();
  expect(notOk(all)).toEqual([]);
  expect(all.map(({ check }) => check)).toEqual([
    'pipeline file',
    'pipeline ref',
    'pipeline branch',
    'pipeline code owners',
    'pipeline tags',
    'pipeline approval rules',
    'pipeline approval settings',
    'pipeline push rules',
    'pipeline variables',
    'pipeline merge',
    'pipeline job tokens',
    'pipeline own approval',
    'environment gatehouse/gate',
    'environment gatehouse/build',
    'environment gatehouse/scan',
    'environment gatehouse/deploy',
    'environment production',
    'production approvals',
    'runner 31',
    'application file',
    'application branch',
    'application variables',
    'application merge',
    'application job tokens',
  ]);
  expect(new Set(gitlab.seen.map(({ method }) => method))).toEqual(new Set(['GET']));
});

const { level } = gitlabProtection().make;
const main = (world: GitlabProtection) => world.pipeline.branches[0] as Record<string, unknown>;
type Planted = [what: string, plant: (world: GitlabProtection) => void, named: string[], found: RegExp];

describe('a planted weakness is named:', () => {
  it.each<Planted>([
    [
      'a pipeline of another file',
      ({ pipeline }) => Object.assign(pipeline.settings, { ci_config_path: 'ci.yml@evil/project' }),
      ['pipeline file fails'],
      /the project's pipeline is ci\.yml@evil\/project/,
    ],
    [
      'a branch that is not protected',
      (world) => Object.assign(world.pipeline, { branches: [] }),
      ['pipeline branch fails', 'pipeline code owners fails'],
      /main is not protected/,
    ],
    [
      'a force push',
      (world) => Object.assign(main(world), { allow_force_push: true }),
      ['pipeline branch fails'],
      /by force/,
    ],
    [
      'a force push by a pattern beside it',
      ({ pipeline }) => pipeline.branches.push({ ...pipeline.branches[0], name: 'm*', allow_force_push: true }),
      ['pipeline branch fails'],
      /by force/,
    ],
    [
      'developers who push',
      (world) => Object.assign(main(world), { push_access_levels: [level(30)] }),
      ['pipeline branch fails'],
      /pushed to by developers/,
    ],
    [
      'maintainers who push',
      (world) => Object.assign(main(world), { push_access_levels: [level(40)] }),
      ['pipeline branch weak'],
      /pushed to by maintainers/,
    ],
    [
      'maintainers of the application who push',
      ({ application }) => Object.assign(application.branches[0] as object, { push_access_levels: [level(40)] }),
      ['application branch fails'],
      /pushed to by maintainers/,
    ],
    [
      'a deploy key, a user and a group that push',
      (world) =>
        Object.assign(main(world), {
          push_access_levels: [
            level(40, { deploy_key_id: 7 }),
            level(null, { user_id: 8 }),
            level(null, { group_id: 9 }),
          ],
        }),
      ['pipeline branch weak'],
      /deploy key 7, user 8, group 9/,
    ],
    [
      'code owners who are not asked',
      (world) => Object.assign(main(world), { code_owner_approval_required: false }),
      ['pipeline code owners fails'],
      /need not approve/,
    ],
    [
      'a tier without code owners',
      (world) => delete main(world).code_owner_approval_required,
      ['pipeline code owners unknown'],
      /Premium/,
    ],
    [
      'tags that are not protected',
      (world) => Object.assign(world.pipeline, { tags: [] }),
      ['pipeline tags fails'],
      /can move the tag that callers pin/,
    ],
    [
      'tags v* alone, while components are tagged without it',
      ({ pipeline }) => Object.assign(pipeline.tags[0] ?? {}, { name: 'v*' }),
      ['pipeline tags fails'],
      /1\.0\.0/,
    ],
    [
      'tags that developers make',
      ({ pipeline }) => Object.assign(pipeline.tags[0] ?? {}, { create_access_levels: [level(30)] }),
      ['pipeline tags fails'],
      /made by developers/,
    ],
    [
      'no approval',
      ({ pipeline }) => Object.assign(pipeline.approvalRules[0] ?? {}, { approvals_required: 0 }),
      ['pipeline approval rules fails'],
      /^0$/,
    ],
    [
      'an approval for another branch',
      ({ pipeline }) =>
        Object.assign(pipeline.approvalRules[0] ?? {}, {
          applies_to_all_protected_branches: false,
          protected_branches: [{ name: 'release' }],
        }),
      ['pipeline approval rules fails'],
      /^0$/,
    ],
    [
      'authors who approve',
      ({ pipeline }) => Object.assign(pipeline.approvals, { merge_requests_author_approval: true }),
      ['pipeline approval settings fails'],
      /^authors approve their own$/,
    ],
    [
      'committers who approve, approvals that stay, rules that change',
      ({ pipeline }) =>
        Object.assign(pipeline.approvals, {
          merge_requests_disable_committers_approval: false,
          reset_approvals_on_push: false,
          disable_overriding_approvers_per_merge_request: false,
        }),
      ['pipeline approval settings fails'],
      /committers approve their own; approvals outlive a push; a merge request may change its rules/,
    ],
    [
      'settings that are not shown',
      (world) => Object.assign(world.pipeline, { approvals: {} }),
      ['pipeline approval settings unknown'],
      /does not show all of it/,
    ],
    [
      'no push rules',
      (world) => Object.assign(world.pipeline, { pushRule: null }),
      ['pipeline push rules fails'],
      /anybody may be named as committer/,
    ],
    [
      'push rules that are off',
      ({ pipeline }) => Object.assign(pipeline.pushRule ?? {}, { commit_committer_check: null }),
      ['pipeline push rules fails'],
      /anybody may be named/,
    ],
    [
      'variables by developers (F71)',
      ({ pipeline }) => Object.assign(pipeline.settings, { ci_pipeline_variables_minimum_override_role: 'developer' }),
      ['pipeline variables fails'],
      /^developer$/,
    ],
    [
      'variables by maintainers',
      ({ pipeline }) => Object.assign(pipeline.settings, { ci_pipeline_variables_minimum_override_role: 'maintainer' }),
      ['pipeline variables weak'],
      /^maintainer$/,
    ],
    [
      'settings that a token does not see',
      ({ pipeline, application }) => {
        for (const name of [
          'ci_config_path',
          'ci_pipeline_variables_minimum_override_role',
          'only_allow_merge_if_pipeline_succeeds',
          'allow_pipeline_trigger_approve_deployment',
        ]) {
          delete pipeline.settings[name];
          delete application.settings[name];
        }
      },
      [
        'pipeline file unknown',
        'pipeline variables unknown',
        'pipeline merge unknown',
        'pipeline own approval unknown',
        'application file unknown',
        'application variables unknown',
        'application merge unknown',
      ],
      /does not show ci_config_path/,
    ],
    [
      'merges of what failed',
      ({ application }) => Object.assign(application.settings, { only_allow_merge_if_pipeline_succeeds: false }),
      ['application merge fails'],
      /what fails may be merged/,
    ],
    [
      'job tokens of everybody',
      ({ pipeline }) => Object.assign(pipeline.jobTokens, { inbound_enabled: false }),
      ['pipeline job tokens fails'],
      /any project/,
    ],
    [
      'a pipeline’s starter who approves',
      ({ pipeline }) => Object.assign(pipeline.settings, { allow_pipeline_trigger_approve_deployment: true }),
      ['pipeline own approval fails'],
      /may approve its deploy/,
    ],
    [
      'a role’s environment that is not protected',
      ({ pipeline }) => void pipeline.environments.splice(3, 1),
      ['environment gatehouse/deploy fails'],
      /every developer/,
    ],
    [
      'a promotion that is not protected',
      ({ pipeline }) => void pipeline.environments.pop(),
      ['environment production fails', 'production approvals fails'],
      /every developer/,
    ],
    [
      'a promotion without approval',
      ({ pipeline }) => Object.assign(pipeline.environments[4] ?? {}, { approval_rules: [] }),
      ['production approvals fails'],
      /^0$/,
    ],
    ...(
      [
        ['is shared', { runner_type: 'instance_type' }, /it is shared \(instance_type\)/],
        ['takes every branch', { access_level: 'not_protected' }, /jobs of every branch/],
        ['may be given away', { locked: false }, /may be given to other projects/],
        ['takes untagged jobs', { run_untagged: true }, /jobs that name no tag/],
        [
          'serves others',
          {
            projects: [
              { id: 1, path_with_namespace: PIPELINE },
              { id: 2, path_with_namespace: 'evil/x' },
            ],
          },
          /it serves evil\/x too/,
        ],
      ] as const
    ).map(
      ([what, change, found]): Planted => [
        `a runner that ${what} (F99)`,
        ({ runner }) => Object.assign(runner, change),
        ['runner 31 fails'],
        found,
      ],
    ),
    [
      'a runner of which not all is shown',
      ({ runner }) => delete runner.projects,
      ['runner 31 unknown'],
      /does not show all of it/,
    ],
    ...['ci/other.yml', '.gitlab-ci.yml@evil/project', 'https://evil.example.org/ci.yml'].map(
      (file): Planted => [
        `an application whose pipeline is ${file}: collect would refuse it`,
        ({ application }) => Object.assign(application.settings, { ci_config_path: file }),
        ['application file fails'],
        /the project's pipeline is .*, which need not be of the reviewed commit/,
      ],
    ),
    [
      'an application branch that is not protected',
      (world) => Object.assign(world.application, { branches: [] }),
      ['application branch fails'],
      /main is not protected/,
    ],
  ])('%s', async (_, plant, named, found) => {
    plant(gitlab.world);
    const all = await checks();
    expect(notOk(all)).toEqual(named);
    expect(all.find(({ check, status }) => named[0] === `${check} ${status}`)?.found).toMatch(found);
  });

  it('a trusted pipeline of a tag', async () => {
    const workflow = { ...demand.workflow, ref: 'refs/tags/1.0.0' };
    expect(notOk(await checks({ workflow }))).toEqual([
      'pipeline ref fails',
      'pipeline branch fails',
      'pipeline code owners fails',
    ]);
  });

  it('fewer approvals than the contract demands', async () => {
    expect(notOk(await checks({ approvals: 2 }))).toEqual(['production approvals fails']);
  });

  it('a pool that is a tag, as tags are given out by whoever registers a runner', async () => {
    expect(notOk(await checks({}, ['gatehouse']))).toEqual(['runner gatehouse unknown']);
  });
});

describe('what may not be seen', () => {
  it.each([
    ['protected branches', '/protected_branches', ['pipeline branch', 'pipeline code owners']],
    ['protected tags', '/protected_tags', ['pipeline tags']],
    ['approval settings', '/approvals', ['pipeline approval settings']],
    ['job tokens', '/job_token_scope', ['pipeline job tokens']],
    ['their list', '/job_token_scope/allowlist', ['pipeline job tokens']],
  ])('%s: unknown, with what it takes', async (_, path, named) => {
    gitlab.world.instead.set(`/projects/${PIPELINE}${path}`, { status: 403, json: {} });
    const all = await checks();
    expect(notOk(all)).toEqual(named.map((name) => `${name} unknown`));
    for (const { found } of all.filter(({ status }) => status === 'unknown')) expect(found).toMatch(/role Maintainer/);
  });

  it('on the Free tier approvals and environments are unknown, also where GitLab shows what it does not enforce', async () => {
    const premium = [
      'pipeline approval rules',
      'pipeline push rules',
      ...['gate', 'build', 'scan', 'deploy'].map((role) => `environment gatehouse/${role}`),
      'environment production',
      'production approvals',
    ].map((name) => `${name} unknown`);
    gitlab.world.instead.set(`/projects/${PIPELINE}/push_rule`, { status: 404, json: {} });
    const all = await checks();
    expect(notOk(all)).toEqual(premium);
    expect(all.find(({ check }) => check === 'production approvals')?.found).toMatch(/its Free tier does not/);
    for (const path of ['approval_rules', 'protected_environments'])
      gitlab.world.instead.set(`/projects/${PIPELINE}/${path}`, { status: 404, json: {} });
    expect(notOk(await checks())).toEqual(premium);
  });

  it('a runner of others', async () => {
    gitlab.world.instead.set('/runners/31', { status: 403, json: {} });
    expect(notOk(await checks())).toEqual(['runner 31 unknown']);
  });

  it.each([
    ['a project', `/projects/${APPLICATION}`, 404, 'platform.refused'],
    ['a platform that is down', `/projects/${PIPELINE}/protected_tags`, 503, 'platform.unavailable'],
  ])('%s at all ends the look', async (_, path, status, code) => {
    gitlab.world.instead.set(path, { status, json: {} });
    await expect(checks()).rejects.toMatchObject({ code, exit: 3 });
  });
});
