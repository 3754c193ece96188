import { type Reply, type Seen, startServer, type TestServer } from './json-server.ts';
import { selfSigned } from './self-signed.ts';

/*
 * A FAKE of a Kubernetes API server, for what a real one cannot be made to do: it lies, breaks off and answers nonsense. It stores one
 * Deployment, whose controllers are always done. How a real one behaves is shown in test/interop/kubernetes.test.ts.
 */

// biome-ignore lint/suspicious/noExplicitAny: an object of Kubernetes, into which a lie may put anything
export type KubernetesObject = any;

export interface Behaviour {
  /** What it makes of an applied object: in a dry run, when it stores, in its answer to that, and when it is read. */
  dryRun?: (object: KubernetesObject) => KubernetesObject;
  stored?: (object: KubernetesObject) => KubernetesObject;
  answered?: (object: KubernetesObject) => KubernetesObject;
  read?: (object: KubernetesObject, times: number) => KubernetesObject | null;
  /** An answer in place of the proper one; for a PATCH `object` is stored already. */
  instead?: (seen: Seen, kind: 'read' | 'dryRun' | 'apply' | 'pods') => Reply | undefined;
  pods?: KubernetesObject[];
}

export interface FakeKubernetes extends TestServer {
  ca: string;
  /** What it stores; settable. */
  object: KubernetesObject | null;
  behaviour: Behaviour;
  /** Forgets everything, and behaves like this from now on. */
  reset(behaviour?: Behaviour, object?: KubernetesObject | null): void;
}

export async function startFakeKubernetes(folder: string): Promise<FakeKubernetes> {
  const { key, cert } = selfSigned(folder, 'fake');
  let reads = 0;
  const handle = (seen: Seen): Reply => {
    const { behaviour } = fake;
    if (seen.path.endsWith('/pods'))
      return behaviour.instead?.(seen, 'pods') ?? { json: { kind: 'PodList', items: behaviour.pods ?? [] } };
    if (seen.method === 'GET') {
      const read = fake.object === null ? null : (behaviour.read ?? same)(structuredClone(fake.object), ++reads);
      return behaviour.instead?.(seen, 'read') ?? (read === null ? missing : { json: read });
    }
    const applied = whole(JSON.parse(seen.body.toString()), fake.object);
    if (seen.query.get('dryRun') === 'All')
      return behaviour.instead?.(seen, 'dryRun') ?? { json: (behaviour.dryRun ?? same)(applied) };
    const instead = behaviour.instead?.(seen, 'apply');
    if (instead?.status === undefined) fake.object = (behaviour.stored ?? same)(applied);
    return instead ?? { json: (behaviour.answered ?? same)(structuredClone(fake.object)) };
  };
  const server = await startServer(handle, { key, cert });
  const fake: FakeKubernetes = {
    ...server,
    ca: cert,
    object: null,
    behaviour: {},
    reset: (behaviour = {}, object = null) => {
      reads = 0;
      fake.seen.splice(0);
      Object.assign(fake, { behaviour, object });
    },
  };
  return fake;
}

const same = (object: KubernetesObject) => object;
const missing: Reply = { status: 404, json: status(404, 'NotFound', 'deployments.apps "x" not found') };

/** What an API server answers when it refuses. */
export function status(code: number, reason: string, message: string) {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message };
}

/** The applied object with what a server adds, rolled out. */
function whole(applied: KubernetesObject, before: KubernetesObject | null): KubernetesObject {
  const generation = (before?.metadata.generation ?? 0) + 1;
  return {
    ...applied,
    metadata: { uid: 'u1', ...applied.metadata, generation, resourceVersion: String(generation * 10) },
    spec: { replicas: 1, ...applied.spec },
    status: { observedGeneration: generation, replicas: 1, updatedReplicas: 1, availableReplicas: 1 },
  };
}
