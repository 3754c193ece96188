import { BadInput } from '../../lib/errors.ts';
import { orMeant } from '../../lib/similar.ts';
import { type PodTemplate, podTemplate, type Workload } from './objects.ts';

/** What rolls out: still going on and how far it is, done, or failed for good. */
export type Rollout = { state: 'done' } | { state: 'waiting' | 'failed'; why: string };

interface Kind {
  apiVersion: string;
  plural: string;
  /** Where its pod template is. */
  template: readonly string[];
  rollout(object: Workload): Rollout;
}

const DONE: Rollout = { state: 'done' };
const TEMPLATE = ['spec', 'template'];

/**
 * The kinds that can be deployed to a cluster directly. Bare pods and replica sets are not among them: nothing replaces their
 * pods when the image changes. A CronJob and a Job have nothing that rolls out: what they run is compared where it runs already.
 */
const kinds: Readonly<Record<string, Kind>> = {
  Deployment: { apiVersion: 'apps/v1', plural: 'deployments', template: TEMPLATE, rollout: deployment },
  StatefulSet: { apiVersion: 'apps/v1', plural: 'statefulsets', template: TEMPLATE, rollout: statefulSet },
  DaemonSet: { apiVersion: 'apps/v1', plural: 'daemonsets', template: TEMPLATE, rollout: daemonSet },
  Job: { apiVersion: 'batch/v1', plural: 'jobs', template: TEMPLATE, rollout: () => DONE },
  CronJob: {
    apiVersion: 'batch/v1',
    plural: 'cronjobs',
    template: ['spec', 'jobTemplate', 'spec', 'template'],
    rollout: () => DONE,
  },
};

/** Throws BadInput for a kind that is not deployed. */
export function kindOf(name: string): Kind {
  const kind = Object.hasOwn(kinds, name) ? kinds[name] : undefined;
  if (kind !== undefined) return kind;
  const known = Object.keys(kinds);
  throw new BadInput(
    'kubernetes.kind',
    `a ${name} cannot be deployed to a cluster directly${orMeant(name, known)} Known are ${known.join(', ')}`,
  );
}

/** The object's pod template, or what is wrong with it. */
export function templateOf(object: { kind: string; [name: string]: unknown }) {
  return podTemplate.safeParse(kindOf(object.kind).template.reduce(into, object as unknown));
}

function into(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[key] : undefined;
}

/** The template without what every creation of a Job makes anew: the labels that name its uid. */
export function lasting(template: PodTemplate): PodTemplate {
  const labels = Object.entries(template.metadata?.labels ?? {}).filter(
    ([name]) => name !== 'controller-uid' && name !== 'batch.kubernetes.io/controller-uid',
  );
  return { ...template, metadata: { ...template.metadata, labels: Object.fromEntries(labels) } };
}

/** The rules of `kubectl rollout status`. */
function deployment(object: Workload): Rollout {
  if (object.spec.paused === true) return { state: 'failed', why: 'it is paused (spec.paused)' };
  const progressing = object.status?.conditions?.find(({ type }) => type === 'Progressing');
  const { wanted, of } = counts(object, object.spec.replicas);
  if (!seen(object)) return waiting('its controller has not seen the change');
  if (progressing?.reason === 'ProgressDeadlineExceeded')
    return { state: 'failed', why: 'it made no progress (ProgressDeadlineExceeded)' };
  if (of('updatedReplicas') < wanted) return waiting(`${of('updatedReplicas')} of ${wanted} replicas are updated`);
  if (of('replicas') > of('updatedReplicas'))
    return waiting(`${of('replicas') - of('updatedReplicas')} old replicas are still there`);
  if (of('availableReplicas') < wanted)
    return waiting(`${of('availableReplicas')} of ${wanted} replicas are available`);
  return DONE;
}

function statefulSet(object: Workload): Rollout {
  const { wanted, of } = counts(object, object.spec.replicas);
  if (!seen(object)) return waiting('its controller has not seen the change');
  if (of('updatedReplicas') < wanted) return waiting(`${of('updatedReplicas')} of ${wanted} replicas are updated`);
  if (of('readyReplicas') < wanted) return waiting(`${of('readyReplicas')} of ${wanted} replicas are ready`);
  return DONE;
}

function daemonSet(object: Workload): Rollout {
  const { of } = counts(object, 0);
  const wanted = of('desiredNumberScheduled');
  if (!seen(object)) return waiting('its controller has not seen the change');
  if (of('updatedNumberScheduled') < wanted)
    return waiting(`${of('updatedNumberScheduled')} of ${wanted} nodes are updated`);
  if (of('numberAvailable') < wanted) return waiting(`${of('numberAvailable')} of ${wanted} nodes are available`);
  return DONE;
}

function waiting(why: string): Rollout {
  return { state: 'waiting', why };
}

function seen({ metadata, status }: Workload): boolean {
  return number(status?.observedGeneration) >= metadata.generation;
}

/** The replicas that are wanted (1 where nothing says it), and numbers out of the status, where absent means 0. */
function counts({ status }: Workload, replicas: unknown) {
  return { wanted: replicas === undefined ? 1 : number(replicas), of: (name: string) => number(status?.[name]) };
}

function number(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}
