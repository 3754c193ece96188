import { type Finding, SETTLE_LIMIT } from '../finding.ts';
import type { Accepted, Survey } from './survey.ts';

/** What records and pointers refer to: attachments with the content that was signed, pointers to records and back. */
export function checkReferences(survey: Survey, now: number): Finding[] {
  const owed = new Map<string, string>();
  for (const { pointers, key } of survey.records) for (const at of pointers) owed.set(at, key);
  return [
    ...survey.records.flatMap((accepted) => [...attachments(accepted, survey), ...ownPointers(accepted, survey)]),
    ...dangling(survey, owed, now),
  ];
}

function attachments({ record, key, run }: Accepted, { blobs }: Survey): Finding[] {
  return record.attachments.flatMap((attachment): Finding[] => {
    const blob = blobs.get(attachment.key);
    if (blob === undefined)
      return [{ code: 'ATTACHMENT_MISSING', key, run, detail: `${attachment.key} (${attachment.role})` }];
    if (blob.digest === attachment.digest && blob.size === attachment.size) return [];
    return [
      {
        code: 'ATTACHMENT_MISMATCH',
        key,
        run,
        detail: `${attachment.key} (${attachment.role}) holds ${blob.digest}, the record says ${attachment.digest}`,
      },
    ];
  });
}

/** Pointers are written before their record, so a record without one has lost it. */
function ownPointers({ pointers: owed, key, run }: Accepted, { pointers }: Survey): Finding[] {
  return owed
    .filter((at) => pointers.get(at)?.target !== key)
    .map((at) => ({ code: 'POINTER_MISSING', key, run, detail: `${at} does not lead here` }));
}

/** A pointer may wait a while for its record. Those of records that do not count are among the findings of the record. */
function dangling({ pointers, findings }: Survey, owed: ReadonlyMap<string, string>, now: number): Finding[] {
  const refused = new Set(findings.map(({ key }) => key));
  return [...pointers]
    .filter(
      ([at, { target, at: since }]) => owed.get(at) !== target && !refused.has(target) && now - since > SETTLE_LIMIT,
    )
    .map(([at, { target }]) => ({
      code: 'DANGLING_POINTER',
      key: at,
      run: null,
      detail: `it leads to ${target}, which is no record about this digest`,
    }));
}
