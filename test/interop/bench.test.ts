import { queries } from '../../src/audit/queries.ts';
import { type Ended, run } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';

/** The bench in its smallest, over the build that the tests run. Whether it is fast is the machine's matter and not looked at. */
const bench = (dist: string): Ended =>
  run(process.execPath, ['scripts/bench.ts', '--runs', '3', '--audit', '26', '--dist', dist]);

const LINE = /^(\S.*?) {2,}(\d+\.\d) +(\d+\.\d\d)× +(?:≤ [\d.]+×)? +(\d+|–)(?: +OVER)?$/gm;

/** The figures of each line of the bench by its name; the peak of another program is null. */
function figuresIn(text: string): Map<string, (number | null)[]> {
  return new Map(
    [...text.matchAll(LINE)].map(([, name, ms, ratio, peak]) => [
      (name as string).replace(/, \d+ rows$/, ''),
      [Number(ms), Number(ratio), peak === '–' ? null : Number(peak)],
    ]),
  );
}

const NAMES = [
  'node -e 0',
  'gatehouse policy-gate --help',
  'gatehouse policy-gate --facts (4 findings)',
  'gatehouse policy-gate --facts (10,000 findings)',
  'gatehouse contract check',
  'action build-sign',
  'action scan',
  'action evidence-emit (refuses)',
  'action policy-gate (refuses)',
  'action deploy-by-digest (refuses)',
  'sha256sum of every object',
  'gatehouse audit index',
  'DuckDB over the raw seals',
  ...queries.map(({ name }) => name),
];
const OF_OTHERS = ['sha256sum of every object', 'aws s3api put-object, one object'];

describe('the bench', () => {
  let ended: Ended;
  let figures: Map<string, (number | null)[]>;
  beforeAll(() => {
    ended = bench('build/dist');
    figures = figuresIn(ended.stdout);
  }, 900_000);

  const requireFigures = (name: string) => {
    const [ms, ratio, peak] = figures.get(name) ?? [];
    expect([name, ms, ratio]).toEqual([name, expect.any(Number), expect.any(Number)]);
    expect(Math.min(ms as number, ratio as number, peak ?? 1)).toBeGreaterThan(0);
    expect([name, peak === null]).toEqual([name, OF_OTHERS.includes(name)]);
  };

  it('ends well, or with the bars that were missed', () => {
    if (ended.code !== 0) expect(ended).toMatchObject({ code: 1, stderr: expect.stringMatching(/^\nmissed: .+\n$/) });
    expect(ended.stdout).toMatch(/^dist has \d\.\d\d MB/m);
    expect(ended.stdout).toMatch(/^auditor, 24 records /m);
  });

  it.each(NAMES)('has figures for %s', requireFigures);

  itWith('versitygw', 'aws')('has figures for a record into S3', () => {
    requireFigures('aws s3api put-object, one object');
    requireFigures('gatehouse evidence-emit into S3, one record');
  });

  it('times nothing that failed', () => {
    const { code, stdout, stderr } = bench('build/no-such-dist');
    expect(code).toBe(1);
    expect(stderr).toContain('policy-gate --help ended with exit 1');
    expect(figuresIn(stdout).size).toBe(0);
  });
});
