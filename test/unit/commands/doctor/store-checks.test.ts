import { checkStore, type Demand } from '../../../../src/commands/doctor/store-checks.ts';
import type { ServerFacts, StoreFacts } from '../../../../src/store/store-facts.ts';

const NOW = Date.parse('2026-11-28T12:00:00Z');
const DAY = 86_400_000;
const demand: Demand = { years: 7, lockOptional: false, skew: 60_000, now: NOW };

const server: ServerFacts = {
  versioning: { value: 'enabled' },
  lock: { value: { mode: 'COMPLIANCE', days: 2560, years: null } },
  lockedUntil: { value: NOW + 2560 * DAY },
  checksumConfirmed: { value: true },
  checksumVerified: { value: true },
  ownership: { value: 'BucketOwnerEnforced' },
  expiring: { value: [] },
};
const facts = (change: Partial<ServerFacts> = {}, top: Partial<StoreFacts> = {}): StoreFacts => ({
  url: 's3://evidence?region=eu-central-1',
  kind: 's3',
  left: [],
  putAt: NOW,
  createOnly: { value: true },
  kept: { value: true },
  serverTime: { value: NOW + 500 },
  server: { ...server, ...change },
  ...top,
});
const notOk = (seen: StoreFacts, asked: Partial<Demand> = {}) =>
  checkStore(seen, { ...demand, ...asked })
    .filter(({ status }) => status !== 'ok')
    .map(({ check, status }) => `${check} ${status}`);

it('a bucket as it should be is ok in all ten demands', () => {
  expect(checkStore(facts(), demand).map(({ status }) => status)).toEqual(Array(10).fill('ok'));
});

it.each<[string, Partial<ServerFacts>, string[]]>([
  ['without versions', { versioning: { value: 'off' } }, ['versions fails']],
  ['with versions suspended', { versioning: { value: 'suspended' } }, ['versions fails']],
  ['without a lock', { lock: { value: null } }, ['lock fails', 'retention fails']],
  [
    'with a lock that has no default',
    { lock: { value: { mode: null, days: null, years: null } } },
    ['lock fails', 'retention fails'],
  ],
  ['in mode GOVERNANCE', { lock: { value: { mode: 'GOVERNANCE', days: 2560, years: null } } }, ['lock fails']],
  [
    'of 2555 days for 7 years',
    { lock: { value: { mode: 'COMPLIANCE', days: 2555, years: null } } },
    ['retention fails'],
  ],
  [
    'of 2556 days for 7 years',
    { lock: { value: { mode: 'COMPLIANCE', days: 2556, years: null } } },
    ['retention fails'],
  ],
  [
    'of 2557 days for 7 years',
    { lock: { value: { mode: 'COMPLIANCE', days: 2557, years: null } } },
    ['retention weak'],
  ],
  ['of 7 years, however long', { lock: { value: { mode: 'COMPLIANCE', days: null, years: 7 } } }, ['retention fails']],
  ['of 8 years', { lock: { value: { mode: 'COMPLIANCE', days: null, years: 8 } } }, []],
  ['that locks shorter than it says', { lockedUntil: { value: NOW + DAY } }, ['retention fails']],
  ['that does not show the lock of an object', { lockedUntil: { unknown: 'not shown' } }, []],
  ['that takes wrong checksums', { checksumVerified: { value: false } }, ['checksum fails']],
  ['that confirms no checksum', { checksumConfirmed: { value: false } }, ['checksum echo fails']],
  ['whose objects belong to their writers', { ownership: { value: 'ObjectWriter' } }, ['ownership fails']],
  ['with no ownership set', { ownership: { value: null } }, ['ownership fails']],
  ['with a rule that expires', { expiring: { value: ['tidy'] } }, ['lifecycle fails']],
  [
    'whose settings may not be seen',
    { versioning: { unknown: 'no right' }, lock: { unknown: 'no right' } },
    ['versions unknown', 'lock unknown', 'retention unknown'],
  ],
])('a bucket %s', (_, change, expected) => {
  expect(notOk(facts(change))).toEqual(expected);
});

it('2192 days are enough for six years and 2190 are not', () => {
  const lock = (days: number) => ({ lock: { value: { mode: 'COMPLIANCE', days, years: null } } });
  const unseen = { lockedUntil: { unknown: 'not shown' } };
  expect(notOk(facts({ ...lock(2190), ...unseen }), { years: 6 })).toEqual(['retention fails']);
  expect(notOk(facts({ ...lock(2192), ...unseen }), { years: 6 })).toEqual(['retention weak']);
  expect(notOk(facts({ ...lock(2195), ...unseen }), { years: 6 })).toEqual([]);
});

it('a store that takes a second put fails, whatever it is', () => {
  expect(notOk(facts({}, { createOnly: { value: false } }))).toEqual(['create only fails']);
});

it('a store that does not keep what it took fails', () => {
  expect(notOk(facts({}, { kept: { value: false } }))).toEqual(['kept fails']);
});

it('a clock that is off is weak', () => {
  expect(notOk(facts({}, { serverTime: { value: NOW - 120_000 } }))).toEqual(['clock weak']);
});

it('a directory is tamper-evident only: weak where no lock is demanded, else it fails', () => {
  const directory = facts({}, { kind: 'directory', server: null });
  expect(notOk(directory)).toEqual(['lock fails']);
  expect(notOk(directory, { lockOptional: true })).toEqual(['lock weak']);
  expect(JSON.stringify(checkStore(directory, demand))).toContain('tamper-evident only');
});
