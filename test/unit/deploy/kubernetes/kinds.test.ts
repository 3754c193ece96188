import { imagesOf } from '../../../../src/deploy/kubernetes/compare.ts';
import { kindOf, lasting, templateOf } from '../../../../src/deploy/kubernetes/kinds.ts';
import { workload } from '../../../../src/deploy/kubernetes/objects.ts';

const rollout = (kind: string, spec: object, status: object | undefined, generation = 2) =>
  kindOf(kind).rollout(
    workload.parse({
      apiVersion: 'v1',
      kind,
      metadata: { name: 'n', namespace: 's', uid: 'u', generation },
      spec,
      ...(status === undefined ? {} : { status }),
    }),
  );

describe('a rollout', () => {
  const seen = { observedGeneration: 2 };
  const all = { ...seen, replicas: 3, updatedReplicas: 3, availableReplicas: 3, readyReplicas: 3 };
  const nodes = { ...seen, desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3 };
  const three = { replicas: 3 };
  const late = { conditions: [{ type: 'Progressing', status: 'False', reason: 'ProgressDeadlineExceeded' }] };
  it.each<[what: string, kind: string, spec: object, status: object | undefined, state: string, why?: RegExp]>([
    ['all replicas', 'Deployment', three, all, 'done'],
    ['no replica, as wanted', 'Deployment', { replicas: 0 }, seen, 'done'],
    ['one replica where the number is left out', 'Deployment', {}, seen, 'waiting', /0 of 1 replicas are updated/],
    ['no status', 'Deployment', three, undefined, 'waiting', /has not seen/],
    ['the status of before', 'Deployment', three, { ...all, observedGeneration: 1 }, 'waiting', /has not seen/],
    ['too few updated', 'Deployment', three, { ...all, updatedReplicas: 2 }, 'waiting', /2 of 3 replicas are updated/],
    ['old ones still there', 'Deployment', three, { ...all, replicas: 4 }, 'waiting', /1 old replicas/],
    [
      'too few available',
      'Deployment',
      three,
      { ...all, availableReplicas: 1 },
      'waiting',
      /1 of 3 replicas are available/,
    ],
    ['a number that is text', 'Deployment', three, { ...all, availableReplicas: '3' }, 'waiting', /0 of 3/],
    [
      'no progress',
      'Deployment',
      three,
      { ...all, ...late, availableReplicas: 1 },
      'failed',
      /ProgressDeadlineExceeded/,
    ],
    ['paused', 'Deployment', { ...three, paused: true }, all, 'failed', /paused/],
    ['all replicas', 'StatefulSet', three, all, 'done'],
    ['the status of before', 'StatefulSet', three, { ...all, observedGeneration: 1 }, 'waiting', /has not seen/],
    ['a partition', 'StatefulSet', three, { ...all, updatedReplicas: 1 }, 'waiting', /1 of 3 replicas are updated/],
    ['too few ready', 'StatefulSet', three, { ...all, readyReplicas: 2 }, 'waiting', /2 of 3 replicas are ready/],
    ['all nodes', 'DaemonSet', {}, nodes, 'done'],
    ['no nodes', 'DaemonSet', {}, seen, 'done'],
    ['the status of before', 'DaemonSet', {}, { ...nodes, observedGeneration: 1 }, 'waiting', /has not seen/],
    ['too few nodes', 'DaemonSet', {}, { ...nodes, updatedNumberScheduled: 1 }, 'waiting', /1 of 3 nodes are updated/],
    ['nodes not available', 'DaemonSet', {}, { ...nodes, numberAvailable: 0 }, 'waiting', /0 of 3 nodes are available/],
    ['nothing that rolls out', 'CronJob', {}, undefined, 'done'],
    ['nothing that rolls out', 'Job', {}, undefined, 'done'],
  ])('with %s: %s', (_, kind, spec, status, state, why = /^$/) => {
    const said = rollout(kind, spec, status);
    expect(said.state).toBe(state);
    expect('why' in said ? said.why : '').toMatch(why);
  });
});

it.each([
  ['Pod', /cannot be deployed.*Known are Deployment/],
  ['Deploymnt', /did you mean Deployment\?/],
  ['constructor', /cannot be deployed/],
])('a %s is not deployed', (kind, message) => {
  expect(() => kindOf(kind)).toThrow(
    expect.objectContaining({ code: 'kubernetes.kind', exit: 2, message: expect.stringMatching(message) }),
  );
});

it('a template is found where the kind has it, and nothing else is taken for one', () => {
  const template = { spec: { containers: [{ name: 'a', image: 'x' }] } };
  expect(templateOf({ kind: 'CronJob', spec: { jobTemplate: { spec: { template } } } }).success).toBe(true);
  for (const spec of [
    undefined,
    null,
    'x',
    { template: null },
    { template: { spec: { containers: [] } } },
    { jobTemplate: { spec: { template } } },
  ])
    expect(templateOf({ kind: 'Deployment', spec }).success).toBe(false);
});

it.each([
  ['a secret', { name: 'token', secret: { secretName: 'x' } }],
  ['what every cluster adds to its pods', { name: 'kube-api-access-x', projected: { sources: [] } }],
  ['an image, which is compared', { name: 'v', image: { reference: 'x' } }],
])('a template may mount %s', (_, volume) => {
  const template = { spec: { containers: [{ name: 'a', image: 'x' }], volumes: [volume] } };
  const { success, data } = templateOf({ kind: 'Deployment', spec: { template } });
  expect({ success, images: data && imagesOf(data.spec).length }).toEqual({
    success: true,
    images: 'image' in volume ? 2 : 1,
  });
});

it('labels that each creation of a Job makes anew are not of its template', () => {
  const labels = { app: 'a', 'controller-uid': '1', 'batch.kubernetes.io/controller-uid': '1', 'job-name': 'j' };
  const spec = { containers: [{ name: 'a' }] };
  expect(lasting({ metadata: { labels }, spec }).metadata?.labels).toEqual({ app: 'a', 'job-name': 'j' });
});
