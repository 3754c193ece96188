import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import type { FakeGitlab } from '../support/fake-gitlab.ts';
import { recordOf } from '../support/gate-scene.ts';
import { type GitServer, JOB_TOKEN, serveProjects } from '../support/git-server.ts';
import { COMPONENTS } from '../support/gitlab-child.ts';
import { checkOut, type LocalGitlab, localGitlab, publish } from '../support/gitlab-local.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { CLUSTER_TOOLS, hasClusterTools, startCluster, type TestCluster } from '../support/kubernetes.ts';
import { withController } from '../support/kubernetes-controller.ts';
import { approve, layGitops, layParent, type ParentScene } from '../support/parent-scene.ts';
import { commitAllAs, type Ended, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';

/*
 * Method kubernetes as the components ask for it: their jobs in the real gitlab-ci-local, deploying to a real API server. There is
 * no GitLab that could sign an ID token for it, so the server knows the job by a token of its own.
 */

const NAME = 'lab-results';
const TARGET = `demo/${NAME}/Deployment/${NAME}`;
const sandbox = sandboxes();
const itCluster = itWith('rsync', ...CLUSTER_TOOLS);
let cluster: TestCluster;
let registry: Awaited<ReturnType<typeof startRegistry>>;
let host: string;
/** In a checkout of the run's commit beside the job's folder: gitlab-ci-local leaves .git out of that, which a runner does not. */
let manifest: string;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  if (!hasClusterTools) return;
  cluster = await startCluster(sandbox.folder('kube'));
  closing.push(cluster.close);
  cluster.ok(['create'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAME } });
  registry = await startRegistry();
  closing.push(registry.close);
  host = new URL(registry.url).host;
  const checkout = sandbox.folder('checkout');
  manifest = join(checkout, 'deployment.yaml');
  copyFileSync(join(layGitops(sandbox.folder('gitops'), host), NAME, 'deployment.yaml'), manifest);
  commitAllAs(checkout, 'a'.repeat(40));
}, 300_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
  sandbox.clean();
});

// biome-ignore lint/suspicious/noExplicitAny: a contract is changed by what the test is about
const toCluster = (contract: any) => {
  contract.clusters = { demo: { server: cluster.server, certificates: [cluster.ca] } };
  contract.environments.production.approvals.strength = 'run';
};
const said = ({ stdout, stderr }: Ended) => stdout + stderr;
/** What the cluster runs, and how often that has changed; null where it runs nothing. */
const running = () => {
  const [found] = JSON.parse(cluster.ok(['-n', NAME, 'get', 'deployments', '-o', 'json'])).items;
  return found === undefined
    ? null
    : { image: found.spec.template.spec.containers[0].image, generation: found.metadata.generation };
};
const clear = () => cluster.ok(['-n', NAME, 'delete', 'deployment', NAME, '--ignore-not-found', '--wait=false']);
/** Runs a job while the cluster's controllers are played. */
const deploying = (act: () => Promise<Ended>) => withController(cluster, [NAME, NAME], act);
const ran = (ended: Ended, why: string) => ({ code: ended.code, said: said(ended).includes(why) || said(ended) });

describe('the deploy job of promote', () => {
  const job = (step: string) => `gatehouse-${NAME}-${step}` as Parameters<ParentScene['job']>[0];
  const ownToken = () => ({ GATEHOUSE_CLUSTER_TOKEN: cluster.tokens.admin, GATEHOUSE_GIT_TOKEN: '' });
  let scene: ParentScene;
  beforeAll(async () => {
    if (!hasClusterTools) return;
    clear();
    scene = await layParent(sandbox.folder, host, {
      contract: toCluster,
      configuration: (text) =>
        text.replace(
          / {6}gitops-project: .*\n {6}manifest: lab-results\/.*\n/,
          `      method: kubernetes\n      manifest: ${manifest}\n`,
        ),
    });
    closing.push(scene.hosted.close);
  }, 120_000);

  itCluster('brings what was decided to the cluster, by a manifest of the protected project', async () => {
    for (const name of [...['open', 'sign', 'record', 'promote'].map(job), 'gatehouse-approve', job('decide')] as const)
      expect(ran(await scene.job(name as ReturnType<typeof job>), '')).toEqual({ code: 0, said: true });
    expect(ran(await deploying(() => scene.job(job('deploy'), ownToken())), 'deployed ')).toEqual({
      code: 0,
      said: true,
    });
    expect(running()?.image).toMatch(new RegExp(`^${host}/care/${NAME}@sha256:331e2cee`));
    const { outcome, data } = recordOf(scene.hosted.site, 'deploy.outcome').record;
    expect({ outcome, method: data.method }).toEqual({ outcome: 'success', method: 'kubernetes' });
  });

  itCluster('deploys nothing by a decision that is used up', async () => {
    const before = running();
    const again = await deploying(() => scene.job(job('deploy'), ownToken()));
    expect(ran(again, 'deploy.once')).toEqual({ code: 1, said: true });
    expect(running()).toEqual(before);
  });
});

describe('the single step deploy-by-digest', () => {
  let hosted: HostedSite;
  let gitlab: LocalGitlab;
  let git: GitServer;
  let checkout: string;
  let decision: string;
  beforeAll(async () => {
    if (!hasClusterTools) return;
    clear();
    hosted = await layHostedSite('gitlab', sandbox.folder('site'), host, toCluster);
    closing.push(hosted.close);
    gitlab = localGitlab(sandbox.folder);
    const components = sandbox.folder('components');
    const fork = (part: string) => hosted.site.path('fork', part);
    assemble({ out: components, dist: fork('dist'), contract: fork('contract.yml') });
    const sha = publish(gitlab, COMPONENTS, components, sandbox.folder('bare'));
    git = await serveProjects(gitlab.projects, sandbox.folder('served'));
    closing.push(git.close);
    const image = await bringToGate(hosted, host);
    await decided('promote', image);
    const { world } = hosted.api as FakeGitlab;
    const approval = world.jobs.find(({ name }) => name === 'gatehouse-approve') as Record<string, unknown>;
    Object.assign(approval, { started_at: new Date().toISOString() });
    approve(world, approval);
    decision = await decided('deploy', image);
    checkout = sandbox.folder('release');
    const step = (name: string, target: string) => ({
      component: `$CI_SERVER_FQDN/${COMPONENTS}/deploy-by-digest@${sha}`,
      inputs: {
        ...{ 'job-name': name, 'job-image': `registry.example.org/ci/node@sha256:${'a'.repeat(64)}` },
        ...{ environment: 'production', image, target, method: 'kubernetes', manifest },
        decision: '$GATEHOUSE_DEPLOY_DECISION_KEY',
      },
    });
    writeFileSync(
      join(checkout, '.gitlab-ci.yml'),
      stringify({ include: [step('deploy', TARGET), step('elsewhere', TARGET.replace(/[^/]*$/, 'other'))] }),
    );
    checkOut('care/release', checkout);
  }, 120_000);

  /** Asks the gate, which must allow; gives the key of its decision. */
  const decided = async (stage: 'promote' | 'deploy', image: string): Promise<string> => {
    const to = stage === 'deploy' ? ['--target', TARGET] : [];
    const words = ['--stage', stage, '--environment', 'production', '--image', image, ...to];
    const { code, stdout } = await hosted.run('gate', `decide-${stage}`, 'policy-gate', ...words);
    if (code !== 0) throw new Error(`the gate was to allow ${stage}: ${stdout}`);
    return JSON.parse(stdout).key;
  };
  const job = async (name: string) =>
    await deploying(async () =>
      gitlab.run(checkout, [name], {
        ...(await hosted.environment('deploy')),
        CI_COMMIT_REF_PROTECTED: 'true',
        CI_COMMIT_BRANCH: 'main',
        CI_SERVER_URL: git.url,
        CI_JOB_TOKEN: JOB_TOKEN,
        GATEHOUSE_CLUSTER_TOKEN: cluster.tokens.admin,
        GATEHOUSE_DEPLOY_DECISION_KEY: decision,
      }),
    );

  itCluster('deploys nothing that was decided for another workload', async () => {
    expect(ran(await job('elsewhere'), 'does not allow this deploy')).toEqual({ code: 1, said: true });
    expect(running()).toBe(null);
  });

  itCluster('brings what was decided to the cluster', async () => {
    expect(ran(await job('deploy'), 'deployed ')).toEqual({ code: 0, said: true });
    expect(running()?.image).toMatch(new RegExp(`^${host}/care/${NAME}@sha256:331e2cee`));
  });
});
