import type { Attachment, Record } from '../../contract/record.ts';
import type { Run } from '../../contract/run.ts';

/** What the checks of a whole ledger need of a record. The rest of it is not kept, so that a large store fits into memory. */
export interface Outline extends Pick<Record, 'id' | 'type' | 'time' | 'environment' | 'outcome' | 'opId' | 'seq'> {
  run: Pick<Run, 'attempt' | 'repository'>;
  subjects: Pick<Record['subjects'][number], 'digest'>[];
  attachments: Attachment[];
  data: { [name in 'contract' | 'covers' | 'decisionId' | 'outcome' | 'required']?: unknown };
}

/** The outline of a record. */
export function outlineOf(record: Record): Outline {
  const { id, type, time, environment, outcome, opId, seq, run, subjects, attachments, data } = record;
  return {
    id,
    type,
    time,
    environment,
    outcome,
    opId,
    seq,
    run: { attempt: run.attempt, repository: run.repository },
    subjects: subjects.map(({ digest }) => ({ digest })),
    attachments,
    data: {
      contract: data.contract,
      covers: data.covers,
      decisionId: data.decisionId,
      outcome: data.outcome,
      required: data.required,
    },
  };
}
