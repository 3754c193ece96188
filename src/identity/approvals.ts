import { parseTime } from '../lib/time.ts';
import type { GivenApproval, PlatformApproval } from '../platform/platform.ts';

/**
 * The approvals that count for one promotion. Those that had been given before it (`before`, from its record) are
 * taken away one by one, whatever order the platform lists them in: an approval of an earlier attempt, or of another job under
 * the same environment, was of something else. Of the rest, one that the platform puts after the moment at which the promote
 * decision was recorded (`promotedAt`, milliseconds, null where there is none) is bound to the run and what it promoted, and
 * gets strength `run`; others stay what they are. Platforms tell whole seconds, so whole seconds are compared.
 */
export function boundApprovals(
  all: readonly PlatformApproval[],
  before: readonly GivenApproval[],
  promotedAt: number | null,
): PlatformApproval[] {
  const fresh = without(before, all);
  const releases = fresh.filter(releasedJob).length;
  return fresh.map((found) => {
    const { givenAfter, ...approval } = found;
    const sure = !releasedJob(found) || releases === 1;
    const bound = sure && approval.strength === 'job' && isAfter(givenAfter, promotedAt);
    return { ...approval, strength: bound ? 'run' : approval.strength };
  });
}

function without(before: readonly GivenApproval[], all: readonly PlatformApproval[]): PlatformApproval[] {
  const spent = new Map<string, number>();
  for (const each of before) spent.set(nameOf(each), (spent.get(nameOf(each)) ?? 0) + 1);
  return all.filter((each) => {
    const left = spent.get(nameOf(each)) ?? 0;
    spent.set(nameOf(each), left - 1);
    return left <= 0;
  });
}

/**
 * An approval whose only time is the start of the job that it released. GitHub lets a waiting job go at its first approval: a
 * second one was given for some other job under the environment, perhaps before the promote decision, and none of them says
 * which it was.
 */
function releasedJob({ atFrom, state }: PlatformApproval): boolean {
  return atFrom === 'job-start' && state === 'approved';
}

function nameOf({ userId, state }: GivenApproval): string {
  return `${userId} ${state}`;
}

function isAfter(time: string | undefined, moment: number | null): boolean {
  const given = time === undefined ? null : parseTime(time);
  return given !== null && moment !== null && seconds(given) >= seconds(moment);
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
