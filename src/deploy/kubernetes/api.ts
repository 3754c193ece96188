import { problemText } from '../../contract/problems.ts';
import { CouldNot } from '../../lib/errors.ts';
import type { Http, HttpReply } from '../../lib/http.ts';
import { parseJson } from '../../lib/json.ts';
import type * as z from '../../lib/zod.ts';
import { DeployRefused } from '../refusal.ts';
import { kindOf } from './kinds.ts';
import { failure, type Pod, podList, type Selector, type Workload, workload } from './objects.ts';
import { refusalOf, type Said, shown, strangerIn } from './refusals.ts';

/** One cluster of contract.yml, and the token that opens it for this deploy. */
export interface Cluster {
  name: string;
  server: string;
  /** PEM; no other authority is trusted. */
  certificates: readonly string[];
  token: string;
}

export interface Place {
  kind: string;
  namespace: string;
  name: string;
}

/** What a deploy asks of an API server. */
export interface KubernetesApi {
  /** null where it is not there. */
  read(place: Place): Promise<Workload | null>;
  /** Server-side apply; gives what is stored then, or, by a dry run, what would be. */
  apply(place: Place, object: object, dryRun: boolean): Promise<Workload>;
  pods(namespace: string, selector: Selector): Promise<Pod[]>;
}

/** Who the fields that a deploy sets belong to, as the API server keeps it. */
const MANAGER = 'gatehouse';
const LIMIT = 16 * 1024 * 1024;
const TIMEOUT = 30_000;

/**
 * The REST API of a cluster, at the contract's address and with the contract's authorities alone: no kubeconfig, no proxy and no
 * variable has a say in whom the token is sent to. Its calls throw DeployRefused `deploy.cluster` where another server answers,
 * Denied `deploy.admission` where the cluster's rules refuse, BadInput for what is wrong with a manifest, else CouldNot.
 */
export function kubernetesApi(cluster: Cluster, http: Http): KubernetesApi {
  const ask = async (method: 'GET' | 'PATCH', path: string, what: string, body?: object): Promise<HttpReply> => {
    try {
      return await http({
        method,
        url: `${cluster.server.replace(/\/+$/, '')}${path}`,
        what,
        headers: {
          authorization: `Bearer ${cluster.token}`,
          accept: 'application/json',
          // JSON is YAML; the type says what is to be done with it.
          ...(body === undefined ? {} : { 'content-type': 'application/apply-patch+yaml' }),
        },
        ...(body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) }),
        limit: LIMIT,
        timeout: TIMEOUT,
        onlyCa: cluster.certificates,
      });
    } catch (thrown) {
      const stranger = strangerIn(thrown);
      if (stranger === null) throw thrown;
      throw new DeployRefused(
        'deploy.cluster',
        `could not ${what}: who answers at ${cluster.server} is not cluster ${cluster.name} of contract.yml: ${stranger}; no token was sent`,
      );
    }
  };
  const answer = <S extends z.ZodMiniType>(reply: HttpReply, schema: S, what: string): z.infer<S> => {
    const document = parse(reply, what, cluster);
    if (reply.status < 200 || reply.status > 299)
      throw refusalOf(saidIn(document, reply, cluster.token), what, cluster.name);
    const parsed = schema.safeParse(document);
    if (parsed.success) return parsed.data;
    throw unreadable(what, cluster, problemText(parsed.error, schema));
  };

  return {
    read: async (place) => {
      const what = `read ${named(place)}`;
      const reply = await ask('GET', pathOf(place), what);
      return reply.status === 404 ? null : answer(reply, workload, what);
    },
    apply: async (place, object, dryRun) => {
      const what = dryRun ? `try ${named(place)} out` : `apply ${named(place)}`;
      const query = `fieldManager=${MANAGER}&force=true&fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`;
      return answer(await ask('PATCH', `${pathOf(place)}?${query}`, what, object), workload, what);
    },
    pods: async (namespace, selector) => {
      const what = `list the pods in ${namespace}`;
      const found: Pod[] = [];
      let next = '';
      do {
        const query = new URLSearchParams({ labelSelector: labelSelector(selector), limit: '500' });
        if (next !== '') query.set('continue', next);
        const reply = await ask('GET', `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods?${query}`, what);
        const list = answer(reply, podList, what);
        found.push(...list.items);
        next = list.metadata?.continue ?? '';
      } while (next !== '');
      return found;
    },
  };
}

/** A workload in words: `Deployment production/web`. */
export function named({ kind, namespace, name }: Place): string {
  return `${kind} ${namespace}/${name}`;
}

function pathOf({ kind, namespace, name }: Place): string {
  const { apiVersion, plural } = kindOf(kind);
  return `/apis/${apiVersion}/namespaces/${encodeURIComponent(namespace)}/${plural}/${encodeURIComponent(name)}`;
}

/** As the query wants it. An empty selector would mean every pod: it is for a caller not to ask. */
function labelSelector({ matchLabels, matchExpressions }: Selector): string {
  const words: Record<string, (key: string, values: string) => string> = {
    In: (key, values) => `${key} in (${values})`,
    NotIn: (key, values) => `${key} notin (${values})`,
    Exists: (key) => key,
    DoesNotExist: (key) => `!${key}`,
  };
  return [
    ...Object.entries(matchLabels ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(matchExpressions ?? []).map(({ key, operator, values }) => {
      const word = words[operator];
      if (word === undefined)
        throw new CouldNot('kubernetes.selector', `the workload selects pods by ${operator}, which is not known here`);
      return word(key, (values ?? []).join(','));
    }),
  ].join(',');
}

function parse(reply: HttpReply, what: string, cluster: Cluster): unknown {
  try {
    return parseJson(reply.body, 'the answer');
  } catch (cause) {
    // A gateway in front of the server answers in words of its own.
    if (reply.status < 200 || reply.status > 299) return null;
    throw unreadable(what, cluster, (cause as Error).message);
  }
}

function saidIn(document: unknown, reply: HttpReply, token: string): Said {
  const parsed = failure.safeParse(document);
  const { reason, message } = parsed.success ? parsed.data : {};
  return { status: reply.status, reason: reason ?? '', message: shown(message ?? 'it does not say why', token) };
}

function unreadable(what: string, { name, token }: Cluster, why: string): CouldNot {
  return new CouldNot(
    'kubernetes.answer',
    `could not ${what}: what cluster ${name} answered is not understood: ${shown(why, token)}`,
  );
}
