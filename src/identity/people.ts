import type { Facts } from '../contract/facts.ts';
import type { Register } from '../contract/register.ts';
import type { Run } from '../contract/run.ts';
import { parseTime } from '../lib/time.ts';
import type { Change, PlatformApproval, RunIdentity, Source } from '../platform/platform.ts';

type Where = Pick<Run, 'platform' | 'host'>;

/** The person behind a platform's account, or null: by the register, exactly, and only when no second person claims the account. */
export function personOf(register: Register, { platform, host }: Where, userId: string | null): string | null {
  const owners = register.people.filter((person) =>
    person.accounts.some(
      (account) => account.platform === platform && account.host === host && account.userId === userId,
    ),
  );
  return owners.length === 1 ? (owners[0] as Register['people'][number]).personId : null;
}

/** The change as facts: contributors and starters of the run as persons, times in milliseconds. `deployed` is a commit. */
export function sourceFacts(
  identity: RunIdentity,
  source: Source,
  deployed: string | null,
  register: Register,
): Facts['source'] {
  const { run } = identity;
  const person = (userId: string | null) => personOf(register, run, userId);
  const told = ({ contributors, reviews }: Change) => ({
    people: contributors.map(({ userId, as }) => ({ personId: person(userId), as })),
    reviews: reviews.map(({ userId, state, at }) => ({ personId: person(userId), state, at: ms(at) })),
  });
  const { people, reviews } = told(source);
  return {
    repositoryId: run.repositoryId,
    ref: run.ref,
    sha: run.sha,
    protected: source.protected,
    reachableFromProtected: source.reachableFromProtected,
    reviews,
    people: [
      ...people,
      { personId: person(identity.triggeredBy), as: 'trigger' as const },
      ...(identity.reranBy === null ? [] : [{ personId: person(identity.reranBy), as: 'rerunner' as const }]),
    ],
    base: deployed,
    beneath: source.beneath?.map((change) => ({ sha: change.sha, ...told(change) })) ?? null,
  };
}

/** Approvals as facts, each with the approver's membership in one of the groups at `now` (milliseconds), by the register. */
export function approvalFacts(
  run: Run,
  approvals: PlatformApproval[],
  register: Register,
  groups: string[],
  now: number,
  from: string,
): Facts['approvals'] {
  return approvals.map(({ userId, at, ...rest }) => {
    const personId = personOf(register, run, userId);
    return {
      ...rest,
      personId,
      at: ms(at),
      entitlement: personId === null ? null : entitlementOf(register, personId, groups, now),
      from,
    };
  });
}

/**
 * Membership in the first of the groups that has this person; `active` only while an entry is active and in its window, and no
 * other entry of that group says at the same time that it is not: a revocation need not find and remove what it revokes.
 */
export function entitlementOf(
  register: Register,
  personId: string,
  groups: string[],
  now: number,
): Facts['approvals'][number]['entitlement'] {
  const of = (group: string) => register.groups.filter((entry) => entry.personId === personId && entry.group === group);
  const isNow = ({ from, until }: Register['groups'][number]) => ms(from) <= now && (until === null || now < ms(until));
  const isActive = (group: string) => {
    const entries = of(group).filter(isNow);
    return entries.length > 0 && entries.every(({ active }) => active);
  };
  const group = groups.find(isActive) ?? groups.find((each) => of(each).length > 0);
  return group === undefined ? null : { group, active: isActive(group), at: ms(register.time) };
}

/** The schema has accepted the time. */
function ms(time: string): number {
  return parseTime(time) as number;
}
