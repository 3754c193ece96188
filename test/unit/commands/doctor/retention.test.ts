import { daysOwed, yearsLater } from '../../../../src/commands/doctor/retention.ts';

const at = (text: string) => Date.parse(text);

describe('the days that years take', () => {
  it.each([
    [6, 2192],
    [7, 2557],
    [8, 2922],
    [10, 3653],
    [1, 366],
  ])('%d years are %d at most, whenever they begin', (years, days) => {
    for (const now of ['2026-11-28T12:00:00Z', '2027-02-28T23:59:59Z', '2028-02-29T00:00:00Z', '2029-01-01T00:00:00Z'])
      expect(daysOwed(years, at(now))).toBe(days);
  });

  it('are more than the usual 2190 and 2555 (F47)', () => {
    expect(daysOwed(6, at('2026-01-01T00:00:00Z'))).toBeGreaterThan(2190 + 1);
    expect(daysOwed(7, at('2026-01-01T00:00:00Z'))).toBeGreaterThan(2555 + 1);
  });
});

describe('the same date years later', () => {
  it.each([
    ['2026-11-28T12:34:56Z', 7, '2033-11-28T12:34:56Z'],
    ['2028-02-29T00:00:00Z', 4, '2032-02-29T00:00:00Z'],
    ['2028-02-29T00:00:00Z', 7, '2035-03-01T00:00:00Z'],
  ])('of %s after %d is %s', (from, years, to) => {
    expect(yearsLater(at(from), years)).toBe(at(to));
  });
});
