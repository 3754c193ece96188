/**
 * Measures whole processes of the shipped dist against a bare `node -e 0` in the same run: medians of alternating runs, as
 * ratios, so that the figure holds on a slow or busy machine too. Peak memory is read once for each. Then the auditor's
 * questions over signed records. Exit 1 when a bar of scripts/bench/bars.ts is missed.
 *
 *   npm run bench                     31 runs each; questions over 10,000 records
 *   npm run bench -- --runs 7
 *   npm run bench -- --audit 100000   over so many (minutes); 0: no questions
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allowed, finding, NOW, report, scan } from '../test/fixtures/gate/facts.ts';
import { BARS, bytesIn, misses } from './bench/bars.ts';
import { storeRows } from './bench/store.ts';

interface Subject {
  name: string;
  args: string[];
  /** Inputs of an action, as the runner gives them. */
  inputs?: Record<string, string>;
  /** How it ends; 0 where it is not said. */
  exit?: number;
  /** Ratio to the bare process that it is meant to stay under, where one was set. */
  target: number | null;
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '31' },
    audit: { type: 'string', default: '10000' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npm run bench [-- --runs N] [--audit RECORDS]\nstart-up and memory of whole processes (31 runs each), size of dist, and the auditor’s questions over signed records, index included (10000; 0: none). Exit 1 when a bar is missed.',
  );
  process.exit(0);
}
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 3) {
  console.error('--runs takes a whole number from 3 up');
  process.exit(2);
}
const records = Number(values.audit);
if (!Number.isInteger(records) || records < 0) {
  console.error('--audit takes a number of records, or 0 for no questions');
  process.exit(2);
}
const missed: string[] = [];

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
try {
  console.log(`node ${process.version}, median of ${runs} alternating runs\n`);
  console.log('process                                          ms   ratio  target   peak MB');
  for (const row of measure(subjects())) console.log(row);
  console.log('\nstore                                            ms   ratio');
  for (const row of await storeRows(folder, runs, median)) console.log(row);
} finally {
  rmSync(folder, { recursive: true });
}
const size = bytesIn('dist');
console.log(`\ndist has ${(size / 1e6).toFixed(2)} MB, ≤ ${BARS.dist / 1e6} MB${over('dist', size, BARS.dist)}\n`);
if (records > 0) {
  const { benchAudit } = await import('./bench/audit.ts');
  await benchAudit(records, Math.min(runs, 11));
}
if (missed.length > 0) {
  console.error(`\nmissed: ${missed.join(', ')}`);
  process.exitCode = 1;
}

/** The remark beside a figure that misses its bar, which ends the whole run with exit 1. */
function over(name: string, figure: number, bar: number | null): string {
  if (!misses(figure, bar)) return '';
  missed.push(name);
  return '  OVER';
}

function subjects(): Subject[] {
  const judge = (facts: string) => [
    'dist/gatehouse.js',
    'policy-gate',
    '--facts',
    facts,
    '--contract',
    'test/fixtures/gate/contract.yml',
    '--now',
    new Date(NOW).toISOString(),
    '--json',
  ];
  return [
    { name: 'node -e 0', args: ['-e', '0'], target: null },
    { name: 'gatehouse policy-gate --help', args: ['dist/gatehouse.js', 'policy-gate', '--help'], target: BARS.help },
    { name: 'gatehouse policy-gate --facts (4 findings)', args: judge(factsWith(4)), target: BARS.judge },
    { name: 'gatehouse policy-gate --facts (10,000 findings)', args: judge(factsWith(10_000)), target: null },
    { name: 'gatehouse contract check', args: ['dist/gatehouse.js', 'contract', 'check'], target: null },
    ...actions(),
  ];
}

/** Each action up to its first answer: what it says of a file, or that nobody vouches for this job. */
function actions(): Subject[] {
  const action = (name: string, inputs: Record<string, string>, exit = 0): Subject => ({
    name: `action ${name}${exit === 0 ? '' : ' (refuses)'}`,
    args: [`dist/${name}.js`],
    inputs,
    exit,
    target: null,
  });
  const image = `registry.example.org/care/lab-results@sha256:${'0'.repeat(64)}`;
  const target = { environment: 'production', image, target: 'production/web/Deployment/web' };
  return [
    action('build-sign', { phase: 'build', layout: 'sample/image' }),
    action('scan', { phase: 'normalise', report: 'sample/reports/trivy.json' }),
    action('evidence-emit', { type: 'run.opened', environment: 'production', outcome: 'success' }, 1),
    action('policy-gate', { stage: 'promote', ...target }, 1),
    action('deploy-by-digest', { decision: 'v1/records/x', method: 'gitops', manifest: 'x', ...target }, 1),
  ];
}

function factsWith(findings: number): string {
  const facts = allowed();
  facts.scans[0] = scan(
    report(
      'trivy',
      'container',
      Array.from({ length: findings }, (_, i) => finding({ rule: `CVE-2026-${i}` })),
    ),
  );
  const file = join(folder, `facts-${findings}.json`);
  writeFileSync(file, JSON.stringify(facts));
  return file;
}

function measure(all: Subject[]): string[] {
  const times = all.map(() => [] as number[]);
  for (let round = -1; round < runs; round++) {
    for (const [i, subject] of all.entries()) {
      const took = once(subject);
      // The first round fills the file system's caches.
      if (round >= 0) (times[i] as number[]).push(took);
    }
  }
  const bare = median(times[0] as number[]);
  return all.map((subject, i) => {
    const { name, target } = subject;
    const ms = median(times[i] as number[]);
    return `${name.padEnd(46)} ${ms.toFixed(1).padStart(5)}  ${(ms / bare).toFixed(2).padStart(5)}×  ${(target === null ? '' : `≤ ${target}×`).padEnd(7)}  ${peakMegabytes(subject).toFixed(0).padStart(5)}${over(name, ms / bare, target)}`;
  });
}

/** Milliseconds of one whole process. Throws when it does not end as it should: a failure is not to be timed. */
function once({ args, inputs, exit = 0 }: Subject): number {
  const env = environment(inputs);
  const start = process.hrtime.bigint();
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  const took = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== exit) throw new Error(`${args.join(' ')} ended with exit ${status}: ${stdout.slice(0, 500)}${stderr}`);
  return took;
}

function peakMegabytes({ args, inputs }: Subject): number {
  const hook =
    "data:text/javascript,process.on('exit',()=>process.stderr.write(`\\nPEAK ${process.resourceUsage().maxRSS}\\n`))";
  const { stderr } = spawnSync(process.execPath, ['--import', hook, ...args], {
    env: environment(inputs),
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  return Number(/PEAK (\d+)/.exec(stderr)?.[1] ?? Number.NaN) / 1024;
}

function environment(inputs: Record<string, string> = {}): Record<string, string | undefined> {
  const given = Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]);
  return { PATH: process.env.PATH, ...Object.fromEntries(given) };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
