import { codesOf, deliver, ed25519Signer, HOUR, tick, trust } from '../unit/evidence/sample-ledger.ts';
import { batches, editBatch, keyOf, newScene, remove } from './evidence-scene.ts';

describe('a notary who cannot be trusted', () => {
  it('drops a record and rewrites the log: the checkpoint kept outside says so', async () => {
    const scene = await newScene();
    const { checkpoint } = await tick(scene.store);
    remove(scene, 'v1/log');
    remove(scene, keyOf(scene, 'gate-deploy/approval.decided'));
    await tick(scene.store);
    expect(await codesOf(scene.store, { checkpoint })).toEqual([
      'GAP',
      'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT',
      'MANIFEST_MISSING',
      'MISSING_STAGE',
    ]);
  });

  it('takes the newest batch away: the checkpoint kept outside counts more leaves', async () => {
    const scene = await newScene();
    const first = await tick(scene.store);
    await deliver(scene, 'r2');
    const second = await tick(scene.store, first.checkpoint);
    remove(scene, batches(scene)[1] as string);
    expect(await codesOf(scene.store, { checkpoint: second.checkpoint })).toEqual([
      'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT',
    ]);
  });

  it('takes an older batch away: the log has a gap', async () => {
    const scene = await newScene();
    await tick(scene.store);
    await deliver(scene, 'r2');
    await tick(scene.store);
    remove(scene, batches(scene)[0] as string);
    expect(await codesOf(scene.store)).toEqual(['LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT', 'LOG_GAP']);
  });

  it('stops coming by: everything newer is unanchored after an hour', async () => {
    const scene = await newScene();
    await tick(scene.store);
    await deliver(scene, 'r2');
    expect(await codesOf(scene.store)).toEqual([]);
    expect(await codesOf(scene.store, { now: Date.now() + 2 * HOUR })).toEqual(['UNANCHORED']);
  });

  it('signs with a key that the auditor does not know', async () => {
    const scene = await newScene();
    await tick(scene.store, null, ed25519Signer('other'));
    expect(await codesOf(scene.store)).toEqual(['CHECKPOINT_SIG']);
  });

  it('is no forger because the auditor brought the wrong kind of key', async () => {
    const { store } = await newScene();
    const swapped = { ...trust, release: trust.notary, notary: trust.release };
    await expect(codesOf(store, { trusted: swapped })).rejects.toMatchObject({ code: 'key.type', exit: 2 });
  });

  it('does not go on with a log that was changed or that contradicts the checkpoint kept outside', async () => {
    const scene = await newScene();
    const { checkpoint } = await tick(scene.store);
    remove(scene, 'v1/log');
    await expect(tick(scene.store, checkpoint)).rejects.toMatchObject({ code: 'checkpoint.log' });
    await tick(scene.store);
    editBatch(scene, (batch) => void batch.leaves.pop());
    await expect(tick(scene.store)).rejects.toMatchObject({ code: 'checkpoint.log' });
  });
});

/** What the store alone cannot show; the outside must. */
describe('the limits of the store (F64)', () => {
  it('a run removed before its first checkpoint leaves no trace', async () => {
    const scene = await newScene();
    remove(scene, 'v1/records', 'v1/seals', 'v1/by-digest', 'v1/once');
    await tick(scene.store);
    expect(await codesOf(scene.store)).toEqual([]);
  });

  it('a log rewritten when nobody kept a checkpoint looks whole', async () => {
    const scene = await newScene();
    await tick(scene.store);
    remove(scene, 'v1/records', 'v1/seals', 'v1/by-digest', 'v1/once', 'v1/log');
    await tick(scene.store);
    expect(await codesOf(scene.store)).toEqual([]);
  });
});
