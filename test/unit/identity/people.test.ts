import type { Register } from '../../../src/contract/register.ts';
import type { Run } from '../../../src/contract/run.ts';
import { approvalFacts, entitlementOf, personOf, sourceFacts } from '../../../src/identity/people.ts';
import type { PlatformApproval, RunIdentity, Source } from '../../../src/platform/platform.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const github = { platform: 'github', host: 'github.com' } as const;
const account = (userId: string, platform: 'github' | 'gitlab' | 'local' = 'github', host = 'github.com') => ({
  platform,
  host,
  userId,
});
const person = (personId: string, ...accounts: ReturnType<typeof account>[]) => ({
  personId,
  name: personId,
  accounts,
});
type Member = Register['groups'][number];
const member = (personId: string, changes: Partial<Member> = {}): Member => ({
  group: 'approvers',
  personId,
  active: true,
  from: '2026-01-01T00:00:00Z',
  until: null,
  ...changes,
});

const register = (people: Register['people'], groups: Member[] = []) =>
  ({ time: '2026-06-01T11:00:00Z', people, groups }) as unknown as Register;

describe('the person behind an account', () => {
  const known = register([
    person('dev-1', account('101')),
    person('dev-2', account('102'), account('102', 'gitlab', 'gitlab.example.org')),
    person('lead-1', account('201'), account('202')),
    person('twin-1', account('301')),
    person('twin-2', account('301')),
    person('ghost', account('401', 'github', 'github.example.org')),
  ]);

  it.each([
    ['their one account', '101', 'dev-1'],
    ['either of two accounts', '202', 'lead-1'],
    ['an account of nobody', '999', null],
    ['an account that two people claim', '301', null],
    ['an account of another host', '401', null],
    ['no account', null, null],
    ['an empty id', '', null],
    ['an id with a blank', ' 101', null],
  ])('by %s', (_, userId, personId) => {
    expect(personOf(known, github, userId)).toBe(personId);
  });

  it('is not found by the same number on another platform', () => {
    expect(personOf(known, { platform: 'gitlab', host: 'gitlab.example.org' }, '101')).toBeNull();
    expect(personOf(known, { platform: 'gitlab', host: 'gitlab.example.org' }, '102')).toBe('dev-2');
  });

  it('is not found in other letters: ids are exact', () => {
    const named = register([person('dev-1', account('Alice'))]);
    expect(personOf(named, github, 'alice')).toBeNull();
    expect(personOf(named, github, 'Alice')).toBe('dev-1');
  });
});

describe('membership in an approver group', () => {
  const entitlement = (groups: Member[], asked = ['approvers']) =>
    entitlementOf(register([], groups), 'lead-1', asked, NOW);

  it.each<[string, Member[], boolean | null]>([
    ['an entry in force', [member('lead-1')], true],
    ['nobody’s', [], null],
    ['somebody else’s', [member('lead-2')], null],
    ['another group’s', [member('lead-1', { group: 'developers' })], null],
    ['a group in other letters', [member('lead-1', { group: 'Approvers' })], null],
    ['an inactive entry', [member('lead-1', { active: false })], false],
    ['one that begins tomorrow', [member('lead-1', { from: '2026-06-02T00:00:00Z' })], false],
    ['one that begins now', [member('lead-1', { from: '2026-06-01T12:00:00Z' })], true],
    ['one that ended', [member('lead-1', { until: '2026-05-31T00:00:00Z' })], false],
    ['one that ends now', [member('lead-1', { until: '2026-06-01T12:00:00Z' })], false],
    ['one that ends tomorrow', [member('lead-1', { until: '2026-06-02T00:00:00Z' })], true],
    [
      'an old entry beside a new one',
      [member('lead-1', { until: '2026-02-01T00:00:00Z' }), member('lead-1', { from: '2026-03-01T00:00:00Z' })],
      true,
    ],
    [
      'F20 an entry beside one that revokes it',
      [member('lead-1'), member('lead-1', { active: false, from: '2026-05-01T00:00:00Z' })],
      false,
    ],
    ['F20 one that revokes it first', [member('lead-1', { active: false }), member('lead-1')], false],
    [
      'a revocation that begins tomorrow',
      [member('lead-1'), member('lead-1', { active: false, from: '2026-06-02T00:00:00Z' })],
      true,
    ],
    [
      'a suspension that is over',
      [member('lead-1'), member('lead-1', { active: false, until: '2026-05-01T00:00:00Z' })],
      true,
    ],
  ])('by %s', (_, groups, active) => {
    expect(entitlement(groups)?.active ?? null).toBe(active);
  });

  it('in one of two groups is enough, and says which', () => {
    const groups = [member('lead-1', { active: false }), member('lead-1', { group: 'on-call' })];
    expect(entitlement(groups, ['approvers', 'on-call'])).toEqual({
      group: 'on-call',
      active: true,
      at: Date.parse('2026-06-01T11:00:00Z'),
    });
  });
});

describe('people in facts', () => {
  const run = { ...github, repositoryId: '1', ref: 'refs/heads/main', sha: 'c'.repeat(40) } as Run;
  const known = register(
    [person('dev-1', account('101')), person('lead-1', account('201'), account('202'))],
    [member('lead-1')],
  );
  const approval = (userId: string | null): PlatformApproval => ({
    userId,
    state: 'approved',
    at: '2026-06-01T11:30:00Z',
    atFrom: 'platform',
    digest: null,
    strength: 'job',
  });

  it('an approval by an account that nobody has is one by nobody', () => {
    expect(approvalFacts(run, [approval('999'), approval(null)], known, ['approvers'], NOW, 'key')).toEqual([
      expect.objectContaining({ personId: null, entitlement: null, from: 'key' }),
      expect.objectContaining({ personId: null, entitlement: null, at: Date.parse('2026-06-01T11:30:00Z') }),
    ]);
  });

  it('F07 two accounts of one person are one person', () => {
    const found = approvalFacts(run, [approval('201'), approval('202')], known, ['approvers'], NOW, 'key');
    expect(found.map(({ personId }) => personId)).toEqual(['lead-1', 'lead-1']);
  });

  it('who starts a run, and starts it again, has a part in it', () => {
    const identity = { run, triggeredBy: '101', reranBy: '202' } as RunIdentity;
    const source: Source = {
      protected: true,
      reachableFromProtected: true,
      base: null,
      contributors: [
        { userId: null, as: 'author' },
        { userId: '101', as: 'coauthor' },
      ],
      reviews: [{ userId: null, state: 'approved', at: '2026-06-01T10:00:00Z' }],
      beneath: null,
    };
    const facts = sourceFacts(identity, source, null, known);
    expect(facts.people).toEqual([
      { personId: null, as: 'author' },
      { personId: 'dev-1', as: 'coauthor' },
      { personId: 'dev-1', as: 'trigger' },
      { personId: 'lead-1', as: 'rerunner' },
    ]);
    expect(facts.reviews).toEqual([{ personId: null, state: 'approved', at: Date.parse('2026-06-01T10:00:00Z') }]);
    expect(sourceFacts({ ...identity, reranBy: null }, source, null, known).people).toHaveLength(3);
    expect(facts).toMatchObject({ base: null, beneath: null });
  });

  it('what lies beneath a change keeps people and reviews of its own', () => {
    const identity = { run, triggeredBy: '101', reranBy: null } as RunIdentity;
    const review = (userId: string) => ({ userId, state: 'approved' as const, at: '2026-06-01T10:00:00Z' });
    const source: Source = {
      protected: true,
      reachableFromProtected: true,
      base: null,
      contributors: [{ userId: '101', as: 'author' }],
      reviews: [],
      beneath: [{ sha: 'b'.repeat(40), contributors: [{ userId: '201', as: 'author' }], reviews: [review('999')] }],
    };
    expect(sourceFacts(identity, source, 'd'.repeat(40), known)).toMatchObject({
      base: 'd'.repeat(40),
      people: [
        { personId: 'dev-1', as: 'author' },
        { personId: 'dev-1', as: 'trigger' },
      ],
      beneath: [
        {
          sha: 'b'.repeat(40),
          people: [{ personId: 'lead-1', as: 'author' }],
          reviews: [{ personId: null, state: 'approved', at: Date.parse('2026-06-01T10:00:00Z') }],
        },
      ],
    });
  });
});
