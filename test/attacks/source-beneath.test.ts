import { randomUUID } from 'node:crypto';
import { startRegistry } from '../../src/registry/server/start.ts';
import { signerOfRole } from '../support/direct.ts';
import * as onGithub from '../support/fake-github.ts';
import * as onGitlab from '../support/fake-gitlab.ts';
import { forge, recordOf } from '../support/gate-scene.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { sandboxes } from '../support/sandbox.ts';

/*
 * A deploy brings all that landed since the last one that the gate allowed, not only what was merged last. What the deploy key
 * alone says is deployed counts for nothing (F36): each denial below stands beside such a record.
 */

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;

beforeAll(async () => {
  registry = await startRegistry();
});
afterAll(async () => {
  await registry.close();
  sandbox.clean();
});

describe('GitHub', () => {
  const { PEOPLE, landBeneath } = onGithub;
  const scene = laid('github', onGithub.DEPLOYED);
  const world = () => (scene.hosted.api as onGithub.FakeGithub).world;
  beforeEach(() => {
    const fake = scene.hosted.api as onGithub.FakeGithub;
    fake.world = onGithub.githubWorld();
    fake.world.approvals = [];
  });

  it('honestly it is allowed, with another reviewed request beneath', async () => {
    landBeneath(world(), 6, PEOPLE.lead);
    expect(await scene.gate()).toBe('allow');
  });

  it.each<[string, () => void]>([
    [
      'a second request of the same commits, which the merge closed as well',
      () => {
        const { pulls, commit, make } = world();
        Object.assign(commit, { parents: make.parents('6'.repeat(40), onGithub.HEAD) });
        pulls.unshift({ ...pulls[0], number: 8, merged_at: '2026-01-31T07:30:01Z' });
      },
    ],
    [
      'a request of more commits than GitHub lists of one',
      () => {
        const { make, pull, pullCommits } = world();
        const more = Array.from({ length: 299 }, (_, i) => `${i}`.padStart(40, '0'));
        pullCommits.unshift(...more.map((sha) => make.commit(sha, PEOPLE.dev, make.user(PEOPLE.dev))));
        pull.commits = 300;
      },
    ],
    [
      'a branch that was put back to what had landed',
      () => {
        const { activity } = world();
        activity.splice(1, 0, {
          ...activity[0],
          before: 'f'.repeat(40),
          after: '6'.repeat(40),
          activity_type: 'force_push',
        });
      },
    ],
  ])('deploys are not shut out for good by %s', async (_, attack) => {
    landBeneath(world(), 6, PEOPLE.lead);
    attack();
    expect(await scene.gate()).toBe('allow');
  });

  it.each<[string, () => void, string | string[]]>([
    [
      'a push past the rules, beneath a reviewed request',
      () => {
        landBeneath(world(), 6, PEOPLE.lead);
        Object.assign(world().activity.at(-2) as object, { activity_type: 'push' });
      },
      ['source.reviewed'],
    ],
    ['a request that nobody reviewed', () => (landBeneath(world(), 6, PEOPLE.lead).reviews = []), ['source.reviewed']],
    ['a request that its author alone reviewed', () => landBeneath(world(), 6, PEOPLE.reviewer), ['source.reviewed']],
    ['a request of somebody unknown', () => landBeneath(world(), 6, 666), ['source.people']],
    [
      'what GitHub no longer shows the landing of',
      () => {
        landBeneath(world(), 6, PEOPLE.lead);
        world().activity = world().activity.filter(({ after }) => after !== '6'.repeat(40));
      },
      ['source.people', 'source.reviewed'],
    ],
    [
      'a request that was reviewed while its base was another branch',
      () => {
        const { event } = world().make;
        landBeneath(world(), 6, PEOPLE.lead).events.unshift(event('base_ref_changed', '2026-01-31T07:25:00Z'));
      },
      ['source.reviewed'],
    ],
    [
      'a list of commits that GitHub left empty',
      () => {
        landBeneath(world(), 6, PEOPLE.lead).reviews = [];
        Object.assign(world().since, { commits: [], total_commits: 4 });
      },
      'platform.incomplete',
    ],
    [
      'a rewritten branch, with a list that GitHub left empty',
      () => (world().since = { status: 'diverged', commits: [], total_commits: null }),
      'source.rewritten',
    ],
    [
      'a rewritten branch',
      () => {
        landBeneath(world(), 6, PEOPLE.lead);
        world().since.status = 'diverged';
      },
      'source.rewritten',
    ],
  ])('is denied: %s', async (_, attack, verdict) => {
    attack();
    expect(await scene.gate()).toEqual(verdict);
  });
});

describe('GitLab', () => {
  const { PEOPLE, landBeneath } = onGitlab;
  const scene = laid('gitlab', onGitlab.DEPLOYED);
  const world = () => (scene.hosted.api as onGitlab.FakeGitlab).world;
  beforeEach(() => {
    const fake = scene.hosted.api as onGitlab.FakeGitlab;
    fake.world = onGitlab.gitlabWorld();
    fake.world.deployments = [];
  });

  it('honestly it is allowed, with another reviewed request beneath', async () => {
    landBeneath(world(), 6, PEOPLE.dev);
    expect(await scene.gate()).toBe('allow');
  });

  it('deploys are not shut out for good by a branch that was cut at a merge, and a request of it', async () => {
    const { mergeRequests } = landBeneath(world(), 6, PEOPLE.dev);
    const cut = { sha: '6'.repeat(40), source_branch: 'release', target_branch: 'stable' };
    mergeRequests.push({ ...mergeRequests[0], id: 508, iid: 8, ...cut });
    expect(await scene.gate()).toBe('allow');
  });

  it.each<[string, () => void, string | string[]]>([
    [
      'a commit that no request brought, while the branch was open',
      () => (landBeneath(world(), 6, PEOPLE.dev).mergeRequests = []),
      ['source.people', 'source.reviewed'],
    ],
    [
      'the old main line as a second parent of a fast-forward',
      () => {
        const hidden = world().make.commit('7'.repeat(40), 'dev@example.org');
        world().since = [world().commit, ...world().mergeRequestCommits, hidden];
      },
      ['source.people', 'source.reviewed'],
    ],
    [
      'a commit that only another request of the same last commit lists, which nobody approved as such',
      () => {
        const { make, commit, mergeRequests, mergeRequestCommits, authors } = world();
        const hidden = make.commit('7'.repeat(40), 'dev@example.org');
        // It was opened before that commit landed, and the one that somebody approved after.
        const other = { ...mergeRequests[0], id: 508, iid: 8 };
        mergeRequests.push(other);
        const lists = landBeneath(world(), 8, PEOPLE.dev);
        lists.mergeRequests = [other];
        lists.mergeRequestCommits = [...mergeRequestCommits, hidden];
        lists.authors = [...authors, { sha: hidden.id, author: authors[0]?.author }];
        lists.versions = world().versions;
        lists.approvals = { approved: true, approved_by: [] };
        world().since = [commit, ...mergeRequestCommits, hidden];
      },
      ['source.people', 'source.reviewed'],
    ],
    [
      'a request that nobody approved',
      () => (landBeneath(world(), 6, PEOPLE.dev).approvals = { approved: true, approved_by: [] }),
      ['source.reviewed'],
    ],
    [
      'a merge made at home of a reviewed request, pushed while the branch was open',
      () =>
        Object.assign(landBeneath(world(), 6, PEOPLE.dev).stateEvents[0] as object, { source_commit: '6'.repeat(40) }),
      ['source.people', 'source.reviewed'],
    ],
    [
      'a request that was approved before its last push',
      () => {
        const { versions } = landBeneath(world(), 6, PEOPLE.dev);
        Object.assign(versions[0] as object, { created_at: '2026-01-31T07:21:00.000Z' });
      },
      ['source.reviewed'],
    ],
    ['a request that its author alone approved', () => landBeneath(world(), 6, PEOPLE.reviewer), ['source.reviewed']],
    ['a request of somebody unknown', () => landBeneath(world(), 6, 666), ['source.people']],
    ['a list of commits that GitLab left empty', () => (world().since = []), 'platform.incomplete'],
    [
      'a rewritten branch',
      () => {
        landBeneath(world(), 6, PEOPLE.dev);
        world().deployedBase = onGitlab.BASE;
      },
      'source.rewritten',
    ],
  ])('is denied: %s', async (_, attack, verdict) => {
    attack();
    expect(await scene.gate()).toEqual(verdict);
  });
});

/** A site whose image is at the gate, and whose repository had `sha` deployed before. */
function laid(kind: 'github' | 'gitlab', sha: string) {
  let image = '';
  let step = 0;
  const scene = {
    hosted: null as unknown as HostedSite,
    async gate(): Promise<string | string[]> {
      const words = ['--stage', 'promote', '--environment', 'production', '--image', image];
      const { stdout } = await scene.hosted.run('gate', `gate-${step++}`, 'policy-gate', ...words);
      const said = JSON.parse(stdout);
      if (said.outcome === undefined) return said.code;
      const failed = said.reasons.filter((reason: { outcome: string }) => reason.outcome === 'fail');
      return failed.length === 0 ? said.outcome : failed.map((reason: { rule: string }) => reason.rule);
    },
  };
  beforeAll(async () => {
    const host = new URL(registry.url).host;
    scene.hosted = await layHostedSite(kind, sandbox.folder(kind), host);
    image = await bringToGate(scene.hosted, host);
    const { site } = scene.hosted;
    const { record } = recordOf(site, 'run.opened');
    const [name = '', digest = ''] = image.split('@');
    const target = { cluster: 'demo', namespace: 'lab-results', kind: 'Deployment', name: 'web' };
    const about = {
      run: { ...record.run, id: '9000', sha },
      environment: 'production',
      subjects: [{ name, kind: 'image' as const, digest }],
      attachments: [],
      outcome: 'success' as const,
    };
    const allowed = { ...about, type: 'gate.decided', data: { stage: 'deploy', simulated: false, target } };
    await forge(site, record, { ...allowed, opId: randomUUID() }, signerOfRole(site, 'gate'), 'gate');
    // Whoever has the deploy key says that this very commit is deployed, so that nothing lies beneath it.
    const deployed = { ...about, run: { ...record.run, id: '9001' }, type: 'deploy.outcome', data: { target } };
    await forge(site, record, { ...deployed, opId: randomUUID() }, signerOfRole(site, 'deploy'), 'deploy');
  }, 120_000);
  afterAll(() => scene.hosted.close());
  return scene;
}
