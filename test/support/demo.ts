import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The rules by which the demo's eight runs are refused, one each, in its order. */
export const REFUSED_BY = [
  ['scan.findings'],
  ['scan.complete'],
  ['scan.origin'],
  ['signature.build'],
  ['provenance.built'],
  ['approval.independent'],
  ['deploy.digest'],
  ['deploy.once'],
];

export interface Step {
  title: string;
  ok: boolean;
  detail: string;
  rules?: string[];
}

/** A checkout without anything but what the demo needs; gives its program. */
export function layDemo(release: string): string {
  cpSync('build/dist', join(release, 'dist'), { recursive: true });
  cpSync('sample', join(release, 'sample'), { recursive: true });
  return join(release, 'dist', 'gatehouse.js');
}

/** What one start of the program found on the disk. */
export interface Seen {
  words: string[];
  /** Each file with a private key in the demo's folder, of any site: its path and who may read it, in octal digits. */
  keys: [path: string, mode: string][];
}

/** Makes each start of the program write down which keys lie in the demo's folder; gives how to read what they wrote. */
export function watchKeys(program: string, file: string): () => Seen[] {
  const watch = `import { appendFileSync, readdirSync, statSync } from 'node:fs';
if (process.argv[2] !== 'demo') {
  const names = readdirSync('..', { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pem'));
  const keys = names.map((name) => ['../' + name, (statSync('../' + name).mode & 0o777).toString(8)]);
  appendFileSync(${JSON.stringify(file)}, JSON.stringify({ words: process.argv.slice(2), keys }) + '\\n');
}
`;
  writeFileSync(program, readFileSync(program, 'utf8').replace(/^#!.*\n/, watch));
  return () =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
}
