import { randomUUID } from 'node:crypto';
import { appendRecord } from '../../src/evidence/append.ts';
import { putBlob } from '../../src/evidence/blob.ts';
import { type RecordInput, signRecord } from '../../src/evidence/record.ts';
import {
  codesOf,
  contractBytes,
  deliver,
  HOUR,
  keys,
  placeOfStep,
  sampleInput,
  sampleRun,
  tick,
} from '../unit/evidence/sample-ledger.ts';
import { type Attack, elsewhere, keyOf, newScene, remove, write } from './evidence-scene.ts';

/** Attacks and failures before the notary came by; it comes afterwards and covers what it finds. */
const beforeCheckpoint: Attack[] = [
  [
    'a required record of a sealed run is deleted',
    (scene) => remove(scene, keyOf(scene, 'gate-deploy/approval.decided')),
    ['DANGLING_POINTER', 'GAP', 'MANIFEST_MISSING', 'MISSING_STAGE'],
  ],
  [
    'run.opened is deleted',
    (scene) => remove(scene, keyOf(scene, 'open/run.opened')),
    ['DANGLING_POINTER', 'MANIFEST_MISSING', 'NO_OPEN'],
  ],
  ['the seal is deleted', (scene) => remove(scene, scene.r1.seal?.key as string), ['UNSEALED']],
  [
    'F57 the last record of an unsealed run is deleted',
    async (scene) => {
      const { receipts } = await deliver(scene, 'r2', { sealed: null });
      remove(scene, receipts.get('deploy/deploy.outcome')?.key as string);
    },
    ['DANGLING_POINTER', 'INTENT_WITHOUT_OUTCOME', 'MISSING_STAGE', 'UNSEALED'],
  ],
  [
    'F57 a required stage is never recorded',
    async (scene) => void (await deliver(scene, 'r2', { without: ['sign/sbom.created'], bend: elsewhere })),
    ['MISSING_STAGE'],
  ],
  [
    'a scan of a required category is never recorded',
    async (scene) => void (await deliver(scene, 'r2', { without: ['scan-secrets'], bend: elsewhere })),
    ['MISSING_STAGE'],
  ],
  [
    'a run never says that it was opened',
    async (scene) => void (await deliver(scene, 'r2', { without: ['open'] })),
    ['NO_OPEN'],
  ],
  [
    'run.opened asks for less than its contract',
    async (scene) =>
      void (await deliver(scene, 'r2', {
        without: ['scan-secrets'],
        bend: (name, input) =>
          name === 'open/run.opened' ? lessRequired(elsewhere(name, input)) : elsewhere(name, input),
      })),
    ['BAD_CONTRACT', 'MISSING_STAGE'],
  ],
  [
    'F65 a run is cancelled before its seal',
    async (scene) => void (await deliver(scene, 'r2', { without: ['gate-deploy', 'deploy'], sealed: null })),
    ['MISSING_STAGE', 'UNSEALED'],
  ],
  [
    'F58 a whole run is inserted a day later',
    async (scene) => void (await deliver(scene, 'r2', { earlier: 24 * HOUR })),
    ['BACKDATED'],
  ],
  [
    'F65 a deploy crashes before its outcome',
    async (scene) => void (await deliver(scene, 'r2', { without: ['deploy.outcome'], sealed: 'failure' })),
    ['INTENT_WITHOUT_OUTCOME'],
  ],
  ...Object.entries<(input: RecordInput) => Partial<RecordInput>>({
    'a refusal': () => ({ outcome: 'denied' }),
    'the outcome of another decision': () => ({ data: { decisionId: randomUUID() } }),
    'the outcome of no decision': () => ({ data: {} }),
    'an outcome about another image': ({ subjects: [image] }) => ({
      subjects: [{ ...(image as RecordInput['subjects'][number]), digest: `sha256:${'b'.repeat(64)}` }],
    }),
    'the outcome of another deploy': () => ({ opId: randomUUID() }),
  }).map(
    ([what, bent]): Attack => [
      `F94 ${what} says nothing of a deploy that crashed`,
      async (scene) =>
        void (await deliver(scene, 'r2', {
          bend: (name, input) => (name === 'deploy/deploy.outcome' ? { ...input, ...bent(input) } : input),
        })),
      ['INTENT_WITHOUT_OUTCOME'],
    ],
  ),
  ...(['success', 'denied', 'error'] as const).map(
    (outcome): Attack => [
      `F94 whoever has the deploy key of another run says of a deploy that crashed: ${outcome}`,
      async (scene) => {
        const { opId, decisionId } = await deliver(scene, 'r2', { without: ['deploy.outcome'], sealed: 'failure' });
        await deliver(scene, 'r3', {
          without: ['deploy.intent'],
          sealed: 'failure',
          bend: (name, input) =>
            name === 'deploy/deploy.outcome' ? { ...input, opId, outcome, data: { decisionId } } : input,
        });
      },
      // The intent is the crashed one: the other run has none, which it owes.
      ['INTENT_WITHOUT_OUTCOME', 'MISSING_STAGE'],
    ],
  ),
  [
    'F94 somebody says after the seal what became of a deploy that crashed',
    async (scene) => {
      const { opId, decisionId } = await deliver(scene, 'r1', {
        attempt: 2,
        without: ['deploy.outcome'],
        sealed: 'failure',
      });
      const late = { run: sampleRun('r1', 2), opId, data: { decisionId } };
      const signed = await signRecord(sampleInput('deploy.outcome', late.run, late), placeOfStep(2, 'late'), {
        signer: keys.deploy,
        role: 'deploy',
      });
      await appendRecord(scene.store, signed);
    },
    ['INTENT_WITHOUT_OUTCOME', 'NOT_IN_MANIFEST'],
  ],
  [
    'a deploy acts on the decision of another run',
    async (scene) =>
      void (await deliver(scene, 'r2', {
        bend: (name, input) =>
          name.startsWith('deploy/') ? { ...input, data: { decisionId: scene.r1.decisionId } } : input,
      })),
    ['DECISION_NOT_CONSUMED'],
  ],
  [
    'a deploy acts on no decision',
    async (scene) => {
      const data = { decisionId: randomUUID() };
      await deliver(scene, 'r2', {
        bend: (name, input) => (name.startsWith('deploy/') ? { ...input, data } : input),
      });
    },
    ['DECISION_NOT_CONSUMED'],
  ],
  [
    'a pointer leads to a record that is not there',
    (scene) =>
      write(
        scene,
        `v1/by-digest/sha256-${'b'.repeat(64)}/scan.completed-${'0'.repeat(32)}.json`,
        '{"key":"v1/records/x","tool":null}',
      ),
    ['DANGLING_POINTER'],
  ],
  ...Object.entries({
    'is empty': '',
    'is binary': Buffer.from([0, 255, 254, 1, 2, 3]),
    'starts with a byte order mark': '\ufeff{}',
    'has a key twice': '{"a":1,"a":2}',
    'is null': 'null',
    'is deeply nested': '['.repeat(20_000) + ']'.repeat(20_000),
    'is a bundle of nothing': '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
  }).map(
    ([what, bytes]): Attack => [
      `F61 a record ${what}`,
      (scene) =>
        write(
          scene,
          keyOf(scene, 'open/run.opened').replace(/[^/]+$/, `x-0000-test.completed-${'0'.repeat(32)}.json`),
          bytes,
        ),
      ['BAD_RECORD', 'MODIFIED'],
    ],
  ),
  [
    'a record is huge',
    (scene) =>
      write(scene, keyOf(scene, 'open/run.opened').replace('open-0000', 'open-0001'), Buffer.alloc(70_000, 0x20)),
    ['UNREADABLE'],
  ],
];

describe('attacks and failures before the notary came by', () => {
  it.each(beforeCheckpoint)('%s', async (_what, attack, expected) => {
    const scene = await newScene();
    await attack(scene);
    await tick(scene.store);
    expect(await codesOf(scene.store, { now: Date.now() + 2 * HOUR })).toEqual(expected);
  });

  it('a contract of then, which today would be refused, is read: what it asked for is owed', async () => {
    const scene = await newScene();
    const demanding = Buffer.concat([
      contractBytes,
      Buffer.from('break-glass: { groups: [leads], number: 2, review-within: 24h }\n'),
    ]);
    const input = { mediaType: 'application/yaml', role: 'contract', verbatim: true };
    const { attachment } = await putBlob(scene.store, demanding, input);
    await deliver(scene, 'r2', {
      without: ['scan-secrets'],
      bend: (name, record) =>
        elsewhere(
          name,
          name === 'open/run.opened'
            ? { ...record, attachments: [attachment], data: { ...record.data, contract: attachment.digest } }
            : record,
        ),
    });
    await tick(scene.store);
    expect(await codesOf(scene.store)).toEqual(['MISSING_STAGE']);
  });

  it('garbage everywhere is found everywhere and stops nobody', async () => {
    const scene = await newScene();
    for (const key of ['seals/x', 'once/x', 'keys/x.json', 'register/x.json', 'by-digest/x', 'blobs/x', 'log/batch/x'])
      write(scene, `v1/${key}`, '{');
    expect(await codesOf(scene.store)).toEqual([
      'BAD_KEY',
      'BAD_LOG_BATCH',
      'BAD_RECORD',
      'BAD_SEAL',
      'UNEXPECTED_OBJECT',
    ]);
  });
});

function lessRequired(input: RecordInput): RecordInput {
  const required = (input.data.required as string[]).filter((stage) => stage !== 'scan.completed:secrets');
  return { ...input, data: { ...input.data, required } };
}
