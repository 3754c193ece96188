import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { REPOSITORY, TARGET } from '../../src/commands/demo/site.ts';
import { COMMIT, layWorkflowScene, type WorkflowScene } from '../attacks/workflow-scene.ts';
import { recordOf } from '../support/gate-scene.ts';
import { CLUSTER_TOOLS, hasClusterTools, startCluster, type TestCluster } from '../support/kubernetes.ts';
import { withController } from '../support/kubernetes-controller.ts';
import { readWorkflow } from '../support/promote-copy.ts';
import { commitAll, commitAllAs, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';

/* Method kubernetes as the reusable workflow's deploy job asks for it: the action, on GitHub by its claims, a real API server. */

const NAME = 'lab-results';
const sandbox = sandboxes();
const itCluster = itWith(...CLUSTER_TOOLS);
let cluster: TestCluster;
let scene: WorkflowScene;
const closing: (() => Promise<void>)[] = [];
beforeAll(async () => {
  if (!hasClusterTools) return;
  cluster = await startCluster(sandbox.folder('kube'));
  closing.push(cluster.close);
  cluster.ok(['create'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAME } });
  scene = await layWorkflowScene(sandbox, 'approved', (contract) => {
    contract.clusters = { demo: { server: cluster.server, certificates: [cluster.ca] } };
  });
  closing.push(scene.close);
}, 300_000);
afterAll(async () => {
  for (const close of closing) await close();
  sandbox.clean();
});

/** What the step of the job hands to the action: its expressions, with these values. */
function step(values: Record<string, string>) {
  const steps = Object.values(readWorkflow().jobs).flatMap((job) => job.steps);
  const found = steps.find(({ uses }) => uses === '$/actions/deploy-by-digest');
  const { with: inputs, env } = found as { with: Record<string, string>; env: Record<string, string> };
  const fill = (all: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(all).map(([name, text]) => [
        name,
        text.replace(/\$\{\{ (.*?) \}\}/g, (_, expression: string) => values[expression] ?? ''),
      ]),
    );
  return { inputs: fill(inputs), env: fill(env) };
}

describe('the deploy job of the reusable workflow, method kubernetes', () => {
  const ask = async (method: string, manifest: string, token: string) => {
    const { inputs, env } = step({
      'needs.gate-deploy.outputs.decision-key': await scene.allowed('deploy'),
      'needs.sign.outputs.image': scene.image,
      'inputs.environment': 'production',
      'inputs.target': TARGET,
      'inputs.method': method,
      'inputs.manifest': manifest,
      'secrets.cluster-token': token,
    });
    const { GITHUB_TOKEN: _, ...rest } = env;
    return await withController(cluster, [NAME, NAME], () =>
      scene.action('deploy-by-digest', { role: 'deploy', env: rest }, inputs),
    );
  };
  /** In a checkout of the run's commit, as the job has it. */
  const manifest = () => {
    const folder = sandbox.folder('manifest');
    const file = join(folder, 'app.yaml');
    const containers = [{ name: 'app', image: `${scene.registry.host}/${REPOSITORY}@sha256:${'0'.repeat(64)}` }];
    writeFileSync(
      file,
      JSON.stringify({
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: NAME, namespace: NAME },
        spec: {
          selector: { matchLabels: { app: NAME } },
          template: { metadata: { labels: { app: NAME } }, spec: { containers } },
        },
      }),
    );
    commitAllAs(folder, COMMIT);
    return file;
  };

  itCluster('brings the decided image to the cluster, by the job’s secret', async () => {
    const ran = await ask('kubernetes', manifest(), cluster.tokens.admin);
    expect({ code: ran.code, log: ran.code === 0 ? '' : ran.log }).toEqual({ code: 0, log: '' });
    expect(ran.outputs).toEqual({ 'deploy-id': expect.any(String) });
    expect(ran.log).not.toContain(cluster.tokens.admin);
    const { spec } = JSON.parse(cluster.ok(['-n', NAME, 'get', 'deployment', NAME, '-o', 'json']));
    expect(spec.template.spec.containers[0].image).toBe(scene.image);
    expect(recordOf(scene.hosted.site, 'deploy.outcome').record).toMatchObject({
      outcome: 'success',
      opId: ran.outputs['deploy-id'],
      data: { method: 'kubernetes', approvals: [expect.objectContaining({ personId: 'lead-1', state: 'approved' })] },
    });
  });

  itCluster('F93 but not by a manifest of another commit, which its caller chose', async () => {
    const file = manifest();
    const evil = readFileSync(file, 'utf8').replace('"name":"app"', '"name":"app","command":["/bin/sh"]');
    writeFileSync(file, evil);
    commitAll(dirname(file));
    const ran = await ask('kubernetes', file, cluster.tokens.admin);
    expect({ code: ran.code, why: /deploy\.target: manifest .* is not as commit a{40} has it/.test(ran.log) }).toEqual({
      code: 1,
      why: true,
    });
  });

  itCluster('and a commit to some repository is not a deploy to that cluster', async () => {
    const before = scene.state().gitops;
    const ran = await ask('gitops', scene.hosted.site.path('gitops', 'kustomization.yaml'), '');
    expect({ code: ran.code, why: ran.log.includes('it is deployed to by method kubernetes') }).toEqual({
      code: 1,
      why: true,
    });
    expect(scene.state().gitops).toBe(before);
  });
});
