import type { Decision } from '../../../src/contract/decision.ts';
import type { Register } from '../../../src/contract/register.ts';
import type { Run } from '../../../src/contract/run.ts';
import { type Intended, requireDecision } from '../../../src/deploy/decision.ts';
import { DeployRefused } from '../../../src/deploy/refusal.ts';
import { requireRegister } from '../../../src/deploy/register.ts';
import type { VerifiedRecord } from '../../../src/facts/evidence.ts';
import { allowed } from '../../fixtures/gate/facts.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const at = (minutes: number) => new Date(NOW + minutes * 60_000).toISOString();
const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const NAME = 'registry.example.org/app/web';
const TARGET = { cluster: 'prod', namespace: 'web', kind: 'Deployment', name: 'api' };
const RUN: Run = allowed().run;

function decision(changes: Partial<Decision> = {}): Decision {
  return {
    schema: 'gatehouse/decision/1',
    id: '11111111-2222-4333-8444-555555555555',
    stage: 'deploy',
    outcome: 'allow',
    subjects: [
      { name: NAME, kind: 'image', digest: digest('a'), platform: null },
      { name: NAME, kind: 'image', digest: digest('b'), platform: 'linux/amd64' },
    ],
    environment: 'production',
    target: TARGET,
    run: RUN,
    workflow: null,
    now: at(-10),
    notAfter: at(50),
    simulated: false,
    reasons: [{ rule: 'scan.present', outcome: 'pass', message: 'there', fix: null, controls: [], evidence: [] }],
    input: {
      factsDigest: digest('1'),
      contractDigest: digest('2'),
      policyDigest: digest('3'),
      customPolicyDigest: null,
      registerDigest: digest('4'),
      registerNumber: 7,
      engine: 'opa-wasm',
    },
    waivers: [],
    ...changes,
  };
}

const INTENDED: Intended = {
  name: NAME,
  digest: digest('a'),
  environment: 'production',
  target: TARGET,
  run: RUN,
  now: NOW,
  maxSkew: 300_000,
};

function refusal(act: () => unknown): string {
  try {
    act();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(DeployRefused);
    const { reason, message, exit } = thrown as DeployRefused;
    expect(exit).toBe(1);
    expect(reason).toMatchObject({ rule: 'deploy.decision', outcome: 'fail', message, fix: expect.any(String) });
    expect(reason.controls.length).toBeGreaterThan(0);
    return message;
  }
  return 'allowed';
}

function judged(changes: Partial<Decision>, intended: Partial<Intended> = {}, record: object = {}): string {
  const found = {
    key: 'v1/records/x',
    record: { type: 'gate.decided', outcome: 'success', data: decision(changes), ...record },
  } as unknown as VerifiedRecord;
  return refusal(() => requireDecision(found, { ...INTENDED, ...intended }));
}

describe('a decision', () => {
  it('that allows exactly this is taken', () => {
    expect(judged({})).toBe('allowed');
    expect(judged({}, { now: NOW + 50 * 60_000 })).toBe('allowed');
    expect(judged({ now: at(4) })).toBe('allowed');
  });

  it.each<[string, Partial<Decision>, Partial<Intended>, object, RegExp]>([
    ['simulated', { simulated: true }, {}, {}, /it is simulated/],
    ['a denial', { outcome: 'deny' }, {}, {}, /it denies/],
    ['an allow in a record of denial', {}, {}, { outcome: 'denied' }, /it denies/],
    ['a record of an error', {}, {}, { outcome: 'error' }, /it denies/],
    ['of stage promote', { stage: 'promote' }, {}, {}, /it is of stage promote/],
    ['of no stage', { stage: null }, {}, {}, /it is of stage null/],
    [
      'F14 about another digest',
      {},
      { digest: digest('c') },
      {},
      /it is about registry\.example\.org\/app\/web@sha256:a/,
    ],
    [
      'F93 about the digest in another registry',
      {},
      { name: 'evil.example.org/app/web' },
      {},
      /it is about registry\.example\.org/,
    ],
    ['about nothing', { subjects: [] }, {}, {}, /it is about /],
    ['F21 for another environment', {}, { environment: 'staging' }, {}, /it is for environment production/],
    ['for the environment in other letters', {}, { environment: 'Production' }, {}, /it is for environment/],
    ['for another cluster', {}, { target: { ...TARGET, cluster: 'dr' } }, {}, /another target/],
    ['for another namespace', {}, { target: { ...TARGET, namespace: 'web2' } }, {}, /another target/],
    ['for another kind', {}, { target: { ...TARGET, kind: 'StatefulSet' } }, {}, /another target/],
    ['for another workload', {}, { target: { ...TARGET, name: 'api2' } }, {}, /another target/],
    ['for no target', { target: null }, {}, {}, /another target/],
    [
      'for a host of that name',
      { target: { host: 'prod', namespace: 'web', kind: 'Deployment', name: 'api' } },
      {},
      {},
      /another target/,
    ],
    ['F56 of another run', {}, { run: { ...RUN, id: '99' } }, {}, /another run or attempt/],
    ['of another attempt', {}, { run: { ...RUN, attempt: RUN.attempt + 1 } }, {}, /another run or attempt/],
    ['of another repository', {}, { run: { ...RUN, repositoryId: '99' } }, {}, /another run or attempt/],
    ['of another host', {}, { run: { ...RUN, host: 'other' } }, {}, /another run or attempt/],
    ['of another platform', {}, { run: { ...RUN, platform: 'gitlab' } }, {}, /another run or attempt/],
    ['of another commit', {}, { run: { ...RUN, sha: 'e'.repeat(40) } }, {}, /another run or attempt/],
    ['of no run', { run: null }, {}, {}, /another run or attempt/],
    ['F02 that ended', {}, { now: NOW + 50 * 60_000 + 1 }, {}, /it ended at 2026-06-01T12:50/],
    ['F02 from the future', { now: at(6) }, {}, {}, /from the future/],
    ['another record', {}, {}, { type: 'change.reviewed' }, /it is a record change\.reviewed/],
    ['no decision', {}, {}, { data: { outcome: 'allow' } }, /does not fit its schema/],
    [
      'a decision with more in it',
      {},
      {},
      { data: { ...decision(), bypass: true } },
      /does not fit its schema: bypass: unknown key/,
    ],
    ['a decision without reasons', { reasons: [] }, {}, {}, /does not fit its schema: reasons/],
  ])('%s is refused', (_, changes, intended, record, message) => {
    expect(judged(changes, intended, record)).toMatch(message);
  });
});

describe('the register before a deploy', () => {
  const limits = { now: NOW, maxAge: 86_400_000, maxSkew: 300_000, release: '1.4.0' };
  const release = { contractDigest: digest('2'), policyDigest: digest('3') };
  const register = (changes: object = {}) =>
    ({ number: 7, time: at(-60), releases: [release], revokedDigests: [], ...changes }) as unknown as Register;
  const checked = (changes: object, other: object = {}, of: Partial<Decision> = {}) =>
    refusal(() => requireRegister(register(changes), decision(of), { ...limits, ...other }));

  it('that is fresh and has nothing against it lets the deploy go on', () => {
    expect(checked({})).toBe('allowed');
    expect(checked({ number: 8 })).toBe('allowed');
    expect(checked({ time: at(4) })).toBe('allowed');
    expect(checked({ releases: [{ ...release, contractDigest: digest('9') }, release] })).toBe('allowed');
  });

  it.each<[string, object, object, Partial<Decision>, RegExp]>([
    ['too old', { time: at(-24 * 60 - 1) }, {}, {}, /too old/],
    ['from the future', { time: at(6) }, {}, {}, /from the future/],
    [
      'older than the one that was judged by',
      { number: 6 },
      {},
      {},
      /made by register 7: somebody hides the newer one/,
    ],
    [
      'of a decision that was made by none',
      {},
      {},
      { input: { ...decision().input, registerNumber: null } },
      /made by register \(none\)/,
    ],
    [
      'without the release that runs here',
      {},
      { release: null },
      {},
      /no release with the program, policy and contract/,
    ],
    [
      'without the contract that was judged by',
      { releases: [{ ...release, contractDigest: digest('9') }] },
      {},
      {},
      /by which the decision was made/,
    ],
    [
      'without the policy that was judged by',
      { releases: [{ ...release, policyDigest: digest('9') }] },
      {},
      {},
      /by which the decision was made/,
    ],
    [
      'with contract and policy in two releases',
      {
        releases: [
          { ...release, policyDigest: digest('9') },
          { ...release, contractDigest: digest('9') },
        ],
      },
      {},
      {},
      /by which the decision was made/,
    ],
    [
      'that revokes the image',
      { revokedDigests: [{ digest: digest('a'), reason: 'malware', since: at(-1) }] },
      {},
      {},
      /sha256:a+ is revoked since .*malware/,
    ],
    [
      'F14 that revokes a child of the image',
      { revokedDigests: [{ digest: digest('b'), reason: 'malware', since: at(-1) }] },
      {},
      {},
      /sha256:b+ is revoked/,
    ],
  ])('%s stops it', (_, changes, other, of, message) => {
    expect(checked(changes, other, of)).toMatch(message);
  });

  it('that revokes another image does not stop it', () => {
    expect(checked({ revokedDigests: [{ digest: digest('c'), reason: 'old', since: at(-1) }] })).toBe('allowed');
  });
});
