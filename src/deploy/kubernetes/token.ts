import type { ContractFile } from '../../contract/contract-file.ts';
import { BadInput } from '../../lib/errors.ts';
import { readInput } from '../../lib/file.ts';
import { requestGithubToken } from '../../lib/github-token.ts';
import type { Http } from '../../lib/http.ts';

/** RFC 6750, section 2.1: what may stand behind `Bearer`. */
const BEARER = /^[A-Za-z0-9._~+/-]+=*$/;
const LONGEST = 16 * 1024;

export interface TokenSources {
  /** The input `token-file`. */
  file: string | undefined;
  env: Readonly<Record<string, string | undefined>>;
  audience: string | undefined;
  http: Http;
}

/**
 * The token by which the cluster knows the deploy: out of the file, else out of GATEHOUSE_CLUSTER_TOKEN (GitLab’s `id_tokens`),
 * else GitHub’s ID token for the audience of the contract. It is no argument, because every process of the machine reads those,
 * and no message shows a part of it. Throws BadInput.
 */
export async function clusterToken(cluster: string, { file, env, audience, http }: TokenSources): Promise<string> {
  if (file !== undefined) return checked(readInput(file, 'cluster token', LONGEST).toString('utf8'), file);
  if (env.GATEHOUSE_CLUSTER_TOKEN) return checked(env.GATEHOUSE_CLUSTER_TOKEN, 'GATEHOUSE_CLUSTER_TOKEN');
  if (audience === undefined)
    throw none(
      `no token for cluster ${cluster}: give --token-file or GATEHOUSE_CLUSTER_TOKEN, or have contract.yml name clusters.${cluster}.audience for the job's own ID token`,
    );
  const asked = await requestGithubToken(env, audience, http);
  if (asked.token === null) throw none(`no token for cluster ${cluster}: ${asked.why}`);
  return checked(asked.token, 'the ID token');
}

function checked(text: string, from: string): string {
  const token = text.trim();
  if (token === '') throw none(`${from} holds no token: it is empty`);
  if (token.length <= LONGEST && BEARER.test(token)) return token;
  throw none(`${from} holds something else than one token: a kubeconfig, or several lines; give the token alone`);
}

function none(message: string): BadInput {
  return new BadInput('kubernetes.token', message);
}

/** The cluster of that name in the contract. Throws BadInput. */
export function clusterOf(name: string, clusters: ContractFile['clusters']): ContractFile['clusters'][string] {
  const found = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (found !== undefined) return found;
  const known = Object.keys(clusters);
  throw new BadInput(
    'kubernetes.cluster',
    `contract.yml describes no cluster ${name}: nothing says which server that is; it has ${known.length === 0 ? 'none' : known.join(', ')}. The platform team adds clusters.${name}`,
  );
}
