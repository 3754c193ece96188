/**
 * Writes what is derived: help texts, JSON Schemas for people's editors and the components' faces from the schemas, and what the program knows of
 * `queries/`. `--check` writes nothing and fails when a file is not current.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { toJSONSchema } from 'zod/mini';
import { parseQuery, type Query } from '../src/audit/query-file.ts';
import { commands } from '../src/commands/catalogue.ts';
import { helpOf, listOfVerbs } from '../src/commands/help-text.ts';
import { documents } from '../src/contract/documents.ts';
import { faceDocs, workflowDoc } from './face-docs.ts';
import { faces } from './faces.ts';
import { pipelines } from './pipelines.ts';

/** Every generated file and its content. */
export async function generated(): Promise<Record<string, string>> {
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  const help = { '': listOfVerbs(all), ...Object.fromEntries(all.map((command) => [command.name, helpOf(command)])) };
  const schemas = Object.entries(documents).map(([name, schema]) => [
    `schemas/${name}.json`,
    json(toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })),
  ]);
  const components = { ...(await faces()), ...pipelines() };
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
  return {
    'src/commands/help.generated.json': json(help),
    'src/commands/version.generated.json': json({ version }),
    'src/audit/queries.generated.json': json(queries()),
    ...Object.fromEntries(schemas),
    ...components,
    ...(await faceDocs(components)),
    'workflows/github/README.md': workflowDoc(readFileSync('.github/workflows/promote.yml', 'utf8')),
  };
}

/** The queries of `queries/`, in order of their names. */
export function queries(folder = 'queries'): Query[] {
  return readdirSync(folder)
    .sort()
    .map((file) => parseQuery(file.replace(/\.sql$/, ''), readFileSync(join(folder, file), 'utf8')));
}

function json(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Which of the files are not there with this content, and which schemas nothing generates. */
export function stale(files: Record<string, string>, root = '.'): string[] {
  const changed = Object.entries(files).filter(([path, content]) => current(join(root, path)) !== content);
  const extra = readdirSync(join(root, 'schemas')).map((file) => `schemas/${file}`);
  return [...changed.map(([path]) => path), ...extra.filter((file) => !(file in files))];
}

function current(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

if (process.argv[1]?.endsWith('generate.ts')) {
  const files = await generated();
  const found = stale(files);
  if (process.argv.includes('--check')) {
    console.log(
      found.length === 0
        ? `${Object.keys(files).length} generated files are current`
        : `not current: ${found.join(', ')}; run npm run generate`,
    );
    process.exitCode = found.length === 0 ? 0 : 1;
  } else {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    }
  }
}
