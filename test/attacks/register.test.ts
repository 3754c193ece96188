import { generateKeyPairSync, sign as signBytes } from 'node:crypto';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { signStatement } from '../../src/attestation/sign.ts';
import type { Signer } from '../../src/attestation/signer.ts';
import type { Site } from '../../src/commands/demo/site.ts';
import { STATEMENT_TYPE } from '../../src/contract/record.ts';
import { REGISTER_PREDICATE_TYPE } from '../../src/contract/register.ts';
import { registerKey } from '../../src/evidence/register.ts';
import { canonicalBytes } from '../../src/lib/canonical.ts';
import { sha256Hex } from '../../src/lib/digest.ts';
import { as, direct, editContract, publish, signerOfRole, steps, succeed, verdictOf } from '../support/direct.ts';
import { drop, editRegister, hours, keysIn, playRun, put, type Scene, storePath } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('register'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const bytesAt = (site: Site, number: number) => readFileSync(storePath(site, registerKey(number)));
function predicateAt(site: Site, number: number): Record<string, unknown> {
  const { payload } = JSON.parse(bytesAt(site, number).toString('utf8')).dsseEnvelope;
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')).predicate;
}

/** Lays register `number` into the store: the first one with changes, signed by whomever. */
async function lay(
  site: Site,
  number: number,
  changes: object = {},
  signer?: Signer,
  predicateType = REGISTER_PREDICATE_TYPE,
): Promise<void> {
  const predicate = { ...predicateAt(site, 1), number, time: hours(0), ...changes };
  const subject = [{ name: `register ${number}`, digest: { sha256: sha256Hex(canonicalBytes(predicate)) } }];
  put(
    site,
    registerKey(number),
    await signStatement(signer ?? signerOfRole(site, 'release'), {
      _type: STATEMENT_TYPE,
      subject,
      predicateType,
      predicate,
    }),
  );
}
function stranger(): Signer {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    keyId: 'demo-release',
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }) as string,
    sign: async (bytes) => signBytes('sha256', bytes, privateKey),
  };
}

it('the next register, laid as it should be, is used', async () => {
  const site = scene.at('scanned');
  await lay(site, 2);
  const said = await steps.gate(site, 'promote', scene.image);
  expect(verdictOf(said)).toBe('allow');
  expect(said.json.input.registerNumber).toBe(2);
});

describe('a store whose registers are not what they were', () => {
  it.each<[string, (site: Site) => unknown, string | string[]]>([
    ['none is there', (site) => drop(site, registerKey(1)), 'register.none'],
    ['a number is missing', (site) => lay(site, 3), 'register.gap'],
    [
      'the first one is missing',
      async (site) => {
        await lay(site, 2);
        drop(site, registerKey(1));
      },
      'register.gap',
    ],
    ['a stranger signed the newest', (site) => lay(site, 2, {}, stranger()), 'attestation.signature'],
    ['F36 the gate signed the newest', (site) => lay(site, 2, {}, signerOfRole(site, 'gate')), 'attestation.signature'],
    [
      'F36 the scan key signed the newest',
      (site) => lay(site, 2, {}, signerOfRole(site, 'scan')),
      'attestation.signature',
    ],
    ['an older one lies on top', (site) => put(site, registerKey(2), bytesAt(site, 1)), 'register.number'],
    ['it says a later number', (site) => lay(site, 2, { number: 3 }), 'register.number'],
    [
      'one letter of the newest is changed',
      (site) =>
        put(
          site,
          registerKey(1),
          bytesAt(site, 1)
            .toString('utf8')
            .replace(/"payload":"(.)/, (_, c) => `"payload":"${c === 'A' ? 'B' : 'A'}`),
        ),
      'attestation.signature',
    ],
    ['the newest is empty', (site) => put(site, registerKey(2), ''), 'attestation.bundle'],
    ['the newest is not JSON', (site) => put(site, registerKey(2), '{'), 'attestation.bundle'],
    [
      'the newest is signed twice',
      (site) => {
        const bundle = JSON.parse(bytesAt(site, 1).toString('utf8'));
        bundle.dsseEnvelope.signatures.push(bundle.dsseEnvelope.signatures[0]);
        put(site, registerKey(2), JSON.stringify(bundle));
      },
      'attestation.bundle',
    ],
    [
      'F40 a key document lies in its place',
      (site) => put(site, registerKey(2), readFileSync(storePath(site, 'v1/keys/demo-gate.json'))),
      'attestation.predicate_type',
    ],
    [
      'F40 it is signed as something else',
      (site) => lay(site, 2, {}, undefined, 'urn:gatehouse:key:v1'),
      'attestation.predicate_type',
    ],
    ['it does not fit its schema', (site) => lay(site, 2, { people: null }), 'register.schema'],
    ['it has more than its schema', (site) => lay(site, 2, { everybody: true }), 'register.schema'],
    [
      'it is of a time outside the release key’s window',
      (site) => lay(site, 2, { time: '2019-12-31T23:59:59Z' }),
      'register.window',
    ],
    ['it is of a time after that window', (site) => lay(site, 2, { time: '2100-01-01T00:00:00Z' }), 'register.window'],
    ['something else lies among them', (site) => put(site, 'v1/register/newest.json', '{}'), 'register.odd'],
    ['a folder lies among them', (site) => put(site, 'v1/register/0000000002.json/x', '{}'), 'register.odd'],
    [
      'a link lies among them',
      (site) => symlinkSync(storePath(site, registerKey(1)), storePath(site, registerKey(2))),
      'register.odd',
    ],
    ['F20 it is older than a day', (site) => lay(site, 2, { time: hours(-25) }), ['register.fresh']],
    ['F02 it is from the future', (site) => lay(site, 2, { time: hours(1) }), ['register.fresh']],
    [
      'it lists no release that runs here',
      (site) =>
        lay(site, 2, {
          releases: [{ ...(predicateAt(site, 1).releases as object[])[0], distDigest: `sha256:${'1'.repeat(64)}` }],
        }),
      ['release.registered'],
    ],
    [
      'F09 it has an agreement that ended',
      (site) =>
        lay(site, 2, { agreements: [{ service: 'cloud-provider', effective: hours(-48), expires: hours(-1) }] }),
      ['services.agreement'],
    ],
    [
      'F09 it has an agreement that begins tomorrow',
      (site) => lay(site, 2, { agreements: [{ service: 'cloud-provider', effective: hours(24), expires: hours(48) }] }),
      ['services.agreement'],
    ],
    ['F08 it has no agreement', (site) => lay(site, 2, { agreements: [] }), ['services.agreement']],
    ['it knows nobody', (site) => lay(site, 2, { people: [], groups: [] }), ['source.people', 'source.reviewed']],
    [
      'no key is in force',
      (site) =>
        lay(site, 2, { keys: (predicateAt(site, 1).keys as object[]).map((key) => ({ ...key, from: hours(1) })) }),
      ['evidence.recorded', 'provenance.present', 'register.fresh', 'sbom.present', 'scan.complete', 'signature.build'],
    ],
  ])('deny: %s', async (_, attack, verdict) => {
    const site = scene.at('scanned');
    await attack(site);
    const said = await steps.gate(site, 'promote', scene.image);
    expect({ verdict: verdictOf(said), code: said.code }).toEqual({ verdict, code: 1 });
    if (typeof verdict === 'string') expect(said.json.message).toMatch(/v1\/register|register/);
  });

  it('the newest is hidden from a run that saw it when it was opened', async () => {
    const site = scene.at('ready');
    await editRegister(site, () => ({}));
    await succeed(steps.open(site));
    drop(site, registerKey(2));
    const said = await steps.gate(site, 'promote', scene.image);
    expect(verdictOf(said)).toContain('register.fresh');
    expect(JSON.stringify(said.json)).toMatch(/register 1 is older than number 2, which the run saw/);
  });
});

describe('whoever publishes', () => {
  const file = (site: Site, changes: object = {}) => {
    const draft = { ...JSON.parse(readFileSync(site.path('register.json'), 'utf8')), ...changes };
    writeFileSync(site.path('draft.json'), JSON.stringify(draft));
    return site.path('draft.json');
  };
  const publishing = (site: Site, role = 'release', changes: object = {}, more: object = {}) =>
    as(site, role, ['register', 'publish', '--file', file(site, changes)], more);
  const registers = (site: Site) => keysIn(site).filter((key) => /^v1\/(register|keys)\//.test(key));

  it.each<
    [
      string,
      (site: Site) => Promise<{ code: number; json: { code: string } }> | ReturnType<typeof publishing>,
      number,
      string,
    ]
  >([
    ['has not the release key', (site) => publishing(site, 'gate'), 2, 'key.none'],
    ['writes a number', (site) => publishing(site, 'release', { number: 7 }), 2, 'register.draft'],
    ['writes a time', (site) => publishing(site, 'release', { time: hours(0) }), 2, 'register.draft'],
    ['lists no release', (site) => publishing(site, 'release', { releases: [] }), 2, 'register.draft'],
    [
      'writes a minimum version that is none',
      (site) => publishing(site, 'release', { minimumVersion: 'newest' }),
      2,
      'register.draft',
    ],
    [
      'writes a time with an offset',
      (site) =>
        publishing(site, 'release', {
          revokedDigests: [{ digest: scene.digest, reason: 'x', since: '2026-01-01T00:00:00+01:00' }],
        }),
      2,
      'register.draft',
    ],
    [
      'is outside the release key’s window',
      (site) => publishing(site, 'release', {}, { now: () => Date.parse('2101-01-01T00:00:00Z') }),
      2,
      'register.window',
    ],
    [
      'finds a gap',
      async (site) => {
        await lay(site, 3);
        return await publishing(site);
      },
      1,
      'register.gap',
    ],
    [
      'gives a new key the id of an old one',
      async (site) => {
        const { publicKeyPem } = stranger();
        await editContract(
          site,
          (contract) => Object.assign(contract.trust.keys.gate[0], { public: publicKeyPem }),
          false,
        );
        return await publishing(site);
      },
      2,
      'register.key_id',
    ],
    [
      'gives a key of one role to another',
      async (site) => {
        await editContract(
          site,
          (contract) => {
            const { gate, build } = contract.trust.keys;
            Object.assign(contract.trust.keys, { gate: build, build: gate });
          },
          false,
        );
        return await publishing(site);
      },
      2,
      'register.key_id',
    ],
    [
      'is bent by the environment',
      (site) => publishing(site, 'release', {}, { env: { NODE_OPTIONS: '--import evil.mjs' } }),
      2,
      'environment.redirected',
    ],
  ])('and %s, publishes nothing', async (_, act, code, error) => {
    const site = scene.at('ready');
    const before = registers(site);
    const laid = () => registers(site).filter((key) => !before.includes(key) && key !== registerKey(3));
    expect(await act(site)).toMatchObject({ code, json: { code: error } });
    expect(laid()).toEqual([]);
  });

  it('at the same time as another one, does not take the other’s number', async () => {
    const site = scene.at('ready');
    const said = await Promise.all([1, 2, 3].map(() => publishing(site)));
    const numbers = said.filter(({ code }) => code === 0).map(({ json }) => json.number);
    expect(new Set(numbers).size).toBe(numbers.length);
    for (const { json } of said.filter(({ code }) => code !== 0)) expect(json.code).toBe('register.taken');
    expect(registers(site).filter((key) => key.startsWith('v1/register/'))).toHaveLength(1 + numbers.length);
    expect((await direct(site, ['register', 'show'])).code).toBe(0);
  });

  it('shows what was published, and nothing that does not verify', async () => {
    const site = scene.at('ready');
    await publish(site, (draft) => ({ ...draft, minimumVersion: '0.0.1' }));
    expect(await direct(site, ['register', 'show'])).toMatchObject({
      code: 0,
      json: { register: { number: 2, minimumVersion: '0.0.1' } },
    });
    await lay(site, 3, {}, stranger());
    expect(await direct(site, ['register', 'show'])).toMatchObject({
      code: 1,
      json: { code: 'attestation.signature' },
    });
  });
});
