import { startRegistry } from '../../src/registry/server/start.ts';
import type { FakeGithub } from '../support/fake-github.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;

beforeEach(async () => {
  registry = await startRegistry();
  hosted = await layHostedSite('github', sandbox.folder('pool'), new URL(registry.url).host);
});
afterEach(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});

/** Rules that fail when the build job ran where the API says. */
async function failing(change: (jobs: Record<string, unknown>[]) => Record<string, unknown>[]): Promise<string[]> {
  const { world } = hosted.api as FakeGithub;
  world.jobs = change(world.jobs);
  const image = await bringToGate(hosted, new URL(registry.url).host);
  const words = ['policy-gate', '--stage', 'promote', '--environment', 'production', '--image', image];
  const { stdout } = await hosted.run('gate', 'gate', ...words);
  const { reasons } = JSON.parse(stdout) as { reasons: { rule: string; outcome: string }[] };
  return reasons.filter(({ outcome }) => outcome === 'fail').map(({ rule }) => rule);
}
const built = (changes: Record<string, unknown>) => (jobs: Record<string, unknown>[]) =>
  jobs.map((job) => (job.name === 'promote / build' ? { ...job, ...changes } : job));

describe('F99 a build on a machine that the contract does not know is not kept apart', () => {
  it('of a runner of the repository, whatever its label', async () => {
    expect(await failing(built({ runner_group_name: 'Default', labels: ['ubuntu-latest'] }))).toEqual([
      'provenance.isolation',
    ]);
  });

  it('of another call of the workflow, which ran in the pool', async () => {
    expect(await failing(built({ name: 'other / build' }))).toEqual(['provenance.isolation']);
  });

  it('and in the pool it is', async () => {
    expect(await failing((jobs) => jobs)).toEqual([]);
  });
});
