import { appendRecord } from '../../src/evidence/append.ts';
import { signRecord } from '../../src/evidence/record.ts';
import type { Store, StoreEntry } from '../../src/store/store.ts';
import {
  codesOf,
  type Delivery,
  type DeliveryOptions,
  deliver,
  HOUR,
  keys,
  type Ledger,
  newLedger,
  placeOfStep,
  sampleInput,
  sampleRun,
  seal,
  tick,
} from '../unit/evidence/sample-ledger.ts';
import { elsewhere, keyOf, newScene, write } from './evidence-scene.ts';

const deny: DeliveryOptions['bend'] = (name, input) =>
  name === 'gate-promote/gate.decided'
    ? { ...input, outcome: 'denied', data: { stage: 'promote', outcome: 'deny' } }
    : input;

/** Honest stores that look unusual: a verifier that cries wolf is switched off. */
const honest: [what: string, story: (ledger: Ledger) => Promise<unknown>][] = [
  ['nothing happened yet', async () => {}],
  [
    'eight runs at the same time',
    (ledger) => Promise.all(Array.from({ length: 8 }, (_, i) => deliver(ledger, `r${i}`, { bend: elsewhere }))),
  ],
  [
    'a run that only promotes',
    (ledger) => deliver(ledger, 'r1', { without: ['gate-deploy', 'deploy'], extent: 'promote' }),
  ],
  [
    'a run that the gate denied',
    (ledger) => deliver(ledger, 'r1', { without: ['gate-deploy', 'deploy'], bend: deny, sealed: 'failure' }),
  ],
  [
    'a run that was cancelled while it scanned',
    (ledger) =>
      deliver(ledger, 'r1', {
        without: ['scan-secrets', 'sign', 'gate-promote', 'gate-deploy', 'deploy'],
        sealed: 'cancelled',
      }),
  ],
  [
    'a run whose signing failed',
    (ledger) =>
      deliver(ledger, 'r1', {
        without: ['sign/artifact.signed', 'gate-promote', 'gate-deploy', 'deploy'],
        sealed: 'failure',
      }),
  ],
  [
    'an image that another sealed run built and scanned',
    async (ledger) => {
      await deliver(ledger, 'r1', { without: ['gate-deploy', 'deploy'], extent: 'promote' });
      await deliver(ledger, 'r2', { without: ['scan-sca', 'scan-secrets', 'sign'] });
    },
  ],
  [
    'a second attempt of a run',
    async (ledger) => {
      const first = await deliver(ledger, 'r1', { without: ['deploy'], sealed: 'failure' });
      const second = await deliver(ledger, 'r1', { attempt: 2, sealed: null });
      const receipts = new Map([...first.receipts].map(([name, receipt]) => [`1/${name}`, receipt] as const));
      await seal(
        ledger.store,
        { run: second.run, receipts: new Map([...receipts, ...second.receipts]) },
        { attempt: 2 },
      );
    },
  ],
  [
    'a job of the caller that reports after the seal',
    async (ledger) => {
      const { run } = await deliver(ledger, 'r1');
      await append(ledger, 'test.completed', 'emit', run);
    },
  ],
  [
    'records of a cluster, which is no pipeline',
    (ledger) => append(ledger, 'drift.checked', 'cluster', { ...sampleRun('c1'), platform: 'cluster' }),
  ],
  [
    'a record of a type that is not known yet',
    async (ledger) => {
      const { run } = await deliver(ledger, 'r1');
      await append(ledger, 'review.recorded', 'emit', run);
    },
  ],
  [
    'a record that was sent twice',
    async (ledger) => {
      const { signed } = await deliver(ledger, 'r1');
      for (const each of signed.values()) await appendRecord(ledger.store, each);
    },
  ],
];

describe('honest ledgers have no findings', () => {
  it.each(honest)('%s', async (_what, story) => {
    const ledger = await newLedger();
    await story(ledger);
    await tick(ledger.store);
    expect(await codesOf(ledger.store, { now: Date.now() + 2 * HOUR })).toEqual([]);
  });

  it('a run that is under way: not sealed, not anchored, half of its records missing', async () => {
    const ledger = await newLedger();
    await deliver(ledger, 'r1', { without: ['sign', 'gate-promote', 'gate-deploy', 'deploy'], sealed: null });
    expect(await codesOf(ledger.store)).toEqual([]);
  });

  it('a run that is written and anchored while the store is listed', async () => {
    const ledger = await newLedger();
    await deliver(ledger, 'r1');
    await tick(ledger.store);
    const list: Store['list'] = async function* (prefix) {
      const found: StoreEntry[] = [];
      for await (const entry of ledger.store.list(prefix)) found.push(entry);
      if (prefix === '') {
        await deliver(ledger, 'r2');
        await tick(ledger.store);
      }
      yield* found;
    };
    expect(await codesOf({ ...ledger.store, list })).toEqual([]);
    expect(await codesOf(ledger.store)).toEqual([]);
  });

  it('what a killed writer leaves behind', async () => {
    const scene = await newScene();
    write(scene, '.tmp/4711-00ff', 'half a rec');
    expect(await codesOf(scene.store)).toEqual([]);
    expect(keyOf(scene, 'open/run.opened')).toContain('run.opened');
  });
});

async function append({ store }: Ledger, type: string, role: 'emit' | 'cluster', run: Delivery['run']): Promise<void> {
  await appendRecord(
    store,
    await signRecord(sampleInput(type, run), placeOfStep(1, 'own'), { signer: keys[role], role }),
  );
}
