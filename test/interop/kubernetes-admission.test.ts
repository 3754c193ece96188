import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { imagePolicy } from '../../src/admission/policy.ts';
import { parseContract } from '../../src/contract/load-contract.ts';
import { CLUSTER_TOOLS, hasClusterTools, startCluster, type TestCluster } from '../support/kubernetes.ts';
import { pageCommand } from '../support/page-command.ts';
import { layRelease } from '../support/release.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

/* The generated policy, judged by the API server that it is for. */

const sandbox = sandboxes();
const itCluster = itWith(...CLUSTER_TOOLS);
let cluster: TestCluster;
const closing: (() => Promise<void>)[] = [];

const HEX = 'a'.repeat(64);
const GOOD = `registry.example.org/app/web@sha256:${HEX}`;
const CONTRACT = 'test/fixtures/gate/contract.yml';
const contract = parseContract(readFileSync(CONTRACT), 'contract.yml').file;

beforeAll(async () => {
  if (!hasClusterTools) return;
  cluster = await startCluster(sandbox.folder('kube'));
  closing.push(cluster.close);
  for (const name of ['web', 'elsewhere'])
    cluster.ok(['create'], { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  cluster.ok(['create'], deployment('old', one('busybox'), { replicas: 1 }));
  cluster.ok(['apply'], CUSTOM);
  cluster.ok(['apply'], {
    apiVersion: 'v1',
    kind: 'List',
    items: imagePolicy(contract, { environment: undefined, cluster: undefined }),
  });
  await inForce();
});
afterAll(async () => {
  for (const close of closing) await close();
  sandbox.clean();
});

/** The API server compiles policies within a second or so of their creation. */
async function inForce(): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (attempt(pod({ containers: [{ name: 'a', image: 'x:1' }] })).code !== 0) return;
    await sleep(200);
  }
  throw new Error('the policy is not in force after two minutes');
}

const attempt = (object: object) => cluster.kubectl(['create', '--dry-run=server'], object);

type Spec = Record<string, unknown>;
const pod = (spec: Spec, namespace = 'web') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace },
  spec,
});
const labels = { app: 'a' };
const template = (spec: Spec) => ({ metadata: { labels }, spec });
const workload = (kind: string, apiVersion: string, spec: Spec, name = 'w') => ({
  apiVersion,
  kind,
  metadata: { name, namespace: 'web' },
  spec,
});
const deployment = (name: string, spec: Spec, more: Spec = {}) =>
  workload('Deployment', 'apps/v1', { selector: { matchLabels: labels }, template: template(spec), ...more }, name);
const never = (spec: Spec) => ({ restartPolicy: 'Never', ...spec });

/** Every kind that has pods, around a pod's specification. */
const KINDS: Record<string, (spec: Spec) => object> = {
  Pod: (spec) => pod(spec),
  Deployment: (spec) => deployment('w', spec),
  StatefulSet: (spec) =>
    workload('StatefulSet', 'apps/v1', {
      serviceName: 's',
      selector: { matchLabels: labels },
      template: template(spec),
    }),
  DaemonSet: (spec) =>
    workload('DaemonSet', 'apps/v1', { selector: { matchLabels: labels }, template: template(spec) }),
  ReplicaSet: (spec) =>
    workload('ReplicaSet', 'apps/v1', { selector: { matchLabels: labels }, template: template(spec) }),
  ReplicationController: (spec) =>
    workload('ReplicationController', 'v1', { selector: labels, template: template(spec) }),
  Job: (spec) => workload('Job', 'batch/v1', { template: template(never(spec)) }),
  CronJob: (spec) =>
    workload('CronJob', 'batch/v1', {
      schedule: '0 0 * * *',
      jobTemplate: { spec: { template: template(never(spec)) } },
    }),
  PodTemplate: (spec) => ({
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: 'w', namespace: 'web' },
    template: template(spec),
  }),
  'a custom kind': (spec) => workload('Rollout', 'example.org/v1', { template: template(spec) }),
};

/** A kind of somebody's own that keeps a pod template where most do. */
const CUSTOM = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'rollouts.example.org' },
  spec: {
    group: 'example.org',
    names: { kind: 'Rollout', plural: 'rollouts', singular: 'rollout' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
};

const one = (image: string): Spec => ({ containers: [{ name: 'a', image }] });

describe.each(Object.keys(KINDS))('%s', (kind) => {
  const make = KINDS[kind] as (spec: Spec) => object;
  itCluster('is admitted with images by digest', () => {
    const spec = { initContainers: [{ name: 'i', image: GOOD }], ...one(GOOD) };
    expect(attempt(make(spec))).toMatchObject({ code: 0, stderr: '' });
  });

  itCluster('is refused with a tag', () => {
    const said = attempt(make(one('registry.example.org/app/web:1.0')));
    expect(said.code).not.toBe(0);
    expect(said.stderr).toMatch(
      /ValidatingAdmissionPolicy 'gatehouse-images'.*refused: registry\.example\.org\/app\/web:1\.0/,
    );
  });

  itCluster('is refused with one evil init container beside a good container', () => {
    const said = attempt(make({ initContainers: [{ name: 'i', image: 'evil.example.org/x' }], ...one(GOOD) }));
    expect(said.stderr).toMatch(/refused: evil\.example\.org\/x$/m);
  });
});

/** Each in a Deployment of its own; refused are exactly these images. */
describe.each<[what: string, spec: Spec, refused: string[]]>([
  ['by digest', one(GOOD), []],
  ['by digest, deeper in the registry', one(`registry.example.org/a/b-c/d__e/f.g@sha256:${HEX}`), []],
  ['by tag', one('registry.example.org/app/web:1.0'), ['registry.example.org/app/web:1.0']],
  [
    'by tag and digest: what the tag says is not what runs',
    one(`registry.example.org/app/web:1.0@sha256:${HEX}`),
    [`registry.example.org/app/web:1.0@sha256:${HEX}`],
  ],
  ['without anything', one('registry.example.org/app/web'), ['registry.example.org/app/web']],
  ['of a digest that is too short', one(GOOD.slice(0, -1)), [GOOD.slice(0, -1)]],
  ['of a digest that is too long', one(`${GOOD}a`), [`${GOOD}a`]],
  [
    'of a digest in capitals',
    one(GOOD.toUpperCase().replace(/^.*@SHA256/, 'registry.example.org/app/web@sha256')),
    [`registry.example.org/app/web@sha256:${'A'.repeat(64)}`],
  ],
  [
    'of another algorithm',
    one(`registry.example.org/app/web@sha512:${HEX}${HEX}`),
    [`registry.example.org/app/web@sha512:${HEX}${HEX}`],
  ],
  ['of another registry', one(`evil.example.org/app/web@sha256:${HEX}`), [`evil.example.org/app/web@sha256:${HEX}`]],
  [
    'of a registry whose name begins like ours',
    one(`registry.example.org.evil.org/x@sha256:${HEX}`),
    [`registry.example.org.evil.org/x@sha256:${HEX}`],
  ],
  [
    'of a registry whose name ends like ours',
    one(`evil-registry.example.org/x@sha256:${HEX}`),
    [`evil-registry.example.org/x@sha256:${HEX}`],
  ],
  [
    'of a name in which a dot is another letter',
    one(`registryxexample.org/x@sha256:${HEX}`),
    [`registryxexample.org/x@sha256:${HEX}`],
  ],
  ['of Docker Hub, by its short name', one(`web@sha256:${HEX}`), [`web@sha256:${HEX}`]],
  ['with a line end behind the digest', one(`${GOOD}\n`), [GOOD]],
  [
    'that is good beside one that is not',
    {
      containers: [
        { name: 'a', image: GOOD },
        { name: 'b', image: 'evil.example.org/x:1' },
        { name: 'c', image: GOOD },
      ],
    },
    ['evil.example.org/x:1'],
  ],
  [
    'that is good below an init container that is not',
    { initContainers: [{ name: 'i', image: 'x:1' }], ...one(GOOD) },
    ['x:1'],
  ],
  [
    'that a sidecar (restartable init container) brings',
    { initContainers: [{ name: 'i', image: 'x:1', restartPolicy: 'Always' }], ...one(GOOD) },
    ['x:1'],
  ],
  [
    'that is mounted by digest',
    {
      ...one(GOOD),
      volumes: [
        { name: 'v', image: { reference: GOOD } },
        { name: 'e', emptyDir: {} },
      ],
    },
    [],
  ],
  [
    'that is mounted by tag',
    { ...one(GOOD), volumes: [{ name: 'v', image: { reference: 'registry.example.org/data:1' } }] },
    ['registry.example.org/data:1'],
  ],
])('an image %s', (_, spec, refused) => {
  itCluster(refused.length === 0 ? 'is admitted' : 'is refused, and named', () => {
    const { code, stderr } = attempt(deployment('one', spec));
    if (refused.length === 0) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    else {
      expect(code).not.toBe(0);
      expect(stderr).toContain(`refused: ${refused.join(', ')}`);
    }
  });
});

itCluster('an image that is left out of a kind whose own schema does not ask for it is refused', () => {
  const rollout = workload('Rollout', 'example.org/v1', { template: template({ containers: [{ name: 'a' }] }) });
  expect(attempt(rollout).stderr).toMatch(/refused: \(none\)$/m);
});

describe('what is there already', () => {
  const bad = one('busybox');
  itCluster('stays changeable, so that it can be scaled down and taken away', () => {
    expect(cluster.kubectl(['-n', 'web', 'scale', 'deployment/old', '--replicas=0']).code).toBe(0);
    expect(cluster.kubectl(['-n', 'web', 'label', 'deployment/old', 'seen=yes']).code).toBe(0);
  });

  itCluster('gets no other bad image, also not by a second container', () => {
    for (const image of ['busybox:2', 'evil.example.org/x']) {
      const said = cluster.kubectl(['-n', 'web', 'set', 'image', 'deployment/old', `a=${image}`]);
      expect(said.stderr).toContain(`refused: ${image}`);
    }
    const two = { containers: [...(bad.containers as object[]), { name: 'b', image: 'x:1' }] };
    expect(cluster.kubectl(['replace', '--dry-run=server'], deployment('old', two)).stderr).toMatch(/refused: x:1$/m);
  });

  itCluster('makes no new pods of that image', () => {
    expect(attempt(pod(bad)).stderr).toContain('refused: busybox');
  });
});

describe('a running pod', () => {
  itCluster('gets no ephemeral container but by digest', () => {
    cluster.ok(['create'], { ...pod(one(GOOD)), metadata: { name: 'running', namespace: 'web' } });
    const debug = (image: string) =>
      cluster.kubectl([
        ...[
          '-n',
          'web',
          'patch',
          'pod',
          'running',
          '--subresource',
          'ephemeralcontainers',
          '--type',
          'strategic',
          '-p',
        ],
        JSON.stringify({ spec: { ephemeralContainers: [{ name: 'd', image }] } }),
      ]);
    expect(debug('busybox').stderr).toMatch(/gatehouse-images.*refused: busybox/);
    expect(debug(GOOD)).toMatchObject({ code: 0, stderr: '' });
  });
});

describe('other objects', () => {
  itCluster('without images are none of its business', () => {
    for (const object of [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'web' }, data: { image: 'x:1' } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 's', namespace: 'web' }, spec: { ports: [{ port: 80 }] } },
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'web' }, stringData: { spec: 'x' } },
      workload('Rollout', 'example.org/v1', { template: 'a word', jobTemplate: 3 }),
    ])
      expect(attempt(object)).toMatchObject({ code: 0, stderr: '' });
  });

  itCluster('in another namespace are not judged', () => {
    expect(attempt(pod(one('busybox'), 'elsewhere'))).toMatchObject({ code: 0, stderr: '' });
  });
});

itCluster('the API server finds nothing wrong with the policy, and has it as it was generated', () => {
  const there = JSON.parse(cluster.ok(['get', 'validatingadmissionpolicy', 'gatehouse-images', '-o', 'json']));
  const [made] = imagePolicy(contract, { environment: undefined, cluster: undefined }) as [{ spec: object }];
  expect(there.spec).toMatchObject(made.spec);
  expect(there.status?.typeChecking?.expressionWarnings ?? []).toEqual([]);
});

itCluster('is applied by the pipe of docs/deploy.md', () => {
  const fork = sandbox.folder('fork');
  layRelease(fork, CONTRACT);
  const script = [
    'set -euo pipefail',
    `gatehouse() { '${process.execPath}' '${fork}/dist/gatehouse.js' "$@"; }`,
    pageCommand('docs/deploy.md', 'gatehouse admission policy'),
  ];
  const PATH = `${dirname(toolPath('kubectl'))}:${process.env.PATH}`;
  const env = cleanEnvironment(fork, { KUBECONFIG: cluster.kubeconfig, PATH });
  const { code, stdout, stderr } = run('bash', ['-c', script.join('\n')], { env });
  expect([code, stderr]).toEqual([0, '']);
  for (const kind of ['validatingadmissionpolicy', 'validatingadmissionpolicybinding'])
    expect(stdout).toMatch(
      new RegExp(`^${kind}\\.admissionregistration\\.k8s\\.io/gatehouse-images-production created$`, 'm'),
    );
});
