import { createHash, generateKeyPairSync, type KeyPairKeyObjectResult, randomUUID, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Signer } from '../../src/attestation/signer.ts';
import { parseContract } from '../../src/contract/load-contract.ts';
import type { Attachment } from '../../src/contract/record.ts';
import type { RecordType, Role } from '../../src/contract/roles.ts';
import type { Trust } from '../../src/contract/trust.ts';
import { appendRecord } from '../../src/evidence/append.ts';
import { putBlob } from '../../src/evidence/blob.ts';
import { checkpoint } from '../../src/evidence/checkpoint.ts';
import { consume } from '../../src/evidence/once.ts';
import { publishKey } from '../../src/evidence/publish-key.ts';
import { type RecordInput, signRecord } from '../../src/evidence/record.ts';
import { sealRun } from '../../src/evidence/seal.ts';
import { requiredStages } from '../../src/evidence/stages.ts';
import type { Store } from '../../src/store/store.ts';

const CONTRACT = readFileSync('test/fixtures/gate/contract.yml');
const ROLES = ['gate', 'build', 'scan', 'deploy'] as const;
const hex = (text: string) => createHash('sha256').update(text).digest('hex');

/** Records of one run, seal included. */
export const PER_RUN = 13;

/**
 * Lays signed runs of thirteen records each into a store, with attachments, and anchors them; a tenth of them is denied. Gives the
 * auditor's trust.
 */
export async function layDeliveries(store: Store, runs: number): Promise<Trust> {
  const release = newSigner('release-1');
  const keys = Object.fromEntries(ROLES.map((role) => [role, newSigner(`${role}-1`)])) as Record<
    (typeof ROLES)[number],
    Signer
  >;
  for (const role of ROLES)
    await publishKey(store, release, {
      schema: 'gatehouse/key/1',
      id: keys[role].keyId,
      role,
      publicKey: keys[role].publicKeyPem,
      repositories: ['*'],
      from: new Date(Date.now() - 60_000).toISOString(),
      until: null,
      revokedAt: null,
    });
  for (let n = 0; n < runs; n++) await deliver(store, keys, n);
  const notary = signerOf('notary-1', generateKeyPairSync('ed25519'), null);
  await checkpoint(store, { signer: notary, origin: 'bench/evidence', earlierKeys: [], previous: null });
  const [releasePem, notaryPem] = [release.publicKeyPem, notary.publicKeyPem];
  return { schema: 'gatehouse/trust/1', release: [releasePem], notary: [notaryPem], checkpoint: null };
}

function newSigner(keyId: string): Signer {
  return signerOf(keyId, generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'sha256');
}

function signerOf(keyId: string, { publicKey, privateKey }: KeyPairKeyObjectResult, hash: string | null): Signer {
  return {
    keyId,
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    sign: async (bytes) => sign(hash, bytes, privateKey),
  };
}

const ALLOWED: readonly RecordType[] = [
  'run.opened',
  'build.completed',
  'sbom.created',
  'artifact.signed',
  'scan.completed',
  'scan.completed',
  'change.reviewed',
  'gate.decided',
  'approval.decided',
  'gate.decided',
  'deploy.intent',
  'deploy.outcome',
];
const REQUIRED = requiredStages(parseContract(CONTRACT, 'contract of the bench').file, 'production', 'deploy');
const WRITER: { [type: string]: (typeof ROLES)[number] } = {
  'build.completed': 'build',
  'sbom.created': 'build',
  'artifact.signed': 'build',
  'scan.completed': 'scan',
  'deploy.intent': 'deploy',
  'deploy.outcome': 'deploy',
};

async function deliver(store: Store, keys: Record<(typeof ROLES)[number], Signer>, n: number): Promise<void> {
  const subject = {
    name: `registry.example.org/app-${n % 40}`,
    kind: 'image' as const,
    digest: `sha256:${hex(`image ${n}`)}`,
  };
  const denied = n % 10 === 0;
  const decisionId = randomUUID();
  const opId = randomUUID();
  const target = { cluster: 'production', namespace: `app-${n % 40}`, kind: 'Deployment', name: 'api' };
  const receipts: { key: string; digest: string }[] = [];
  let decisionKey = '';
  let approvalKey = '';
  const base = (seq: number): Omit<RecordInput, 'type' | 'data' | 'attachments'> => ({
    source: `local/app-${n % 40}`,
    time: new Date().toISOString(),
    producer: { name: 'gatehouse', version: '0.1.0', digest: `sha256:${'0'.repeat(64)}` },
    run: {
      platform: 'local',
      host: 'bench',
      repository: `example/app-${n % 40}`,
      repositoryId: String(n % 40),
      id: String(n),
      attempt: 1,
      parent: null,
      caller: null,
      workflow: null,
      ref: 'refs/heads/main',
      sha: hex(`commit ${n}`).slice(0, 40),
      event: 'push',
      job: 'job',
      runner: { name: 'local', pool: 'local', environment: null, hosted: false, image: null },
    },
    actor: {
      identity: `dev-${n % 25}`,
      kind: 'human',
      provider: 'local',
      subjectId: `dev-${n % 25}`,
      triggeredBy: `dev-${n % 25}`,
      session: null,
      authn: null,
    },
    environment: 'production',
    subjects: [subject],
    outcome: 'success',
    changeTicket: null,
    opId: null,
    policy: [],
    seq,
  });
  const attach = async (bytes: Buffer, role: string): Promise<Attachment> =>
    (await putBlob(store, bytes, { mediaType: 'application/json', role, verbatim: true })).attachment;
  const attachJson = (document: unknown, role: string) => attach(Buffer.from(JSON.stringify(document)), role);
  const contract = await attach(CONTRACT, 'contract');
  const extras: { [type: string]: () => Promise<Partial<RecordInput>> } = {
    'run.opened': async () => ({ attachments: [contract], data: { contract: contract.digest, required: REQUIRED } }),
    'sbom.created': async () => ({
      attachments: [await attachJson(sbomOf(n % 50), 'sbom')],
      data: { format: 'CycloneDX 1.6', components: 120 },
    }),
    'scan.completed': async () => ({
      attachments: [await attachJson(reportOf(n % 50), 'report')],
      data: {
        tool: 'trivy',
        version: '0.74.0',
        covers: ['container', 'sast', 'secrets'],
        status: 'complete',
        counts: { critical: 0, high: 1, medium: 4, low: 0, suppressed: 0 },
      },
    }),
    'gate.decided': async () => ({
      attachments: [await attachJson(factsOf(n, approvalKey), 'facts')],
      outcome: denied && approvalKey !== '' ? 'denied' : 'success',
      data: decisionOf(decisionId, approvalKey === '' ? 'promote' : 'deploy', denied && approvalKey !== '', target),
    }),
    'approval.decided': async () => ({
      data: {
        approvals: [
          {
            at: '2026-01-01T00:00:00.000Z',
            personId: 'lead-1',
            userId: '201',
            state: 'approved',
            strength: 'job',
            digest: null,
          },
        ],
      },
    }),
    'deploy.intent': async () => ({ opId, data: { decisionId, target } }),
    'deploy.outcome': async () => ({
      opId,
      data: {
        decisionId,
        target,
        deployId: opId,
        actor: `dev-${n % 25}`,
        decisionKey,
        approvals: [approvalKey],
        evidence: [],
      },
    }),
  };
  const types = denied ? ALLOWED.filter((type) => !type.startsWith('deploy.')) : ALLOWED;
  for (const [seq, type] of types.entries()) {
    const role = WRITER[type] ?? 'gate';
    if (type === 'deploy.intent') await consume(store, decisionId, { decisionKey, run: base(seq).run, opId });
    const extra = (await extras[type]?.()) ?? {};
    const input = { ...base(seq), type, data: {}, attachments: [], ...extra };
    const signed = await signRecord(
      input,
      { jobKey: 'job', stepKey: 'step' },
      { signer: keys[role], role: role as Role },
    );
    receipts.push(await appendRecord(store, signed));
    if (type === 'gate.decided') decisionKey = signed.key;
    if (type === 'approval.decided') approvalKey = signed.key;
  }
  await sealRun(store, base(0), { jobKey: 'job', stepKey: 'seal' }, { signer: keys.gate, role: 'gate' }, receipts);
}

function sbomOf(variant: number) {
  const component = (i: number) => {
    const [name, version] = [`example.org/module-${i}`, `v1.${variant}.${i}`];
    return { type: 'library', name, version, purl: `pkg:golang/${name}@${version}` };
  };
  return { bomFormat: 'CycloneDX', components: Array.from({ length: 120 }, (_, i) => component(i)) };
}

function reportOf(variant: number) {
  const finding = (i: number) => ({
    fingerprint: hex(`${variant} ${i}`).slice(0, 16),
    category: 'container',
    rule: `CVE-2026-${variant}${i}`,
    title: 'a flaw',
    severity: 'medium',
    location: { path: null, line: null, package: `module-${i}`, version: '1', image: null },
    fixedVersion: null,
    cve: [],
    suppressed: null,
  });
  return { findings: Array.from({ length: 5 }, (_, i) => finding(i)) };
}

function factsOf(n: number, from: string) {
  const person = `dev-${n % 25}`;
  const entitlement = { group: 'release-approvers', active: true, at: 0 };
  const approval = { personId: 'lead-1', state: 'approved', at: Date.UTC(2026, 0, 1), from, entitlement };
  return {
    source: { people: ['author', 'trigger'].map((as) => ({ personId: person, as })), beneath: null },
    approvals: from === '' ? [] : [approval],
    run: String(n),
  };
}

function decisionOf(id: string, stage: string, denied: boolean, target: object) {
  const reason = (i: number) => ({
    rule: `area.rule${String.fromCharCode(97 + i)}`,
    outcome: denied && i === 0 ? 'fail' : 'pass',
    message: 'what the rule says when it passes or fails',
    fix: 'what to do',
    controls: ['45 CFR 164.312(a)(1)'],
    evidence: [],
  });
  const digest = `sha256:${'0'.repeat(64)}`;
  return {
    id,
    stage,
    outcome: denied ? 'deny' : 'allow',
    target,
    reasons: Array.from({ length: 24 }, (_, i) => reason(i)),
    input: { contractDigest: digest, policyDigest: digest, factsDigest: digest },
  };
}
