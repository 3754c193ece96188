import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/** A folder imports only from itself and from levels to its left. Entries are the files in src itself. */
const LEVELS = [
  ['lib'],
  ['contract'],
  ['store', 'registry', 'platform'],
  ['attestation'],
  ['evidence', 'scan'],
  ['identity'],
  ['facts'],
  ['gate'],
  ['deploy', 'audit', 'admission'],
  ['commands'],
  ['entries'],
];

const levelOf = (folder: string) => LEVELS.findIndex((level) => level.includes(folder));
const folderOf = (file: string) => (file.includes('/') ? (file.split('/')[0] as string) : 'entries');

/** `from folder → to folder` of each import that goes the wrong way, for files given as path → text. */
function wrongImports(files: Record<string, string>): string[] {
  return Object.entries(files).flatMap(([file, text]) =>
    [...text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)]
      .map((match) => normalize(join(dirname(file), match[1] as string)))
      .filter((target) => !target.startsWith('..'))
      .filter((target) => {
        const [from, to] = [folderOf(file), folderOf(target)];
        return from !== to && !(levelOf(to) >= 0 && levelOf(to) < levelOf(from));
      })
      .map((target) => `${file} → ${target}`),
  );
}

/** Files that import zod past `lib/zod.ts`: they would bring the slow API, or messages without a language. */
function pastOurZod(files: Record<string, string>): string[] {
  return Object.entries(files)
    .filter(([file, text]) => file !== 'lib/zod.ts' && /(?:from|import\()\s*'zod(?:\/[^']*)?'/.test(text))
    .map(([file]) => file);
}

function sources(): Record<string, string> {
  const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
  return Object.fromEntries(files.map((file) => [file, readFileSync(join('src', file), 'utf8')]));
}

describe('imports', () => {
  it('go one way', () => {
    const files = sources();
    expect(Object.keys(files).length).toBeGreaterThan(30);
    expect(wrongImports(files)).toEqual([]);
  });

  it('every folder has its place', () => {
    const folders = readdirSync('src', { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
    expect(folders.filter((folder) => levelOf(folder) < 0)).toEqual([]);
  });

  it.each([
    ['to the right', { 'lib/a.ts': "import { x } from '../contract/b.ts';" }],
    ['to a neighbour', { 'store/a.ts': "import { x } from '../registry/b.ts';" }],
    ['lazily', { 'gate/a.ts': "await import('../commands/b.ts')" }],
    ['of an entry', { 'commands/a.ts': "import { cli } from '../main.ts';" }],
  ])('a planted import %s is found', (_, files) => {
    expect(wrongImports(files)).toHaveLength(1);
  });

  it('of zod are of lib/zod.ts', () => {
    const files = sources();
    expect(files).toHaveProperty(['lib/zod.ts'], expect.stringContaining("'zod/mini'"));
    expect(pastOurZod(files)).toEqual([]);
  });

  it.each(["import { z } from 'zod';", "import type * as z from 'zod/mini';", "await import('zod/v4/core')"])(
    'a planted %s is found',
    (text) => {
      expect(pastOurZod({ 'contract/a.ts': text })).toEqual(['contract/a.ts']);
    },
  );
});
