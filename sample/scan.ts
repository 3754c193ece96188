/**
 * `node sample/scan.ts`: runs the real scanners on the sample and writes what they say to reports/, each report with a
 * sidecar (gatehouse/scan-sidecar/1) that says how it came to be. Nothing in a report is edited afterwards.
 *
 * The scanners run in /tmp/lab-results, a git repository with the service as its team would have it, so that no path of
 * the machine gets into a report. They use small databases made from scan-db/, and no network.
 *
 *   node sample/scan.ts                            runs all of them anew
 *   node sample/scan.ts --installed --out FOLDER   runs those that are installed and puts their reports into FOLDER
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { findTool, installCommand } from '../scripts/tools/find.ts';
import type { ScanSidecar } from '../src/contract/scan-report.ts';
import { buildWriter, writeOsvDatabase, writeTrivyDatabase } from './databases.ts';

interface Run {
  /** The report's file name. */
  report: string;
  tool: 'trivy' | 'semgrep' | 'gitleaks' | 'checkov' | 'osv-scanner';
  args: string[];
  exitCode: number;
  env?: Record<string, string>;
  /** What the database of trivy is to hold; null for none at all, which makes trivy fail. */
  advisories?: string[] | null;
}

const TRIVY = [
  'image',
  '--input',
  'image',
  '--cache-dir',
  '.cache/trivy',
  '--skip-db-update',
  '--skip-java-db-update',
  '--skip-check-update',
  '--skip-vex-repo-update',
  '--offline-scan',
  '--skip-version-check',
  '--disable-telemetry',
];
/** Without these it looks for a newer version of itself, for minutes where there is no network. */
const SEMGREP_ENV = { SEMGREP_SEND_METRICS: 'off', SEMGREP_ENABLE_VERSION_CHECK: '0' };
const SEMGREP = [
  'scan',
  '--metrics=off',
  '--disable-version-check',
  '--max-target-bytes',
  '0',
  '--verbose',
  '--config',
  'semgrep-rules.yml',
];

const RUNS: readonly Run[] = [
  { report: 'trivy.json', tool: 'trivy', args: [...TRIVY, '--format', 'json'], exitCode: 0, advisories: ['before'] },
  { report: 'trivy.sarif', tool: 'trivy', args: [...TRIVY, '--format', 'sarif'], exitCode: 0, advisories: ['before'] },
  {
    report: 'trivy-critical.json',
    tool: 'trivy',
    args: [...TRIVY, '--format', 'json'],
    exitCode: 0,
    advisories: ['before', 'after'],
  },
  { report: 'trivy-failed.json', tool: 'trivy', args: [...TRIVY, '--format', 'json'], exitCode: 1, advisories: null },
  { report: 'semgrep.json', tool: 'semgrep', args: [...SEMGREP, '--json', '.'], exitCode: 0, env: SEMGREP_ENV },
  { report: 'semgrep.sarif', tool: 'semgrep', args: [...SEMGREP, '--sarif', '.'], exitCode: 0, env: SEMGREP_ENV },
  {
    report: 'gitleaks.json',
    tool: 'gitleaks',
    args: ['git', '.', '--report-format', 'json', '--report-path', '-', '--no-banner'],
    exitCode: 0,
  },
  {
    report: 'checkov.json',
    tool: 'checkov',
    args: ['-d', '.', '--framework', 'kubernetes', 'dockerfile', '--skip-download', '--quiet', '-o', 'json'],
    exitCode: 0,
  },
  {
    report: 'osv-scanner.json',
    tool: 'osv-scanner',
    args: ['scan', 'source', '--offline', '--format', 'json', '-L', 'app/go.mod'],
    exitCode: 1, // it found something
    env: { OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY: '.cache/osv', OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: '.cache/osv' },
  },
];

const here = import.meta.dirname;
const CHECKOUT = '/tmp/lab-results';
const CACHE = join(CHECKOUT, '.cache');
const { values: options } = parseArgs({
  options: { out: { type: 'string' }, installed: { type: 'boolean', default: false } },
});
const REPORTS = options.out ?? join(here, 'reports');
/** Tools that look findings up, in databases that the Go program in scan-db/writer makes. */
const WITH_DATABASE = ['trivy', 'osv-scanner'];

try {
  mkdirSync(CHECKOUT); // refuses to touch a folder that somebody else made
  try {
    main();
  } finally {
    rmSync(CHECKOUT, { recursive: true, force: true });
  }
} catch (cause) {
  console.error(`error: ${(cause as Error).message}`);
  process.exitCode = 3;
}

function main(): void {
  const absent = [...new Set(RUNS.map(({ tool }) => tool))].filter((tool) => findTool(tool) === null);
  if (absent.length > 0 && !options.installed)
    throw new Error(`not installed: ${absent.join(', ')}; ${installCommand(...absent)}`);
  checkOut();
  const writer = writerOrNull();
  if (writer !== null) writeOsvDatabase(writer, join(CACHE, 'osv'));
  if (options.out === undefined) rmSync(REPORTS, { recursive: true, force: true });
  mkdirSync(REPORTS, { recursive: true });
  const left = new Set([...absent, ...(writer === null ? WITH_DATABASE : [])]);
  for (const run of RUNS.filter(({ tool }) => !left.has(tool))) {
    if (run.advisories !== undefined && writer !== null)
      writeTrivyDatabase(writer, join(CACHE, 'trivy'), run.advisories);
    const sidecar = scan(run);
    console.log(
      `${run.report}: ${run.tool} ${sidecar.tool.version}, exit ${sidecar.exitCode}, ${sidecar.report.bytes} bytes`,
    );
  }
  for (const tool of left)
    console.log(
      `not run: ${tool} (${absent.includes(tool as Run['tool']) ? installCommand(tool) : 'its database needs Go'})`,
    );
}

/** The service's repository, with two commits so that there is a history to look for secrets in; the image is not in it. */
function checkOut(): void {
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=dev-1', '-c', 'user.email=dev-1@example.test', ...args], { cwd: CHECKOUT });
  for (const part of ['Dockerfile', 'rootfs', 'app', 'deploy', 'semgrep-rules.yml', 'image']) {
    cpSync(join(here, part), join(CHECKOUT, part), { recursive: true });
  }
  git('init', '--quiet', '--initial-branch=main');
  appendFileSync(join(CHECKOUT, '.git', 'info', 'exclude'), 'image/\n.cache/\n');
  git('add', 'app', 'rootfs', 'Dockerfile');
  git('commit', '--quiet', '--message=Add the service');
  git('add', '.');
  git('commit', '--quiet', '--message=Add its deployment and the rules for its source');
}

/** The program that writes the databases; null without Go, where that is allowed. */
function writerOrNull(): string | null {
  try {
    return buildWriter(join(CACHE, 'writer'));
  } catch (cause) {
    if (options.installed) return null;
    throw cause;
  }
}

/** Runs one scanner, with its output as the report, and writes both files. */
function scan({ report, tool, args, exitCode, env = {} }: Run): ScanSidecar {
  const binary = findTool(tool) as string;
  const options = {
    cwd: CHECKOUT,
    env: { PATH: process.env.PATH, HOME: CACHE, LANG: 'C.UTF-8', ...env },
    maxBuffer: 1e8,
  };
  const version = /\d+\.\d+\.\d+/.exec(
    spawnSync(binary, [tool === 'gitleaks' ? 'version' : '--version'], options).stdout.toString(),
  )?.[0];
  const startedAt = new Date().toISOString();
  const { status, stdout, stderr } = spawnSync(binary, args, options);
  const finishedAt = new Date().toISOString();
  if (status !== exitCode || version === undefined) {
    throw new Error(`${tool} for ${report} ended with exit code ${status}, not ${exitCode}:\n${stderr}`);
  }
  const sidecar: ScanSidecar = {
    schema: 'gatehouse/scan-sidecar/1',
    tool: { name: tool, version, digest: digestOf(readFileSync(evidenceOf(binary, tool, version))) },
    database: databaseOf(tool),
    argv: [tool, ...args],
    exitCode: status,
    startedAt,
    finishedAt,
    report: { file: report, digest: digestOf(stdout), bytes: stdout.length },
  };
  writeFileSync(join(REPORTS, report), stdout);
  writeFileSync(
    join(REPORTS, `${report.replace(/\.json$/, '')}.sidecar.json`),
    `${JSON.stringify(sidecar, null, 2)}\n`,
  );
  return sidecar;
}

/** The file that stands for a tool: its binary, or the list with the hashes of all files of a Python distribution. */
function evidenceOf(binary: string, tool: string, version: string): string {
  const records = globSync(
    resolve(dirname(binary), '..', 'lib', '*', 'site-packages', `${tool}-${version}.dist-info`, 'RECORD'),
  );
  return records[0] ?? binary;
}

/** What the tool looked things up in; null where it has no database, or has lost it. */
function databaseOf(tool: string): ScanSidecar['database'] {
  const file = {
    trivy: join(CACHE, 'trivy', 'db', 'trivy.db'),
    'osv-scanner': join(CACHE, 'osv', 'osv-scalibr', 'Go', 'all.zip'),
  }[tool];
  if (file === undefined || !existsSync(file)) return null;
  return { version: null, builtAt: statSync(file).mtime.toISOString(), digest: digestOf(readFileSync(file)) };
}

function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
