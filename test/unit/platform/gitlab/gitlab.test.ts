import type * as z from '../../../../src/lib/zod.ts';
import * as protection from '../../../../src/platform/gitlab/protection-replies.ts';
import * as replies from '../../../../src/platform/gitlab/replies.ts';
import type { Contributor, RunIdentity } from '../../../../src/platform/platform.ts';
import { type FakeGitlab, gitlabWorld, HEAD, MERGED, PEOPLE, startGitlab } from '../../../support/fake-gitlab.ts';
import { startGitlabProtection } from '../../../support/fake-gitlab-protection.ts';
import { checkExchange, strangeKeys } from '../../../support/gitlab-openapi.ts';
import { gitlabAt } from '../../../support/hosted-run.ts';

let gitlab: FakeGitlab;
let world: FakeGitlab['world'];
const { user, commit, approval, job, protectedBranch } = gitlabWorld().make;
const OTHER = 'f'.repeat(40);

beforeAll(async () => {
  gitlab = await startGitlab();
});
afterAll(() => gitlab.close());
beforeEach(() => {
  gitlab.world = gitlabWorld();
  gitlab.seen.length = 0;
  world = gitlab.world;
});

async function identity(): Promise<RunIdentity> {
  return await gitlabAt(gitlab.url).identify();
}
async function source() {
  return await gitlabAt(gitlab.url).source((await identity()).run, null);
}
async function approvals() {
  return await gitlabAt(gitlab.url).approvals((await identity()).run, 'production');
}
const named = (people: Contributor[], as: string) =>
  people.filter((each) => each.as === as).map(({ userId }) => userId);
const deployed = (changes: object) => Object.assign(world.deployments[0] as object, changes);
const request = (changes: object) => Object.assign(world.mergeRequests[0] as object, changes);
const approveJob = (changes: object) => Object.assign(world.jobs[1] as object, changes);

describe('the run', () => {
  it('is completed with its runner by number and who started it', async () => {
    expect(await identity()).toMatchObject({
      run: {
        id: '9002',
        attempt: 1,
        job: '6003',
        runner: { name: 'deploy runner', pool: '31', environment: 'self-hosted', hosted: false },
      },
      triggeredBy: '101',
      reranBy: null,
    });
  });

  it('whose job somebody else played or retried names them', async () => {
    world.jobs = world.jobs.map((each) => (each.id === 6003 ? { ...each, user: user(PEOPLE.lead) } : each));
    expect(await gitlabAt(gitlab.url, { user_id: '104' }).identify()).toMatchObject({
      triggeredBy: '101',
      reranBy: '104',
    });
  });

  it.each([['runner'], ['user']])('without a %s is not guessed at', async (name) => {
    world.jobs = world.jobs.map((each) => ({ ...each, [name]: null }));
    await expect(identity()).rejects.toMatchObject({ code: 'platform.runner', exit: 3 });
  });
});

describe('where the commit stands', () => {
  const rule = (name: string, access_level: number) => protectedBranch(name, { access_level });
  it.each([
    ['a protected branch whose head it is', {}, [true, true]],
    ['a protected branch, further back', { head: OTHER, mergeBase: MERGED }, [true, true]],
    ['no part of the branch', { head: OTHER, mergeBase: HEAD }, [true, false]],
    ['an unprotected branch', { protectedBranches: [] }, [false, false]],
    ['a branch that is protected by a pattern', { protectedBranches: [rule('m*', 0)] }, [true, true]],
    ['a branch beside a pattern', { protectedBranches: [rule('main/*', 0), rule('.ain', 0)] }, [false, false]],
    ['a branch under an open pattern too', { protectedBranches: [rule('main', 0), rule('*', 40)] }, [false, false]],
    ['an open branch beside it', { protectedBranches: [rule('main', 0), rule('topic/*', 30)] }, [true, true]],
    ['a branch to which maintainers push by hand', { protectedBranches: [rule('main', 40)] }, [false, false]],
  ])('%s', async (_, changes, [isProtected, reachable]) => {
    Object.assign(world, changes);
    expect(await source()).toMatchObject({ protected: isProtected, reachableFromProtected: reachable });
  });

  it('a tag is never protected here', async () => {
    const platform = gitlabAt(gitlab.url, { ref_type: 'tag' });
    const { run } = await platform.identify();
    expect(await platform.source(run, null)).toMatchObject({ protected: false, reachableFromProtected: false });
  });
});

describe('the people of a change', () => {
  it('are the request’s authors, who opened it and who merged it', async () => {
    expect((await source()).contributors).toEqual([
      { userId: '102', as: 'author' },
      { userId: '102', as: 'committer' },
      { userId: '101', as: 'committer' },
    ]);
  });

  it('have a gap where GitLab knows no account behind an address', async () => {
    world.authors = [{ sha: HEAD, author: null }];
    const { contributors } = await source();
    expect(named(contributors, 'author')).toContain(null);
    expect(named(contributors, 'committer')).toContain(null);
  });

  it.each([
    ['of an author of the same change', 'dev@example.org', '102'],
    ['without an account of its own', 'friend@example.org', null],
    ['that is GitLab’s own for an account', '55-friend@users.noreply.gitlab.example.org', '55'],
    ['that is another GitLab’s', '55-friend@users.noreply.gitlab.com', null],
  ])('count a committer with an address %s', async (_, committer_email, userId) => {
    world.mergeRequestCommits = [commit(HEAD, 'dev@example.org', { committer_email })];
    expect(named((await source()).contributors, 'committer')).toContain(userId);
  });

  it.each([
    ['opened', { author: null }, 'author'],
    ['merged', { merge_user: null }, 'committer'],
  ])('have a gap where the account that %s it is gone', async (_, changes, as) => {
    request(changes);
    expect(named((await source()).contributors, as)).toContain(null);
  });

  it('of a commit without a request are known only by address, so not at all', async () => {
    world.mergeRequests = [];
    const { contributors, reviews } = await source();
    expect(contributors).toEqual([
      { userId: null, as: 'author' },
      { userId: null, as: 'committer' },
    ]);
    expect(reviews).toEqual([]);
  });
});

describe('the reviews of a change', () => {
  it.each([
    ['after the last push', '2026-01-31T07:20:00.000Z', 'approved'],
    ['in its very moment', '2026-01-31T07:10:00.000Z', 'approved'],
    ['before the last push', '2026-01-31T07:09:59.000Z', 'commented'],
    ['before it, with a later-looking offset', '2026-01-31T09:09:59.000+02:00', 'commented'],
  ])('one given %s', async (_, approved_at, state) => {
    world.approvals.approved_by = [{ user: user(PEOPLE.reviewer), approved_at }];
    expect((await source()).reviews).toMatchObject([{ userId: '103', state }]);
  });

  it('without a time are refused: an approval of an older commit could not be told apart', async () => {
    world.approvals.approved_by = [{ user: user(PEOPLE.reviewer) }];
    await expect(source()).rejects.toMatchObject({
      code: 'platform.reply',
      message: expect.stringContaining('approved_at'),
    });
  });

  it('take the newest push, wherever in the list it stands', async () => {
    world.versions = [
      { ...world.versions[0], id: 2, created_at: '2026-01-31T06:00:00.000Z', head_commit_sha: OTHER },
      { ...world.versions[0], id: 4, created_at: '2026-01-31T07:30:00.000Z' },
    ];
    expect((await source()).reviews).toMatchObject([{ state: 'commented' }]);
  });
});

describe('several merge requests of a commit', () => {
  const another = (changes: object) => world.mergeRequests.push({ ...world.mergeRequests[0], iid: 8, ...changes });

  it('are one where they have the same last commit: people and reviews of all', async () => {
    another({ author: user(121), merge_user: user(122) });
    const { contributors, reviews } = await source();
    expect(reviews).toHaveLength(2);
    for (const userId of ['101', '102', '121', '122'])
      expect(contributors.map((each) => each.userId)).toContain(userId);
  });

  it.each([
    ['that only came in by it', { sha: OTHER }],
    ['of the branch itself, to one of releases', { sha: MERGED, source_branch: 'main', target_branch: 'release' }],
    ['of a branch that was cut there', { sha: MERGED, source_branch: 'release', target_branch: 'stable' }],
    ['that is open', { sha: MERGED, state: 'opened', target_branch: 'release' }],
  ])('are the one that brought it: not another %s', async (_, changes) => {
    another(changes);
    expect((await source()).reviews).toHaveLength(1);
  });

  it.each([
    ['it was pushed', { source_commit: MERGED }],
    ['another request brought it', { source_merge_request_id: 508 }],
    ['nobody knows how the request was merged', { state: 'closed' }],
  ])('are none where the merge is not GitLab’s own: %s', async (_, changes) => {
    Object.assign(world.stateEvents[0] as object, changes);
    expect(await source()).toMatchObject({ reviews: [], contributors: [{ userId: null }, { userId: null }] });
  });

  it('are the one that the merge is the last commit of, where that brought it', async () => {
    Object.assign(world.stateEvents[0] as object, { source_merge_request_id: 508 });
    world.mergeRequests.unshift({ ...world.mergeRequests[0], iid: 8, sha: MERGED, merge_commit_sha: null });
    world.versions = world.versions.map((each) => ({ ...each, head_commit_sha: MERGED }));
    world.mergeRequestCommits.push(commit(MERGED, 'dev@example.org'));
    world.authors.push({ sha: MERGED, author: { id: 'gid://gitlab/User/121' } });
    expect(named((await source()).contributors, 'author')).toContain('121');
  });
});

describe('the commits of a merge request', () => {
  it('have authors beyond the first page of GraphQL', async () => {
    const first = commit(OTHER, 'other@example.org');
    world.mergeRequestCommits = [commit(HEAD, 'dev@example.org'), first];
    world.authors.push({ sha: OTHER, author: { id: 'gid://gitlab/User/121' } });
    world.authorsPerPage = 1;
    expect(named((await source()).contributors, 'author')).toContain('121');
  });
});

describe('a merge request that brought another commit', () => {
  it.each([
    ['is still open', { state: 'opened' }],
    ['is of another project', { project_id: 7003 }],
    ['went into another branch', { target_branch: 'topic' }],
    ['was merged as another commit', { merge_commit_sha: OTHER }],
    ['has another last commit than was merged', { sha: OTHER }],
  ])('%s: its reviews are none of this one', async (_, changes) => {
    request(changes);
    expect(await source()).toMatchObject({ reviews: [], base: 'd'.repeat(40) });
  });

  it.each([
    ['squashed', { merge_commit_sha: null, squash_commit_sha: MERGED }],
    ['merged without a merge commit', { merge_commit_sha: null, sha: MERGED }],
  ])('is told from one that was %s', async (_, changes) => {
    request(changes);
    if ('sha' in changes) {
      world.versions = [{ ...world.versions[0], head_commit_sha: MERGED }];
      world.mergeRequestCommits = [commit(MERGED, 'dev@example.org')];
      world.authors = [{ sha: MERGED, author: { id: 'gid://gitlab/User/102' } }];
    }
    expect((await source()).reviews).toMatchObject([{ userId: '103', state: 'approved' }]);
  });

  it.each([
    ['REST lists', { mergeRequestCommits: [commit(HEAD, 'dev@example.org'), commit(OTHER, 'x@example.org')] }],
    [
      'GraphQL lists',
      {
        authors: [
          { sha: HEAD, author: null },
          { sha: OTHER, author: null },
        ],
      },
    ],
  ])('has commits that only %s: who wrote it cannot be told', async (_, changes) => {
    Object.assign(world, changes);
    await expect(source()).rejects.toMatchObject({ code: 'platform.incomplete' });
  });
});

describe('approvals', () => {
  it('are those of the deployment that the approve job stands for, each with its own time', async () => {
    expect(await approvals()).toEqual([
      {
        userId: '104',
        state: 'approved',
        at: '2026-01-31T08:04:00.000Z',
        atFrom: 'platform',
        digest: null,
        strength: 'job',
        givenAfter: '2026-01-31T08:04:00.000Z',
      },
    ]);
  });

  it('are gathered from several rules, each once', async () => {
    const rule = (...given: object[]) => ({
      user_id: null,
      group_id: 1,
      access_level: null,
      required_approvals: 1,
      deployment_approvals: given,
    });
    deployed({
      approvals: undefined,
      approval_summary: { rules: [rule(approval(104)), rule(approval(104), approval(105, { status: 'rejected' }))] },
    });
    expect(await approvals()).toMatchObject([
      { userId: '104', state: 'approved' },
      { userId: '105', state: 'rejected' },
    ]);
  });

  it.each([
    ['without deployment approvals (free tier)', { approvals: undefined, pending_approval_count: undefined }],
    ['with none given', { approvals: [] }],
  ])('%s are the word of whoever played the job, worth a job’s, never to be raised', async (_, changes) => {
    deployed(changes);
    approveJob({ user: user(PEOPLE.lead) });
    expect(await approvals()).toEqual([
      {
        userId: '104',
        state: 'approved',
        at: '2026-01-31T08:05:00.000Z',
        atFrom: 'job',
        digest: null,
        strength: 'job',
      },
    ]);
  });

  it.each([
    ['is missing', () => (world.jobs = world.jobs.filter(({ id }) => id !== 6002))],
    ['has not run', () => approveJob({ status: 'manual', started_at: null })],
    ['failed', () => approveJob({ status: 'failed' })],
    ['is of another pipeline', () => approveJob({ pipeline: { id: 1 } })],
    ['belongs to no deployment of the environment', () => deployed({ environment: { id: 8, name: 'staging' } })],
  ])('are none where the approve job %s', async (_, change) => {
    change();
    expect(await approvals()).toEqual([]);
  });

  it('look through older deployments for the one of this job', async () => {
    const own = { ...world.deployments[0] };
    world.deployments = [
      ...Array.from({ length: 120 }, (_, i) => ({ ...own, id: 1000 + i, deployable: job(8000 + i, 'deploy') })),
      { ...own },
    ];
    expect(await approvals()).toHaveLength(1);
  });
});

describe('GitLab’s published description', () => {
  const PROJECT = '/api/v4/projects/{id}';
  it.each<[string, z.ZodMiniType]>([
    [PROJECT, replies.project],
    [PROJECT, protection.project],
    [`${PROJECT}/pipelines/{pipeline_id}`, replies.pipeline],
    [`${PROJECT}/pipelines/{pipeline_id}`, replies.childPipeline],
    [`${PROJECT}/pipelines/{pipeline_id}/jobs`, replies.jobs],
    [`${PROJECT}/pipelines/{pipeline_id}/jobs`, replies.childJobs],
    [`${PROJECT}/pipelines/{pipeline_id}/bridges`, replies.bridges],
    [`${PROJECT}/jobs/{job_id}`, replies.job],
    [`${PROJECT}/ci/lint`, replies.lint],
    [`${PROJECT}/repository/branches/{branch}`, replies.branch],
    [`${PROJECT}/repository/merge_base`, replies.mergeBase],
    [`${PROJECT}/repository/commits/{sha}`, replies.commitReply],
    [`${PROJECT}/repository/commits/{sha}/merge_requests`, replies.mergeRequests],
    [`${PROJECT}/merge_requests/{merge_request_iid}`, replies.mergeRequest],
    [`${PROJECT}/merge_requests/{merge_request_iid}/commits`, replies.commitList],
    [`${PROJECT}/merge_requests/{eventable_iid}/resource_state_events`, replies.stateEvents],
    [`${PROJECT}/merge_requests/{merge_request_iid}/versions`, replies.versions],
    [`${PROJECT}/merge_requests/{merge_request_iid}/approvals`, replies.mergeRequestApprovals],
    [`${PROJECT}/deployments`, replies.deploymentList],
    [`${PROJECT}/deployments/{deployment_id}`, replies.deployment],
    [`${PROJECT}/protected_branches`, protection.protectedBranches],
    [`${PROJECT}/protected_tags`, protection.protectedTags],
    [`${PROJECT}/approval_rules`, protection.approvalRules],
    [`${PROJECT}/approvals`, protection.approvalSettings],
    [`${PROJECT}/push_rule`, protection.pushRule],
    [`${PROJECT}/protected_environments`, protection.protectedEnvironments],
    [`${PROJECT}/job_token_scope`, protection.jobTokenScope],
    [`${PROJECT}/job_token_scope/allowlist`, protection.jobTokenAllowlist],
    ['/api/v4/runners/{id}', protection.runner],
  ])('names all that is read of %s', (template, schema) => {
    const read = readOf(schema);
    expect(strangeKeys(template, Array.isArray(read) ? read[0] : read)).toEqual([]);
  });

  const exchange = (path: string, query: string, answer?: unknown) => () =>
    checkExchange('GET', `/api/v4/projects/7002${path}`, new URLSearchParams(query), answer);
  const one = job(1, 'x');
  it.each<[string, () => void, RegExp]>([
    ['a path', exchange('/repository/branch/main', ''), /is 0 paths of the description/],
    ['a query parameter', exchange('/pipelines/1/bridges', 'include_retried=true', []), /no query parameter include_/],
    ['the value of one', exchange('/deployments', 'order_by=ref', []), /order_by does not fit/],
    ['the type of one', exchange('/pipelines/1/jobs', 'include_retried=yes', []), /include_retried does not fit/],
    ['a lack of one', exchange('/repository/merge_base', '', commit(HEAD, 'x')), /requires query parameter refs/],
    ['a field', exchange('/jobs/1', '', { ...one, descripton: 'x' }), /has no \.descripton/],
    ['a field within', exchange('/jobs/1', '', { ...one, runner: { id: 3, nam: 'x' } }), /has no \.runner\.nam/],
    ['a field within a list', exchange('/pipelines/1/jobs', '', [{ ...one, artifacts: [{ sise: 1 }] }]), /\[0\]\.sise/],
    ['a type', exchange('/jobs/1', '', { ...one, id: '1' }), /\/id must be integer/],
    ['an instant', exchange('/jobs/1', '', { ...one, started_at: '31 Jan' }), /\/started_at must match pattern/],
    ['a null', exchange('/jobs/1', '', { ...one, name: null }), /\/name must be string/],
    ['a list', exchange('/protected_branches', '', protectedBranch('main')), /is a list/],
    ['an entity for a list', exchange('/approval_rules', '', [{ protected_branches: {} }]), /must be array/],
    ['what is not kept', exchange('', '', { namespace: {} }), /\/namespace boolean schema is false/],
    ['an answer for a file', exchange('/jobs/1/artifacts', '', {}), /is a file/],
  ])('finds %s that is not of it', (_, planted, message) => {
    expect(planted).toThrow(message);
  });

  it('holds each exchange of both fakes, and what does not fit fails the suite that started them', async () => {
    const [own, setup] = [await startGitlab(), await startGitlabProtection()];
    Object.assign(own.world.project, { nam: 'x' });
    Object.assign(setup.world.runner, { locked: 'yes' });
    const ask = async (url: string, method = 'GET') =>
      await (await fetch(url, { method, headers: { 'private-token': 'gitlab-token' } })).text();
    expect(await ask(`${own.url}/projects/7002`)).toContain('has no .nam');
    expect(await ask(`${own.url}/projects/7002/jobs/6001`, 'DELETE')).toContain('would change something');
    expect(await ask(`${setup.url}/runners/31`)).toContain('/locked must be boolean');
    expect(await ask(`${setup.url}/runners/31`, 'PUT')).toContain('would change something');
    await expect(own.close()).rejects.toThrow(/has no \.nam; DELETE .* would change something$/);
    await expect(setup.close()).rejects.toThrow(/PUT .* would change something$/);
  });
});

/** A value with each key that is read. */
function readOf(schema: z.ZodMiniType): unknown {
  const { innerType, element, shape } = schema.def as {
    innerType?: z.ZodMiniType;
    element?: z.ZodMiniType;
    shape?: Record<string, z.ZodMiniType>;
  };
  if (innerType !== undefined) return readOf(innerType);
  if (element !== undefined) return [readOf(element)];
  if (shape === undefined) return null;
  return Object.fromEntries(Object.entries(shape).map(([key, type]) => [key, readOf(type)]));
}
