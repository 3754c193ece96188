import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Target } from '../../../src/contract/target.ts';
import { appendRecord } from '../../../src/evidence/append.ts';
import { placeDigest, pointerPrefix } from '../../../src/evidence/layout.ts';
import { readLedgerKeys } from '../../../src/evidence/ledger-keys.ts';
import { type RecordInput, type SignedRecord, signRecord } from '../../../src/evidence/record.ts';
import { lastDeployed } from '../../../src/facts/deployed.ts';
import {
  keys,
  type Ledger,
  newLedger,
  placeOfStep,
  release,
  sampleInput,
  sampleRun,
} from '../evidence/sample-ledger.ts';

/* Which commit is deployed, by the decisions that a store holds. */

const WEB: Target = { cluster: 'prod', namespace: 'app', kind: 'Deployment', name: 'web' };
const JOBS: Target = { ...WEB, name: 'jobs' };
const [ONE, TWO] = ['1'.repeat(40), '2'.repeat(40)];
const run = sampleRun('r9');

let ledger: Ledger;
let runs = 0;
beforeEach(async () => {
  ledger = await newLedger();
});

const allowed = (target: Target) => ({ stage: 'deploy', simulated: false, target });

/** The gate allows a deploy. */
async function deployed(sha: string, target: Target = WEB, changes: Partial<RecordInput> = {}): Promise<SignedRecord> {
  const input = sampleInput('gate.decided', { ...sampleRun(`r${runs++}`), sha }, { data: allowed(target), ...changes });
  const signed = await signRecord(input, placeOfStep(1, 'gate'), { signer: keys.gate, role: 'gate' });
  await appendRecord(ledger.store, signed);
  // The store's times are to differ.
  await new Promise((resolve) => setTimeout(resolve, 20));
  return signed;
}

async function last(target: Target | null = WEB, environment = 'production', of = run): Promise<string | null> {
  const found = await readLedgerKeys(ledger.store, [release.publicKeyPem]);
  const circumstances = { store: ledger.store, keys: found.keys, now: Date.now() };
  const deploy = await lastDeployed(circumstances, of, environment, target);
  expect(deploy?.ref ?? run.ref).toBe(run.ref);
  return deploy?.sha ?? null;
}
/** Whoever may write evidence may write a pointer. */
async function point(name: string, key: string): Promise<void> {
  const pointer = `${pointerPrefix(placeDigest(run, 'production', WEB))}gate.decided-${name}.json`;
  await ledger.store.put(pointer, Buffer.from(JSON.stringify({ key, tool: null })));
}
const lose = ({ key }: { key: string }) => rmSync(join(ledger.folder, key));

describe('the deployed commit', () => {
  it('is that of the last deploy to the target', async () => {
    expect(await last()).toBeNull();
    await deployed(TWO);
    await deployed(ONE);
    expect(await last()).toBe(ONE);
  });

  it('of one target is not that of another', async () => {
    await deployed(ONE);
    await deployed(TWO, JOBS);
    expect([await last(WEB), await last(JOBS)]).toEqual([ONE, TWO]);
  });

  it('is the environment’s last where the target is new, or none is asked for', async () => {
    await deployed(ONE);
    await deployed(TWO, JOBS);
    expect([await last({ ...WEB, name: 'new' }), await last(null)]).toEqual([TWO, TWO]);
  });

  it.each<[string, Partial<RecordInput>]>([
    ['was denied', { outcome: 'denied' }],
    ['was not judged', { outcome: 'error' }],
    ['was promoted only', { data: { ...allowed(WEB), stage: 'promote' } }],
    ['was tried out only', { data: { ...allowed(WEB), simulated: true } }],
    ['was for another environment', { environment: 'staging' }],
  ])('is not that of a deploy that %s', async (_, changes) => {
    await deployed(TWO);
    await deployed(ONE, WEB, changes);
    expect(await last()).toBe(TWO);
  });

  it('is not another repository’s', async () => {
    await deployed(ONE);
    expect(await last(WEB, 'production', { ...run, repositoryId: '8' })).toBeNull();
  });

  it('is that of the last decision that can be used', async () => {
    await deployed(TWO);
    lose(await deployed(ONE));
    expect(await last()).toBe(TWO);
  });

  it('cannot be told, which is not "none", where no decision can be used', async () => {
    lose(await deployed(ONE));
    await expect(last()).rejects.toMatchObject({ code: 'evidence.deploys', exit: 3 });
  });

  it('cannot be told by a pointer to a deploy of something else', async () => {
    const { key } = await deployed(ONE, JOBS);
    await point(key.slice(-37, -5), key);
    await expect(last()).rejects.toMatchObject({
      code: 'evidence.deploys',
      message: expect.stringContaining('something else'),
    });
  });

  it('cannot be told by a pointer that leads out of the store', async () => {
    await point('0'.repeat(32), '../elsewhere.json');
    await expect(last()).rejects.toMatchObject({ code: 'evidence.deploys' });
  });

  it('is not that of an older deploy to which somebody points anew', async () => {
    const { key } = await deployed(ONE);
    await deployed(TWO);
    await point('0'.repeat(32), key);
    expect(await last()).toBe(TWO);
  });

  it('is not what the deploy role says', async () => {
    await deployed(TWO);
    const outcome = sampleInput('deploy.outcome', { ...sampleRun('r77'), sha: ONE }, { data: { target: WEB } });
    const signed = await signRecord(outcome, placeOfStep(1, 'deploy'), { signer: keys.deploy, role: 'deploy' });
    await appendRecord(ledger.store, signed);
    expect(await last()).toBe(TWO);
  });

  it('cannot be told by a record that another role signed', async () => {
    const forged = { ...sampleInput('gate.decided', sampleRun('r78'), { data: allowed(WEB) }), seq: 7 };
    await expect(
      signRecord(forged, placeOfStep(1, 'gate'), { signer: keys.deploy, role: 'deploy' }),
    ).rejects.toMatchObject({ code: 'evidence.role' });
    const signed = await signRecord(forged, placeOfStep(1, 'gate'), { signer: keys.deploy, role: 'gate' });
    await appendRecord(ledger.store, signed);
    await expect(last()).rejects.toMatchObject({ code: 'evidence.deploys' });
  });
});
