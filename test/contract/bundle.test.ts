import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BARS, bytesIn, misses } from '../../scripts/bench/bars.ts';

const DIST = 'build/dist';
const chunks = readdirSync(DIST)
  .filter((file) => file.endsWith('index.js'))
  .map((file) => readFileSync(join(DIST, file), 'utf8'));

/** Packages that the sources import by name. */
function imported(): string[] {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  const names = files.flatMap((file) =>
    [
      ...readFileSync(join('src', file), 'utf8').matchAll(/^(?:import (?!type )|export |\} ).*from '([^.'][^']*)'/gm),
    ].map((match) => match[1] as string),
  );
  const packages = names.map((name) => /^(?:@[^/]+\/)?[^/]+/.exec(name)?.[0] as string);
  return [...new Set(packages)].filter((name) => !name.startsWith('node:'));
}

describe('the bundle', () => {
  it('is no larger than promised', () => {
    const size = bytesIn(DIST);
    expect(size).toBeGreaterThan(1_000_000);
    expect(misses(size, BARS.dist)).toBe(false);
  });

  it.each<[string, number, number | null, boolean]>([
    ['a bar that is met', 2.3, 2.3, false],
    ['a bar that is missed by little', 2.31, 2.3, true],
    ['a figure that was not measured', Number.NaN, 2.3, true],
    ['a figure without a bar', 99, null, false],
  ])('%s', (_, figure, bar, missed) => {
    expect(misses(figure, bar)).toBe(missed);
  });

  it('names the licence of every package that it holds', () => {
    const licences = readFileSync(join(DIST, 'licenses.txt'), 'utf8').split('\n');
    expect(imported()).toEqual(expect.arrayContaining(['yaml', 'zod', '@sigstore/core']));
    expect(imported().filter((name) => !licences.includes(name))).toEqual([]);
  });

  it('has of zod what is used, once, in one language', () => {
    const holding = (words: string) => chunks.filter((chunk) => chunk.includes(words)).length;
    expect(holding('"ZodMiniString"')).toBe(1);
    expect(holding('Invalid input: expected')).toBe(1);
    for (const unused of ['"ZodString"', 'Invalid hex string length', 'json-schema.org', 'ltige Eingabe'])
      expect([unused, holding(unused)]).toEqual([unused, 0]);
  });
});
