import { boundApprovals } from '../../../src/identity/approvals.ts';
import type { GivenApproval, PlatformApproval } from '../../../src/platform/platform.ts';

const PROMOTED = Date.parse('2026-01-31T08:00:00.700Z');

function approval(userId: string | null, changes: Partial<PlatformApproval> = {}): PlatformApproval {
  return {
    userId,
    state: 'approved',
    at: '2026-01-31T08:05:00.000Z',
    atFrom: 'job-start',
    digest: null,
    strength: 'job',
    givenAfter: '2026-01-31T08:01:00.000Z',
    ...changes,
  };
}
const given = (...ids: (string | null)[]): GivenApproval[] => ids.map((userId) => ({ userId, state: 'approved' }));

describe('the strength of an approval', () => {
  it.each([
    ['waited for after the promote decision', { givenAfter: '2026-01-31T08:01:00.000Z' }, 'run'],
    [
      'waited for in the very second of it (platforms tell whole seconds)',
      { givenAfter: '2026-01-31T08:00:00.000Z' },
      'run',
    ],
    ['waited for a second before it', { givenAfter: '2026-01-31T07:59:59.000Z' }, 'job'],
    ['of which the platform says no such time', { givenAfter: undefined }, 'job'],
    ['whose time cannot be read', { givenAfter: 'yesterday' }, 'job'],
    ['of a digest', { strength: 'digest' as const, digest: `sha256:${'1'.repeat(64)}` }, 'digest'],
  ])('%s', (_, changes, strength) => {
    const { givenAfter, ...rest } = { ...approval('103'), ...changes };
    const [bound] = boundApprovals([givenAfter === undefined ? rest : { ...rest, givenAfter }], [], PROMOTED);
    expect(bound?.strength).toBe(strength);
    expect(bound).not.toHaveProperty('givenAfter');
  });

  it('is a job’s where two approvals share one start: one of them was of another job', () => {
    const found = boundApprovals([approval('103'), approval('104')], [], PROMOTED);
    expect(found.map(({ strength }) => strength)).toEqual(['job', 'job']);
    expect(boundApprovals([approval('103'), approval('104')], given('104'), PROMOTED)).toMatchObject([
      { userId: '103', strength: 'run' },
    ]);
  });

  it('is a run’s for each of two that have times of their own', () => {
    const own = { atFrom: 'platform' as const };
    const found = boundApprovals([approval('103', own), approval('104', own)], [], PROMOTED);
    expect(found.map(({ strength }) => strength)).toEqual(['run', 'run']);
  });

  it('is never more than a job’s without a promote decision', () => {
    expect(boundApprovals([approval('103')], [], null)).toMatchObject([{ strength: 'job' }]);
  });
});

describe('approvals that had been given before', () => {
  it.each([
    ['are taken away', ['103'], ['103'], []],
    ['leave the new one of another person', ['103', '104'], ['103'], ['104']],
    ['leave the new one whatever the order of the list', ['104', '103'], ['103'], ['104']],
    ['leave the second of the same person', ['103', '103'], ['103'], ['103']],
    ['that are no longer listed leave the rest alone', ['104'], ['103'], ['104']],
    ['by accounts that are gone are taken away too', [null, '104'], [null], ['104']],
  ])('%s', (_, all, before, left) => {
    const found = boundApprovals(
      all.map((id) => approval(id)),
      given(...before),
      PROMOTED,
    );
    expect(found.map(({ userId }) => userId)).toEqual(left);
  });

  it('do not take a rejection for an approval', () => {
    const found = boundApprovals([approval('103', { state: 'rejected' })], given('103'), PROMOTED);
    expect(found).toMatchObject([{ userId: '103', state: 'rejected' }]);
  });
});
