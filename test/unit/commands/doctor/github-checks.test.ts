import type { Check } from '../../../../src/commands/doctor/check.ts';
import { checkGithub, type GithubDemand } from '../../../../src/commands/doctor/github-checks.ts';
import { branchesOf } from '../../../../src/commands/doctor/refs.ts';
import { http } from '../../../../src/lib/http.ts';
import { readApplication } from '../../../../src/platform/github/protection/application.ts';
import { readCompliance } from '../../../../src/platform/github/protection/compliance.ts';
import { GITHUB_WORKFLOW } from '../../../support/claims.ts';
import {
  APPLICATION,
  COMPLIANCE,
  type FakeProtection,
  PROTECTION_PATHS,
  type ProtectionWorld,
  protectionWorld,
  pullRequest,
  type Repository,
  startGithubProtection,
  TAG_COMMIT,
  TOKEN,
} from '../../../support/fake-github-protection.ts';
import { exampleOf, templateOf } from '../../../support/github-openapi.ts';

let github: FakeProtection;
beforeAll(async () => {
  github = await startGithubProtection();
});
afterAll(() => github.close());
beforeEach(() => {
  github.world = protectionWorld();
});
// Whatever a test makes of the world, what is asked and answered is GitHub's published API.
afterEach(() => expect(github.violations.splice(0)).toEqual([]));

const demand: GithubDemand = {
  workflow: { repository: COMPLIANCE, path: '.github/workflows/promote.yml', ref: 'refs/tags/v1.0.0' },
  workflowRef: GITHUB_WORKFLOW,
  environment: 'production',
  refs: ['refs/heads/main'],
  runnerPools: ['gatehouse-deploy'],
};

async function checks(changed: Partial<GithubDemand> = {}): Promise<Check[]> {
  const asked = { ...demand, ...changed };
  const access = { http, api: github.url, token: TOKEN, sleep: async () => undefined };
  const application = await readApplication(access, APPLICATION, branchesOf(asked.refs));
  return checkGithub(await readCompliance(access, asked.workflow), application, asked);
}
/** `<check> <status>` of everything that is not ok. */
const notOk = (all: Check[]) =>
  all.filter(({ status }) => status !== 'ok').map(({ check, status }) => `${check} ${status}`);

it('of a world as it should be everything is ok', async () => {
  const all = await checks();
  expect(notOk(all)).toEqual([]);
  expect(all.map(({ check }) => check)).toEqual([
    'workflow',
    'compliance branch',
    'compliance branch bypass',
    'compliance tags',
    'compliance tags bypass',
    'compliance code owners',
    'compliance release',
    'compliance workflow token',
    'compliance approval by jobs',
    'application branch',
    'application branch bypass',
    'application actions',
    'application pinning',
    'environment gatehouse-gate',
    'environment gatehouse-build',
    'environment gatehouse-scan',
    'environment gatehouse-deploy',
    'production reviewers',
    'production self-review',
    'production administrators',
    'production branches',
    'runner group gatehouse-deploy',
  ]);
  expect(all[0]?.found).toBe(`refs/tags/v1.0.0, commit ${TAG_COMMIT}`);
});

it('nothing is asked that the published description does not name, and only by reading', async () => {
  github.seen.length = 0;
  github.world.application.protection = { enforce_admins: { url: 'https://api.github.com/x', enabled: true } };
  await checks();
  const asked = new Set(github.seen.map(({ path }) => templateOf(path)));
  expect(PROTECTION_PATHS.filter((path) => !asked.has(path))).toEqual([]);
  expect(new Set(github.seen.map(({ method }) => method))).toEqual(new Set(['GET']));
});

const branchRules = ({ rulesets }: Repository, change: (rules: Record<string, unknown>[]) => object[]) => {
  const [own] = rulesets;
  if (own !== undefined) own.rules = change(own.rules) as Record<string, unknown>[];
};
const without = (type: string) => (rules: Record<string, unknown>[]) => rules.filter((rule) => rule.type !== type);
const tags = ({ compliance }: ProtectionWorld) => compliance.rulesets[1] as Repository['rulesets'][number];
const own = (world: ProtectionWorld, name: string) =>
  world.application.environments.find((each) => each.name === name) as Record<string, unknown>;
const group = (world: ProtectionWorld) => world.groups[0] as Record<string, unknown>;

type Planted = [what: string, plant: (world: ProtectionWorld) => void, named: string[], found: RegExp];

describe('a planted weakness is named:', () => {
  it.each<Planted>([
    [
      'no ruleset on the branch',
      ({ compliance }) => void compliance.rulesets.shift(),
      ['compliance branch fails'],
      /main: it may be deleted; it may be pushed to by force; changes need no review/,
    ],
    [
      'a ruleset that only watches',
      ({ compliance }) => Object.assign(compliance.rulesets[0] ?? {}, { enforcement: 'evaluate' }),
      ['compliance branch fails'],
      /may be deleted/,
    ],
    [
      'a branch that may be deleted',
      ({ compliance }) => branchRules(compliance, without('deletion')),
      ['compliance branch fails'],
      /^main: it may be deleted$/,
    ],
    [
      'a branch that may be forced',
      ({ compliance }) => branchRules(compliance, without('non_fast_forward')),
      ['compliance branch fails'],
      /^main: it may be pushed to by force$/,
    ],
    [
      'pushes without a pull request',
      ({ compliance }) => branchRules(compliance, without('pull_request')),
      ['compliance branch fails'],
      /changes need no review/,
    ],
    [
      'pull requests without a review',
      ({ compliance }) =>
        branchRules(compliance, (rules) => [
          ...without('pull_request')(rules),
          pullRequest({ required_approving_review_count: 0 }),
        ]),
      ['compliance branch fails'],
      /changes need no review/,
    ],
    [
      'reviews by anybody',
      ({ compliance }) =>
        branchRules(compliance, (rules) => [
          ...without('pull_request')(rules),
          pullRequest({ require_code_owner_review: false }),
        ]),
      ['compliance branch fails'],
      /code owners need not review/,
    ],
    [
      'somebody who may go past it',
      ({ compliance }) =>
        Object.assign(compliance.rulesets[0] ?? {}, {
          bypass_actors: [
            { actor_id: 5, actor_type: 'RepositoryRole', bypass_mode: 'always' },
            { actor_id: 234, actor_type: 'Team', bypass_mode: 'pull_request' },
          ],
        }),
      ['compliance branch bypass weak'],
      /^role admin \(always\), Team 234 \(pull_request\)$/,
    ],
    [
      'bypass actors that are not shown',
      ({ compliance }) => delete compliance.rulesets[0]?.bypass_actors,
      ['compliance branch bypass unknown'],
      /ruleset main is shown only to a token that may edit it/,
    ],
    [
      'no tag ruleset',
      ({ compliance }) => void compliance.rulesets.pop(),
      ['compliance tags fails'],
      /can move the tag that callers pin/,
    ],
    [
      'a tag ruleset that is off',
      (world) => Object.assign(tags(world), { enforcement: 'disabled' }),
      ['compliance tags fails'],
      /no active ruleset covers/,
    ],
    [
      'a tag ruleset for one version',
      (world) => Object.assign(tags(world), { conditions: { ref_name: { include: ['refs/tags/v1.*'], exclude: [] } } }),
      ['compliance tags fails'],
      /no active ruleset covers/,
    ],
    [
      'a tag ruleset that leaves one out',
      (world) =>
        Object.assign(tags(world), {
          conditions: { ref_name: { include: ['~ALL'], exclude: ['refs/tags/v1.0.0'] } },
        }),
      ['compliance tags fails'],
      /no active ruleset covers/,
    ],
    [
      'a tag pattern that is not understood',
      (world) =>
        Object.assign(tags(world), { conditions: { ref_name: { include: ['~ALL'], exclude: ['refs/tags/v[1]*'] } } }),
      ['compliance tags fails'],
      /no active ruleset covers/,
    ],
    ...['deletion', 'non_fast_forward', 'update'].map(
      (type): Planted => [
        `tags without rule ${type}`,
        (world) => Object.assign(tags(world), { rules: without(type)(tags(world).rules) }),
        ['compliance tags fails'],
        new RegExp(`^no rule ${type} on tags`),
      ],
    ),
    [
      'somebody who may move tags',
      (world) => Object.assign(tags(world), { bypass_actors: [{ actor_type: 'OrganizationAdmin' }] }),
      ['compliance tags bypass weak'],
      /^OrganizationAdmin \(always\)$/,
    ],
    [
      'no CODEOWNERS',
      (world) => Object.assign(world.compliance, { codeowners: null }),
      ['compliance code owners fails'],
      /there is no CODEOWNERS/,
    ],
    [
      'a CODEOWNERS with an error',
      ({ compliance }) =>
        compliance.codeowners?.push({
          line: 7,
          column: 1,
          kind: 'Unknown owner',
          message: 'Unknown owner on line 7',
          path: '.github/CODEOWNERS',
        }),
      ['compliance code owners fails'],
      /^\.github\/CODEOWNERS:7 Unknown owner$/,
    ],
    [
      'no workflow file',
      (world) => Object.assign(world.compliance, { files: [] }),
      ['workflow fails'],
      /no file \.github\/workflows\/promote\.yml in refs\/tags\/v1\.0\.0/,
    ],
    [
      'a release that may be changed',
      ({ compliance }) => Object.assign(compliance.releases[0] ?? {}, { immutable: false }),
      ['compliance release weak'],
      /the release may be changed/,
    ],
    [
      'no release',
      (world) => Object.assign(world.compliance, { releases: [] }),
      ['compliance release weak'],
      /no release of refs\/tags\/v1\.0\.0/,
    ],
    [
      'a platform without immutable releases',
      ({ compliance }) => delete compliance.releases[0]?.immutable,
      ['compliance release unknown'],
      /does not say/,
    ],
    [
      'workflow tokens that write',
      ({ compliance }) => Object.assign(compliance.token, { default_workflow_permissions: 'write' }),
      ['compliance workflow token fails'],
      /^write$/,
    ],
    [
      'jobs that approve',
      ({ compliance }) => Object.assign(compliance.token, { can_approve_pull_request_reviews: true }),
      ['compliance approval by jobs fails'],
      /no person needs to have seen it/,
    ],
    [
      'an application branch that anybody pushes to',
      (world) => Object.assign(world.application, { rulesets: [] }),
      ['application branch fails'],
      /changes need no review/,
    ],
    [
      'any action',
      ({ application }) => Object.assign(application.actions, { allowed_actions: 'all' }),
      ['application actions weak'],
      /^all$/,
    ],
    [
      'actions that say nothing',
      (world) => Object.assign(world.application, { actions: { enabled: true } }),
      ['application actions unknown', 'application pinning unknown'],
      /does not say/,
    ],
    [
      'actions that are not pinned',
      ({ application }) => Object.assign(application.actions, { sha_pinning_required: false }),
      ['application pinning weak'],
      /may move under your build/,
    ],
    ...['gate', 'build', 'scan', 'deploy'].map(
      (role): Planted => [
        `no environment gatehouse-${role}`,
        (world) => {
          world.application.environments = world.application.environments.filter(
            ({ name }) => name !== `gatehouse-${role}`,
          );
        },
        [`environment gatehouse-${role} fails`],
        /does not exist: GitHub makes it at its first use/,
      ],
    ),
    [
      'a role for any branch',
      (world) => Object.assign(own(world, 'gatehouse-gate'), { deployment_branch_policy: null }),
      ['environment gatehouse-gate fails'],
      /any branch or tag/,
    ],
    [
      'a role for a topic branch',
      ({ application }) => application.policies['gatehouse-gate']?.push({ name: 'topic/*', type: 'branch' }),
      ['environment gatehouse-gate fails'],
      /not a branch that the contract allows: topic\/\*/,
    ],
    [
      'a role for tags',
      ({ application }) => application.policies['gatehouse-gate']?.push({ name: 'main', type: 'tag' }),
      ['environment gatehouse-gate fails'],
      /not a branch that the contract allows: tag main/,
    ],
    [
      'a role for protected branches, where rulesets alone protect',
      (world) =>
        Object.assign(own(world, 'gatehouse-gate'), {
          deployment_branch_policy: { protected_branches: true, custom_branch_policies: false },
        }),
      ['environment gatehouse-gate fails'],
      /GitHub then lets every branch through/,
    ],
    [
      'no promotion environment',
      (world) => {
        world.application.environments.pop();
      },
      ['reviewers', 'self-review', 'administrators', 'branches'].map((what) => `production ${what} fails`),
      /environment production does not exist: nobody is asked/,
    ],
    [
      'nobody who reviews',
      (world) => Object.assign(own(world, 'production'), { protection_rules: [] }),
      ['production reviewers fails', 'production self-review fails'],
      /none: it waits for nobody/,
    ],
    [
      'self-review (F78)',
      (world) => {
        const [rule] = own(world, 'production').protection_rules as object[];
        Object.assign(rule ?? {}, { prevent_self_review: false });
      },
      ['production self-review fails'],
      /whoever started the run may approve it/,
    ],
    [
      'administrators who go past it (F78)',
      (world) => Object.assign(own(world, 'production'), { can_admins_bypass: true }),
      ['production administrators fails'],
      /may go past it/,
    ],
    [
      'a platform that does not say whether they may',
      (world) => delete own(world, 'production').can_admins_bypass,
      ['production administrators unknown'],
      /does not say/,
    ],
    [
      'a promotion from any branch',
      (world) => Object.assign(own(world, 'production'), { deployment_branch_policy: null }),
      ['production branches fails'],
      /any branch or tag/,
    ],
    [
      'no runner group',
      (world) => Object.assign(world, { groups: [] }),
      ['runner group gatehouse-deploy fails'],
      /no such group/,
    ],
    [
      'runners for every workflow (F99)',
      (world) => Object.assign(group(world), { restricted_to_workflows: false }),
      ['runner group gatehouse-deploy fails'],
      /every workflow of its repositories/,
    ],
    [
      'runners for a neighbour’s workflow too',
      (world) => Object.assign(group(world), { selected_workflows: [GITHUB_WORKFLOW, `${GITHUB_WORKFLOW}-x`] }),
      ['runner group gatehouse-deploy fails'],
      /other workflows may run there: .*v1\.0\.0-x$/,
    ],
    [
      'runners for public repositories',
      (world) => Object.assign(group(world), { allows_public_repositories: true }),
      ['runner group gatehouse-deploy fails'],
      /anybody with a fork/,
    ],
  ])('%s', async (_, plant, named, found) => {
    plant(github.world);
    const all = await checks();
    expect(notOk(all)).toEqual(named);
    expect(all.find(({ check, status }) => named[0] === `${check} ${status}`)?.found).toMatch(found);
  });

  it('runners of GitHub itself, which no organization lists', async () => {
    expect(notOk(await checks({ runnerPools: ['GitHub Actions'] }))).toEqual(['runner group GitHub Actions weak']);
  });

  it.each(['refs/heads/main', 'refs/tags/v1'])('a workflow at %s, which moves', async (ref) => {
    github.world.compliance.commits['tags/v1'] = TAG_COMMIT;
    const all = await checks({ workflow: { ...demand.workflow, ref } });
    expect(notOk(all)).toEqual(expect.arrayContaining(['workflow fails', 'compliance release weak']));
    expect(all[0]?.found).toContain(`${ref} moves`);
  });
});

it('tags are kept by a ruleset for full versions, which lets a major tag move', async () => {
  Object.assign(tags(github.world), { conditions: { ref_name: { include: ['refs/tags/v*.*.*'], exclude: [] } } });
  expect(notOk(await checks())).toEqual([]);
});

describe('each branch that the contract allows', () => {
  it('is looked at like the default one, once', async () => {
    const refs = ['refs/heads/main', 'refs/heads/release/2', 'refs/heads/release/2'];
    expect(notOk(await checks({ refs }))).toEqual(['application branch release/2 fails']);
    github.world.application.rulesets[0]?.conditions.ref_name.include.push('refs/heads/release/2');
    const all = await checks({ refs });
    expect(notOk(all)).toEqual([]);
    expect(all.filter(({ check }) => check.startsWith('application branch release/2'))).toHaveLength(2);
  });

  it('and a ref that is no branch is not seen, so not held', async () => {
    expect(notOk(await checks({ refs: ['refs/heads/main', 'refs/tags/v1.0.0'] }))).toEqual([
      'application refs/tags/v1.0.0 unknown',
    ]);
  });
});

describe('branch protection, the older one,', () => {
  const protection = {
    enforce_admins: { url: 'https://api.github.com/x', enabled: true },
    allow_force_pushes: { enabled: false },
    allow_deletions: { enabled: false },
    required_pull_request_reviews: {
      dismiss_stale_reviews: true,
      require_code_owner_reviews: true,
      required_approving_review_count: 1,
    },
  };

  it('does as well as a ruleset, and makes "protected branches only" mean something', async () => {
    const { application } = github.world;
    Object.assign(application, { rulesets: [], protection });
    Object.assign(own(github.world, 'gatehouse-gate'), {
      deployment_branch_policy: { protected_branches: true, custom_branch_policies: false },
    });
    expect(notOk(await checks())).toEqual([]);
  });

  it('names administrators and others who may go past it', async () => {
    const reviews = {
      ...protection.required_pull_request_reviews,
      bypass_pull_request_allowances: { users: [], teams: [], apps: [] },
    };
    Object.assign(github.world.application, {
      rulesets: [],
      protection: { ...protection, required_pull_request_reviews: reviews, enforce_admins: undefined },
    });
    const all = await checks();
    expect(notOk(all)).toEqual(['application branch bypass weak']);
    expect(all.find(({ status }) => status === 'weak')?.found).toBe('administrators');
  });

  it('that is not shown is unknown where nothing else protects', async () => {
    Object.assign(github.world.application, { rulesets: [], protection });
    github.world.instead.set(`/repos/${APPLICATION}/branches/main/protection`, { status: 403, json: {} });
    expect(notOk(await checks())).toEqual(['application branch unknown']);
  });
});

describe('what may not be seen', () => {
  it.each([
    ['tag rulesets', `/repos/${COMPLIANCE}/rulesets`, ['compliance tags unknown', 'compliance tags bypass unknown']],
    [
      'the workflow’s commit',
      `/repos/${COMPLIANCE}/commits/tags%2Fv1.0.0`,
      ['workflow unknown', 'compliance code owners unknown'],
    ],
    ['releases', `/repos/${COMPLIANCE}/releases`, ['compliance release unknown']],
    [
      'token settings',
      `/repos/${COMPLIANCE}/actions/permissions/workflow`,
      ['compliance workflow token unknown', 'compliance approval by jobs unknown'],
    ],
    [
      'branch rules',
      `/repos/${APPLICATION}/rules/branches/main`,
      ['application branch unknown', 'application branch bypass unknown'],
    ],
    ['a branch’s ruleset', `/repos/${APPLICATION}/rulesets/1`, ['application branch bypass unknown']],
    [
      'actions',
      `/repos/${APPLICATION}/actions/permissions`,
      ['application actions unknown', 'application pinning unknown'],
    ],
    [
      'environments',
      `/repos/${APPLICATION}/environments`,
      [
        'environment gatehouse-gate unknown',
        'environment gatehouse-build unknown',
        'environment gatehouse-scan unknown',
        'environment gatehouse-deploy unknown',
        'production reviewers unknown',
        'production self-review unknown',
        'production administrators unknown',
        'production branches unknown',
      ],
    ],
    [
      'branches of an environment',
      `/repos/${APPLICATION}/environments/production/deployment-branch-policies`,
      ['production branches unknown'],
    ],
    ['runner groups', '/orgs/care/actions/runner-groups', ['runner group gatehouse-deploy unknown']],
  ])('%s: unknown, with the permission that it takes', async (_, path, named) => {
    for (const status of [403, 404]) {
      github.world.instead.set(path, { status, json: { message: 'no' } });
      const all = await checks();
      expect(notOk(all)).toEqual(named);
      for (const { found } of all.filter(({ status }) => status === 'unknown')) expect(found).toMatch(/permission/);
    }
  });

  it('an answer of another shape is unknown too', async () => {
    github.world.instead.set(`/repos/${APPLICATION}/environments`, {
      json: { environments: [{ name: 'production' }, 7] },
    });
    expect(notOk(await checks())).toContain('production reviewers unknown');
  });

  it.each([
    ['the compliance repository', `/repos/${COMPLIANCE}`, 404, 'platform.refused'],
    ['the application', `/repos/${APPLICATION}`, 404, 'platform.refused'],
    ['a platform that is down', `/repos/${APPLICATION}/environments`, 502, 'platform.unavailable'],
    ['a platform that has enough', `/repos/${APPLICATION}/environments`, 429, 'platform.rate_limited'],
  ])('%s at all ends the look', async (_, path, status, code) => {
    github.world.instead.set(path, { status, json: {} });
    await expect(checks()).rejects.toMatchObject({ code, exit: 3 });
  });
});

it('an environment’s reviewers may be a team', async () => {
  const { environments } = exampleOf('/repos/{owner}/{repo}/environments') as {
    environments: { protection_rules: { type: string; reviewers: { type: string }[] }[] }[];
  };
  const [example] = environments;
  const reviews = example?.protection_rules.find(({ type }) => type === 'required_reviewers');
  Object.assign(own(github.world, 'production'), {
    protection_rules: [
      {
        ...reviews,
        prevent_self_review: true,
        reviewers: reviews?.reviewers.filter(({ type }) => type === 'Team'),
      },
    ],
  });
  const all = await checks();
  expect(all.find(({ check }) => check === 'production reviewers')).toMatchObject({
    status: 'ok',
    found: 'justice-league',
  });
});
