import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import type { Signer } from '../../../src/attestation/signer.ts';
import {
  publishRegister,
  type RegisterDraft,
  type RegisterTrust,
  readRegister,
  registerKey,
} from '../../../src/evidence/register.ts';
import { digestOf } from '../../../src/lib/digest.ts';
import type { Store } from '../../../src/store/store.ts';

function signer(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyId: 'release-1',
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    sign: async (bytes) => signBytes('sha256', bytes, privateKey),
  };
}
const release = signer();
const WINDOW = { from: '2026-01-01T00:00:00Z', until: '2027-01-01T00:00:00Z' };
const trust: RegisterTrust = { keys: [{ id: 'release-1', publicKeyPem: release.publicKeyPem }], window: WINDOW };
const digest = `sha256:${'a'.repeat(64)}`;
const draft: RegisterDraft = {
  minimumVersion: '1.0.0',
  releases: [
    { version: '1.0.0', commits: [], distDigest: digest, contractDigest: digest, policyDigest: digest, notAfter: null },
  ],
  keys: [],
  revokedDigests: [],
  agreements: [],
  waivers: [],
  people: [],
  groups: [],
};

/** A store in memory that lists in an order of its own. */
function memory(): { store: Store; objects: Map<string, Buffer> } {
  const objects = new Map<string, Buffer>();
  const store = {
    put: async (key: string, bytes: Uint8Array) => {
      const created = !objects.has(key);
      if (created) objects.set(key, Buffer.from(bytes));
      return { created, receipt: {} };
    },
    get: async (key: string) => objects.get(key) ?? null,
    list: async function* (prefix: string) {
      for (const key of [...objects.keys()].reverse()) if (key.startsWith(prefix)) yield { key, oddity: null };
    },
  } as unknown as Store;
  return { store, objects };
}
const NOW = Date.parse('2026-06-01T12:00:00Z');

describe('registers', () => {
  it('are numbered from 1 without gaps, and the newest is read', async () => {
    const { store, objects } = memory();
    for (let number = 1; number <= 11; number++) {
      const published = await publishRegister(
        store,
        release,
        { ...draft, minimumVersion: `1.0.${number}` },
        NOW + number,
      );
      expect(published).toMatchObject({ number, key: `v1/register/${String(number).padStart(10, '0')}.json` });
    }
    const { register, digest: read, bytes } = await readRegister(store, trust);
    expect(register).toMatchObject({ number: 11, time: '2026-06-01T12:00:00.011Z', minimumVersion: '1.0.11' });
    expect(bytes).toEqual(objects.get(registerKey(11)));
    expect(read).toBe(digestOf(bytes));
  });

  it.each([
    ['at the first moment of the window', '2026-01-01T00:00:00Z', null],
    ['at its last', '2026-12-31T23:59:59.999Z', null],
    ['before it', '2025-12-31T23:59:59.999Z', 'register.window'],
    ['at its end', '2027-01-01T00:00:00Z', 'register.window'],
  ])('of a time %s', async (_, time, code) => {
    const { store } = memory();
    await publishRegister(store, release, draft, Date.parse(time));
    const reading = readRegister(store, trust);
    await (code === null
      ? expect(reading).resolves.toBeDefined()
      : expect(reading).rejects.toMatchObject({ exit: 1, code }));
  });

  it.each<[string, (scene: ReturnType<typeof memory>) => unknown, string]>([
    ['none', () => {}, 'register.none'],
    [
      'one by another key',
      async ({ store }) => void (await publishRegister(store, signer(), draft, NOW)),
      'attestation.signature',
    ],
    [
      'a hole in the middle',
      async ({ store, objects }) => {
        for (let i = 0; i < 3; i++) await publishRegister(store, release, draft, NOW);
        objects.delete(registerKey(2));
      },
      'register.gap',
    ],
    [
      'something with another name',
      async ({ store, objects }) => {
        await publishRegister(store, release, draft, NOW);
        objects.set('v1/register/1.json', Buffer.from('{}'));
      },
      'register.odd',
    ],
    [
      'one that vanishes while it is read',
      async (scene) => {
        await publishRegister(scene.store, release, draft, NOW);
        scene.store.get = async () => null;
      },
      'register.missing',
    ],
  ])('with %s deny', async (_, make, code) => {
    const scene = memory();
    await make(scene);
    await expect(readRegister(scene.store, trust)).rejects.toMatchObject({ exit: 1, code });
  });

  it('published by two at once: one is told to look and publish the next', async () => {
    const { store } = memory();
    const both = await Promise.allSettled([1, 2].map(() => publishRegister(store, release, draft, NOW)));
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(both.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { exit: 2, code: 'register.taken' },
    });
    expect((await readRegister(store, trust)).register.number).toBe(1);
  });
});
