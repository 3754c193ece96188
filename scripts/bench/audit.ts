/**
 * The auditor over a ledger of generated, signed and anchored records, as whole processes: what the index costs, verifying
 * included, beside `sha256sum` of every object; and each of the ten questions over it, beside DuckDB over the raw seals.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { queries } from '../../src/audit/queries.ts';
import { BARS } from './bars.ts';
import { layDeliveries, PER_RUN } from './deliveries.ts';
import { heading, line, medians, type Process, run, runWithPeak } from './process.ts';
import { quickStore } from './quick-store.ts';

/**
 * Lines of the bench over so many records; `over` marks a figure that misses its bar. Throws when the ledger that was laid is not
 * clean: another one would cost less.
 */
export async function auditRows(
  records: number,
  rounds: number,
  dist: string,
  over: (name: string, figure: number, bar: number | null) => string,
): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-audit-'));
  try {
    const [store, trust, index] = ['store', 'trust.json', 'index'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(trust, JSON.stringify(await layDeliveries(quickStore(store), Math.ceil(records / PER_RUN))));
    const audit = (...words: string[]): Process => ({ args: [`${dist}/gatehouse.js`, 'audit', ...words, '--json'] });
    const hashes = run({ program: 'sh', args: ['-c', 'find "$0" -type f -print0 | xargs -0 sha256sum', store] });
    const built = runWithPeak(audit('index', '--store', pathToFileURL(store).href, '--trust', trust, '--out', index));
    const { ledger, quarantined } = JSON.parse(built.stdout);
    if (ledger.status !== 'clean' || quarantined !== 0)
      throw new Error(
        `the ledger of the bench has ${ledger.findings} findings and ${quarantined} objects in quarantine`,
      );
    const raw: Process = { args: ['scripts/bench/raw-scan.ts', store] };
    const asked = questions(audit, index);
    const [theirs, ...ours] = medians([raw, ...asked.map(({ question }) => question)], rounds) as [number, ...number[]];
    return [
      heading(`auditor, ${ledger.records} records`),
      line('sha256sum of every object', hashes.ms, 1, null),
      `${line('gatehouse audit index', built.ms, built.ms / hashes.ms, built.peak)}${over('memory of audit index', built.peak, BARS.index)}`,
      line('DuckDB over the raw seals', theirs, 1, runWithPeak(raw).peak),
      ...asked.map(({ name, question }, i) => {
        const { stdout, peak } = runWithPeak(question);
        const ms = ours[i] as number;
        return line(`${name}, ${JSON.parse(stdout).rows.length} rows`, ms, ms / theirs, peak);
      }),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each question of the release, about the newest deploy where it is about one. */
function questions(audit: (...words: string[]) => Process, index: string): { name: string; question: Process }[] {
  const question = (name: string, given: string[]) => audit('query', name, ...given, '--index', index);
  const production = question('deploys-by-environment', ['--param', 'environment=production']);
  const deploy = JSON.parse(run(production).stdout).rows.at(-1);
  const values: { [parameter: string]: string } = {
    person: 'dev-7',
    environment: 'production',
    digest: deploy.digest,
    deploy: deploy.deploy_id,
    name: 'example.org/module-7',
  };
  return queries.map(({ name, parameters }) => ({
    name,
    question: question(
      name,
      parameters
        .filter(({ fallback }) => fallback === null)
        .flatMap((parameter) => ['--param', `${parameter.name}=${values[parameter.name]}`]),
    ),
  }));
}
