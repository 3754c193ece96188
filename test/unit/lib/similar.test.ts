import { orMeant, similar } from '../../../src/lib/similar.ts';

const VERBS = ['policy-gate', 'scan', 'evidence-emit', 'verify', 'status', 'register'];

describe('the word that was meant', () => {
  it.each([
    ['policygate', 'policy-gate'],
    ['policy-gat', 'policy-gate'],
    ['evidence-emits', 'evidence-emit'],
    ['veryfi', 'verify'],
    ['scna', 'scan'],
    ['statsu', 'status'],
    ['registry', 'register'],
  ])('of %s is %s', (word, meant) => {
    expect(similar(word, VERBS)).toBe(meant);
  });

  it.each(['frobnicate', 'x', '', 'deploy', 'sn', '--'])('of %j is none of ours', (word) => {
    expect(similar(word, VERBS)).toBeNull();
  });

  it('is the nearest, not the first', () => {
    expect(similar('groups', ['group-s', 'group', 'groups-2'])).toBe('group-s');
    expect(similar('same', ['some', 'same'])).toBe('same');
  });
});

it('ends a sentence, with it or without', () => {
  expect(`there is no verb scna${orMeant('scna', VERBS)} See`).toBe('there is no verb scna; did you mean scan? See');
  expect(`there is no verb x${orMeant('x', VERBS)} See`).toBe('there is no verb x. See');
  expect(`there is no flag --typ${orMeant('typ', ['type'], '--')}`).toMatch(/; did you mean --type\?$/);
});
