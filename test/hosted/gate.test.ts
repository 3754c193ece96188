import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { bringToGate, type HostedSite, layHostedSite, recordScan } from '../support/hosted-site.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

describe.each(['github', 'gitlab'] as const)('the gate on %s', (kind) => {
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let hosted: HostedSite;
  let image: string;

  beforeAll(async () => {
    registry = await startRegistry();
    const host = new URL(registry.url).host;
    hosted = await layHostedSite(kind, join(sandbox.folder(kind)), host);
    image = await bringToGate(hosted, host);
  });

  afterAll(async () => {
    await hosted.close();
    await registry.close();
  });

  const gate = (step: string) =>
    hosted.run('gate', step, 'policy-gate', '--stage', 'promote', '--environment', 'production', '--image', image);
  const failing = (stdout: string) =>
    JSON.parse(stdout)
      .reasons.filter((reason: { outcome: string }) => reason.outcome === 'fail')
      .map((reason: { rule: string }) => reason.rule);

  it('allows by verified claims, the platform’s API, real evidence and the authority’s time', async () => {
    const { code, stdout, stderr } = await gate('gate-1');
    expect({ code, failing: code === 2 || code === 3 ? stderr : failing(stdout) }).toEqual({ code: 0, failing: [] });
    const { reasons, run } = JSON.parse(stdout);
    expect(reasons.filter((reason: { outcome: string }) => reason.outcome === 'skipped')).toEqual([]);
    expect(run.platform).toBe(kind);
  });

  it('answers workflow_untrusted to the token of another role’s job', async () => {
    const { code, stdout } = await hosted.run(
      'scan',
      'gate-2',
      'policy-gate',
      '--stage',
      'promote',
      '--environment',
      'production',
      '--image',
      image,
    );
    expect({ code, failing: failing(stdout) }).toEqual({ code: 1, failing: ['workflow_untrusted'] });
  });

  it('denies once a critical finding is recorded', async () => {
    expect((await recordScan(hosted.run, 'trivy-critical', image)).code).toBe(0);
    const { code, stdout } = await gate('gate-3');
    expect({ code, failing: failing(stdout) }).toEqual({ code: 1, failing: ['scan.findings'] });
  });
});
