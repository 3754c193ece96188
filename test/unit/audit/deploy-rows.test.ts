import { Deploys } from '../../../src/audit/deploy-rows.ts';
import type { Fact } from '../../../src/audit/standing.ts';
import { concludes } from '../../../src/evidence/verify/deploys.ts';
import { sampleInput, sampleRun } from '../evidence/sample-ledger.ts';

const OP = '7f6c0a52-1d7e-4b6a-9d55-0d2f0b9c3a11';
const DATA = { decisionId: '0c5d3f0e-6a55-4a8e-8a56-3f9f6a1f4f10' };

/** A record of one deploy, of run r1 unless it says another. */
function fact(type: string, changes: object = {}, run = 'r1', contested = false): Fact {
  const record = { ...sampleInput(type, sampleRun(run), { opId: OP, data: DATA }), id: `${type} ${run}`, ...changes };
  return {
    key: `v1/records/${run}/${type}`,
    run: `local~localhost~7/${run}`,
    record,
    contested,
    remarks: [],
  } as unknown as Fact;
}

const intent = fact('deploy.intent');

describe('what became of an announced deploy', () => {
  it.each<[string, Fact, boolean]>([
    ['its outcome', fact('deploy.outcome'), true],
    ['its outcome, a failure', fact('deploy.outcome', { outcome: 'failure' }), true],
    ['its outcome, an error', fact('deploy.outcome', { outcome: 'error' }), true],
    ['the notary in another run', fact('deploy.reconciled', { data: {} }, 'r9'), true],
    ['a refusal', fact('deploy.outcome', { outcome: 'denied' }), false],
    ['another run', fact('deploy.outcome', {}, 'r9'), false],
    ['another attempt', fact('deploy.outcome', { run: sampleRun('r1', 2) }), false],
    ['another decision', fact('deploy.outcome', { data: { decisionId: 'x' } }), false],
    ['another image', fact('deploy.outcome', { subjects: [] }), false],
    ['another deploy', fact('deploy.outcome', { opId: DATA.decisionId }), false],
    ['a record of another type', fact('test.completed'), false],
    ['the intent itself', intent, false],
  ])('is said by %s: %p', (_, outcome, expected) => {
    expect(concludes(outcome, intent)).toBe(expected);
    const deploys = new Deploys([intent, outcome], new Map());
    const announced = deploys.row(intent);
    if (expected) expect(announced).toBeNull();
    else expect(announced).toMatchObject({ outcome: 'unknown', intent_key: intent.key });
    if (outcome !== intent) expect(deploys.row(outcome)?.intent_key).toBe(expected ? intent.key : null);
  });

  it('is not said by what came after the seal, which is shown all the same', () => {
    const late = fact('deploy.outcome', {}, 'r1', true);
    const deploys = new Deploys([intent, late], new Map());
    expect(deploys.row(intent)).toMatchObject({ outcome: 'unknown' });
    expect(deploys.row(late)).toMatchObject({ outcome: 'success', contested: true, intent_key: intent.key });
  });

  it('is not said of nothing: an intent without an id or a decision is concluded by none', () => {
    for (const changes of [{ opId: null }, { data: {} }])
      expect(concludes(fact('deploy.outcome', changes), fact('deploy.intent', changes))).toBe(false);
  });
});
