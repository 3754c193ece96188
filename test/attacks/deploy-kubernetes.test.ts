import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { type Site, TARGET } from '../../src/commands/demo/site.ts';
import { keyFlag } from '../support/bad-input.ts';
import { editContract, steps, verdictOf } from '../support/direct.ts';
import {
  type Behaviour,
  type FakeKubernetes,
  type KubernetesObject,
  startFakeKubernetes,
  status,
} from '../support/fake-kubernetes.ts';
import { installProgram, keysIn, playRun, recordOf, type Scene, storePath } from '../support/gate-scene.ts';
import { startServer, type TestServer } from '../support/json-server.ts';
import { cleanEnvironment, sandboxes } from '../support/sandbox.ts';

/* Attacks on a deploy to a cluster that a real API server takes no part in; the others are in test/interop/kubernetes.test.ts. */

const sandbox = sandboxes();
const TOKEN = 'cluster-token-0123456789-abcdefghij';
const NAME = 'lab-results';
const OLD = `sha256:${'0'.repeat(64)}`;
let fake: FakeKubernetes;
let elsewhere: TestServer;
let scene: Scene;
beforeAll(async () => {
  fake = await startFakeKubernetes(sandbox.folder('fake'));
  elsewhere = await startServer(() => ({ json: {} }));
  scene = await playRun(sandbox.folder('deploy'), undefined, 'decided', (site) =>
    editContract(site, (contract) =>
      Object.assign(contract, { clusters: { demo: { server: fake.url, certificates: [fake.ca] } } }),
    ),
  );
});
beforeEach(() => fake.reset());
afterAll(async () => {
  await Promise.all([fake.close(), elsewhere.close(), scene.registry.close()]);
  sandbox.clean();
});

const repository = () => scene.image.split('@')[0] as string;
const manifest = () => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: NAME, namespace: NAME },
  spec: {
    selector: { matchLabels: { app: NAME } },
    template: {
      metadata: { labels: { app: NAME } },
      spec: { containers: [{ name: 'app', image: `${repository()}@${OLD}`, command: ['/app'] }] },
    },
  },
});

interface Asked {
  changes?: Record<string, string>;
  env?: Record<string, string>;
  token?: string;
}

/** The deploy that was decided on, to the fake. The token is in nothing that is printed or kept, whatever happens. */
async function deploy(site: Site, { changes = {}, env = {}, token = TOKEN }: Asked = {}) {
  writeFileSync(site.path('app.yaml'), JSON.stringify(manifest()));
  writeFileSync(site.path('token'), token, { mode: 0o600 });
  const flags = {
    ...{ method: 'kubernetes', decision: scene.decisions.deploy, image: scene.image },
    ...{ manifest: site.path('app.yaml'), 'token-file': site.path('token'), 'rollout-timeout': '1s' },
    ...changes,
  };
  const said = await steps.deploy(site, flags, { env: { PATH: process.env.PATH, HOME: site.folder, ...env } });
  expect(JSON.stringify(said)).not.toContain(TOKEN);
  for (const key of keysIn(site)) {
    const text = readFileSync(storePath(site, key), 'utf8');
    const [, payload = ''] = /"payload":"([^"]*)"/.exec(text) ?? [];
    expect(text + Buffer.from(payload, 'base64').toString('utf8')).not.toContain(TOKEN);
  }
  return said;
}
const used = (site: Site) => keysIn(site).some((key) => key.startsWith('v1/once/'));
const outcomeOf = (site: Site) => recordOf(site, 'deploy.outcome').record;
const applied = () => fake.seen.filter(({ method, query }) => method === 'PATCH' && query.get('dryRun') === null);
const podOf = (object: KubernetesObject) => object.spec.template.spec;
const changed = (change: (object: KubernetesObject) => unknown) => (object: KubernetesObject) => {
  const copy = structuredClone(object);
  change(copy);
  return copy;
};
const evil = changed((object) => Object.assign(podOf(object).containers[0], { image: 'evil.example.org/x:1' }));

it('the fake takes the deploy that was decided on, at the decided digest', async () => {
  const site = scene.at('decided');
  expect(await deploy(site)).toMatchObject({ code: 0, json: { status: 'deployed' } });
  expect(podOf(fake.object).containers[0].image).toBe(scene.image);
  expect(fake.seen.every(({ headers }) => headers.authorization === `Bearer ${TOKEN}`)).toBe(true);
  expect(outcomeOf(site).outcome).toBe('success');
});

describe('what is observed decides, not what the server answers', () => {
  const pod = (image: string, imageID = '') => ({
    metadata: { name: 'p' },
    spec: { containers: [{ name: 'app', image }] },
    status: { phase: 'Running', containerStatuses: [{ name: 'app', imageID }] },
  });
  it.each<[what: string, behaviour: () => Behaviour, difference: RegExp]>([
    [
      'it stores another image and answers with ours',
      () => ({ stored: evil, answered: unevil }),
      /containers app runs evil/,
    ],
    [
      'it stores one container more',
      () => ({ stored: changed((o) => podOf(o).containers.push({ name: 'more', image: scene.image })) }),
      /containers are app, more; the manifest has app/,
    ],
    [
      'it stores an init container of the very image',
      () => ({
        stored: changed((o) => Object.assign(podOf(o), { initContainers: [{ name: 'i', image: scene.image }] })),
      }),
      /initContainers are i; the manifest has none/,
    ],
    [
      'it stores another command',
      () => ({ stored: changed((o) => Object.assign(podOf(o).containers[0], { command: ['/bin/sh'] })) }),
      /containers app has another command/,
    ],
    [
      'it stores other arguments',
      () => ({ stored: changed((o) => Object.assign(podOf(o).containers[0], { args: ['--debug'] })) }),
      /containers app has another args/,
    ],
    [
      'it stores an image volume',
      () => ({
        stored: changed((o) =>
          Object.assign(podOf(o), { volumes: [{ name: 'v', image: { reference: scene.image } }] }),
        ),
      }),
      /volumes v runs/,
    ],
    [
      'it stores anything else in the pod than it has shown',
      () => ({ stored: changed((o) => Object.assign(podOf(o), { hostPID: true })) }),
      /not what the dry run showed/,
    ],
    ['the workload is gone', () => ({ read: (object, times) => (times > 0 ? null : object) }), /is gone/],
    [
      'the workload is another one of the same name',
      () => ({ read: changed((o) => Object.assign(o.metadata, { uid: 'u2' })) }),
      /was deleted and made again/,
    ],
    [
      'the image changes while it rolls out',
      () => ({
        read: (object, times) =>
          times > 1 ? evil(object) : changed((o) => Object.assign(o.status, { availableReplicas: 0 }))(object),
      }),
      /containers app runs evil/,
    ],
    [
      'a pod is to run another image',
      () => ({ pods: [pod(scene.image), pod('evil.example.org/x:1')] }),
      /pod p: containers app is to run evil/,
    ],
    [
      'a pod runs another digest',
      () => ({ pods: [pod(scene.image, `${repository()}@${OLD}`)] }),
      /container app runs .*0000/,
    ],
  ])('%s', async (_, behaviour, difference) => {
    fake.reset(behaviour());
    const site = scene.at('decided');
    const said = await deploy(site);
    expect(said).toMatchObject({
      code: 1,
      json: { code: 'deploy.observed', message: expect.stringMatching(difference) },
    });
    expect(outcomeOf(site)).toMatchObject({
      outcome: 'failure',
      opId: recordOf(site, 'deploy.intent').record.opId,
      data: { differences: [expect.stringMatching(difference)] },
    });
    // Whether to go back is a decision of its own.
    expect(verdictOf(await deploy(site))).toEqual(['deploy.once']);
  });
  const unevil = (object: KubernetesObject) =>
    changed((o) => Object.assign(podOf(o).containers[0], { image: scene.image }))(object);
});

describe('an answer that is lost', () => {
  it('after the change was stored is looked up: it is deployed', async () => {
    fake.reset({ instead: (_, kind) => (kind === 'apply' ? { hangUp: true } : undefined) });
    const site = scene.at('decided');
    expect(await deploy(site)).toMatchObject({ code: 0 });
    expect(applied()).toHaveLength(1);
    expect(outcomeOf(site).outcome).toBe('success');
  });

  it('before anything was stored is an error on record', async () => {
    fake.reset({ instead: (_, kind) => (kind === 'apply' ? { hangUp: true, status: 0 } : undefined) });
    const site = scene.at('decided');
    expect(await deploy(site)).toMatchObject({ code: 3, json: { code: 'http.unreachable' } });
    expect(outcomeOf(site)).toMatchObject({
      outcome: 'error',
      data: { error: expect.stringContaining('could not apply') },
    });
    expect(used(site)).toBe(true);
  });

  it('while it is observed is an error on record: nobody has seen what is there', async () => {
    fake.reset({ instead: (_, kind) => (kind === 'pods' ? { hangUp: true } : undefined) });
    const site = scene.at('decided');
    expect((await deploy(site)).code).toBe(3);
    expect(outcomeOf(site)).toMatchObject({ outcome: 'error', data: { observedDigest: null } });
  });
});

it('a server that is away for a while during the rollout is asked again', async () => {
  const site = scene.at('decided');
  let reads = 0;
  fake.reset({ instead: (_, kind) => (kind === 'read' && ++reads === 2 ? { hangUp: true } : undefined) });
  expect((await deploy(site)).code).toBe(0);
  expect(outcomeOf(site).outcome).toBe('success');
});

it('F94 killed while it applies, it leaves an intent without outcome: the ledger shows it, and a retry is refused', async () => {
  const site = scene.at('decided');
  await installProgram(site);
  const { json: decided } = await steps.gate(site, 'deploy', scene.image);
  writeFileSync(site.path('app.yaml'), JSON.stringify(manifest()));
  writeFileSync(site.path('token'), TOKEN, { mode: 0o600 });
  const flags = {
    ...{ method: 'kubernetes', decision: decided.key, image: scene.image, environment: 'production', target: TARGET },
    ...{ manifest: site.path('app.yaml'), 'token-file': site.path('token'), run: site.path('run.json') },
  };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
  const child = spawn(process.execPath, [site.program, 'deploy-by-digest', ...words, ...keyFlag(site, 'deploy')], {
    env: cleanEnvironment(site.folder),
    stdio: 'ignore',
  });
  fake.reset({
    instead: (_, kind) => {
      if (kind !== 'apply') return undefined;
      child.kill('SIGKILL');
      return { hangUp: true };
    },
  });
  expect(await new Promise((done) => child.on('exit', (_, signal) => done(signal)))).toBe('SIGKILL');
  expect(recordOf(site, 'deploy.intent').record.data).toMatchObject({ decisionId: decided.id, method: 'kubernetes' });
  expect(keysIn(site).some((key) => key.includes('-deploy.outcome-'))).toBe(false);
  fake.reset();
  expect(verdictOf(await deploy(site, { changes: { decision: decided.key } }))).toEqual(['deploy.once']);
  expect(applied()).toEqual([]);
});

it('a manifest that changes after it was read is deployed as it was read', async () => {
  const site = scene.at('decided');
  const instead: Behaviour['instead'] = (_, kind) => {
    if (kind === 'dryRun') writeFileSync(site.path('app.yaml'), JSON.stringify(evil(manifest())));
    return undefined;
  };
  fake.reset({ instead });
  expect((await deploy(site)).code).toBe(0);
  expect(applied().map(({ body }) => podOf(JSON.parse(body.toString())).containers)).toEqual([
    [{ name: 'app', image: scene.image, command: ['/app'] }],
  ]);
});

describe('before anything is used up, it ends with', () => {
  const refuse = (code: number, reason: string, message: string) => ({
    status: code,
    json: status(code, reason, message),
  });
  it.each<[what: string, reply: () => ReturnType<typeof refuse> | object, exit: number, code: string, message: RegExp]>(
    [
      [
        'a token that is echoed',
        () => refuse(500, 'InternalError', `bad header Bearer ${TOKEN}`),
        3,
        'kubernetes.failed',
        /\[redacted:token\]/,
      ],
      [
        'a server that is busy',
        () => refuse(429, 'TooManyRequests', 'later'),
        3,
        'kubernetes.failed',
        /429: later; try again/,
      ],
      [
        'a gateway in front of it',
        () => ({ status: 503, bytes: '<html>no</html>' }),
        3,
        'kubernetes.failed',
        /503: it does not say why/,
      ],
      [
        'a right that is missing',
        () => refuse(403, 'Forbidden', 'User "x" cannot patch'),
        3,
        'kubernetes.forbidden',
        /docs\/deploy\.md/,
      ],
      [
        'a namespace that is missing',
        () => refuse(404, 'NotFound', 'namespaces "lab-results" not found'),
        2,
        'kubernetes.namespace',
        /create the namespace/,
      ],
      [
        'a manifest that is invalid',
        () => refuse(422, 'Invalid', 'spec.x: no'),
        2,
        'manifest.invalid',
        /spec\.x: no; correct the manifest/,
      ],
      [
        'a webhook that refuses',
        () => refuse(400, '', 'admission webhook "w.example.org" denied the request: no'),
        1,
        'deploy.admission',
        /denied the request: no/,
      ],
      ['half an answer', () => ({ bytes: '{"kind":' }), 3, 'kubernetes.answer', /not understood/],
      [
        'an answer of another kind',
        () => ({ json: { kind: 'List', items: [] } }),
        3,
        'kubernetes.answer',
        /not understood/,
      ],
      [
        'an answer about another workload',
        () => ({
          json: { ...(fake.object as object), ...manifest(), metadata: { name: 'other', namespace: NAME, uid: 'u' } },
        }),
        3,
        'kubernetes.answer',
        /something else than Deployment/,
      ],
      [
        'a redirect, which gets no token',
        () => ({ status: 307, headers: { location: elsewhere.url } }),
        3,
        'http.redirect',
        /never followed/,
      ],
    ],
  )('%s', async (_, reply, exit, code, message) => {
    fake.reset({ instead: (__, kind) => (kind === 'dryRun' ? reply() : undefined) });
    const site = scene.at('decided');
    const said = await deploy(site);
    expect(said.code).toBe(exit);
    expect([verdictOf(said)].flat()).toEqual([code]);
    expect(said.text).toMatch(message);
    expect([used(site), applied().length, elsewhere.seen.length]).toEqual([false, 0, 0]);
  });

  it.each<[what: string, asked: Asked, verdict: string | string[], message: RegExp]>([
    [
      'a decision of another cluster',
      { changes: { target: `prod/${NAME}/Deployment/${NAME}` } },
      ['deploy.decision'],
      /another target/,
    ],
    [
      'a decision of another namespace',
      { changes: { target: `demo/other/Deployment/${NAME}` } },
      ['deploy.decision'],
      /another target/,
    ],
    [
      'a decision of another kind',
      { changes: { target: `demo/${NAME}/DaemonSet/${NAME}` } },
      ['deploy.decision'],
      /another target/,
    ],
    [
      'a kubeconfig for a token',
      { token: 'apiVersion: v1\nkind: Config\n' },
      'kubernetes.token',
      /a kubeconfig, or several lines/,
    ],
    ['an empty token', { token: '\n' }, 'kubernetes.token', /it is empty/],
    [
      'a token with a line end that would end its header',
      { token: `${TOKEN}\r\nx: y` },
      'kubernetes.token',
      /several lines/,
    ],
    [
      'a token file that is not there',
      { changes: { 'token-file': '/nonexistent' } },
      'file.unreadable',
      /no such file/,
    ],
    ['a proxy', { env: { HTTPS_PROXY: 'http://127.0.0.1:1' } }, 'environment.redirected', /HTTPS_PROXY/],
    [
      'authorities of the environment',
      { env: { NODE_EXTRA_CA_CERTS: '/x' } },
      'environment.redirected',
      /NODE_EXTRA_CA_CERTS/,
    ],
    ['a token for a commit', { changes: { method: 'gitops' } }, 'inputs.token_file', /leave it out/],
  ])('%s', async (_, asked, verdict, message) => {
    const site = scene.at('decided');
    const said = await deploy(site, asked);
    expect(verdictOf(said)).toEqual(verdict);
    expect(said.text).toMatch(message);
    expect([used(site), fake.seen.length]).toEqual([false, 0]);
  });

  it('F93 a target that follows a branch, which whoever calls would pass by', async () => {
    const site = scene.at('decided');
    await editContract(site, ({ environments }) => {
      environments.production.targets[0].manifests = { repository: 'https://git.example.org/gitops', branch: 'main' };
    });
    const { json } = await steps.gate(site, 'deploy', scene.image);
    const said = await deploy(site, { changes: { decision: json.key } });
    expect(verdictOf(said)).toEqual(['deploy.target']);
    expect(said.text).toMatch(
      /follows branch main of https:\/\/git\.example\.org\/gitops: it is deployed to by method gitops/,
    );
    expect([used(site), fake.seen.length]).toEqual([false, 0]);
  });

  it('a cluster that the contract does not describe', async () => {
    const site = scene.at('decided');
    await editContract(site, (contract) => Object.assign(contract, { clusters: { dem: contract.clusters.demo } }));
    const { json } = await steps.gate(site, 'deploy', scene.image);
    const said = await deploy(site, { changes: { decision: json.key } });
    expect(said).toMatchObject({ code: 2, json: { code: 'kubernetes.cluster' } });
    expect(said.text).toMatch(/describes no cluster demo.*it has dem/);
    expect([used(site), fake.seen.length]).toEqual([false, 0]);
  });
});

it('a conflict is an error on record, and is not sent again over what somebody else has changed', async () => {
  const [refused, theirs] = [status(409, 'Conflict', 'the object has been modified'), { replicas: 7 }];
  fake.reset(
    { instead: (_, kind) => (kind === 'apply' ? { status: 409, json: refused } : undefined) },
    { ...manifest(), metadata: { ...manifest().metadata, uid: 'u1', resourceVersion: '10', generation: 1 } },
  );
  let reads = 0;
  fake.behaviour.read = (object) =>
    ++reads > 1
      ? { ...object, metadata: { ...object.metadata, generation: 2 }, spec: { ...object.spec, ...theirs } }
      : object;
  const site = scene.at('decided');
  expect(await deploy(site)).toMatchObject({ code: 3, json: { code: 'kubernetes.conflict' } });
  expect(applied().map(({ body }) => JSON.parse(body.toString()).metadata.resourceVersion)).toEqual(['10']);
  expect(outcomeOf(site).outcome).toBe('error');
});
