/**
 * Measures whole processes of the shipped dist: start-up and memory against a bare `node -e 0`, a record into S3 against
 * `aws s3api put-object`, the auditor's index and questions against `sha256sum` and DuckDB alone. All in one run, medians of
 * alternating runs, as ratios, so that the figures hold on a slow or busy machine too; the index is made once. Peak memory is
 * read once for each. Exit 1 when a bar of scripts/bench/bars.ts is missed.
 *
 *   npm run bench                     31 runs each; the auditor over 10,000 records
 *   npm run bench -- --runs 7
 *   npm run bench -- --audit 100000   over so many (half an hour); 0: no auditor
 *   npm run bench -- --dist FOLDER    another build than dist
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { allowed, finding, NOW, report, scan } from '../test/fixtures/gate/facts.ts';
import { auditRows } from './bench/audit.ts';
import { BARS, bytesIn, misses } from './bench/bars.ts';
import { heading, line, medians, type Process, runWithPeak } from './bench/process.ts';
import { storeRows } from './bench/store.ts';

interface Subject extends Process {
  name: string;
  /** Ratio to the bare process that it is meant to stay under, where one was set. */
  target: number | null;
}

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '31' },
    audit: { type: 'string', default: '10000' },
    dist: { type: 'string', default: 'dist' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(
    'npm run bench [-- --runs N] [--audit RECORDS] [--dist FOLDER]\nstart-up and memory of whole processes (31 runs each), a record into S3, size of dist, and the auditor over signed records, index included (10000; 0: none). Exit 1 when a bar is missed.',
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
const { dist } = values;
const missed: string[] = [];

console.log(`node ${process.version}, median of ${runs} alternating runs\n`);
const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
try {
  for (const row of startRows(subjects())) console.log(row);
  console.log();
  for (const row of await storeRows(folder, runs, dist)) console.log(row);
} finally {
  rmSync(folder, { recursive: true });
}
const size = bytesIn(dist);
console.log(`\ndist has ${(size / 1e6).toFixed(2)} MB, ≤ ${BARS.dist / 1e6} MB${over('dist', size, BARS.dist)}\n`);
if (records > 0) for (const row of await auditRows(records, Math.min(runs, 11), dist, over)) console.log(row);
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
  const gatehouse = `${dist}/gatehouse.js`;
  const judge = (facts: string) => [
    gatehouse,
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
    { name: 'gatehouse policy-gate --help', args: [gatehouse, 'policy-gate', '--help'], target: BARS.help },
    { name: 'gatehouse policy-gate --facts (4 findings)', args: judge(factsWith(4)), target: BARS.judge },
    { name: 'gatehouse policy-gate --facts (10,000 findings)', args: judge(factsWith(10_000)), target: null },
    { name: 'gatehouse contract check', args: [gatehouse, 'contract', 'check'], target: null },
    ...actions(),
  ];
}

/** Each action up to its first answer: what it says of a file, or that no token vouches for this job of GitHub. */
function actions(): Subject[] {
  const action = (name: string, inputs: Record<string, string>, exit = 0): Subject => ({
    name: `action ${name}${exit === 0 ? '' : ' (refuses)'}`,
    args: [`${dist}/${name}.js`],
    env: {
      GITHUB_ACTIONS: 'true',
      ...Object.fromEntries(Object.entries(inputs).map(([input, value]) => [`INPUT_${input.toUpperCase()}`, value])),
    },
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

function startRows(all: Subject[]): string[] {
  const times = medians(all, runs);
  const bare = times[0] as number;
  const rows = all.map((subject, i) => {
    const { name, target } = subject;
    const ms = times[i] as number;
    return `${line(name, ms, ms / bare, runWithPeak(subject).peak, target)}${over(name, ms / bare, target)}`;
  });
  return [heading('process'), ...rows];
}
