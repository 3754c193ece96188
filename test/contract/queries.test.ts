import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { lintQuery, parseQuery } from '../../src/audit/query-file.ts';

const sections: Record<string, { title: string; mark: string }> = JSON.parse(
  readFileSync('controls/security-rule.json', 'utf8'),
).sections;
const names = readdirSync('queries').map((file) => file.replace(/\.sql$/, ''));
const textOf = (name: string) => readFileSync(`queries/${name}.sql`, 'utf8');

/** What is wrong with a query: its header, its citations, its SQL, and whether an answer of it is kept. */
function problems(name: string, text: string): string[] {
  try {
    const query = parseQuery(name, text);
    return [
      ...query.supports
        .filter(({ citation, title, mark }) => sections[citation]?.title !== title || sections[citation]?.mark !== mark)
        .map(({ citation, title, mark }) => `no such citation: ${citation} ${title} (${mark})`),
      ...lintQuery(query),
      ...(query.sql.includes('evidence_key') ? [] : ['its rows carry no evidence_key']),
      ...(/\border by\b/.test(query.sql) ? [] : ['its rows have no order']),
      ...(existsSync(`test/fixtures/audit/${name}.json`) ? [] : ['no answer of it is kept in test/fixtures/audit']),
    ];
  } catch (cause) {
    return [(cause as Error).message];
  }
}

describe('queries', () => {
  it('are there for every question that was promised', () => {
    expect(names.sort()).toEqual([
      'denials-by-reason',
      'deploy-dossier',
      'deploys-by-digest',
      'deploys-by-environment',
      'deploys-by-person',
      'deploys-without-complete-approval-chain',
      'drift',
      'exceptions-and-break-glass',
      'images-that-contain-a-component',
      'new-dependencies-of-a-deploy',
    ]);
  });

  it.each(names)('%s has a question, citations that exist, a kept answer, and SQL for DuckDB and Trino', (name) => {
    expect(problems(name, textOf(name))).toEqual([]);
  });

  it('each kept answer belongs to a query', () => {
    expect(readdirSync('test/fixtures/audit').map((file) => file.replace(/\.json$/, ''))).toEqual(names.sort());
  });
});

const GOOD = `-- question: Why?
-- supports: 45 CFR 164.312(b) Audit controls (R)
-- parameter: person text: somebody
select evidence_key from events where actor = ? order by evidence_key`;

describe('planted violations are found', () => {
  const bent = (from: string, to: string) => problems('drift', GOOD.replace(from, to)).join('\n');

  it('and nothing in a good query is', () => {
    expect(problems('drift', GOOD)).toEqual([]);
  });

  it.each([
    ['no question', '-- question: Why?\n', '', 'one question'],
    ['two questions', '-- question: Why?', '-- question: Why?\n-- question: How?', 'one question'],
    ['no citation', '-- supports: 45 CFR 164.312(b) Audit controls (R)\n', '', 'supports nothing'],
    ['a citation that does not exist', '164.312(b)', '164.312(z)', 'no such citation'],
    ['a section without its paragraph', '164.312(b)', '164.312', 'no such citation'],
    ['another title', 'Audit controls', 'Integrity', 'no such citation'],
    ['another mark', '(R)', '(A)', 'no such citation'],
    ['no mark', ' (R)', '', 'no citation with title'],
    ['an unknown field', '-- question', '-- queston', 'no question, supports or parameter'],
    ['an unknown type', 'person text', 'person number', 'is no parameter'],
    ['a parameter that is not used', 'actor = ?', 'true', '0 question marks for 1 parameters'],
    ['a parameter that is not declared', 'actor = ?', 'actor = ? and id = ?', '2 question marks for 1 parameters'],
    ['a question mark in quotes', 'actor = ?', "actor = '?'", '0 question marks'],
    ['listagg', 'select evidence_key', "select listagg(id, ',') within group (order by id), evidence_key", 'listagg'],
    ['json_value', 'select evidence_key', "select json_value(data, 'lax $.x'), evidence_key", 'json_value'],
    ['a cast of DuckDB', 'actor = ?', 'actor = ?::varchar', ':: is no Trino'],
    ['the clock', 'actor = ?', 'actor = ? and time < now()', 'must be the same tomorrow'],
    ['a file', 'from events', "from read_parquet('x')", 'no files'],
    ['writing', 'select evidence_key', 'delete from events; select evidence_key', 'only reads'],
    ['no order', 'order by evidence_key', '', 'no order'],
    [
      'no key',
      GOOD.slice(GOOD.indexOf('select')),
      'select id from events where actor = ? order by id',
      'no evidence_key',
    ],
  ])('%s', (_, from, to, problem) => {
    expect(GOOD).toContain(from);
    expect(bent(from, to)).toContain(problem);
  });

  it('no kept answer', () => {
    expect(problems('unheard-of', GOOD)).toEqual(['no answer of it is kept in test/fixtures/audit']);
  });
});

/** Files of src that name the engine otherwise than by a lazy import that the bundler does not see. */
const tied = (files: Record<string, string>) =>
  Object.entries(files)
    .filter(([file, text]) => {
      const named = text.split('\n').filter((line) => line.includes('@duckdb/') && !/^import type /.test(line));
      return named.some((line) => !file.startsWith('audit/') || !line.includes('import(/* webpackIgnore: true */'));
    })
    .map(([file]) => file);

describe('the engine', () => {
  it('is loaded in src/audit alone, and only when it is asked', () => {
    const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'));
    const texts = Object.fromEntries(files.map((file) => [file, readFileSync(`src/${file}`, 'utf8')]));
    expect(texts['audit/duckdb.ts']).toContain("import(/* webpackIgnore: true */ '@duckdb/node-api')");
    expect(tied(texts)).toEqual([]);
  });

  it.each([
    ['statically', { 'audit/a.ts': "import { DuckDBInstance } from '@duckdb/node-api';" }],
    ['where the bundler sees it', { 'audit/a.ts': "await import('@duckdb/node-api')" }],
    ['elsewhere', { 'commands/a.ts': "await import(/* webpackIgnore: true */ '@duckdb/node-api')" }],
  ])('a planted import %s is found', (_, files) => {
    expect(tied(files)).toHaveLength(1);
  });
});
