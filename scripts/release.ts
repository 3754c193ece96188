/**
 * Lays out what a release publishes beside its tag: checksums and SBOM of dist, and notes.
 *
 *   npm run release -- --tag v1.2.3 --out FOLDER
 *
 * Ends with exit 2 where tag, package.json and CHANGELOG do not agree: a tag that is published is never moved.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { distDigest } from '../src/commands/release.ts';
import { hexOf, sha256Hex } from '../src/lib/digest.ts';

interface Locked {
  version?: string;
  license?: string;
  /** `sha512-<base64>` */
  integrity?: string;
}

/** Path → content of the release's files, for a repository at `root`. Throws an Error that says what does not agree. */
export function releaseFiles(root: string, tag: string): Record<string, string> {
  const version = /^v(\d+\.\d+\.\d+)$/.exec(tag)?.[1];
  if (version === undefined) throw new Error(`tag ${tag} is not vX.Y.Z: only full versions are released`);
  const read = (...path: string[]) => readFileSync(join(root, ...path), 'utf8');
  const stated = JSON.parse(read('package.json')).version;
  if (stated !== version)
    throw new Error(`tag ${tag} is not the version of package.json, ${stated}: set it, build and tag again`);
  const changes = changesOf(read('CHANGELOG.md'), version);
  const dist = readdirSync(join(root, 'dist')).sort();
  const sums = dist.map((name) => `${sha256Hex(readFileSync(join(root, 'dist', name)))}  dist/${name}\n`).join('');
  const digest = distDigest(join(root, 'dist'));
  return {
    SHA256SUMS: sums,
    'sbom.cdx.json': `${JSON.stringify(sbom(read('dist', 'licenses.txt'), JSON.parse(read('package-lock.json')).packages, version, digest), null, 2)}\n`,
    'notes.md': `${changes}\n\nDigest of dist, as the register names it: \`${digest}\`. \`sha256sum --check SHA256SUMS\` compares a checkout with it.\n`,
  };
}

function changesOf(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((section) => section.split(/[\s[\]]+/).find(Boolean) === version);
  if (found === undefined) throw new Error(`CHANGELOG.md has no section ${version}: say what is new in it`);
  return found.slice(found.indexOf('\n')).trim();
}

/** CycloneDX 1.6 of what the bundler put into dist: its list of licences names every package, the lock file their versions. */
function sbom(licenses: string, packages: Record<string, Locked>, version: string, digest: string) {
  const lines = licenses.split('\n');
  const names = lines.filter(
    (line, i) => (i === 0 || lines[i - 1] === '') && packages[`node_modules/${line}`] !== undefined,
  );
  if (names.length === 0) throw new Error('dist/licenses.txt names no package: build again');
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': 'gatehouse',
        name: 'gatehouse',
        version,
        hashes: [{ alg: 'SHA-256', content: hexOf(digest) }],
        licenses: [{ license: { id: 'Apache-2.0' } }],
      },
    },
    components: [...new Set(names)].sort().map((name) => component(name, packages[`node_modules/${name}`] as Locked)),
    dependencies: [{ ref: 'gatehouse', dependsOn: [...new Set(names)].sort() }],
  };
}

function component(name: string, { version, license, integrity }: Locked) {
  const [scope, bare] = name.startsWith('@') ? (name.split('/') as [string, string]) : [null, name];
  return {
    type: 'library',
    'bom-ref': name,
    ...(scope === null ? {} : { group: scope }),
    name: bare,
    version,
    purl: `pkg:npm/${scope === null ? '' : `${scope.replace('@', '%40')}/`}${bare}@${version}`,
    ...(integrity?.startsWith('sha512-') === true
      ? { hashes: [{ alg: 'SHA-512', content: Buffer.from(integrity.slice(7), 'base64').toString('hex') }] }
      : {}),
    ...(license === undefined ? {} : { licenses: [{ expression: license }] }),
  };
}

if (process.argv[1]?.endsWith('release.ts')) {
  try {
    const { values } = parseArgs({ options: { tag: { type: 'string' }, out: { type: 'string' } } });
    if (values.tag === undefined || values.out === undefined)
      throw new Error('usage: npm run release -- --tag vX.Y.Z --out FOLDER');
    const files = releaseFiles('.', values.tag);
    mkdirSync(values.out);
    for (const [name, text] of Object.entries(files)) writeFileSync(join(values.out, name), text);
    console.log(`${values.out} holds ${Object.keys(files).join(', ')} of ${values.tag}`);
  } catch (thrown) {
    console.error(`no release: ${(thrown as Error).message}`);
    process.exitCode = 2;
  }
}
