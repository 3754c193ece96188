import { z } from 'zod';

/*
 * Kubernetes objects, as far as a deploy looks into them. Loose: a cluster may say more, and of the rest only digests are taken.
 */

const words = z.array(z.string()).nullish();

const container = z.looseObject({ name: z.string(), image: z.string().optional(), command: words, args: words });
export type Container = z.infer<typeof container>;

export const podSpec = z.looseObject({
  containers: z.array(container).min(1),
  initContainers: z.array(container).nullish(),
  ephemeralContainers: z.array(container).nullish(),
  volumes: z.array(z.looseObject({ name: z.string(), image: z.unknown() })).nullish(),
});
export type PodSpec = z.infer<typeof podSpec>;

export const podTemplate = z.looseObject({
  metadata: z.looseObject({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
  spec: podSpec,
});
export type PodTemplate = z.infer<typeof podTemplate>;

const requirement = z.looseObject({ key: z.string(), operator: z.string(), values: words });
const selector = z.looseObject({
  matchLabels: z.record(z.string(), z.string()).nullish(),
  matchExpressions: z.array(requirement).nullish(),
});
export type Selector = z.infer<typeof selector>;

/** A workload as the API server gives it. */
export const workload = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    resourceVersion: z.string().optional(),
    generation: z.int().default(0),
  }),
  spec: z.looseObject({ selector: selector.nullish() }),
  status: z
    .looseObject({
      conditions: z
        .array(z.looseObject({ type: z.string(), status: z.string(), reason: z.string().nullish() }))
        .nullish(),
    })
    .nullish(),
});
export type Workload = z.infer<typeof workload>;

const running = z.looseObject({ name: z.string(), imageID: z.string().default('') });
const statuses = z.array(running).nullish();
export const pod = z.looseObject({
  metadata: z.looseObject({ name: z.string(), deletionTimestamp: z.string().nullish() }),
  spec: podSpec,
  status: z
    .looseObject({
      phase: z.string().nullish(),
      containerStatuses: statuses,
      initContainerStatuses: statuses,
      ephemeralContainerStatuses: statuses,
    })
    .nullish(),
});
export type Pod = z.infer<typeof pod>;

export const podList = z.looseObject({
  items: z.array(pod),
  metadata: z.looseObject({ continue: z.string().nullish() }).nullish(),
});

/** What an API server answers when it does not do what it was asked. */
export const failure = z.looseObject({
  kind: z.literal('Status'),
  reason: z.string().nullish(),
  message: z.string().nullish(),
});
