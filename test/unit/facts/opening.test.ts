import type { Run } from '../../../src/contract/run.ts';
import type { VerifiedRecord } from '../../../src/facts/evidence.ts';
import { isSameAttempt, openingOf } from '../../../src/facts/opening.ts';

const RUN = { platform: 'local', host: 'demo', repositoryId: '1', id: '5001', attempt: 1 } as Run;
const approved = (userId: string) => ({ userId, state: 'approved' });

interface Opened {
  storedAt?: number;
  run?: Run;
  type?: string;
  environment?: string | null;
  data?: object;
}

function opened({ storedAt = 1, run = RUN, type = 'run.opened', environment = 'production', data = {} }: Opened = {}) {
  const said = { registerNumber: 3, approvalsBefore: [approved('201')], ...data };
  return { storedAt, record: { type, run, environment, data: said } } as unknown as VerifiedRecord;
}
const opening = (...records: VerifiedRecord[]) => openingOf(RUN, 'production', records);

describe('what a run saw when it was opened', () => {
  it('is said by its record', () => {
    expect(opening(opened())).toEqual({ register: 3, approvalsBefore: [approved('201')] });
  });

  it.each([
    ['no record', []],
    ['a record of another type', [opened({ type: 'run.sealed' })]],
    ['a record of another run', [opened({ run: { ...RUN, id: '5002' } })]],
    ['a record of another attempt', [opened({ run: { ...RUN, attempt: 2 } })]],
    ['a record of another repository', [opened({ run: { ...RUN, repositoryId: '2' } })]],
    ['a record for another environment', [opened({ environment: 'staging' })]],
    ['a record for no environment', [opened({ environment: null })]],
  ])('is unknown by %s', (_, records) => {
    expect(opening(...records)).toEqual({ register: null, approvalsBefore: null });
  });

  it.each([
    ['text', '3'],
    ['a fraction', 2.5],
    ['nothing', null],
    ['zero', 0],
    ['a negative number', -1],
    ['a number beyond integers', 2 ** 60],
  ])('is no register number when it is %s', (_, registerNumber) => {
    expect(opening(opened({ data: { registerNumber } })).register).toBeNull();
    expect(opening(opened(), opened({ data: { registerNumber } })).register).toBeNull();
  });

  it.each([
    ['a number', 0],
    ['nothing', null],
    ['text', '[]'],
    ['a list of ids', ['201']],
    ['an approval of another form', [{ userId: '201' }]],
  ])('is no list of approvals when it is %s, so that none counts', (_, approvalsBefore) => {
    expect(opening(opened({ data: { approvalsBefore } })).approvalsBefore).toBeNull();
  });

  it('when it was opened twice, is the higher register and the approvals of the last time', () => {
    const first = opened({ storedAt: 1, data: { registerNumber: 4, approvalsBefore: [] } });
    const second = opened({
      storedAt: 2,
      data: { registerNumber: 3, approvalsBefore: [approved('201'), approved('202')] },
    });
    for (const records of [
      [first, second],
      [second, first],
    ])
      expect(opening(...records)).toEqual({ register: 4, approvalsBefore: [approved('201'), approved('202')] });
  });
});

describe('one attempt', () => {
  it.each([
    ['platform', 'github'],
    ['host', 'other'],
    ['repositoryId', '2'],
    ['id', '5002'],
    ['attempt', 2],
  ])('differs from another by %s', (name, value) => {
    expect(isSameAttempt(RUN, { ...RUN })).toBe(true);
    expect(isSameAttempt(RUN, { ...RUN, [name]: value })).toBe(false);
  });
});
