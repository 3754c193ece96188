import { randomUUID } from 'node:crypto';
import { consume } from '../../../src/evidence/once.ts';
import { newLedger, sampleRun } from './sample-ledger.ts';

const mark = (opId: string = randomUUID()) => ({ decisionKey: 'v1/records/x.json', run: sampleRun('r1'), opId });

describe('a decision', () => {
  it('is used up by one operation, which may ask again', async () => {
    const { store } = await newLedger();
    const id = randomUUID();
    const ours = mark();
    await consume(store, id, ours);
    await consume(store, id, ours);
    await expect(consume(store, id, mark())).rejects.toMatchObject({
      code: 'decision.used',
      exit: 1,
      message: expect.stringContaining(ours.opId),
    });
  });

  it('of 8 operations at the same time serves one', async () => {
    const { store } = await newLedger();
    const id = randomUUID();
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => consume(store, id, mark())));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('whose mark is garbage counts as used', async () => {
    const { store } = await newLedger();
    const id = randomUUID();
    await store.put(`v1/once/${id}.json`, Buffer.from('{'));
    await expect(consume(store, id, mark())).rejects.toMatchObject({
      code: 'decision.used',
      message: expect.stringContaining('unreadable'),
    });
  });
});
