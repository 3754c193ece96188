import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Signer } from '../../../src/attestation/signer.ts';
import type { ContractFile } from '../../../src/contract/contract-file.ts';
import { parseContract } from '../../../src/contract/load-contract.ts';
import type { Attachment } from '../../../src/contract/record.ts';
import type { RecordType, Role } from '../../../src/contract/roles.ts';
import type { Run } from '../../../src/contract/run.ts';
import type { Trust } from '../../../src/contract/trust.ts';
import { appendRecord } from '../../../src/evidence/append.ts';
import { putBlob } from '../../../src/evidence/blob.ts';
import { checkpoint } from '../../../src/evidence/checkpoint.ts';
import type { Place } from '../../../src/evidence/layout.ts';
import { consume } from '../../../src/evidence/once.ts';
import { publishKey } from '../../../src/evidence/publish-key.ts';
import { type RecordInput, type SignedRecord, signRecord } from '../../../src/evidence/record.ts';
import { type RecordReceipt, sealRun } from '../../../src/evidence/seal.ts';
import { requiredStages } from '../../../src/evidence/stages.ts';
import { type LedgerReport, ledgerVerify } from '../../../src/evidence/verify/ledger.ts';
import { directoryStore } from '../../../src/store/directory.ts';
import type { Store } from '../../../src/store/store.ts';

export const HOUR = 3_600_000;
export const ORIGIN = 'example.org/evidence';
export const DIGEST = `sha256:${'a'.repeat(64)}`;
const COMMIT = '1'.repeat(40);

/** A fresh P-256 signer with this key id. */
export function p256Signer(keyId: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: async (preimage) => sign('sha256', preimage, privateKey),
  };
}

/** A fresh Ed25519 signer, for checkpoints. */
export function ed25519Signer(keyId: string): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return {
    keyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: async (preimage) => sign(null, preimage, privateKey),
  };
}

/** One key a role, for repository 7 only; `stranger` is a gate key of repository 8. */
export const keys = {
  gate: p256Signer('gate-1'),
  build: p256Signer('build-1'),
  scan: p256Signer('scan-1'),
  deploy: p256Signer('deploy-1'),
  cluster: p256Signer('cluster-1'),
  emit: p256Signer('emit-1'),
  stranger: p256Signer('stranger-1'),
};
export const release = p256Signer('release-1');
export const notary = ed25519Signer('notary-1');
export const trust: Trust = {
  schema: 'gatehouse/trust/1',
  release: [release.publicKeyPem],
  notary: [notary.publicKeyPem],
  checkpoint: null,
};

const CONTRACT_TEXT = `
schema: gatehouse/contract/1
organization: example
platforms: [{ kind: local, file: platform.json }]
trust: { profile: local, max-skew: 60s, keys: {}, release-window: { from: 2026-01-01T00:00:00Z, until: 2036-01-01T00:00:00Z } }
register: { max-age: 24h }
evidence: { store: 'file:///evidence', retention-years: 6 }
registries: [127.0.0.1:5000]
scanners:
  sca: { tools: [{ name: osv-scanner }], database-max-age: 7d }
  secrets: { tools: [{ name: gitleaks }] }
environments:
  production:
    isolation: process
    required: [sca, secrets]
    deny-severities: [critical]
    max-evidence-age: 24h
    refs: [refs/heads/main]
    events: [push]
    runner-pools: [local]
    approvals: { groups: [release-managers], number: 1, strength: job }
    targets: [{ cluster: demo, namespace: app }]
    services: [hosting]
controls: { profile: hipaa }
`;
export const contractBytes = Buffer.from(CONTRACT_TEXT);
export const contractFile: ContractFile = parseContract(contractBytes, 'sample').file;

export interface Ledger {
  folder: string;
  store: Store;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A directory store with the keys above in it. `from` is when they come into force, in milliseconds. */
export async function newLedger(from = Date.now() - 30 * 24 * HOUR): Promise<Ledger> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-ledger-'));
  folders.push(folder);
  const store = directoryStore(folder);
  for (const [role, signer] of Object.entries(keys)) {
    const repositories = role === 'stranger' ? ['8'] : ['7'];
    await publishKey(store, release, {
      schema: 'gatehouse/key/1',
      id: signer.keyId,
      role: role === 'stranger' ? 'gate' : (role as Role),
      publicKey: signer.publicKeyPem,
      repositories,
      from: new Date(from).toISOString(),
      until: null,
      revokedAt: null,
    });
  }
  return { folder, store };
}

export function sampleRun(id: string, attempt = 1): Run {
  return {
    platform: 'local',
    host: 'localhost',
    repository: 'example/app',
    repositoryId: '7',
    id,
    attempt,
    parent: null,
    caller: null,
    workflow: null,
    ref: 'refs/heads/main',
    sha: COMMIT,
    event: 'push',
    job: 'job',
    runner: { name: 'local', pool: 'local', environment: null, hosted: false, image: null },
  };
}

/** A valid record of this type about the sample image, to be bent by tests. */
export function sampleInput(type: string, run: Run, more: Partial<RecordInput> = {}): RecordInput {
  return {
    type,
    source: `local/${run.repository}`,
    time: new Date().toISOString(),
    producer: { name: 'gatehouse', version: '0.1.0', digest: `sha256:${'0'.repeat(64)}` },
    run,
    actor: {
      identity: 'dev-1',
      kind: 'human',
      provider: 'local',
      subjectId: 'dev-1',
      triggeredBy: null,
      session: null,
      authn: null,
    },
    environment: 'production',
    subjects: [{ name: '127.0.0.1:5000/app', kind: 'image', digest: DIGEST }],
    outcome: 'success',
    changeTicket: null,
    opId: null,
    policy: [],
    seq: 0,
    attachments: [],
    data: {},
    ...more,
  };
}

/** The stages of a whole run in the order in which they are written, with the role that writes each. */
const STAGES: readonly (readonly [
  step: string,
  role: keyof typeof keys,
  type: RecordType,
  data: { [name: string]: unknown },
])[] = [
  ['open', 'gate', 'run.opened', {}],
  ['scan-sca', 'scan', 'scan.completed', { covers: ['sca'] }],
  ['scan-secrets', 'scan', 'scan.completed', { covers: ['secrets'] }],
  ['sign', 'build', 'build.completed', {}],
  ['sign', 'build', 'sbom.created', {}],
  ['sign', 'build', 'artifact.signed', {}],
  ['gate-promote', 'gate', 'change.reviewed', {}],
  ['gate-promote', 'gate', 'gate.decided', { stage: 'promote', outcome: 'allow' }],
  ['gate-deploy', 'gate', 'approval.decided', {}],
  ['gate-deploy', 'gate', 'gate.decided', { stage: 'deploy', outcome: 'allow' }],
  ['deploy', 'deploy', 'deploy.intent', {}],
  ['deploy', 'deploy', 'deploy.outcome', {}],
];

export interface Delivery {
  run: Run;
  /** Receipts by `<step>/<type>`. */
  receipts: Map<string, RecordReceipt>;
  signed: Map<string, SignedRecord>;
  decisionId: string;
  opId: string;
  seal: RecordReceipt | null;
}

export interface DeliveryOptions {
  attempt?: number;
  /** Milliseconds to take off every claimed time. */
  earlier?: number;
  /** Left out, as `<step>/<type>`, `<type>` or `<step>`. */
  without?: readonly string[];
  /** Bends a record before it is signed. */
  bend?: (name: string, input: RecordInput) => RecordInput;
  /** Outcome of the seal, or null for none. */
  sealed?: RecordInput['outcome'] | null;
  extent?: 'promote' | 'deploy';
}

/** One run, honest unless the options say otherwise. */
export async function deliver({ store }: Ledger, id: string, options: DeliveryOptions = {}): Promise<Delivery> {
  const {
    attempt = 1,
    earlier = 0,
    without = [],
    bend = (_name, input) => input,
    sealed = 'success',
    extent = 'deploy',
  } = options;
  const run = sampleRun(id, attempt);
  const delivery: Delivery = {
    run,
    receipts: new Map(),
    signed: new Map(),
    decisionId: randomUUID(),
    opId: randomUUID(),
    seal: null,
  };
  const contract = await putContract(store);
  const numbers = new Map<string, number>();
  for (const [step, role, type, data] of STAGES) {
    const name = `${step}/${type}`;
    if (without.some((left) => left === name || left === type || left === step)) continue;
    const seq = numbers.get(step) ?? 0;
    numbers.set(step, seq + 1);
    const deploying = step === 'deploy';
    const input = bend(
      name,
      sampleInput(type, run, {
        time: new Date(Date.now() - earlier).toISOString(),
        seq,
        opId: deploying ? delivery.opId : null,
        attachments: type === 'run.opened' ? [contract] : [],
        data: {
          ...data,
          ...(type === 'run.opened'
            ? { required: requiredStages(contractFile, 'production', extent), contract: contract.digest }
            : {}),
          ...(deploying ? { decisionId: delivery.decisionId } : {}),
        },
      }),
    );
    if (type === 'deploy.intent')
      await consume(store, delivery.decisionId, { decisionKey: 'v1/records/x', run, opId: delivery.opId });
    const signed = await signRecord(input, placeOfStep(attempt, step), { signer: keys[role], role: role as Role });
    delivery.signed.set(name, signed);
    delivery.receipts.set(name, await appendRecord(store, signed));
  }
  if (sealed !== null) delivery.seal = await seal(store, delivery, { attempt, earlier, sealed });
  return delivery;
}

export function placeOfStep(attempt: number, step: string): Place {
  return { jobKey: `job-${attempt}`, stepKey: step };
}

export async function seal(
  store: Store,
  { run, receipts }: Pick<Delivery, 'run' | 'receipts'>,
  { attempt = 1, earlier = 0, sealed = 'success' as RecordInput['outcome'] } = {},
): Promise<RecordReceipt> {
  const input = sampleInput('run.sealed', run, { time: new Date(Date.now() - earlier).toISOString(), outcome: sealed });
  const { receipt } = await sealRun(store, input, placeOfStep(attempt, 'seal'), { signer: keys.gate, role: 'gate' }, [
    ...receipts.values(),
  ]);
  return receipt;
}

export async function putContract(store: Store): Promise<Attachment> {
  return (await putBlob(store, contractBytes, { mediaType: 'application/yaml', role: 'contract', verbatim: true }))
    .attachment;
}

export function tick(store: Store, previous: string | null = null, signer = notary) {
  return checkpoint(store, { signer, origin: ORIGIN, earlierKeys: [], previous });
}

/** The codes of a report, each once, sorted. */
export async function codesOf(
  store: Store,
  { now = Date.now(), checkpoint: kept = null as string | null, trusted = trust } = {},
): Promise<string[]> {
  return codes(await ledgerVerify(store, trusted, { now, expectedCheckpoint: kept }));
}

export function codes(report: LedgerReport): string[] {
  return [...new Set(report.findings.map(({ code }) => code))].sort();
}
