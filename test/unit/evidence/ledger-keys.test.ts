import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signStatement } from '../../../src/attestation/sign.ts';
import { KEY_PREDICATE_TYPE, type KeyDocument } from '../../../src/contract/key.ts';
import { readLedgerKeys } from '../../../src/evidence/ledger-keys.ts';
import { publishKey } from '../../../src/evidence/publish-key.ts';
import { directoryStore } from '../../../src/store/directory.ts';
import type { Store } from '../../../src/store/store.ts';
import { ed25519Signer, p256Signer, release } from './sample-ledger.ts';

const signer = p256Signer('k1');
const T = Date.parse('2026-06-01T00:00:00Z');
const document = (more: Partial<KeyDocument> = {}): KeyDocument => ({
  schema: 'gatehouse/key/1',
  id: 'k1',
  role: 'gate',
  publicKey: signer.publicKeyPem,
  repositories: ['7'],
  from: '2026-01-01T00:00:00Z',
  until: null,
  revokedAt: null,
  ...more,
});
let store: Store;
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'gatehouse-keys-'));
  store = directoryStore(folder);
});
afterEach(() => rmSync(folder, { recursive: true }));
const read = () => readLedgerKeys(store, [release.publicKeyPem]);

describe('ledger keys', () => {
  it('are those that role release signed', async () => {
    await publishKey(store, release, document());
    await publishKey(store, p256Signer('thief'), document({ id: 'k2' }));
    const { keys, findings } = await read();
    expect(keys.map(({ id, role, publicKeyPem }) => [id, role, publicKeyPem])).toEqual([
      ['k1', 'gate', signer.publicKeyPem],
    ]);
    expect(findings.map(({ code, key }) => [code, key])).toEqual([['BAD_KEY', 'v1/keys/k2.json']]);
  });

  it.each<[string, Partial<KeyDocument>, string, boolean]>([
    ['before it begins', {}, '2025-12-31T23:59:59Z', false],
    ['when it begins', {}, '2026-01-01T00:00:00Z', true],
    ['at its end', { until: '2026-06-01T00:00:00Z' }, '2026-06-01T00:00:00Z', false],
    ['just before its end', { until: '2026-06-01T00:00:00Z' }, '2026-05-31T23:59:59Z', true],
    ['when it is revoked', { revokedAt: '2026-06-01T00:00:00Z' }, '2026-06-01T00:00:00Z', false],
    ['before it was revoked', { revokedAt: '2026-06-01T00:00:00Z' }, '2026-05-31T23:59:59Z', true],
  ])('are in force %s: %j at %s', async (_what, more, at, expected) => {
    await publishKey(store, release, document(more));
    expect((await read()).keys[0]?.inForce(Date.parse(at))).toBe(expected);
  });

  it('write for the repositories that every document allows', async () => {
    await publishKey(store, release, document({ repositories: ['*'] }));
    expect((await read()).keys[0]?.mayWrite('8')).toBe(true);
    await publishKey(store, release, document({ repositories: ['7'] }));
    expect((await read()).keys[0]?.mayWrite('8')).toBe(false);
    expect((await read()).keys[0]?.mayWrite('7')).toBe(true);
  });

  it('stay revoked, whatever is said later', async () => {
    await publishKey(store, release, document({ revokedAt: '2026-05-01T00:00:00Z' }));
    await publishKey(store, release, document());
    const { keys, findings } = await read();
    expect([keys.length, keys[0]?.inForce(T), findings]).toEqual([1, false, []]);
  });

  it('are unusable when two documents disagree on what they are', async () => {
    await publishKey(store, release, document());
    await publishKey(store, release, document({ role: 'deploy' }));
    const { keys, findings } = await read();
    expect([keys, findings.map(({ code }) => code)]).toEqual([[], ['BAD_KEY']]);
  });

  it('are not taken from a document that lies under another name', async () => {
    await publishKey(store, release, document());
    await store.put('v1/keys/k9.json', (await store.get('v1/keys/k1.json')) as Buffer);
    const { keys, findings } = await read();
    expect([keys.map(({ id }) => id), findings.map(({ key }) => key)]).toEqual([['k1'], ['v1/keys/k9.json']]);
  });

  it('are of a type that can sign records', async () => {
    const { publicKeyPem } = ed25519Signer('k2');
    await expect(publishKey(store, release, document({ publicKey: publicKeyPem }))).rejects.toMatchObject({
      code: 'key.type',
      exit: 2,
    });
    const subject = [{ name: 'k2', digest: { sha256: '0'.repeat(64) } }];
    const predicate = document({ id: 'k2', publicKey: publicKeyPem });
    const bytes = await signStatement(release, {
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: KEY_PREDICATE_TYPE,
      predicate,
    });
    await store.put('v1/keys/k2.json', bytes);
    expect((await read()).findings).toMatchObject([
      { code: 'BAD_KEY', key: 'v1/keys/k2.json', detail: expect.stringContaining('ed25519') },
    ]);
  });
});
