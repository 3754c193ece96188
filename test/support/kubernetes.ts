import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findTool } from '../../scripts/tools/find.ts';
import { http } from '../../src/lib/http.ts';
import { freePorts } from './ports.ts';
import { cleanEnvironment, type Ended, run } from './sandbox.ts';
import { selfSigned } from './self-signed.ts';
import { toolPath } from './tools.ts';

/** A real API server with its etcd on loopback. There is no controller and no kubelet: tests write status as those would. */
export interface TestCluster {
  server: string;
  /** PEM of its certificate's authority. */
  ca: string;
  /** By whom they are known: `admin` may do all, the others what the test's RBAC gives them. */
  tokens: Record<(typeof USERS)[number], string>;
  /** Its administrator's file. */
  kubeconfig: string;
  /** The real kubectl as one of them; documents to apply go to its standard input. */
  kubectl(words: string[], documents?: unknown, as?: (typeof USERS)[number]): Ended;
  /** The same, which must succeed; gives its output. */
  ok(words: string[], documents?: unknown): string;
  close(): Promise<void>;
}

const USERS = ['admin', 'deployer', 'stranger'] as const;

/** The tools that it needs, for `itWith`, and whether they are there. */
export const CLUSTER_TOOLS = ['etcd', 'kube-apiserver', 'kubectl'] as const;
export const hasClusterTools = CLUSTER_TOOLS.every((name) => findTool(name) !== null);

/** Starts one in a folder of its own, which it fills with keys, logs and data. */
export async function startCluster(folder: string): Promise<TestCluster> {
  const [client, peer, port] = await freePorts(3);
  const etcd = `http://127.0.0.1:${client}`;
  const server = `https://127.0.0.1:${port}`;
  const { certFile, keyFile, cert } = selfSigned(folder, 'apiserver');
  const tokens = Object.fromEntries(USERS.map((user) => [user, `${user}-token-${'0123456789'.repeat(3)}`]));
  const path = writeAccounts(folder, tokens);
  const children = [
    start(folder, 'etcd', [
      '--unsafe-no-fsync',
      ...['--data-dir', path('etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
      ...['--listen-peer-urls', `http://127.0.0.1:${peer}`],
    ]),
    start(folder, 'kube-apiserver', [
      ...['--etcd-servers', etcd, '--bind-address', '127.0.0.1', '--secure-port', String(port)],
      ...['--tls-cert-file', certFile, '--tls-private-key-file', keyFile, '--cert-dir', path('certificates')],
      ...['--authorization-mode', 'RBAC', '--token-auth-file', path('tokens.csv')],
      ...['--service-account-issuer', 'https://kubernetes.default', '--service-account-key-file', path('sa.pub')],
      ...['--service-account-signing-key-file', path('sa.key'), '--service-cluster-ip-range', '10.0.0.0/24'],
      ...['--disable-admission-plugins', 'ServiceAccount', '--endpoint-reconciler-type', 'none'],
    ]),
  ];
  const close = async () => {
    for (const child of children.toReversed()) await end(child);
  };
  try {
    await ready(server, cert, tokens.admin as string, children);
  } catch (cause) {
    await close();
    throw cause;
  }
  const kubectl: TestCluster['kubectl'] = (words, documents, as = 'admin') =>
    run(toolPath('kubectl'), [...words, ...(documents === undefined ? [] : ['-f', '-'])], {
      env: cleanEnvironment(folder, { KUBECONFIG: path(`${as}.json`) }),
      ...(documents === undefined
        ? {}
        : { input: typeof documents === 'string' ? documents : JSON.stringify(documents) }),
    });
  for (const user of USERS)
    writeFileSync(path(`${user}.json`), kubeconfig(server, cert, tokens[user] as string), { mode: 0o600 });
  return {
    server,
    ca: cert,
    tokens: tokens as TestCluster['tokens'],
    kubeconfig: path('admin.json'),
    kubectl,
    ok: (words, documents) => {
      const { code, stdout, stderr } = kubectl(words, documents);
      if (code !== 0) throw new Error(`kubectl ${words.join(' ')} ended with ${code}: ${stderr}`);
      return stdout;
    },
    close,
  };
}

function writeAccounts(folder: string, tokens: Record<string, string>): (name: string) => string {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const path = (name: string) => join(folder, name);
  mkdirSync(path('certificates'));
  writeFileSync(path('sa.key'), privateKey.export({ type: 'pkcs1', format: 'pem' }), { mode: 0o600 });
  writeFileSync(path('sa.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const lines = Object.entries(tokens).map(
    ([user, token]) => `${token},${user},${user}${user === 'admin' ? ',"system:masters"' : ''}\n`,
  );
  writeFileSync(path('tokens.csv'), lines.join(''), { mode: 0o600 });
  return path;
}

export function kubeconfig(server: string, ca: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name: 'u', user: { token } }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  });
}

function start(folder: string, name: string, args: string[]): ChildProcess {
  const log = openSync(join(folder, `${name}.log`), 'a');
  const child = spawn(toolPath(name), args, {
    cwd: folder,
    env: cleanEnvironment(folder),
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  return child;
}

async function ready(server: string, ca: string, token: string, children: ChildProcess[]): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  for (let tries = 0; tries < 300; tries++) {
    const dead = children.find(({ exitCode }) => exitCode !== null);
    if (dead !== undefined) throw new Error(`${dead.spawnfile} ended with ${dead.exitCode}: see its log`);
    const asked = { method: 'GET', what: 'ask', headers, limit: 65_536, timeout: 2_000, onlyCa: [ca] } as const;
    const reply = await http({ ...asked, url: `${server}/readyz` }).catch(() => null);
    if (reply?.status === 200) return;
    await sleep(200);
  }
  throw new Error('the API server is not ready after a minute');
}

/** Ends a child by its own process and waits until it has gone. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}
