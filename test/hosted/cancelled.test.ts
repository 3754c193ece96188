import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { keysIn, recordAt } from '../support/gate-scene.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { startAction } from '../support/runner.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;
let image: string;
beforeAll(async () => {
  registry = await startRegistry();
  const host = new URL(registry.url).host;
  hosted = await layHostedSite('github', sandbox.folder('github'), host);
  image = await bringToGate(hosted, host);
});
afterAll(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});

/** One process of an action in a job of the role; its post step gets what the main one left. */
async function start(
  action: string,
  role: string,
  inputs: Record<string, string>,
  state: Record<string, string> | null = null,
  killAfter?: number,
) {
  const launcher = hosted.site.path('fork', 'dist', `${action}${state === null ? '' : '-post'}.js`);
  const env = { ...(await hosted.environment(role)), ...(state ?? {}), GITHUB_ACTION: `${action}-step` };
  return await startAction(launcher, inputs, sandbox.folder('runner'), env, killAfter);
}
const recordsNow = () => keysIn(hosted.site).filter((key) => key.startsWith('v1/records/'));

/** Types and outcomes of what was recorded meanwhile. */
async function recordedBy(work: () => Promise<unknown>): Promise<string[]> {
  const before = new Set(recordsNow());
  await work();
  return recordsNow()
    .filter((key) => !before.has(key))
    .map((key) => {
      const { type, outcome, run } = recordAt(hosted.site, key);
      return `${type} ${outcome} ${run.platform}`;
    });
}

const GATE = () => ({ stage: 'promote', environment: 'production', image });

describe('F65 a job that was cancelled', () => {
  it('leaves a record by its post step, though the main process was killed', async () => {
    const main = await start('policy-gate', 'gate', GATE(), null, 30);
    expect({ code: main.code, state: main.state, outputs: main.outputs }).toEqual({
      code: null,
      state: {},
      outputs: {},
    });
    let post = main;
    const recorded = await recordedBy(async () => {
      post = await start('policy-gate', 'gate', GATE(), main.state);
    });
    expect(recorded).toEqual(['gate.decided cancelled github']);
    expect(post).toMatchObject({
      code: 0,
      log: expect.stringMatching(/^::warning::gatehouse policy-gate was cancelled/m),
    });
  });

  it.each([
    ['scan', 'scan', { phase: 'record', report: 'trivy.json' }, ['scan.completed cancelled github']],
    ['scan', 'none', { phase: 'run', reports: 'reports' }, []],
    ['build-sign', 'build', { phase: 'sign', image: 'registry.example.org/x' }, ['build.completed cancelled github']],
    ['build-sign', 'none', { phase: 'build', layout: 'image' }, []],
  ])('%s as role %s leaves what it owes: nothing where it held no key', async (action, role, inputs, expected) => {
    expect(await recordedBy(() => start(action, role, inputs as unknown as Record<string, string>, {}))).toEqual(
      expected,
    );
  });

  it('does not stand in the way of the next attempt', async () => {
    const { code, outputs } = await start('policy-gate', 'gate', GATE());
    expect({ code, decision: outputs.decision }).toEqual({ code: 0, decision: 'allow' });
  });

  it('leaves nothing more when the main process came to its end, with whatever answer', async () => {
    const denied = await start('policy-gate', 'scan', GATE());
    expect(denied.code).toBe(1);
    expect(await recordedBy(() => start('policy-gate', 'gate', GATE(), denied.state))).toEqual([]);
  });

  it('is not recorded by a job outside the trusted workflow', async () => {
    let post: Awaited<ReturnType<typeof start>> | undefined;
    const recorded = await recordedBy(async () => {
      post = await startAction(
        join(hosted.site.path('fork', 'dist'), 'policy-gate-post.js'),
        GATE(),
        sandbox.folder('runner'),
      );
    });
    expect(recorded).toEqual([]);
    expect(post).toMatchObject({ code: 1, log: expect.stringContaining('not part of the trusted workflow') });
  });
});
