import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RECORD_LIMIT } from '../../../src/contract/record.ts';
import { type Role, recordTypes, roleOfType, role as roles } from '../../../src/contract/roles.ts';
import { appendRecord } from '../../../src/evidence/append.ts';
import { readRecordAt } from '../../../src/evidence/read-record.ts';
import { type RecordInput, signRecord } from '../../../src/evidence/record.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import type { Store } from '../../../src/store/store.ts';
import { DIGEST, keys, newLedger, p256Signer, placeOfStep, sampleInput, sampleRun } from './sample-ledger.ts';

const run = sampleRun('r1');
const place = placeOfStep(1, 'open');
const gate = { signer: keys.gate, role: 'gate' as const };
const sign = (more: Partial<RecordInput> = {}, type = 'run.opened') =>
  signRecord(sampleInput(type, run, more), place, gate);
const ledgerKey = {
  id: 'gate-1',
  publicKeyPem: keys.gate.publicKeyPem,
  role: 'gate' as Role,
  mayWrite: () => true,
  inForce: () => true,
};
const circumstances = { keys: [ledgerKey], storedAt: Date.now(), now: Date.now() };

describe('a record', () => {
  it('lies where contracts say, under the digest of its own bytes', async () => {
    const { key, bytes, digest } = await sign({ time: '2026-01-31T08:00:00.000Z' });
    expect(digest).toBe(digestOf(bytes));
    expect(key).toBe(
      `v1/records/dt=2026-01-31/repo=local~localhost~7/run=r1/job-1/open-0000-run.opened-${digest.slice(7, 39)}.json`,
    );
    expect(bytes.includes('\n')).toBe(false);
  });

  it('has the id of its slot: UUID v5 of run, attempt, job key, step key, number and type', async () => {
    // Python: uuid.uuid5(UUID('7f1c9a4e-3d0b-4c52-9a86-5be0c1f2d7a3'), 'local~localhost~7/r1/1/job-1/open/0/run.opened')
    expect((await sign()).record.id).toBe('a43d14d8-b4ed-5345-a905-b55e24a63304');
    const others = await Promise.all([
      sign({ seq: 1 }),
      sign({ run: sampleRun('r2') }),
      sign({ run: sampleRun('r1', 2) }),
      sign({ run: { ...run, repositoryId: '8' } }),
      signRecord(sampleInput('run.opened', run), placeOfStep(2, 'open'), gate),
      signRecord(sampleInput('run.opened', run), placeOfStep(1, 'other'), gate),
      sign({}, 'gate.decided'),
    ]);
    expect(new Set([(await sign()).record.id, ...others.map(({ record }) => record.id)]).size).toBe(others.length + 1);
  });

  it('comes back from its bytes', async () => {
    const { key, bytes, record } = await sign();
    expect(readRecordAt(key, bytes, circumstances)).toEqual({ record, signer: 'gate-1', problems: [] });
  });

  it('has its controls from the map, never from the caller', async () => {
    const forged = { ...sampleInput('run.opened', run), controls: ['45 CFR 164.999'] } as RecordInput;
    expect((await signRecord(forged, place, gate)).record.controls).toEqual([
      '45 CFR 164.308(a)(1)(ii)(D)',
      '45 CFR 164.312(b)',
      '45 CFR 164.316(b)(1)(ii)',
    ]);
  });

  const pairs = roles.options.flatMap((role) => [...recordTypes, 'custom.said'].map((type) => [role, type] as const));
  it('of a type is signed by the role whose type it is and refused to every other one', async () => {
    const signed: string[] = [];
    for (const [role, type] of pairs) {
      const outcome = await signRecord(sampleInput(type, run), place, { signer: keys.gate, role }).then(
        () => 'signed',
        (thrown: { code: string; exit: number }) => `${thrown.code} ${thrown.exit}`,
      );
      if (outcome === 'signed') signed.push(`${role} ${type}`);
      else expect(outcome).toBe('evidence.role 2');
    }
    expect(signed.sort()).toEqual(
      [...Object.entries(roleOfType).map(([type, role]) => `${role} ${type}`), 'emit custom.said'].sort(),
    );
  });

  it.each<[string, Partial<RecordInput>, string]>([
    ['no subject', { subjects: [] }, 'evidence.record'],
    ['a tag for a digest', { subjects: [{ name: 'app', kind: 'image', digest: 'latest' }] }, 'evidence.record'],
    ['a time with an offset', { time: '2026-01-31T08:00:00+01:00' }, 'evidence.record'],
    ['a field that no schema knows', { ...({ note: 'x' } as object) }, 'evidence.record'],
    ['a fraction', { data: { score: 7.5 } }, 'evidence.record'],
    ['a fraction deep inside', { data: { a: [{ b: 0.1 }] } }, 'evidence.record'],
    ['a number that is none', { data: { a: Number.NaN } }, 'evidence.record'],
    ['more than 64 KiB', { data: { log: 'x'.repeat(RECORD_LIMIT) } }, 'evidence.too_large'],
  ])('with %s is refused before anything is signed', async (_what, more, code) => {
    await expect(sign(more)).rejects.toMatchObject({ code, exit: 2 });
  });

  it.each(['a/b', '..', '', 'a b', 'é'])('does not go to the step %j', async (stepKey) => {
    await expect(signRecord(sampleInput('run.opened', run), { jobKey: 'job-1', stepKey }, gate)).rejects.toMatchObject({
      code: 'evidence.place',
    });
  });

  it('carries no canary secret into the store, and says how many it replaced (F62)', async () => {
    const { folder, store } = await newLedger();
    const canary = `ghp_${'C4n4ryC4n4ryC4n4ryC4n4ryC4n4ryC4n4ry'}`;
    const signed = await sign({
      data: { log: `token ${canary}`, [canary]: 1 },
      source: `https://x:${canary}@example.org`,
    });
    await appendRecord(store, signed);
    expect(signed.redacted).toBeGreaterThanOrEqual(3);
    expect(signed.record.data.redactions).toBe(signed.redacted);
    const all = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const stored = all.map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
    const payloads = stored.map((text) =>
      Buffer.from(JSON.parse(text).dsseEnvelope?.payload ?? '', 'base64').toString(),
    );
    expect([...stored, ...payloads].filter((text) => text.includes('C4n4ry'))).toEqual([]);
    expect(payloads.some((text) => text.includes('[redacted:github-token]'))).toBe(true);
  });
});

describe('by-digest pointers', () => {
  const scan = { signer: keys.scan, role: 'scan' as const };
  const commit = `gitCommit:${'1'.repeat(40)}`;
  const subjects: RecordInput['subjects'] = [
    { name: 'app', kind: 'image', digest: DIGEST },
    { name: 'app', kind: 'commit', digest: commit },
    { name: 'report', kind: 'file', digest: `sha256:${'f'.repeat(64)}` },
  ];

  it('lead from each image and commit to the record, and name the tool', async () => {
    const { key, digest, pointers } = await signRecord(
      sampleInput('scan.completed', run, { subjects }),
      place,
      scan,
      'trivy',
    );
    const hex = digest.slice(7, 39);
    expect(pointers.map((pointer) => pointer.key)).toEqual([
      `v1/by-digest/sha256-${'a'.repeat(64)}/scan.completed-${hex}.json`,
      `v1/by-digest/gitCommit-${'1'.repeat(40)}/scan.completed-${hex}.json`,
    ]);
    expect(pointers.map(({ bytes }) => JSON.parse(bytes.toString()))).toEqual([
      { key, tool: 'trivy' },
      { key, tool: 'trivy' },
    ]);
    expect(
      (await signRecord(sampleInput('test.completed', run, { subjects }), place, { signer: keys.emit, role: 'emit' }))
        .pointers,
    ).toEqual([]);
  });

  it('are written before the record, so that a crash in between denies instead of hiding', async () => {
    const { store } = await newLedger();
    const order: string[] = [];
    const watched: Store = {
      ...store,
      put: (key, bytes) => store.put(key, bytes).finally(() => order.push(key.split('/')[1] as string)),
    };
    const signed = await signRecord(sampleInput('scan.completed', run, { subjects }), place, scan);
    await appendRecord(watched, signed);
    expect(order).toEqual(['by-digest', 'by-digest', 'records']);
  });

  it('a record that is sent again is a success with the same key', async () => {
    const { store } = await newLedger();
    const signed = await sign();
    const first = await appendRecord(store, signed);
    const again = await appendRecord(store, signed);
    expect(first).toMatchObject({ key: signed.key, digest: signed.digest, storeTime: expect.any(String) });
    expect(again).toEqual({ ...first, storeTime: null });
  });
});

describe('reading', () => {
  it('finds a wrong role, repository, key window, place and time', async () => {
    const { key, bytes } = await sign();
    const read = (more: Partial<typeof ledgerKey>, at = key, storedAt: number | null = Date.now()) => {
      const result = readRecordAt(at, bytes, { ...circumstances, keys: [{ ...ledgerKey, ...more }], storedAt });
      return 'code' in result ? result.code : result.problems.map(({ code }) => code).join() || 'fine';
    };
    expect(read({})).toBe('fine');
    expect(read({ role: 'scan' })).toBe('WRONG_ROLE');
    expect(read({ mayWrite: () => false })).toBe('FOREIGN_WRITER');
    expect(read({ inForce: () => false })).toBe('KEY_NOT_IN_FORCE');
    expect(read({}, key, null)).toBe('KEY_NOT_IN_FORCE');
    expect(read({ publicKeyPem: p256Signer('x').publicKeyPem })).toBe('BAD_SIGNATURE');
    expect(read({}, key.replace('/job-1/', '/job-2/'))).toBe('MISFILED');
    expect(read({}, key.replace('-0000-', '-0001-'))).toBe('MISFILED');
    expect(read({}, 'v1/records/elsewhere.json')).toBe('MISFILED');
    expect(read({}, key, Date.now() + 20 * 60_000)).toBe('BACKDATED');
    expect(read({}, key, Date.now() - 20 * 60_000)).toBe('FUTURE_DATED');
  });

  it('takes nothing that is not canonical, even if the signature holds', async () => {
    const { key, bytes } = await sign();
    expect(readRecordAt(key, Buffer.concat([bytes, Buffer.from('\n')]), circumstances)).toMatchObject({
      code: 'BAD_RECORD',
    });
  });
});
