import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Site } from '../../src/commands/demo/site.ts';
import { kubernetesApi } from '../../src/deploy/kubernetes/api.ts';
import { kubernetesWay } from '../../src/deploy/kubernetes/way.ts';
import { http } from '../../src/lib/http.ts';
import { editContract, steps, verdictOf } from '../support/direct.ts';
import { keysIn, playRun, recordOf, type Scene, storePath } from '../support/gate-scene.ts';
import { CLUSTER_TOOLS, hasClusterTools, kubeconfig, startCluster, type TestCluster } from '../support/kubernetes.ts';
import { type Played, withController } from '../support/kubernetes-controller.ts';
import { sandboxes } from '../support/sandbox.ts';
import { selfSigned } from '../support/self-signed.ts';
import { itWith } from '../support/tools.ts';

/* deploy-by-digest to a real API server. Nothing controls or runs there: status and pods are written by the test. */

const sandbox = sandboxes();
const itCluster = itWith(...CLUSTER_TOOLS);
const NAME = 'lab-results';
let cluster: TestCluster;
let scene: Scene;
const closing: (() => Promise<void>)[] = [];
let withoutNamespace: Awaited<ReturnType<typeof deploy>>;

beforeAll(async () => {
  if (!hasClusterTools) return;
  cluster = await startCluster(sandbox.folder('kube'));
  closing.push(cluster.close);
  scene = await playRun(sandbox.folder('deploy'), undefined, 'decided', (site) =>
    toCluster(site, cluster.server, cluster.ca),
  );
  closing.push(scene.registry.close);
  cluster.ok(['create'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'other' } });
  withoutNamespace = await deploy(scene.at('decided'), {}, { token: 'admin' });
  cluster.ok(['create'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAME } });
  // What the guide tells people to install, for the namespace and user of this test.
  cluster.ok(['apply'], roleOfGuide());
});
afterEach(() => {
  if (hasClusterTools)
    cluster.ok(['-n', NAME, 'delete', 'deployments,pods', '--all', '--force', '--grace-period=0', '--wait=false']);
});
afterAll(async () => {
  for (const close of closing) await close();
  sandbox.clean();
});

const toCluster = (site: Site, server: string, ca: string) =>
  editContract(site, (contract) => Object.assign(contract, { clusters: { demo: { server, certificates: [ca] } } }));

function roleOfGuide(): string {
  const guide = readFileSync('docs/deploy.md', 'utf8');
  const [, yaml = ''] = /<!-- role -->\n```yaml\n([\s\S]*?)```/.exec(guide) ?? [];
  return yaml
    .replaceAll('namespace: web', `namespace: ${NAME}`)
    .replace(/name: gatehouse-deployer$/m, 'name: deployer');
}

interface Options {
  token?: keyof TestCluster['tokens'] | string;
  played?: Played;
  env?: Record<string, string>;
  manifest?: string;
}

const OLD = `sha256:${'0'.repeat(64)}`;
const container = (image: string, more: object = {}) => ({ name: 'app', image, ...more });
const manifestOf = (image: string, more: object = {}, podMore: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: NAME, namespace: NAME },
  spec: {
    selector: { matchLabels: { app: NAME } },
    template: { metadata: { labels: { app: NAME } }, spec: { containers: [container(image)], ...podMore } },
    ...more,
  },
});
const repository = () => scene.image.split('@')[0] as string;

/** The deploy that was decided on, to the real server, while the stand-in plays its controllers. */
async function deploy(site: Site, changes: Record<string, string> = {}, options: Options = {}) {
  const {
    token = 'deployer',
    played,
    env = {},
    manifest = JSON.stringify(manifestOf(`${repository()}@${OLD}`)),
  } = options;
  const [file, tokenFile] = [site.path('app.yaml'), site.path('token')];
  writeFileSync(file, manifest);
  const secret = token in cluster.tokens ? cluster.tokens[token as keyof TestCluster['tokens']] : token;
  writeFileSync(tokenFile, `${secret}\n`, { mode: 0o600 });
  const flags = {
    method: 'kubernetes',
    decision: scene.decisions.deploy,
    image: scene.image,
    manifest: file,
    'token-file': tokenFile,
    'rollout-timeout': '1s',
    ...changes,
  };
  const said = await withController(
    cluster,
    [NAME, NAME],
    () => steps.deploy(site, flags, { env: { PATH: process.env.PATH, HOME: site.folder, ...env } }),
    played,
  );
  expectNoSecret(site, said, secret);
  return said;
}

/** The token is in nothing that was printed and nothing that was kept. */
function expectNoSecret(site: Site, said: object, token: string): void {
  expect(JSON.stringify(said)).not.toContain(token);
  for (const key of keysIn(site)) {
    const text = readFileSync(storePath(site, key), 'utf8');
    const payload = /"payload":"([^"]*)"/.exec(text)?.[1] ?? '';
    expect(text + Buffer.from(payload, 'base64').toString('utf8')).not.toContain(token);
  }
}

const used = (site: Site) => keysIn(site).some((key) => key.startsWith('v1/once/'));
const intended = (site: Site) => keysIn(site).some((key) => key.includes('-deploy.intent-'));
const outcomeOf = (site: Site) => recordOf(site, 'deploy.outcome').record;
const there = () => JSON.parse(cluster.ok(['-n', NAME, 'get', 'deployment', NAME, '-o', 'json']));
const isThere = () => cluster.kubectl(['-n', NAME, 'get', 'deployment', NAME]).code === 0;
const imagesThere = () => there().spec.template.spec.containers.map(({ image }: { image: string }) => image);

describe('the deploy that was decided on', () => {
  itCluster('is what the server stores and the pods run, and on record', async () => {
    const site = scene.at('decided');
    const said = await deploy(site);
    expect(said).toMatchObject({ code: 0, json: { status: 'deployed', previousDigest: null, pods: 1 } });
    expect(imagesThere()).toEqual([scene.image]);
    const intent = recordOf(site, 'deploy.intent').record;
    const outcome = outcomeOf(site);
    expect(intent.data).toMatchObject({ method: 'kubernetes', manifestDigest: said.json.manifestDigest });
    expect(outcome).toMatchObject({
      outcome: 'success',
      opId: intent.opId,
      data: {
        target: { cluster: 'demo', namespace: NAME, kind: 'Deployment', name: NAME },
        observedDigest: said.json.manifestDigest,
        decisionKey: scene.decisions.deploy,
        images: [{ where: 'containers app', image: scene.image }],
        uid: there().metadata.uid,
      },
    });
  });

  itCluster('replaces an older one, and leaves to others what the manifest does not say', async () => {
    cluster.ok(['create'], manifestOf(`${repository()}@${OLD}`, { replicas: 3 }));
    const site = scene.at('decided');
    expect(await deploy(site)).toMatchObject({ code: 0, json: { previousDigest: OLD } });
    expect(imagesThere()).toEqual([scene.image]);
    expect(there().spec.replicas).toBe(3);
  });

  itCluster('is done once: the same decision again is refused', async () => {
    const site = scene.at('decided');
    expect((await deploy(site)).code).toBe(0);
    const before = there().metadata.resourceVersion;
    expect(verdictOf(await deploy(site))).toEqual(['deploy.once']);
    expect(there().metadata.resourceVersion).toBe(before);
  });

  itCluster('is sent to the contract’s server, whatever KUBECONFIG and its like say', async () => {
    const site = scene.at('decided');
    const file = join(sandbox.folder('config'), 'config');
    writeFileSync(file, kubeconfig('https://127.0.0.1:1', cluster.ca, 'x'));
    const env = {
      KUBECONFIG: file,
      KUBERNETES_SERVICE_HOST: '127.0.0.1',
      KUBERNETES_SERVICE_PORT: '1',
      KUBERNETES_MASTER: 'https://127.0.0.1:1',
    };
    expect((await deploy(site, {}, { env })).code).toBe(0);
  });
});

/** What is not deployed: whoever asks finds nothing changed, and the decision still there for the corrected attempt. */
describe('before anything is used up, it is refused', () => {
  const withImages = (image: string, podMore: object) => JSON.stringify(manifestOf(image, {}, podMore));
  const decided = () => `${repository()}@${OLD}`;
  type Refusal = [what: string, manifest: () => string, rule: string | string[], reason: RegExp];
  const rows: Refusal[] = [
    ['F73 a tag', () => withImages(`${repository()}:1.0`, {}), ['deploy.digest'], /may mean another image/],
    [
      'F95 a sidecar',
      () =>
        withImages(decided(), {
          containers: [container(decided()), { name: 'evil', image: `evil.example.org/x@${OLD}` }],
        }),
      ['deploy.images'],
      /about which nothing was decided/,
    ],
    [
      'F84 an init container',
      () => withImages(decided(), { initContainers: [{ name: 'evil', image: `evil.example.org/x@${OLD}` }] }),
      ['deploy.images'],
      /initContainers\[0\] runs evil/,
    ],
    [
      'F84 an image volume',
      () => withImages(decided(), { volumes: [{ name: 'v', image: { reference: decided() } }] }),
      'manifest.image_volume',
      /its content was never judged/,
    ],
    [
      'a manifest of another namespace',
      () => withImages(decided(), {}).replace(`"namespace":"${NAME}"`, '"namespace":"other"'),
      ['deploy.target'],
      /has no Deployment lab-results\/lab-results/,
    ],
    [
      'a role beside the workload',
      () =>
        `${withImages(decided(), {})}\n---\n{"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"evil","namespace":"${NAME}"}}\n`,
      'manifest.several',
      /apply Role evil by other means/,
    ],
    [
      'a field that nothing knows',
      () => withImages(decided(), { contaners: [] }),
      'manifest.invalid',
      /\.contaners: field not declared in schema; correct the manifest/,
    ],
    [
      'a value that the server does not take',
      () => withImages(decided(), { restartPolicy: 'Never' }),
      'manifest.invalid',
      /Unsupported value: "Never"/,
    ],
    [
      'a kind of an older version',
      () => withImages(decided(), {}).replace('apps/v1', 'extensions/v1beta1'),
      'manifest.version',
      /is of apiVersion apps\/v1/,
    ],
  ];
  for (const [what, manifest, rule, reason] of rows)
    itCluster(what, async () => {
      const site = scene.at('decided');
      const said = await deploy(site, {}, { manifest: manifest() });
      expect(verdictOf(said)).toEqual(rule);
      expect(said.text).toMatch(reason);
      expect([isThere(), used(site), intended(site)]).toEqual([false, false, false]);
      expect((await deploy(site)).code).toBe(0);
    });

  itCluster('F95 a sidecar that somebody has added to what runs there', async () => {
    cluster.ok(['create'], manifestOf(`${repository()}@${OLD}`));
    const evil = { spec: { template: { spec: { containers: [{ name: 'evil', image: 'evil.example.org/x:1' }] } } } };
    cluster.ok(['-n', NAME, 'patch', 'deployment', NAME, '--type', 'strategic', '-p', JSON.stringify(evil)]);
    const site = scene.at('decided');
    const said = await deploy(site);
    expect(verdictOf(said)).toEqual(['deploy.images']);
    expect(said.text).toMatch(/containers evil runs evil\.example\.org\/x:1/);
    expect([used(site), intended(site)]).toEqual([false, false]);
    expect(outcomeOf(site)).toMatchObject({ outcome: 'denied', data: { reasons: said.json.reasons } });
  });

  itCluster('a token that the server does not know', async () => {
    const said = await deploy(scene.at('decided'), {}, { token: 'of-another-cluster-0123456789' });
    expect(said).toMatchObject({ code: 3, json: { code: 'kubernetes.unauthorized' } });
    expect(isThere()).toBe(false);
  });

  itCluster('a token without the role', async () => {
    const said = await deploy(scene.at('decided'), {}, { token: 'stranger' });
    expect(said).toMatchObject({ code: 3, json: { code: 'kubernetes.forbidden' } });
    expect(said.text).toMatch(/User "stranger" cannot get .*docs\/deploy\.md/s);
  });

  itCluster('a namespace that is not there', () => {
    expect(withoutNamespace).toMatchObject({ code: 2, json: { code: 'kubernetes.namespace' } });
    expect(withoutNamespace.text).toMatch(/namespaces "lab-results" not found.*create the namespace/);
  });

  itCluster('what the cluster’s own policy refuses, with its message and without its secrets', async () => {
    await withPolicy(denial(), async () => {
      const site = scene.at('decided');
      const said = await deploy(site);
      expect(verdictOf(said)).toEqual(['deploy.admission']);
      expect(said.text).toMatch(/denied request: closed for the holidays, .*\[redacted:github-token\]/);
      expect([isThere(), used(site), intended(site)]).toEqual([false, false, false]);
    });
  });
});

describe('another server than the contract’s', () => {
  const deployTo = async (server: string, ca: string) => {
    const site = scene.at('decided');
    await toCluster(site, server, ca);
    const { json } = await steps.gate(site, 'deploy', scene.image);
    return [site, await deploy(site, { decision: json.key })] as const;
  };

  itCluster('at the contract’s address is found out before it gets the token', async () => {
    const [site, said] = await deployTo(cluster.server, selfSigned(sandbox.folder('ca')).cert);
    expect(verdictOf(said)).toEqual(['deploy.cluster']);
    expect(said.text).toMatch(/is not cluster demo of contract\.yml: .*no token was sent/);
    expect(used(site)).toBe(false);
  });

  itCluster('that is not there is not reached', async () => {
    const [site, said] = await deployTo('https://127.0.0.1:1', cluster.ca);
    expect(said).toMatchObject({ code: 3, json: { code: 'http.unreachable' } });
    expect(used(site)).toBe(false);
  });
});

/** The decision is used up and the intent on record: now the outcome must say what is there. */
describe('a failure is on record when', () => {
  itCluster('it does not roll out in time', async () => {
    const site = scene.at('decided');
    const said = await deploy(site, {}, { played: { available: 0 } });
    expect(said).toMatchObject({ code: 1, json: { code: 'deploy.observed' } });
    expect(outcomeOf(site)).toMatchObject({
      outcome: 'failure',
      data: { differences: ['it has not rolled out within 1 s: 0 of 1 replicas are available'] },
    });
    expect(used(site)).toBe(true);
  });

  itCluster('F95 the nodes run another image than the server stores', async () => {
    const site = scene.at('decided');
    const imageId = () => `docker-pullable://${repository()}@${OLD}`;
    const said = await deploy(site, {}, { played: { imageId } });
    expect(said).toMatchObject({ code: 1, json: { code: 'deploy.observed' } });
    expect(outcomeOf(site)).toMatchObject({
      outcome: 'failure',
      data: { differences: [expect.stringMatching(`container app runs docker-pullable://.*${OLD}`)] },
    });
  });

  itCluster('the nodes name no digest that anybody decided on', async () => {
    const site = scene.at('decided');
    const said = await deploy(site, {}, { played: { imageId: () => `sha256:${'1'.repeat(64)}` } });
    expect(said).toMatchObject({ code: 1, json: { code: 'deploy.observed' } });
  });

  itCluster('a policy swaps the image, though not in a dry run', async () => {
    await withPolicy(swap('!request.?dryRun.orValue(false)'), async () => {
      const site = scene.at('decided');
      const said = await deploy(site);
      expect(said).toMatchObject({ code: 1, json: { code: 'deploy.observed' } });
      const { outcome, data } = outcomeOf(site);
      expect({ outcome, differences: data.differences }).toMatchObject({
        outcome: 'failure',
        differences: [expect.stringMatching(/containers app runs evil\.example\.org\/x:1, not /)],
      });
      expect(data.observedDigest).not.toBe(data.manifestDigest);
    });
  });

  itCluster('and refused while nothing is used up when it swaps the image in a dry run as well', async () => {
    await withPolicy(swap('true'), async () => {
      const site = scene.at('decided');
      expect(verdictOf(await deploy(site))).toEqual(['deploy.images']);
      expect([isThere(), used(site)]).toEqual([false, false]);
    });
  });
});

/** The objects of a policy while `act` runs, when it is in force. */
async function withPolicy(
  [policy, binding]: [policy: object, binding: object],
  act: () => Promise<void>,
): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items: [policy, binding] };
  cluster.ok(['apply'], list);
  try {
    await inForce();
    await act();
  } finally {
    cluster.ok(['delete'], list);
    await outOfForce();
  }
}

const PROBE = 'probe.example.org/x';
const probe = () =>
  cluster.kubectl(['create', '--dry-run=server', '-o', 'json'], {
    ...manifestOf(PROBE),
    metadata: { name: 'probe', namespace: NAME, labels: { probe: 'yes' } },
  });
const touched = () => {
  const { code, stdout } = probe();
  return code !== 0 || !stdout.includes(PROBE);
};
async function inForce(): Promise<void> {
  for (let tries = 0; tries < 600 && !touched(); tries++) await sleep(200);
  if (!touched()) throw new Error('the policy is not in force after two minutes');
}
async function outOfForce(): Promise<void> {
  for (let tries = 0; tries < 600 && touched(); tries++) await sleep(200);
}

const API = 'admissionregistration.k8s.io/v1';
const DEPLOYMENTS = {
  resourceRules: [
    { apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['deployments'] },
  ],
};
const bound = (kind: string, name: string, more: object = {}) => ({
  apiVersion: API,
  kind,
  metadata: { name },
  spec: { policyName: name, ...more },
});
function denial(): [object, object] {
  const message = `'closed for the holidays, ask with ghp_${'0123456789'.repeat(4)}'`;
  return [
    {
      apiVersion: API,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name: 'closed' },
      spec: { matchConstraints: DEPLOYMENTS, validations: [{ expression: 'false', messageExpression: message }] },
    },
    bound('ValidatingAdmissionPolicyBinding', 'closed', { validationActions: ['Deny'] }),
  ];
}
/** A policy that puts another image in; the probe is always changed, to see whether it is in force. */
function swap(when: string): [object, object] {
  const expression =
    'Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{containers: [Object.spec.template.spec.containers{name: "app", image: "evil.example.org/x:1"}]}}}}';
  return [
    {
      apiVersion: API,
      kind: 'MutatingAdmissionPolicy',
      metadata: { name: 'swap' },
      spec: {
        matchConstraints: DEPLOYMENTS,
        matchConditions: [{ name: 'when', expression: `(${when}) || has(object.metadata.labels)` }],
        failurePolicy: 'Fail',
        reinvocationPolicy: 'Never',
        mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
      },
    },
    bound('MutatingAdmissionPolicyBinding', 'swap'),
  ];
}

describe('each kind', () => {
  const IMAGE = { name: 'registry.example.org/app/web', digest: `sha256:${'a'.repeat(64)}` };
  const by = `${IMAGE.name}@${OLD}`;
  const labels = { app: 'kinds' };
  const template = {
    metadata: { labels },
    spec: {
      restartPolicy: 'Never',
      containers: [container(by, { command: ['/run'], env: [{ name: 'PASS', value: 'a-password' }] })],
    },
  };
  const always = { ...template, spec: { ...template.spec, restartPolicy: 'Always' } };
  const selector = { matchLabels: labels };
  const kinds: [kind: string, apiVersion: string, spec: object][] = [
    ['Deployment', 'apps/v1', { replicas: 0, selector, template: always }],
    ['StatefulSet', 'apps/v1', { replicas: 0, serviceName: 's', selector, template: always }],
    ['DaemonSet', 'apps/v1', { selector, template: always }],
    ['Job', 'batch/v1', { template }],
    ['CronJob', 'batch/v1', { schedule: '0 0 * * *', jobTemplate: { spec: { template } } }],
  ];

  const wayFor = (kind: string, manifest: object, token = cluster.tokens.deployer) => {
    return kubernetesWay({
      manifest: { file: 'manifest.yaml', bytes: Buffer.from(JSON.stringify(manifest)) },
      image: IMAGE,
      digests: new Set([IMAGE.digest]),
      target: { cluster: 'demo', namespace: NAME, kind, name: 'kinds' },
      api: kubernetesApi({ name: 'demo', server: cluster.server, certificates: [cluster.ca], token }, http),
      rolloutTimeout: 10_000,
      now: Date.now,
      // Its controller would have seen the change by now.
      sleep: async () => {
        const { metadata } = JSON.parse(cluster.ok(['-n', NAME, 'get', kind, 'kinds', '-o', 'json']));
        const status = JSON.stringify({ status: { observedGeneration: metadata.generation } });
        cluster.ok(['-n', NAME, 'patch', kind, 'kinds', '--subresource', 'status', '--type', 'merge', '-p', status]);
      },
      progress: () => {},
    });
  };
  const note = { title: 't', decisionId: 'd', deployId: 'o' };

  for (const [kind, apiVersion, spec] of kinds) {
    const manifest = { apiVersion, kind, metadata: { name: 'kinds', namespace: NAME }, spec };
    itCluster(`${kind}: what is observed is what the dry run showed`, async () => {
      const way = wayFor(kind, manifest);
      const plan = await way.plan();
      expect(cluster.kubectl(['-n', NAME, 'get', kind, 'kinds']).code).not.toBe(0);
      const observed = await way.observe(plan, await way.act(plan, note));
      expect(observed).toMatchObject({ observedDigest: plan.manifestDigest, differences: [] });
      expect(cluster.ok(['-n', NAME, 'get', kind, 'kinds', '-o', 'json'])).toContain(`${IMAGE.name}@${IMAGE.digest}`);
      cluster.ok(['-n', NAME, 'delete', kind, 'kinds', '--wait=false']);
    });
  }

  const [, , deployed] = kinds[0] as (typeof kinds)[number];
  const manifest = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'kinds', namespace: NAME },
    spec: deployed,
  };
  itCluster('that somebody changed after the plan is a conflict, and stays as they left it', async () => {
    cluster.ok(['create'], manifest);
    const way = wayFor('Deployment', manifest);
    const plan = await way.plan();
    cluster.ok(['-n', NAME, 'scale', 'deployment/kinds', '--replicas=2']);
    await expect(way.act(plan, note)).rejects.toMatchObject({ code: 'kubernetes.conflict', exit: 3 });
    expect(cluster.ok(['-n', NAME, 'get', 'deployment', 'kinds', '-o', 'json'])).toContain(by);
  });

  itCluster('whose status alone has moved on is deployed', async () => {
    cluster.ok(['create'], manifest);
    const way = wayFor('Deployment', manifest);
    const plan = await way.plan();
    const status = JSON.stringify({ status: { observedGeneration: 1 } });
    cluster.ok([
      '-n',
      NAME,
      'patch',
      'deployment',
      'kinds',
      '--subresource',
      'status',
      '--type',
      'merge',
      '-p',
      status,
    ]);
    expect(await way.observe(plan, await way.act(plan, note))).toMatchObject({ differences: [] });
  });

  itCluster('Job: another image in one that is there already is refused by the server', async () => {
    const job = {
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: 'kinds', namespace: NAME },
      spec: { template },
    };
    cluster.ok(['create'], job);
    const refusal = await wayFor('Job', job)
      .plan()
      .catch((thrown: Error) => thrown);
    expect(refusal).toMatchObject({
      code: 'manifest.invalid',
      message: expect.stringMatching(/spec\.template: Invalid value: field is immutable/),
    });
    // The server quotes the whole template, and what its variables hold.
    expect((refusal as Error).message).not.toContain('a-password');
    cluster.ok(['-n', NAME, 'delete', 'job', 'kinds', '--wait=false']);
  });
});

itCluster('the role of the guide allows the deploy and nothing else', () => {
  const can = (verb: string, resource: string, namespace = NAME) =>
    cluster.kubectl(['auth', 'can-i', verb, resource, '-n', namespace], undefined, 'deployer').stdout.trim();
  const allowed = ['get', 'create', 'patch'].map((verb) => can(verb, 'deployments.apps'));
  expect([...allowed, can('list', 'pods')]).toEqual(['yes', 'yes', 'yes', 'yes']);
  const refused = [
    can('get', 'secrets'),
    can('delete', 'deployments.apps'),
    can('create', 'pods'),
    can('patch', 'deployments.apps', 'other'),
  ];
  expect(refused).toEqual(['no', 'no', 'no', 'no']);
});
