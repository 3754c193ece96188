import type { Run } from '../contract/run.ts';
import * as z from '../lib/zod.ts';
import type { GivenApproval } from '../platform/platform.ts';
import type { VerifiedRecord } from './evidence.ts';

/** What a run saw when it was opened. Null: no record says so, and what rests on it denies. */
export interface Opening {
  /** The register's number. */
  register: number | null;
  /** Approvals that were there before and so are of something else. */
  approvalsBefore: GivenApproval[] | null;
}

const given = z.array(z.strictObject({ userId: z.nullable(z.string()), state: z.enum(['approved', 'rejected']) }));

/** What a record says had been approved or rejected when it was written; null where it does not say. */
export function approvalsBeforeIn({ record }: VerifiedRecord): GivenApproval[] | null {
  const said = given.safeParse(record.data.approvalsBefore);
  return said.success ? said.data : null;
}

/**
 * Out of the records run.opened of this attempt for this environment. A run that was opened twice saw the highest number and
 * the approvals of the last time: both only grow, so that opening again makes nothing count that did not before.
 */
export function openingOf(run: Run, environment: string, records: readonly VerifiedRecord[]): Opening {
  const opened = records.filter(
    ({ record }) =>
      record.type === 'run.opened' && isSameAttempt(record.run, run) && record.environment === environment,
  );
  const last = opened.toSorted((a, b) => b.storedAt - a.storedAt)[0];
  const numbers = opened.map(({ record }) => record.data.registerNumber);
  return {
    register: numbers.length > 0 && numbers.every(isCount) ? Math.max(...numbers) : null,
    approvalsBefore: last === undefined ? null : approvalsBeforeIn(last),
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}

/** Whether two records say that they are of one attempt of one run. Commit and job may differ. */
export function isSameAttempt(a: Run, b: Run): boolean {
  return (
    a.platform === b.platform &&
    a.host === b.host &&
    a.repositoryId === b.repositoryId &&
    a.id === b.id &&
    a.attempt === b.attempt
  );
}
