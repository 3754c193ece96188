import { join } from 'node:path';
import { TARGET } from '../../src/commands/demo/site.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { SOURCE_REPORTS } from '../support/direct.ts';
import { MERGED } from '../support/fake-github.ts';
import { bringToGate, type HostedSite, layHostedSite, recordScan } from '../support/hosted-site.ts';
import { layReports } from '../support/report-folder.ts';
import { type Ran, startAction } from '../support/runner.ts';
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
  await recordScan(hosted.run, 'trivy-critical', image);
});
afterAll(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});

let steps = 0;
async function start(action: string, role: string, inputs: Record<string, string>): Promise<Ran> {
  const env = { ...(await hosted.environment(role)), GITHUB_ACTION: `${action}-${steps++}` };
  return await startAction(hosted.site.path('fork', 'dist', `${action}.js`), inputs, sandbox.folder('runner'), env);
}
const promote = () => start('policy-gate', 'gate', { stage: 'promote', environment: 'production', image });
/** What GitHub shows above the log, of each remark. */
const remarks = ({ log }: Ran) => [...log.matchAll(/^::(?:error|warning|notice) .*?::(.*)$/gm)].map(([, text]) => text);

describe('whoever reads one line or the summary of a refused job learns what and why', () => {
  it('of the gate', async () => {
    const ran = await promote();
    expect(ran.code).toBe(1);
    expect(remarks(ran)).toEqual([
      expect.stringMatching(/^DENY promote to production by scan\.findings: .*critical CVE-\S+ in /),
    ]);
    expect(ran.summary).toMatch(/^## ⛔ Denied: promote to production\n/);
    expect(ran.summary).toMatch(/^\| `scan\.findings` \| .*CVE-.* \| .+ \| .*CFR/m);
  });

  it('of a deploy', async () => {
    const { outputs } = await promote();
    const decision = outputs['decision-key'] as string;
    const inputs = { decision, image, environment: 'production', target: TARGET, manifest: 'web.yaml' };
    const ran = await start('deploy-by-digest', 'deploy', inputs);
    expect(ran.code).toBe(1);
    expect(remarks(ran)).toEqual([
      expect.stringMatching(
        /^DENY deploy to demo\/lab-results\/\S+ by deploy\.decision: the decision does not allow this deploy: it denies \(/,
      ),
    ]);
    expect(ran.summary).toMatch(/^## ⛔ Not deployed to demo\/lab-results\//);
    expect(ran.summary).toMatch(/^\| `deploy\.decision` \| .*it denies .* \| ask for a decision .* \| .*CFR/m);
  });

  it('of a preview', async () => {
    const reports = layReports(join(sandbox.folder('reports'), 'reports'), [...SOURCE_REPORTS, 'trivy-critical']);
    const ran = await start('policy-gate', 'none', { stage: 'preview', environment: 'production', ...reports });
    expect(ran.code).toBe(1);
    expect(remarks(ran)).toEqual([
      expect.stringMatching(/^PREVIEW for production: the gate would deny by scan\.findings: .*CVE-/),
    ]);
  });

  it.each([
    ['policy-gate', () => ({ stage: 'promote', environment: 'production', image })],
    ['evidence-emit', () => ({ type: 'run.sealed' })],
  ])('of %s in a job of another role', async (action, inputs) => {
    const ran = await start(action, 'scan', inputs() as unknown as Record<string, string>);
    expect(ran.code).toBe(1);
    expect(remarks(ran)).toEqual([
      expect.stringContaining('this job is not part of the trusted workflow: the job runs under'),
    ]);
    expect(ran.summary).toContain('this job is not part of the trusted workflow');
    expect(ran.summary).toContain('call the reusable workflow');
    expect(ran.summary).not.toMatch(/no stage|no environment/);
  });
});

it('who records scans shows no finding a second time', async () => {
  const folder = join(sandbox.folder('reports'), 'reports');
  const reports = layReports(folder, SOURCE_REPORTS, { commit: MERGED });
  const ran = await start('scan', 'scan', { phase: 'record', ...reports });
  expect(ran.code).toBe(0);
  expect(remarks(ran)).toEqual([]);
  expect(ran.summary).toMatch(/^## 🧾 Recorded: 4 scans complete\n/);
});
