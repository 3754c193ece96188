import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '../../src/attestation/signer.ts';
import type { Answer } from '../../src/audit/ask.ts';
import type { Site } from '../../src/commands/demo/site.ts';
import type { Record } from '../../src/contract/record.ts';
import { appendRecord } from '../../src/evidence/append.ts';
import { putBlob } from '../../src/evidence/blob.ts';
import { checkpoint } from '../../src/evidence/checkpoint.ts';
import { publishKey } from '../../src/evidence/publish-key.ts';
import { signRecord } from '../../src/evidence/record.ts';
import { canonicalBytes } from '../../src/lib/canonical.ts';
import { directoryStore } from '../../src/store/directory.ts';
import { signerOfRole, steps, succeed } from './direct.ts';
import { forge, playRun, recordOf, type Scene } from './gate-scene.ts';
import { publicKeyOf } from './signed-site.ts';

/*
 * A store with an answer to every question of the auditor. One run is the project's own: opened, signed, scanned, judged,
 * approved, deployed, refused twice, sealed. The rest says what no program writes yet, or what an attacker would, and is signed
 * by the key of the role that may say it.
 */

export interface AuditScene {
  scene: Scene;
  site: Site;
  /** URL of the store. */
  store: string;
  trust: string;
  /** Ids of deploys: of the run; of the one after it, which nobody allowed; announced only. */
  deploys: { allowed: string; unallowed: string; announced: string };
  digest: { first: string; second: string };
  /** A record of drift that the scan key signed. */
  wrongRole: string;
}

const SECOND = `sha256:${'2'.repeat(64)}`;
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

export async function playAudit(folder: string): Promise<AuditScene> {
  const scene = await playRun(folder);
  const site = scene.at('decided');
  const { image, decisions } = scene;
  const { json: deployed } = await succeed(steps.deploy(site, { decision: decisions.deploy, image }));
  await steps.deploy(site, { decision: decisions.deploy, image });
  await steps.gate(site, 'deploy', image, ['--target', 'elsewhere/lab-results/Deployment/lab-results']);
  await succeed(steps.seal(site));
  await deployWithoutAsking(site);
  await except(site);
  const wrongRole = await watchCluster(site);
  await notarise(site);
  return {
    scene,
    site,
    store: `file://${site.path('store')}`,
    trust: trustFile(site, folder),
    deploys: { allowed: deployed.deployId, unallowed: id(1), announced: id(2) },
    digest: { first: scene.digest, second: SECOND },
    wrongRole,
  };
}

/** Another run puts another image where the first one is, with one more component and a newer one; then announces a third. */
async function deployWithoutAsking(site: Site): Promise<void> {
  const { record: listed } = recordOf(site, 'sbom.created');
  const { record: intent } = recordOf(site, 'deploy.intent');
  const { record: outcome } = recordOf(site, 'deploy.outcome');
  const run = { ...outcome.run, id: '5002' };
  const subjects = [{ ...(intent.subjects[0] as Record['subjects'][number]), digest: SECOND }];
  const component = (name: string, version: string) => ({
    type: 'library',
    name,
    version,
    purl: `pkg:golang/${name}@${version}`,
  });
  const sbom = {
    bomFormat: 'CycloneDX',
    components: [component('golang.org/x/crypto', 'v0.17.0'), component('example.org/left-pad', 'v1.0.0')],
  };
  const store = directoryStore(site.path('store'));
  const { attachment } = await putBlob(store, canonicalBytes(sbom), { mediaType: 'application/json', role: 'sbom' });
  const data = { format: 'CycloneDX 1.6', components: 2 };
  await forge(site, listed, { run, subjects, attachments: [attachment], data }, signerOfRole(site, 'build'), 'build');
  const said = { run, subjects, opId: id(1), data: { ...intent.data, decisionId: id(9) } };
  await forge(site, intent, said, signerOfRole(site, 'deploy'), 'deploy');
  const became = {
    run,
    subjects,
    opId: id(1),
    data: { ...said.data, deployId: id(1), actor: '101', decisionKey: 'v1/records/none' },
  };
  await forge(site, outcome, { ...became, outcome: 'success' }, signerOfRole(site, 'deploy'), 'deploy');
  await forge(site, intent, { ...said, opId: id(2) }, signerOfRole(site, 'deploy'), 'deploy');
}

async function except(site: Site): Promise<void> {
  const { record: like } = recordOf(site, 'gate.decided');
  const run = { ...like.run, id: '5003' };
  const granted = {
    id: 'EX-7',
    requester: 'dev-1',
    approver: 'lead-1',
    ticket: 'CHG-12',
    reason: 'the vendor mends it in March',
    expires: '2027-03-31T00:00:00Z',
  };
  const gate = signerOfRole(site, 'gate');
  const changes = { run, attachments: [], policy: [] };
  await forge(site, like, { ...changes, type: 'exception.granted', data: granted }, gate, 'gate');
  await forge(site, like, { ...changes, type: 'exception.used', data: { id: 'EX-7', ticket: 'CHG-12' } }, gate, 'gate');
  await forge(
    site,
    like,
    {
      ...changes,
      type: 'breakglass.used',
      data: { requester: 'lead-1', ticket: 'INC-3', reason: 'the store was down' },
    },
    gate,
    'gate',
  );
}

/** A cluster with a key of its own looks twice; then the scan key claims that all is well. */
async function watchCluster(site: Site): Promise<string> {
  const store = directoryStore(site.path('store'));
  const cluster = newSigner('demo-cluster');
  const window = { from: new Date(Date.now() - 60_000).toISOString(), until: null, revokedAt: null };
  await publishKey(store, signerOfRole(site, 'release'), {
    schema: 'gatehouse/key/1',
    id: cluster.keyId,
    role: 'cluster',
    publicKey: cluster.publicKeyPem,
    repositories: ['*'],
    ...window,
  });
  const { record: like } = recordOf(site, 'deploy.outcome');
  const target = { cluster: 'demo', namespace: 'lab-results', kind: 'Deployment', name: 'lab-results' };
  const look = (seq: number, mismatches: object[], signer: Signer) => {
    const { id: _, controls: __, specversion: ___, schema: ____, ...input } = like;
    const run = { ...like.run, platform: 'cluster' as const, id: 'watch-1' };
    const data = { clusters: 1, namespaces: 1, workloads: 3, mismatches };
    const said = {
      ...input,
      type: 'drift.checked',
      run,
      seq,
      opId: null,
      time: new Date().toISOString(),
      outcome: 'success' as const,
      data,
    };
    return signRecord(said, { jobKey: 'watch', stepKey: 'look' }, { signer, role: 'cluster' });
  };
  await appendRecord(store, await look(0, [], cluster));
  const differs = {
    target,
    running: SECOND,
    approved: like.subjects[0]?.digest,
    reason: 'another image runs than was approved',
  };
  await appendRecord(store, await look(1, [differs], cluster));
  return (await appendRecord(store, await look(2, [], signerOfRole(site, 'scan')))).key;
}

function newSigner(keyId: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    sign: async (bytes) => signBytes('sha256', bytes, privateKey),
  };
}

async function notarise(site: Site): Promise<void> {
  const { createPrivateKey } = await import('node:crypto');
  const key = createPrivateKey(site.keys.get('notary') as string);
  const signer: Signer = {
    keyId: 'demo-notary',
    publicKeyPem: publicKeyOf(site, 'notary'),
    sign: async (bytes) => signBytes(null, bytes, key),
  };
  const input = { signer, origin: 'example.org/evidence', earlierKeys: [], previous: null };
  await checkpoint(directoryStore(site.path('store')), input);
}

/** What an auditor brings along, as a file. */
export function trustFile(site: Site, folder: string): string {
  const file = join(folder, 'trust.json');
  const trust = {
    schema: 'gatehouse/trust/1',
    release: [publicKeyOf(site, 'release')],
    notary: [publicKeyOf(site, 'notary')],
    checkpoint: null,
  };
  writeFileSync(file, JSON.stringify(trust));
  return file;
}

/**
 * An answer without what differs from run to run: times, ids, ports, digests of signed bytes. The same word stands for the same
 * value wherever it occurs in the answer.
 */
export function settled(answer: Answer): Answer {
  const names = new Map<string, string>();
  const name = (kind: string) => (value: string) => {
    const known =
      names.get(value) ?? `<${kind} ${[...names.values()].filter((each) => each.startsWith(`<${kind} `)).length + 1}>`;
    names.set(value, known);
    return known;
  };
  const settle = (text: string) =>
    text
      .replace(/\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z/g, '<time>')
      .replace(/dt=\d{4}-\d{2}-\d{2}/g, 'dt=<day>')
      .replace(/127\.0\.0\.1:\d+/g, '<registry>')
      .replace(/(?<=-)[0-9a-f]{32}(?=\.(json|ndjson))/g, '<hash>')
      .replace(/\blocal-[0-9a-f]{8}\b/g, 'local-<job>')
      .replace(/\bstep-\d{4}-/g, 'step-<n>-')
      .replace(/\b(?!0{8})[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, name('id'))
      .replace(/sha256:(?!2{64})[0-9a-f]{64}/g, name('digest'));
  return {
    columns: answer.columns,
    rows: answer.rows.map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([column, value]) => [
          column,
          column === 'leaf_index' && value !== null ? 0 : typeof value === 'string' ? settle(value) : value,
        ]),
      ),
    ),
  };
}
