import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkpoint } from '../../../src/evidence/checkpoint.ts';
import { leafHash, rootFromProof } from '../../../src/evidence/merkle.ts';
import { proveRecord } from '../../../src/evidence/prove.ts';
import { openTreeHead } from '../../../src/evidence/tree-head.ts';
import type { Store } from '../../../src/store/store.ts';
import { deliver, ed25519Signer, newLedger, notary, ORIGIN, tick, trust } from './sample-ledger.ts';

const input = { signer: notary, origin: ORIGIN, earlierKeys: [], previous: null };

describe('a notary’s tick', () => {
  it('covers every object once and writes nothing when nothing is new', async () => {
    const ledger = await newLedger();
    await deliver(ledger, 'r1');
    const first = await tick(ledger.store);
    const second = await tick(ledger.store, first.checkpoint);
    expect(second).toEqual({ ...first, added: 0 });
    await deliver(ledger, 'r2');
    const third = await tick(ledger.store, second.checkpoint);
    expect(third.size).toBe(first.size + third.added);
    expect(openTreeHead(third.checkpoint as string, trust.notary)).toMatchObject({ origin: ORIGIN, size: third.size });
    const batch = JSON.parse(
      readFileSync(join(ledger.folder, `v1/log/batch/${String(first.size).padStart(12, '0')}.json`), 'utf8'),
    );
    expect(batch).toMatchObject({ schema: 'gatehouse/log-batch/1', first: first.size, checkpoint: third.checkpoint });
    expect(batch.leaves).toHaveLength(third.added);
  });

  it('of an empty store makes no checkpoint', async () => {
    const ledger = await newLedger();
    rmSync(join(ledger.folder, 'v1'), { recursive: true });
    expect(await tick(ledger.store)).toEqual({ checkpoint: null, size: 0, added: 0, unread: [] });
  });

  it('that loses against another notary stops', async () => {
    const ledger = await newLedger();
    const [a, b] = await Promise.allSettled([tick(ledger.store), tick(ledger.store)]);
    const outcomes = [a, b]
      .map((outcome) => (outcome.status === 'fulfilled' ? outcome.value.size : outcome.reason.code))
      .sort();
    expect(outcomes).toEqual([expect.any(Number), 'checkpoint.raced']);
  });

  it('goes on after the key has changed, under the same name only', async () => {
    const ledger = await newLedger();
    await tick(ledger.store);
    await deliver(ledger, 'r1');
    const next = ed25519Signer('notary-2');
    await expect(checkpoint(ledger.store, { ...input, signer: next })).rejects.toMatchObject({
      code: 'checkpoint.log',
      exit: 1,
    });
    await expect(checkpoint(ledger.store, { ...input, origin: 'example.org/other' })).rejects.toMatchObject({
      code: 'checkpoint.log',
    });
    const { added } = await checkpoint(ledger.store, { ...input, signer: next, earlierKeys: [notary.publicKeyPem] });
    expect(added).toBeGreaterThan(0);
  });

  it('covers the rest when one object cannot be read, and says which', async () => {
    const ledger = await newLedger();
    const { receipts } = await deliver(ledger, 'r1');
    const key = receipts.get('open/run.opened')?.key as string;
    const failing: Store = { ...ledger.store, get: (at) => ledger.store.get(at === key ? 'v1/records' : at) };
    expect((await tick(failing)).unread).toEqual([key]);
    expect((await tick(ledger.store)).added).toBe(1);
  });
});

describe('a proof', () => {
  it('of a record holds for anybody with the notary’s key', async () => {
    const ledger = await newLedger();
    const { receipts, signed } = await deliver(ledger, 'r1');
    const { checkpoint: kept } = await tick(ledger.store);
    const { key, digest } = receipts.get('gate-deploy/approval.decided') as { key: string; digest: string };
    const proof = await proveRecord(ledger.store, { ...trust, checkpoint: kept }, key, Date.now());
    expect(proof).toMatchObject({
      status: 'proved',
      key,
      digest,
      signer: 'gate-1',
      record: signed.get('gate-deploy/approval.decided')?.record,
      problems: [],
    });
    const { index, size, leaf, proof: path, checkpoint: head } = proof.inclusion as NonNullable<typeof proof.inclusion>;
    const root = rootFromProof(
      leafHash(Buffer.from(leaf)),
      index,
      size,
      path.map((hash) => Buffer.from(hash, 'base64')),
    );
    expect(root?.toString('base64')).toBe(openTreeHead(head, trust.notary).root);
    expect(JSON.parse(leaf)).toMatchObject({ key, digest });
  });

  it.each<[string, (folder: string, key: string) => void, string]>([
    [
      'that was changed',
      (folder, key) => rewrite(folder, key, (text) => text.replace(/"sig":"..../, '"sig":"AAAA')),
      'BAD_SIGNATURE',
    ],
    ['whose log is gone', (folder) => rmSync(join(folder, 'v1/log'), { recursive: true }), 'UNANCHORED'],
    [
      'whose log was changed',
      (folder) =>
        rewrite(folder, 'v1/log/batch/000000000000.json', (text) => text.replace(/"storeTime":"20/, '"storeTime":"19')),
      'LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT',
    ],
  ])('fails for a record %s', async (_what, attack, code) => {
    const ledger = await newLedger();
    const { receipts } = await deliver(ledger, 'r1');
    const { checkpoint: kept } = await tick(ledger.store);
    const key = receipts.get('gate-deploy/approval.decided')?.key as string;
    attack(ledger.folder, key);
    const proof = await proveRecord(ledger.store, { ...trust, checkpoint: kept }, key, Date.now());
    expect(proof.status).toBe('failed');
    expect(proof.problems.map((problem) => problem.code)).toContain(code);
  });

  it.each(['v1/records/x', '', '../x', 'v1/keys/gate-1.json'])(
    'is not made for %j, which is no record',
    async (key) => {
      const { store } = await newLedger();
      await expect(proveRecord(store, trust, key, Date.now())).rejects.toMatchObject({
        code: 'prove.missing',
        exit: 2,
      });
    },
  );
});

function rewrite(folder: string, key: string, change: (text: string) => string): void {
  const text = readFileSync(join(folder, key), 'utf8');
  rmSync(join(folder, key));
  writeFileSync(join(folder, key), change(text));
}
