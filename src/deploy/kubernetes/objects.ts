import { atLeastOne } from '../../contract/primitives.ts';
import * as z from '../../lib/zod.ts';

/*
 * Kubernetes objects, as far as a deploy looks into them. Loose: a cluster may say more, and of the rest only digests are taken.
 */

const words = z.nullish(z.array(z.string()));

const container = z.looseObject({ name: z.string(), image: z.optional(z.string()), command: words, args: words });
export type Container = z.infer<typeof container>;

export const podSpec = z.looseObject({
  containers: atLeastOne(container),
  initContainers: z.nullish(z.array(container)),
  ephemeralContainers: z.nullish(z.array(container)),
  volumes: z.nullish(z.array(z.looseObject({ name: z.string(), image: z.optional(z.unknown()) }))),
});
export type PodSpec = z.infer<typeof podSpec>;

export const podTemplate = z.looseObject({
  metadata: z.nullish(z.looseObject({ labels: z.nullish(z.record(z.string(), z.string())) })),
  spec: podSpec,
});
export type PodTemplate = z.infer<typeof podTemplate>;

const requirement = z.looseObject({ key: z.string(), operator: z.string(), values: words });
const selector = z.looseObject({
  matchLabels: z.nullish(z.record(z.string(), z.string())),
  matchExpressions: z.nullish(z.array(requirement)),
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
    resourceVersion: z.optional(z.string()),
    generation: z._default(z.int(), 0),
  }),
  spec: z.looseObject({ selector: z.nullish(selector) }),
  status: z.nullish(
    z.looseObject({
      conditions: z.nullish(
        z.array(z.looseObject({ type: z.string(), status: z.string(), reason: z.nullish(z.string()) })),
      ),
    }),
  ),
});
export type Workload = z.infer<typeof workload>;

const running = z.looseObject({ name: z.string(), imageID: z._default(z.string(), '') });
const statuses = z.nullish(z.array(running));
export const pod = z.looseObject({
  metadata: z.looseObject({ name: z.string(), deletionTimestamp: z.nullish(z.string()) }),
  spec: podSpec,
  status: z.nullish(
    z.looseObject({
      phase: z.nullish(z.string()),
      containerStatuses: statuses,
      initContainerStatuses: statuses,
      ephemeralContainerStatuses: statuses,
    }),
  ),
});
export type Pod = z.infer<typeof pod>;

export const podList = z.looseObject({
  items: z.array(pod),
  metadata: z.nullish(z.looseObject({ continue: z.nullish(z.string()) })),
});

/** What an API server answers when it does not do what it was asked. */
export const failure = z.looseObject({
  kind: z.literal('Status'),
  reason: z.nullish(z.string()),
  message: z.nullish(z.string()),
});
