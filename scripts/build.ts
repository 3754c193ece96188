/**
 * Builds the bundle: tsc → build/, esbuild takes out what is unused of zod, ncc on the JavaScript, esbuild minifies the chunks,
 * then the policy and the launchers.
 *
 *   node scripts/build.ts                 writes dist/
 *   node scripts/build.ts --out FOLDER    writes it elsewhere (tests run such a fresh one)
 *   node scripts/build.ts --check         builds elsewhere and compares dist/ byte for byte
 */
import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';

const esbuild = {
  allowOverwrite: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  legalComments: 'none',
  logLevel: 'warning',
} as const;

const ACTIONS = readdirSync('actions').sort();

/** Compiles src, test and scripts into build/, from scratch: a deleted test must not run on. */
export function compile(): void {
  rmSync('build', { recursive: true, force: true });
  tool('tsc', ['-p', '.']);
  shakeZod();
}

/** ncc keeps what nothing uses, and a start reads all of a chunk: build/ gets no more of zod than src/lib/zod.ts exports. */
function shakeZod(): void {
  const file = 'build/src/lib/zod.js';
  buildSync({ ...esbuild, entryPoints: [file], outfile: file, bundle: true });
}

/** Bundles build/src into `out`, which is emptied first. Deterministic: two runs give equal bytes. */
export function bundle(out: string): void {
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  tool('ncc', ['build', 'build/src/bundle.js', '-o', out, '--license', 'licenses.txt', '-q']);
  const chunks = readdirSync(out)
    .filter((file) => file.endsWith('index.js'))
    .map((file) => join(out, file));
  buildSync({ ...esbuild, entryPoints: chunks, outdir: out, minify: true });
  appendFileSync(join(out, 'licenses.txt'), `\n\nzod\nMIT\n${readFileSync('node_modules/zod/LICENSE', 'utf8')}`);
  copyFileSync('policies/gate.wasm', join(out, 'gate.wasm'));
  writeFileSync(
    join(out, 'gatehouse.js'),
    "#!/usr/bin/env node\nimport { cli } from './index.js';\nawait cli(process.argv.slice(2), import.meta.dirname);\n",
    { mode: 0o755 },
  );
  for (const name of ACTIONS) {
    writeFileSync(join(out, `${name}.js`), launcher(name, 'main'));
    writeFileSync(join(out, `${name}-post.js`), launcher(name, 'post'));
  }
}

/** A launcher passes its own folder: policy and contract.yml are found from it, never from a chunk. */
function launcher(name: string, phase: 'main' | 'post'): string {
  return `import { action } from './index.js';\nawait action('${name}', '${phase}', import.meta.dirname);\n`;
}

function tool(name: string, args: string[]): void {
  const { status } = spawnSync(process.execPath, [join('node_modules', binaries[name] as string), ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (status !== 0) {
    console.error(`${name} failed, see above; nothing is built`);
    process.exit(1);
  }
}

const binaries: Record<string, string> = {
  tsc: 'typescript/bin/tsc',
  ncc: '@vercel/ncc/dist/ncc/cli.js',
};

/** What differs between two folders: names of files that are new, gone or changed. */
export function differences(a: string, b: string): string[] {
  const names = [...new Set([...readdirSync(a), ...readdirSync(b)])].sort();
  return names.filter((name) => !same(join(a, name), join(b, name)));
}

function same(a: string, b: string): boolean {
  try {
    return readFileSync(a).equals(readFileSync(b));
  } catch {
    return false;
  }
}

/** Files of a committed dist that build/src does not build to, from a fresh bundle beside it. */
export function staleFiles(committed: string): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-dist-'));
  try {
    bundle(folder);
    return differences(committed, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function check(): number {
  const changed = staleFiles('dist');
  console.log(
    changed.length === 0
      ? 'dist/ is what its source builds to'
      : `dist/ is not what its source builds to: ${changed.join(', ')}; run npm run build`,
  );
  return changed.length === 0 ? 0 : 1;
}

if (process.argv[1]?.endsWith('build.ts')) {
  compile();
  const out = process.argv.indexOf('--out');
  if (process.argv.includes('--check')) process.exitCode = check();
  else bundle(out === -1 ? 'dist' : (process.argv[out + 1] as string));
}
