import { formatTime } from '../../lib/time.ts';
import type { ServerFacts, StoreFacts } from '../../store/store-facts.ts';
import { type Check, check } from './check.ts';
import { daysOwed, yearsLater } from './retention.ts';

export interface Demand {
  /** Calendar years that evidence is kept. */
  years: number;
  /** A store without a lock will do: profile local. */
  lockOptional: boolean;
  /** Milliseconds that the store's clock may differ from ours. */
  skew: number;
  /** Milliseconds. */
  now: number;
}

/** Days that a lock should have beyond the longest period: clocks differ, and a period may begin a day after the put. */
const MARGIN = 3;

/** Judges what a store showed. Every demand is in the answer, also where nothing could be seen of it. */
export function checkStore(facts: StoreFacts, demand: Demand): Check[] {
  const common = [
    check('create only', facts.createOnly, 'a second put under one name is refused', (refused) =>
      refused ? ['ok', 'refused'] : ['fails', 'the second put was taken: whoever comes last has the say'],
    ),
    check('kept', facts.kept, 'what was put can be read back', (kept) =>
      kept ? ['ok', 'read back'] : ['fails', 'the put was answered and the object is not there, or is another one'],
    ),
  ];
  if (facts.server === null) return [...common, directoryLock(demand)];
  return [...common, ...serverChecks(facts, facts.server, demand)];
}

function directoryLock({ lockOptional }: Demand): Check {
  return {
    check: 'lock',
    found: 'none: a directory is tamper-evident only, whoever may write to it can change and delete',
    needed: 'objects that nobody can change or delete before their time',
    status: lockOptional ? 'weak' : 'fails',
  };
}

function serverChecks(facts: StoreFacts, server: ServerFacts, demand: Demand): Check[] {
  return [
    check('checksum', server.checksumVerified, 'bytes with another SHA-256 than was sent are refused', (refused) =>
      refused ? ['ok', 'refused'] : ['fails', 'a put with a wrong SHA-256 was taken'],
    ),
    check('checksum echo', server.checksumConfirmed, 'the answer to a put confirms the SHA-256', (confirmed) =>
      confirmed ? ['ok', 'confirmed'] : ['fails', 'the answer does not confirm it: every put will be refused here'],
    ),
    check('versions', server.versioning, 'enabled', (status) => [status === 'enabled' ? 'ok' : 'fails', status]),
    check('lock', server.lock, 'mode COMPLIANCE by default', (lock) => {
      if (lock === null) return ['fails', 'the bucket has no object lock'];
      if (lock.mode === null)
        return ['fails', 'object lock without a default: nothing is locked unless its writer says so'];
      return lock.mode === 'COMPLIANCE' ? ['ok', lock.mode] : ['fails', `${lock.mode}: administrators may lift it`];
    }),
    retention(facts, server, demand),
    check('ownership', server.ownership, 'BucketOwnerEnforced', (ownership) => [
      ownership === 'BucketOwnerEnforced' ? 'ok' : 'fails',
      ownership ?? 'nothing is set: a writer of another account owns what it puts',
    ]),
    check('lifecycle', server.expiring, 'no rule that expires objects or versions', (rules) =>
      rules.length === 0 ? ['ok', 'none'] : ['fails', `rules that hide or destroy evidence: ${rules.join(', ')}`],
    ),
    check('clock', facts.serverTime, `within ${demand.skew / 1000} s of this machine`, (time) => [
      Math.abs(time - facts.putAt) <= demand.skew ? 'ok' : 'weak',
      formatTime(time),
    ]),
  ];
}

/** By the bucket's default, and by what the server shows on an object that was put just now, where it shows it. */
function retention(
  { putAt, serverTime }: StoreFacts,
  { lock, lockedUntil }: ServerFacts,
  { years, now }: Demand,
): Check {
  const owed = daysOwed(years, now);
  const needed = `${owed} days or more for ${years} years, ${owed + MARGIN} with a margin`;
  const end = yearsLater('value' in serverTime ? serverTime.value : putAt, years);
  if ('value' in lockedUntil && Math.floor(lockedUntil.value / 1000) < Math.floor(end / 1000))
    return {
      check: 'retention',
      found: `an object put just now is locked until ${formatTime(lockedUntil.value)} only`,
      needed,
      status: 'fails',
    };
  return check('retention', lock, needed, (configured) => {
    const { days = null, years: configuredYears = null } = configured ?? {};
    if (days !== null) return [days < owed ? 'fails' : days < owed + MARGIN ? 'weak' : 'ok', `${days} days`];
    if (configuredYears === null) return ['fails', 'no default'];
    // Nothing says how many days a server counts for a year.
    return [
      configuredYears * 365 < owed ? 'fails' : 'ok',
      `${configuredYears} years, of 365 days at least; say it in days`,
    ];
  });
}
