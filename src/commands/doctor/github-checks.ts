import type { Seen } from '../../lib/seen.ts';
import type { ApplicationFacts, EnvironmentFacts, RunnerGroup } from '../../platform/github/protection/application.ts';
import type { GuardedBranch } from '../../platform/github/protection/branch.ts';
import type { ComplianceFacts, WorkflowRef } from '../../platform/github/protection/compliance.ts';
import { allSeen, BRANCH_PROTECTION, bypassOf } from '../../platform/github/protection/guard.ts';
import { type Check, check, type Status } from './check.ts';
import { coversVersions } from './ref-pattern.ts';
import { notBranches, unseenRef } from './refs.ts';

/** What the contract demands of GitHub for one environment. */
export interface GithubDemand {
  workflow: WorkflowRef;
  /** `workflow-ref` of the contract. */
  workflowRef: string;
  environment: string;
  /** Refs that the contract allows for it. */
  refs: readonly string[];
  runnerPools: readonly string[];
}

const ROLES = ['gate', 'build', 'scan', 'deploy'];
const FULL_VERSION = /^refs\/tags\/v?\d+\.\d+\.\d+$/;
const COMMIT = /^[0-9a-f]{40}$/;

/** Judges what GitHub showed. Every demand is in the answer, also where nothing could be seen of it. */
export function checkGithub(compliance: ComplianceFacts, application: ApplicationFacts, demand: GithubDemand): Check[] {
  return [
    workflow(compliance, demand),
    ...branchChecks('compliance branch', compliance.branch, true),
    ...tagChecks(compliance, demand),
    codeowners(compliance),
    release(compliance, demand),
    check('compliance workflow token', compliance.token, 'read by default', ({ permissions }) => [
      permissions === 'read' ? 'ok' : 'fails',
      permissions,
    ]),
    check('compliance approval by jobs', compliance.token, 'jobs may not approve pull requests', ({ mayApprove }) =>
      mayApprove
        ? ['fails', 'a job may approve a pull request: no person needs to have seen it']
        : ['ok', 'not allowed'],
    ),
    ...branchChecks('application branch', application.branch, false),
    ...application.others.flatMap((each) => branchChecks(`application branch ${each.name}`, each, false)),
    ...notBranches(demand.refs).map(unseenRef),
    check('application actions', application.actions, 'only selected ones', ({ allowed }) => {
      if (allowed === null) return ['unknown', 'GitHub does not say which actions are allowed'];
      return [allowed === 'all' ? 'weak' : 'ok', allowed];
    }),
    check('application pinning', application.actions, 'actions are pinned to full commits', ({ shaPinning }) => {
      if (shaPinning === null) return ['unknown', 'GitHub does not say whether pinning is demanded'];
      return shaPinning
        ? ['ok', 'demanded']
        : ['weak', 'not demanded: a tag of somebody else may move under your build'];
    }),
    ...ROLES.map((role) => roleEnvironment(application, `gatehouse-${role}`, demand)),
    ...promotion(application, demand),
    ...demand.runnerPools.map((pool) => runnerGroup(application, pool, demand)),
  ];
}

function workflow({ workflow: facts }: ComplianceFacts, { workflow: { path, ref } }: GithubDemand): Check {
  return check('workflow', facts, `${path} at a full-version tag or a commit`, ({ commit, file }) => {
    if (!file) return ['fails', `there is no file ${path} in ${ref} (commit ${commit})`];
    if (FULL_VERSION.test(ref) || COMMIT.test(ref)) return ['ok', `${ref}, commit ${commit}`];
    return ['fails', `${ref} moves: whoever may push there changes what every caller runs`];
  });
}

function branchChecks(what: string, { name, guard }: GuardedBranch, codeOwners: boolean): Check[] {
  const needed = `no deletion, no force push, pull request with 1 review or more${codeOwners ? ', by code owners' : ''}`;
  return [
    check(what, guard, needed, (found) => {
      const missing = [
        found.keptFromDeletion ? null : 'it may be deleted',
        found.keptFromForce ? null : 'it may be pushed to by force',
        found.reviews >= 1 ? null : 'changes need no review',
        !codeOwners || found.codeOwners ? null : 'code owners need not review',
      ].filter((each) => each !== null);
      if (missing.length === 0) return ['ok', `${name}, by ${found.by.join(', ')}`];
      if (found.hidden !== null) return ['unknown', `${name}: ${found.hidden}`];
      return ['fails', `${name}: ${missing.join('; ')}`];
    }),
    bypass(`${what} bypass`, 'unknown' in guard ? guard : guard.value.bypass),
  ];
}

/** Whoever may go past a rule answers for it by name. */
function bypass(name: string, actors: Seen<string[]>): Check {
  return check(name, actors, 'nobody', (found) => (found.length === 0 ? ['ok', 'nobody'] : ['weak', found.join(', ')]));
}

const TAG_RULES = ['deletion', 'non_fast_forward', 'update'];

/** Rules of several rulesets add up. */
function tagChecks({ tagRulesets }: ComplianceFacts, { workflow: { ref } }: GithubDemand): Check[] {
  const pinned = ref.startsWith('refs/tags/') ? ref.slice('refs/tags/'.length) : null;
  const covering: ComplianceFacts['tagRulesets'] =
    'unknown' in tagRulesets
      ? tagRulesets
      : {
          value: tagRulesets.value.filter(({ conditions }) => {
            const { include = [], exclude = [] } = conditions?.ref_name ?? {};
            return coversVersions({ include, exclude }, 'refs/tags/', pinned);
          }),
        };
  return [
    check('compliance tags', covering, 'no tag of a full version is moved or deleted', (rulesets) => {
      const held = new Set(rulesets.flatMap(({ rules = [] }) => rules.map(({ type }) => type)));
      if (rulesets.length === 0)
        return [
          'fails',
          'no active ruleset covers all tags v*.*.*: whoever may push can move the tag that callers pin',
        ];
      const missing = TAG_RULES.filter((type) => !held.has(type));
      return missing.length === 0
        ? ['ok', rulesets.map(({ name }) => `ruleset ${name}`).join(', ')]
        : ['fails', `no rule ${missing.join(', ')} on tags v*.*.*`];
    }),
    bypass('compliance tags bypass', 'unknown' in covering ? covering : allSeen(covering.value.map(bypassOf))),
  ];
}

function codeowners({ codeowners: facts }: ComplianceFacts): Check {
  return check('compliance code owners', facts, 'a CODEOWNERS without errors', (errors) => {
    if (errors === null) return ['fails', 'there is no CODEOWNERS: a review by code owners asks nobody'];
    return errors.length === 0 ? ['ok', 'no errors'] : ['fails', errors.join(', ')];
  });
}

/** The ruleset holds the tag; an immutable release holds it against those too who may go past the ruleset. */
function release({ release: facts }: ComplianceFacts, { workflow: { ref } }: GithubDemand): Check {
  return check('compliance release', facts, 'an immutable release of the tag', (found) => {
    if (COMMIT.test(ref)) return ['ok', 'the workflow is named by its commit'];
    if (found === null) return ['weak', `no release of ${ref}: the ruleset alone keeps the tag`];
    if (found.immutable === null) return ['unknown', 'GitHub does not say whether the release is immutable'];
    return found.immutable
      ? ['ok', 'immutable']
      : ['weak', 'the release may be changed: the ruleset alone keeps the tag'];
  });
}

function roleEnvironment(application: ApplicationFacts, name: string, demand: GithubDemand): Check {
  return check(`environment ${name}`, application.environments, 'exists, for branches of the contract only', (all) => {
    const found = all.find((each) => each.name === name);
    return found === undefined ? ['fails', MISSING] : refsOf(found, application, demand);
  });
}

const MISSING =
  'does not exist: GitHub makes it at its first use, open to every branch; make it with its branch policy before';

/**
 * Exactly branches that the contract names, or protected branches. The latter means branch protection, not rulesets, and while
 * a repository has none of it GitHub lets every branch through (GitHub docs, Managing environments for deployment).
 */
function refsOf(
  { refs }: EnvironmentFacts,
  { branch: { guard } }: ApplicationFacts,
  { refs: allowed }: GithubDemand,
): [Status, string] {
  if (refs === 'all') return ['fails', 'any branch or tag may run under it'];
  if (refs === 'protected') {
    if ('unknown' in guard) return ['unknown', guard.unknown];
    if (guard.value.by.includes(BRANCH_PROTECTION)) return ['ok', 'protected branches only'];
    return guard.value.hidden !== null
      ? ['unknown', guard.value.hidden]
      : ['fails', 'protected branches only, and no branch protection is seen: GitHub then lets every branch through'];
  }
  if ('unknown' in refs) return ['unknown', refs.unknown];
  const others = refs.value.filter((name) => !allowed.includes(`refs/heads/${name}`));
  if (others.length > 0) return ['fails', `not a branch that the contract allows: ${others.join(', ')}`];
  return refs.value.length === 0 ? ['fails', 'no branch may run under it'] : ['ok', refs.value.join(', ')];
}

/** Environment of the promotion: here a person says yes. */
function promotion(application: ApplicationFacts, demand: GithubDemand): Check[] {
  const name = demand.environment;
  const of = (what: string, needed: string, judge: (found: EnvironmentFacts) => [Status, string]) =>
    check(`${name} ${what}`, application.environments, needed, (all) => {
      const found = all.find((each) => each.name === name);
      return found === undefined ? ['fails', `environment ${name} does not exist: nobody is asked`] : judge(found);
    });
  return [
    of('reviewers', 'at least one', ({ reviewers }) =>
      reviewers.length === 0 ? ['fails', 'none: it waits for nobody'] : ['ok', reviewers.join(', ')],
    ),
    of('self-review', 'prevented', ({ preventSelfReview }) =>
      preventSelfReview ? ['ok', 'prevented'] : ['fails', 'whoever started the run may approve it'],
    ),
    of('administrators', 'may not go past it', ({ adminsBypass }) => {
      if (adminsBypass === null) return ['unknown', 'GitHub does not say whether administrators may go past it'];
      return adminsBypass ? ['fails', 'administrators of the repository may go past it'] : ['ok', 'may not'];
    }),
    of('branches', 'those of the contract only', (found) => refsOf(found, application, demand)),
  ];
}

/** GitHub's name for the group of its own runners, which no organization lists. */
const HOSTED = 'GitHub Actions';

function runnerGroup({ runnerGroups }: ApplicationFacts, pool: string, { workflowRef }: GithubDemand): Check {
  if (pool === HOSTED) {
    const found = 'runners of GitHub: fresh for each job, and open to every workflow';
    return { check: `runner group ${pool}`, found, needed: `jobs of ${workflowRef} only`, status: 'weak' };
  }
  return check(`runner group ${pool}`, runnerGroups, `jobs of ${workflowRef} only`, (all: RunnerGroup[]) => {
    const found = all.find(({ name }) => name === pool);
    if (found === undefined) return ['fails', 'the organization has no such group'];
    if (!found.restricted) return ['fails', 'every workflow of its repositories may run there'];
    if (found.publicRepositories) return ['fails', 'public repositories may use it: so may anybody with a fork'];
    const others = found.workflows.filter((each) => each !== workflowRef);
    if (others.length > 0) return ['fails', `other workflows may run there: ${others.join(', ')}`];
    return found.workflows.length === 0 ? ['fails', 'no workflow may run there'] : ['ok', 'the workflow only'];
  });
}
