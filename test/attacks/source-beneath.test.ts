import { randomUUID } from 'node:crypto';
import { startRegistry } from '../../src/registry/server/start.ts';
import { signerOfRole } from '../support/direct.ts';
import { DEPLOYED, type FakeGithub, githubWorld, landBeneath, PEOPLE } from '../support/fake-github.ts';
import { forge, recordOf } from '../support/gate-scene.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { sandboxes } from '../support/sandbox.ts';

/* A deploy brings all that landed since the last one, not only what was merged last. */

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;
let github: FakeGithub;
let image: string;
let step = 0;

beforeAll(async () => {
  registry = await startRegistry();
  const host = new URL(registry.url).host;
  hosted = await layHostedSite('github', sandbox.folder('beneath'), host);
  github = hosted.api as FakeGithub;
  image = await bringToGate(hosted, host);
  const { record } = recordOf(hosted.site, 'run.opened');
  const subjects = [
    { name: image.split('@')[0] as string, kind: 'image' as const, digest: image.split('@')[1] as string },
  ];
  const target = { cluster: 'demo', namespace: 'lab-results', kind: 'Deployment', name: 'web' };
  const outcome = { type: 'deploy.outcome', subjects, opId: randomUUID(), attachments: [], data: { target } };
  const run = { ...record.run, id: '9000', sha: DEPLOYED };
  await forge(hosted.site, record, { ...outcome, run }, signerOfRole(hosted.site, 'deploy'), 'deploy');
}, 120_000);
afterAll(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});
beforeEach(() => {
  github.world = githubWorld();
  github.world.approvals = [];
});

async function gate(): Promise<string | string[]> {
  const words = ['--stage', 'promote', '--environment', 'production', '--image', image];
  const { stdout } = await hosted.run('gate', `gate-${step++}`, 'policy-gate', ...words);
  const said = JSON.parse(stdout);
  if (said.outcome === undefined) return said.code;
  const failed = said.reasons.filter((reason: { outcome: string }) => reason.outcome === 'fail');
  return failed.length === 0 ? said.outcome : failed.map((reason: { rule: string }) => reason.rule);
}

it('honestly it is allowed, with another reviewed request beneath', async () => {
  landBeneath(github.world, 6, PEOPLE.lead);
  expect(await gate()).toBe('allow');
});

it.each<[string, () => void, string | string[]]>([
  [
    'a push past the rules, beneath a reviewed request',
    () => {
      landBeneath(github.world, 6, PEOPLE.lead);
      Object.assign(github.world.activity.at(-2) as object, { activity_type: 'push' });
    },
    ['source.reviewed'],
  ],
  [
    'a request that nobody reviewed',
    () => (landBeneath(github.world, 6, PEOPLE.lead).reviews = []),
    ['source.reviewed'],
  ],
  [
    'a request that its author alone reviewed',
    () => landBeneath(github.world, 6, PEOPLE.reviewer),
    ['source.reviewed'],
  ],
  ['a request of somebody unknown', () => landBeneath(github.world, 6, 666), ['source.people']],
  [
    'what GitHub no longer shows the landing of',
    () => {
      landBeneath(github.world, 6, PEOPLE.lead);
      github.world.activity = github.world.activity.filter(({ after }) => after !== '6'.repeat(40));
    },
    ['source.people', 'source.reviewed'],
  ],
  [
    'a rewritten branch',
    () => {
      landBeneath(github.world, 6, PEOPLE.lead);
      github.world.since.status = 'diverged';
    },
    'source.rewritten',
  ],
])('is denied: %s', async (_, attack, verdict) => {
  attack();
  expect(await gate()).toEqual(verdict);
});
