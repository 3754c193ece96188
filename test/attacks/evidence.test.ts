import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { appendRecord } from '../../src/evidence/append.ts';
import { publishKey } from '../../src/evidence/publish-key.ts';
import { codesOf, deliver, HOUR, p256Signer, release, seal, tick } from '../unit/evidence/sample-ledger.ts';
import {
  type Attack,
  add,
  batches,
  blobKeyOf,
  breakSignature,
  editBatch,
  forge,
  keyDocument,
  keyOf,
  newScene,
  path,
  pointerOf,
  publishRegister,
  remove,
  write,
} from './evidence-scene.ts';

/** Attacks on a ledger whose checkpoint covers everything and is two hours old. */
const afterCheckpoint: Attack[] = [
  [
    'F55 a record is changed and signed again with the stolen key',
    async (scene) =>
      write(
        scene,
        keyOf(scene, 'gate-promote/change.reviewed'),
        (await forge(scene, 'gate-promote/change.reviewed', 'gate')).bytes,
      ),
    ['MANIFEST_MISMATCH', 'MODIFIED', 'POINTER_MISSING'],
  ],
  [
    'F54 a record is signed again with the stolen key and laid beside the first',
    async (scene) => void (await appendRecord(scene.store, await forge(scene, 'gate-promote/change.reviewed', 'gate'))),
    ['EQUIVOCATION', 'NOT_IN_MANIFEST'],
  ],
  [
    'F55 a signature is broken',
    (scene) => {
      const key = keyOf(scene, 'gate-promote/change.reviewed');
      write(scene, key, breakSignature(readFileSync(path(scene, key))));
    },
    ['BAD_SIGNATURE', 'GAP', 'MANIFEST_MISSING', 'MISSING_STAGE', 'MODIFIED'],
  ],
  [
    'a required record is deleted',
    (scene) => remove(scene, keyOf(scene, 'gate-deploy/approval.decided')),
    ['DELETED', 'GAP', 'MANIFEST_MISSING', 'MISSING_STAGE'],
  ],
  [
    'a whole run is deleted',
    (scene) => remove(scene, 'v1/records', 'v1/seals', 'v1/by-digest', 'v1/once'),
    ['DELETED'],
  ],
  [
    'an approval is added to the sealed run',
    (scene) => add(scene, 'approval.decided', 'gate', 'gate'),
    ['NOT_IN_MANIFEST'],
  ],
  [
    'F58 an approval is added to the sealed run with the time of the run',
    (scene) => add(scene, 'approval.decided', 'gate', 'gate', { time: new Date(Date.now() - HOUR).toISOString() }),
    ['BACKDATED', 'NOT_IN_MANIFEST'],
  ],
  [
    'a record comes from the future',
    (scene) => add(scene, 'test.completed', 'emit', 'emit', { time: new Date(Date.now() + 12 * HOUR).toISOString() }),
    ['FUTURE_DATED'],
  ],
  [
    'two records change places',
    (scene) => {
      const [a, b] = [keyOf(scene, 'gate-promote/change.reviewed'), keyOf(scene, 'gate-deploy/approval.decided')];
      const [left, right] = [readFileSync(path(scene, a)), readFileSync(path(scene, b))];
      write(scene, a, right);
      write(scene, b, left);
    },
    ['GAP', 'MANIFEST_MISSING', 'MISFILED', 'MISSING_STAGE', 'MODIFIED'],
  ],
  [
    'F56 the deploy of this run is copied under another run',
    (scene) => {
      const key = keyOf(scene, 'deploy/deploy.outcome');
      write(scene, key.replace('/run=r1/', '/run=r2/'), readFileSync(path(scene, key)));
    },
    ['MISFILED'],
  ],
  [
    'a record is copied under another day',
    (scene) => {
      const key = keyOf(scene, 'deploy/deploy.outcome');
      write(scene, key.replace(/dt=[^/]+/, 'dt=2020-01-01'), readFileSync(path(scene, key)));
    },
    ['MISFILED'],
  ],
  ['a scan key signs a decision', (scene) => add(scene, 'gate.decided', 'scan', 'gate'), ['WRONG_ROLE']],
  ['a caller signs a scan', (scene) => add(scene, 'scan.completed', 'emit', 'scan'), ['WRONG_ROLE']],
  [
    'the gate of another repository signs an approval',
    (scene) => add(scene, 'approval.decided', 'stranger', 'gate'),
    ['FOREIGN_WRITER'],
  ],
  [
    'a key that nobody released signs an approval',
    (scene) => add(scene, 'approval.decided', 'outsider', 'gate'),
    ['BAD_SIGNATURE'],
  ],
  [
    'a revoked key goes on signing',
    async (scene) => {
      await publishKey(scene.store, release, keyDocument({ revokedAt: new Date(Date.now() - HOUR).toISOString() }));
      await add(scene, 'test.completed', 'emit', 'emit');
    },
    ['KEY_NOT_IN_FORCE'],
  ],
  [
    'a key that only the register revokes goes on signing',
    async (scene) => {
      await publishRegister(scene, 1, [
        {
          id: 'emit-1',
          from: '2020-01-01T00:00:00Z',
          until: null,
          revokedAt: new Date(Date.now() - HOUR).toISOString(),
        },
      ]);
      await add(scene, 'test.completed', 'emit', 'emit');
    },
    ['KEY_NOT_IN_FORCE'],
  ],
  [
    'an old register is laid on top to take a revocation back',
    async (scene) => {
      await publishRegister(scene, 1, []);
      await publishRegister(scene, 2, [
        {
          id: 'emit-1',
          from: '2020-01-01T00:00:00Z',
          until: null,
          revokedAt: new Date(Date.now() - HOUR).toISOString(),
        },
      ]);
      write(scene, 'v1/register/0000000003.json', readFileSync(path(scene, 'v1/register/0000000001.json')));
      await add(scene, 'test.completed', 'emit', 'emit');
    },
    ['BAD_KEY', 'KEY_NOT_IN_FORCE'],
  ],
  [
    'somebody adds a key of his own',
    async (scene) =>
      void (await publishKey(scene.store, p256Signer('not-release'), {
        ...keyDocument({}),
        id: 'mine',
        publicKey: p256Signer('mine').publicKeyPem,
      })),
    ['BAD_KEY'],
  ],
  [
    'a leaf of the log is rewritten',
    (scene) =>
      editBatch(scene, (batch) => ((batch.leaves[0] as { digest: string }).digest = `sha256:${'0'.repeat(64)}`)),
    ['LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT', 'MODIFIED'],
  ],
  [
    'leaves are taken out of the log',
    (scene) => editBatch(scene, (batch) => void batch.leaves.pop()),
    ['LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT', 'UNANCHORED'],
    2,
  ],
  [
    'the tree head is signed by somebody else',
    (scene) =>
      editBatch(scene, (batch) => {
        batch.checkpoint = batch.checkpoint.replace(/ [^ ]+\n$/, ` ${Buffer.alloc(68).toString('base64')}\n`);
      }),
    ['CHECKPOINT_SIG'],
  ],
  ['the log is removed', (scene) => remove(scene, 'v1/log'), ['UNANCHORED'], 2],
  [
    'a batch of the log is not JSON',
    (scene) => write(scene, batches(scene)[0] as string, '{'),
    ['BAD_LOG_BATCH', 'UNANCHORED'],
    2,
  ],
  [
    'a batch of the log is renamed',
    (scene) => renameSync(path(scene, batches(scene)[0] as string), path(scene, 'v1/log/batch/000000000009.json')),
    ['LOG_GAP'],
  ],
  [
    'a blob is changed',
    (scene) => write(scene, blobKeyOf(scene), 'rules: none'),
    ['ATTACHMENT_MISMATCH', 'BAD_CONTRACT', 'MODIFIED'],
  ],
  ['a blob is deleted', (scene) => remove(scene, blobKeyOf(scene)), ['ATTACHMENT_MISSING', 'BAD_CONTRACT', 'DELETED']],
  [
    'a record is replaced by a link to itself in the temporary folder',
    (scene) => {
      const key = keyOf(scene, 'gate-promote/change.reviewed');
      renameSync(path(scene, key), join(scene.folder, '.tmp/elsewhere'));
      symlinkSync(join(scene.folder, '.tmp/elsewhere'), path(scene, key));
    },
    ['GAP', 'MANIFEST_MISSING', 'MISSING_STAGE', 'NOT_AN_OBJECT'],
  ],
  [
    'a link out of the store is planted',
    (scene) => symlinkSync('/etc/hostname', path(scene, 'v1/records/x')),
    ['NOT_AN_OBJECT'],
  ],
  ['a pipe is planted', (scene) => void execFileSync('mkfifo', [path(scene, 'v1/records/pipe')]), ['NOT_AN_OBJECT']],
  [
    'a file with a control character in its name is planted',
    (scene) => write(scene, 'v1/records/a\u001b[2Jb', ''),
    ['NOT_AN_OBJECT'],
  ],
  ['a file is planted beside the layout', (scene) => write(scene, 'v2/records/x.json', '{}'), ['UNEXPECTED_OBJECT']],
  [
    'the pointer to a scan is deleted',
    (scene) => remove(scene, pointerOf(scene, 'scan.completed')),
    ['DELETED', 'POINTER_MISSING'],
  ],
  [
    'a second seal leaves an approval out',
    async (scene) =>
      void (await seal(scene.store, {
        run: scene.r1.run,
        receipts: new Map([...scene.r1.receipts].filter(([name]) => !name.includes('approval'))),
      })),
    ['TWO_SEALS'],
  ],
  [
    'a line is cut out of the seal',
    (scene) => {
      const key = scene.r1.seal?.key as string;
      const lines = readFileSync(path(scene, key), 'utf8').split('\n');
      write(scene, key, [...lines.slice(0, 3), ...lines.slice(4)].join('\n'));
    },
    ['BAD_SEAL', 'MODIFIED', 'UNSEALED'],
    2,
  ],
  [
    'the seal of another run is copied here',
    async (scene) => {
      const other = await deliver(scene, 'r2');
      const key = other.seal?.key as string;
      write(scene, key.replace('/run=r2/', '/run=r1/'), readFileSync(path(scene, key)));
    },
    ['MISFILED'],
  ],
];

describe('attacks on evidence that a checkpoint covers', () => {
  it.each(afterCheckpoint)('%s', async (_what, attack, expected, hoursLater = 0) => {
    const scene = await newScene();
    await tick(scene.store);
    await attack(scene);
    expect(await codesOf(scene.store, { now: Date.now() + hoursLater * HOUR })).toEqual(expected);
  });
});
