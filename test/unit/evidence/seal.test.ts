import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { receiptsOfRun, sealRun } from '../../../src/evidence/seal.ts';
import { deliver, HOUR, keys, newLedger, placeOfStep, sampleInput, sampleRun } from './sample-ledger.ts';

const writer = { signer: keys.gate, role: 'gate' as const };
const input = (id: string) => sampleInput('run.sealed', sampleRun(id));
const place = placeOfStep(1, 'seal');

describe('a seal', () => {
  it('is one object: run.sealed, then every record of the run verbatim', async () => {
    const { folder, store } = await newLedger();
    const { receipts, seal } = await deliver({ folder, store }, 'r1');
    const [first, ...lines] = readFileSync(join(folder, seal?.key as string), 'utf8')
      .trimEnd()
      .split('\n') as [string, ...string[]];
    const records = [...receipts.values()].map(({ key }) => readFileSync(join(folder, key), 'utf8'));
    expect(lines.sort()).toEqual(records.sort());
    const statement = JSON.parse(Buffer.from(JSON.parse(first).dsseEnvelope.payload, 'base64').toString());
    expect(statement.predicate).toMatchObject({
      type: 'run.sealed',
      outcome: 'success',
      data: { records: 12, jobKey: 'job-1', stepKey: 'seal' },
    });
    expect(seal?.key).toMatch(
      /^v1\/seals\/dt=\d{4}-\d\d-\d\d\/repo=local~localhost~7\/run=r1\/seal-1-[0-9a-f]{32}\.ndjson$/,
    );
  });

  it('holds more records than would fit into one', async () => {
    const { store } = await newLedger();
    const { receipts } = await deliver({ folder: '', store }, 'r1', { sealed: null });
    const many = [...receipts.values()];
    const { records } = await sealRun(store, input('r1'), place, writer, [...many, ...many]);
    expect(records).toBe(12);
  });

  it('of nothing seals nothing', async () => {
    const { store } = await newLedger();
    expect(await sealRun(store, input('r1'), place, writer, [])).toMatchObject({ records: 0 });
  });

  it('is not made when a record is gone, has changed or is of another run', async () => {
    const { folder, store } = await newLedger();
    const { receipts } = await deliver({ folder, store }, 'r1', { sealed: null });
    const [first, second] = [...receipts.values()] as [
      { key: string; digest: string },
      { key: string; digest: string },
    ];
    await expect(sealRun(store, input('r2'), place, writer, [first])).rejects.toMatchObject({
      code: 'seal.foreign',
      exit: 2,
    });
    await expect(
      sealRun(store, input('r1'), place, writer, [{ ...first, digest: second.digest }]),
    ).rejects.toMatchObject({ code: 'seal.record', exit: 1 });
    rmSync(join(folder, first.key));
    await expect(sealRun(store, input('r1'), place, writer, [first])).rejects.toMatchObject({
      code: 'seal.record_missing',
      exit: 3,
    });
  });

  it('can be made from what the store lists, over midnight too', async () => {
    const { folder, store } = await newLedger();
    const { receipts } = await deliver({ folder, store }, 'r1', { sealed: null });
    await deliver({ folder, store }, 'r10', { sealed: null });
    const found = await receiptsOfRun(store, sampleRun('r1'), Date.now() - 30 * HOUR, Date.now());
    expect(found.map(({ key, digest }) => `${key} ${digest}`).sort()).toEqual(
      [...receipts.values()].map(({ key, digest }) => `${key} ${digest}`).sort(),
    );
  });

  it('is not stopped by garbage that somebody laid between the records', async () => {
    const { folder, store } = await newLedger();
    const { receipts } = await deliver({ folder, store }, 'r1', { sealed: null });
    const key = [...receipts.values()][0]?.key as string;
    for (const [i, bytes] of ['{\n}', 'x', ' '.repeat(70_000)].entries())
      await store.put(key.replace(/[0-9a-f]{32}\.json$/, `${String(i).repeat(32)}.json`), Buffer.from(bytes));
    await store.put(key.replace(/[^/]+$/, 'readme.txt'), Buffer.from('x'));
    expect(await receiptsOfRun(store, sampleRun('r1'), Date.now() - HOUR, Date.now())).toHaveLength(receipts.size);
  });
});
