/**
 * Runs test folders: compiles, builds a fresh bundle into build/dist where the tests start it, runs jest on the compiled
 * tests, and ends with one plain line of counts.
 *
 *   node scripts/test.ts unit contract e2e              those folders
 *   node scripts/test.ts e2e/scan unit/lib              files whose path begins so
 *   node scripts/test.ts unit -- -t 'is refused'        arguments for jest
 *
 * In CI (CI=true) a skipped test fails the run, except those of corpora that are not part of this repository.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { bundle, compile } from './build.ts';
import { temporaryFolder } from './temporary.ts';

const split = process.argv.indexOf('--');
const folders = process.argv.slice(2, split === -1 ? undefined : split);
const jestArguments = split === -1 ? [] : process.argv.slice(split + 1);

compile();
bundle('build/dist');
// What a fork writes into its own contract.yml is no matter of the tests.
copyFileSync('test/fixtures/contract.yml', 'build/contract.yml');
const paths = folders.map((folder) => `build/test/${folder}${existsSync(`build/test/${folder}`) ? '/' : ''}`);
const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    'node_modules/jest/bin/jest.js',
    '--json',
    '--outputFile=build/results.json',
    '--testPathPatterns',
    ...paths,
    ...jestArguments,
  ],
  { stdio: 'inherit', env: { ...process.env, TMPDIR: process.env.TMPDIR ?? temporaryFolder() } },
);
const results = JSON.parse(readFileSync('build/results.json', 'utf8'));
const skipped = testsThat(results, 'pending');
for (const name of testsThat(results, 'failed')) console.log(`FAILED: ${name}`);
for (const name of skipped) console.log(`SKIPPED: ${name}`);
const unexcused = skipped.filter((name) => !name.startsWith('the corpus of '));
console.log(
  `${results.numPassedTests} passed, ${results.numFailedTests + results.numRuntimeErrorTestSuites} failed, ${skipped.length} skipped`,
);
if (status !== 0 || results.numPassedTests === 0) process.exitCode = 1;
if (process.env.CI === 'true' && unexcused.length > 0) {
  console.log('a skipped test fails in CI: install what it needs with npm run tools');
  process.exitCode = 1;
}

function testsThat(
  results: { testResults: { assertionResults: { status: string; fullName: string }[] }[] },
  ended: 'pending' | 'failed',
): string[] {
  return results.testResults.flatMap((file) =>
    file.assertionResults.filter((test) => test.status === ended).map((test) => test.fullName),
  );
}
