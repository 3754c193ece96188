import { setTimeout as sleep } from 'node:timers/promises';
import { type HttpReply, http } from '../../src/lib/http.ts';
import type { TestCluster } from './kubernetes.ts';

/*
 * Stands for the controllers and the kubelet that a bare API server lacks: it writes the status and the pods that they would, by the
 * server's own API. Nothing is run.
 */

export interface Played {
  /** What the nodes say that they pulled, for the image of a container. */
  imageId?: (image: string) => string;
  /** How many of the replicas become available; all of them, unless told otherwise. */
  available?: number;
  pods?: boolean;
}

type Json = Record<string, never>;

async function ask(
  cluster: TestCluster,
  method: 'GET' | 'POST' | 'PATCH',
  path: string,
  body?: object,
): Promise<HttpReply> {
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  return await http({
    method,
    url: `${cluster.server}${path}`,
    what: 'play a controller',
    headers: {
      authorization: `Bearer ${cluster.tokens.admin}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
    limit: 4 * 1024 * 1024,
    timeout: 5_000,
    onlyCa: [cluster.ca],
  });
}

/** Rolls a Deployment out whenever its specification changes, until `act` has ended; gives what that gave. */
export async function withController<T>(
  cluster: TestCluster,
  [namespace, name]: [namespace: string, name: string],
  act: () => Promise<T>,
  played: Played = {},
): Promise<T> {
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  let ended = false;
  const play = async () => {
    let last = '';
    while (!ended) {
      const reply = await ask(cluster, 'GET', path);
      const there = reply.status === 200 ? JSON.parse(reply.body.toString()) : null;
      const state = there === null ? '' : `${there.metadata.uid} ${there.metadata.generation}`;
      if (there !== null && state !== last) await rollOut(cluster, path, there, played);
      last = state;
      await sleep(50);
    }
  };
  const playing = play();
  try {
    return await act();
  } finally {
    ended = true;
    await playing;
  }
}

// biome-ignore lint/suspicious/noExplicitAny: objects of the API server, as it gives them
async function rollOut(cluster: TestCluster, path: string, { metadata, spec }: any, played: Played): Promise<void> {
  const { imageId = (image) => image, available = spec.replicas, pods = true } = played;
  const selector = Object.entries(spec.selector.matchLabels).map(([key, value]) => `${key}=${value}`);
  const old = ['delete', 'pods', '-n', metadata.namespace, '-l', selector.join(','), '--force', '--grace-period=0'];
  cluster.ok([...old, '--wait=false']);
  if (pods)
    await runPod(cluster, metadata.namespace, spec.template, `${metadata.name}-${metadata.generation}`, imageId);
  await ask(cluster, 'PATCH', `${path}/status`, {
    status: {
      observedGeneration: metadata.generation,
      replicas: spec.replicas,
      updatedReplicas: spec.replicas,
      readyReplicas: available,
      availableReplicas: available,
    },
  });
}

/** A pod of this template, running by what its status says. */
export async function runPod(
  cluster: TestCluster,
  namespace: string,
  template: { metadata?: object; spec: { containers: { name: string; image: string }[] } & Json },
  name: string,
  imageId: (image: string) => string,
): Promise<void> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { ...template.metadata, name }, spec: template.spec };
  const made = await ask(cluster, 'POST', pods, pod);
  if (made.status !== 201) throw new Error(`a pod was not made: ${made.body.toString()}`);
  const containerStatuses = template.spec.containers.map(({ name: container, image }) => ({
    name: container,
    image,
    imageID: imageId(image),
    ready: true,
    restartCount: 0,
  }));
  await ask(cluster, 'PATCH', `${pods}/${name}/status`, { status: { phase: 'Running', containerStatuses } });
}
