import { meets, rankOf, requiredStages } from '../../../src/evidence/stages.ts';
import { contractFile } from './sample-ledger.ts';

describe('what a run owes', () => {
  it('comes from the environment of the contract', () => {
    const promote = [
      'run.opened',
      'scan.completed:sca',
      'scan.completed:secrets',
      'build.completed',
      'sbom.created',
      'artifact.signed',
      'change.reviewed',
      'gate.decided',
    ];
    expect(requiredStages(contractFile, 'production', 'promote')).toEqual(promote);
    expect(requiredStages(contractFile, 'production', 'deploy')).toEqual([
      ...promote,
      'approval.decided',
      'deploy.intent',
      'deploy.outcome',
    ]);
  });

  it.each(['staging', '', 'constructor', '__proto__'])(
    'is unknown for %j, which the contract does not have',
    (environment) => {
      expect(() => requiredStages(contractFile, environment, 'deploy')).toThrow(
        expect.objectContaining({ code: 'contract.environment', exit: 2 }),
      );
    },
  );

  it.each<[boolean, string, string, { [name: string]: unknown }]>([
    [true, 'scan.completed:sca', 'scan.completed', { covers: ['container', 'sca'] }],
    [false, 'scan.completed:sca', 'scan.completed', { covers: ['secrets'] }],
    [false, 'scan.completed:sca', 'scan.completed', {}],
    [false, 'scan.completed:sca', 'scan.completed', { covers: 'sca' }],
    [false, 'scan.completed:sca', 'test.completed', { covers: ['sca'] }],
    [true, 'gate.decided', 'gate.decided', {}],
    [false, 'gate.decided', 'gate.decided2', {}],
  ])('is met: %s, %s by %s %j', (expected, stage, type, data) => {
    expect(meets(stage, { type, data })).toBe(expected);
  });

  it('is due in the order of the pipeline', () => {
    const order = [
      'run.opened',
      'scan.completed',
      'change.reviewed',
      'gate.decided',
      'approval.decided',
      'deploy.intent',
      'deploy.outcome',
    ];
    expect(order.map(rankOf)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(rankOf('build.completed')).toBe(rankOf('scan.completed'));
  });
});
