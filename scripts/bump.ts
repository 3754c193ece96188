/**
 * Prepares a release: its version in package.json and its lock, its section in CHANGELOG.md, and its names (organization, tag) in
 * contract.yml and in everything that callers copy.
 *
 *   npm run bump -- --version 1.2.3 [--organization NAME] [--components GROUP/PROJECT]      --help says what each is
 *
 * Writes nothing and ends with exit 2 where an input is wrong or the changelog says nothing new. `npm run build` comes next: the
 * program knows its version.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { COMPONENTS, RELEASE, WORKFLOWS } from './published.ts';

export interface Names {
  /** X.Y.Z */
  version: string;
  /** The account that the fork belongs to; without it names stay as they are. */
  organization?: string | undefined;
  /** Path of the GitLab component project; without it `compliance-components` of the organization. */
  components?: string | undefined;
}

/** Path → new content for the repository at `root`. `date` is of the release, YYYY-MM-DD. Throws an Error that says what is wrong. */
export function bumped(
  root: string,
  { version, organization, components }: Names,
  date: string,
): Record<string, string> {
  const read = (path: string) => readFileSync(join(root, path), 'utf8');
  const manifest = JSON.parse(read('package.json'));
  // A fork begins a series of its own.
  const isFork = organization !== undefined && !WORKFLOWS.startsWith(`${organization}/`);
  if (!/^\d{1,9}\.\d{1,9}\.\d{1,9}$/.test(version))
    throw new Error(`${version} is not X.Y.Z: only full versions are released`);
  if (!isFork) requireNewer(version, manifest.version);
  if (organization !== undefined && !/^[A-Za-z0-9](-?[A-Za-z0-9])*$/.test(organization))
    throw new Error(`${organization} is no organization, for example acme-health`);
  if (components !== undefined && !/^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)+$/.test(components))
    throw new Error(`${components} is no path of a project, for example acme-health/compliance-components`);
  const workflows = organization === undefined ? WORKFLOWS : `${organization}/compliance-workflows`;
  const project = components ?? (organization === undefined ? COMPONENTS : `${organization}/compliance-components`);
  const [owner = ''] = WORKFLOWS.split('/');
  const renamed = (text: string) =>
    text
      .replaceAll(WORKFLOWS, workflows)
      .replaceAll(COMPONENTS, project)
      .replaceAll(new RegExp(`(?<=ghcr\\.io/)${owner}(?![\\w-])`, 'gi'), (organization ?? owner).toLowerCase())
      .replaceAll(new RegExp(`(?<=github\\.com/|manifest-repository: )${owner}(?![\\w-])`, 'g'), organization ?? owner)
      .replaceAll(/(\/compliance-workflows\/[^@\s]+@(?:refs\/tags\/)?v)\d+\.\d+\.\d+/g, `$1${version}`)
      .replace(`RELEASE = '${RELEASE}'`, `RELEASE = '${version}'`)
      .replace(/^organization: .*$/m, (line) => (organization === undefined ? line : `organization: ${organization}`));
  const copied = readdirSync(join(root, 'workflows'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const lock = JSON.parse(read('package-lock.json'));
  lock.version = version;
  lock.packages[''].version = version;
  return {
    'package.json': json({ ...manifest, version }),
    'package-lock.json': json(lock),
    'CHANGELOG.md': released(
      read('CHANGELOG.md'),
      { version, date },
      isFork ? `- First release of ${organization}, made from ${manifest.version}.` : '',
    ),
    ...Object.fromEntries(
      ['contract.yml', 'scripts/published.ts', ...copied].map((path) => [path, renamed(read(path))]),
    ),
  };
}

function requireNewer(version: string, current: string): void {
  const [own, last] = [version, current].map((each) => each.split('.').map(Number)) as [number[], number[]];
  const differing = own.findIndex((number, i) => number !== last[i]);
  if (differing === -1 || (own[differing] as number) < (last[differing] as number))
    throw new Error(
      `${version} is not after ${current}, the version of package.json: a released version is never used again`,
    );
}

/** What was unreleased becomes the section of this version; `otherwise` where there is nothing. */
function released(changelog: string, { version, date }: { version: string; date: string }, otherwise: string): string {
  const sections = changelog.split(/^(?=## )/m);
  const at = sections.findIndex((section) => section.startsWith('## Unreleased\n'));
  const news = sections[at]?.slice('## Unreleased\n'.length).trim() || otherwise;
  if (at === -1 || news === '')
    throw new Error(
      'CHANGELOG.md says nothing under "## Unreleased": write there what is new for those who pin this release',
    );
  sections[at] = `## Unreleased\n\n## ${version} - ${date}\n\n${news}\n\n`;
  return `${sections.join('').trimEnd()}\n`;
}

const json = (document: unknown) => `${JSON.stringify(document, null, 2)}\n`;

const HELP = `npm run bump -- --version X.Y.Z [--organization NAME] [--components GROUP/PROJECT]

Prepares a release: writes version and names into package.json, CHANGELOG.md, contract.yml and all that callers copy.

  --version X.Y.Z             the version, after the one of package.json; in a fork any, its versions are its own
  --organization NAME         the account on GitHub that the fork belongs to; without it names stay as they are
  --components GROUP/PROJECT  path of the component project on GitLab; without it compliance-components of the organization

Exit code: 0 written, 2 bad input and nothing is written. npm run build comes next; see docs/fork.md.`;

if (process.argv[1]?.endsWith('bump.ts') && process.argv.includes('--help')) console.log(HELP);
else if (process.argv[1]?.endsWith('bump.ts')) {
  try {
    const { version, ...names } = parseArgs({
      options: { version: { type: 'string' }, organization: { type: 'string' }, components: { type: 'string' } },
    }).values;
    if (version === undefined) throw new Error('--version X.Y.Z is needed');
    const files = bumped('.', { version, ...names }, new Date().toISOString().slice(0, 10));
    for (const [path, text] of Object.entries(files)) writeFileSync(path, text);
    const { status } = spawnSync(process.execPath, ['scripts/generate.ts'], { stdio: 'inherit' });
    if (status !== 0) throw new Error('the generated files could not be written, see above: run npm run generate');
    console.log(`this is ${version} now: run npm run build, then commit all of it`);
  } catch (thrown) {
    console.error(`error: ${(thrown as Error).message}`);
    process.exitCode = 2;
  }
}
