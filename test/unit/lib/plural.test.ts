import { plural } from '../../../src/lib/plural.ts';

it.each([
  [0, '0 findings'],
  [1, '1 finding'],
  [2, '2 findings'],
])('%d is said in words', (number, words) => {
  expect(plural(number, 'finding')).toBe(words);
});
