import { join } from 'node:path';
import type { Category, Database } from '../reading.ts';
import { osvDatabase, trivyDatabase } from './databases.ts';
import type { Tree } from './tree.ts';

/** Where a tool finds what it is to scan and to know; every path is absolute and none is the judged repository's. */
export interface Place {
  tree: Tree;
  /** OCI layout of one image; only container scans read it. */
  layout: string | null;
  /** Rules of the platform team, or null for the tool's own. */
  rules: string | null;
  /** The tool must not fetch a database: the runner keeps one. */
  offline: boolean;
  /** Home of the scan job: tools keep their databases there. */
  home: string;
  /** A folder with nothing in it, to be started in. */
  empty: string;
}

/** How we run one scanner. The command line is ours: unfiltered, whole, machine-readable. */
export interface Recipe {
  /** What its report counts for. */
  category: Category;
  /** Arguments that make it say its version. */
  version: readonly string[];
  /** It has no rules of its own. */
  needsRules?: true;
  /** Its report has paths from the top of the machine. */
  wholePaths?: true;
  cwd(place: Place): string;
  args(place: Place): string[];
  env?(place: Place): Record<string, string>;
  /** The database that it looked findings up in, read when it has ended; a tool without one has no such function. */
  database?(place: Place): Promise<Database>;
}

const osvFolder = (home: string) => join(home, '.cache', 'osv');
const inTree = ({ tree }: Place) => tree.files;

export const recipes: Readonly<Record<string, Recipe>> = {
  trivy: {
    category: 'container',
    version: ['--version'],
    // It reads .trivyignore and trivy.yaml where it is started.
    cwd: ({ empty }) => empty,
    args: ({ layout, offline }) => [
      'image',
      '--input',
      layout ?? '',
      '--format',
      'json',
      '--skip-version-check',
      '--disable-telemetry',
      '--skip-vex-repo-update',
      ...(offline ? ['--skip-db-update', '--skip-java-db-update', '--skip-check-update', '--offline-scan'] : []),
    ],
    database: ({ home }) => trivyDatabase(join(home, '.cache', 'trivy', 'db')),
  },
  'osv-scanner': {
    category: 'sca',
    wholePaths: true,
    version: ['--version'],
    cwd: inTree,
    args: ({ offline }) => [
      'scan',
      'source',
      // Asked on the network it would not say what it knew, and since when.
      ...(offline ? ['--offline'] : ['--offline-vulnerabilities', '--download-offline-databases']),
      '--format',
      'json',
      '--config',
      '/dev/null',
      '--recursive',
      // Else a .gitignore hides a lock file, though it is committed.
      '--no-ignore',
      '.',
    ],
    env: ({ home }) => ({
      OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY: osvFolder(home),
      OSV_SCANNER_LOCAL_DB_CACHE_DIRECTORY: osvFolder(home),
    }),
    database: ({ home }) => osvDatabase(join(osvFolder(home), 'osv-scalibr')),
  },
  semgrep: {
    category: 'sast',
    version: ['--version'],
    needsRules: true,
    cwd: inTree,
    args: ({ rules }) => [
      'scan',
      '--metrics=off',
      '--disable-version-check',
      '--disable-nosem',
      // Else it leaves out what is over 1 MB, and gives up on a file where a rule takes more than 5 s.
      '--max-target-bytes',
      '0',
      '--timeout',
      '120',
      // Else the report does not say which files it left out.
      '--verbose',
      '--config',
      rules ?? '',
      '--json',
      '.',
    ],
    env: () => ({ SEMGREP_SEND_METRICS: 'off', SEMGREP_ENABLE_VERSION_CHECK: '0' }),
  },
  gitleaks: {
    category: 'secrets',
    version: ['version'],
    // The bare repository: .gitleaksignore beside the files would be obeyed whatever the options say.
    cwd: ({ empty }) => empty,
    args: ({ tree, rules }) => [
      'git',
      tree.history,
      '--report-format',
      'json',
      '--report-path',
      '-',
      '--no-banner',
      '--ignore-gitleaks-allow',
      '--gitleaks-ignore-path',
      '/dev/null',
      // By itself it shows git neither what a merge adds nor what becomes a file out of a link.
      '--log-opts',
      '--all --full-history --diff-merges=first-parent',
      ...(rules === null ? [] : ['--config', rules]),
    ],
  },
  checkov: {
    category: 'iac',
    version: ['--version'],
    cwd: ({ empty }) => empty,
    args: ({ tree }) => ['--directory', tree.files, '--skip-download', '--output', 'json'],
    // Else it leaves out hidden folders, node_modules, .terraform and .serverless, and files over 50 MB.
    env: () => ({
      CKV_IGNORE_HIDDEN_DIRECTORIES: 'false',
      CKV_IGNORED_DIRECTORIES: '',
      CHECKOV_MAX_IAC_FILE_SIZE: String(2 ** 40),
    }),
  },
};
