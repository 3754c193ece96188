import { BadInput } from '../lib/errors.ts';

/** `deploy`: the id of a deploy that is there; asked about another one, "no rows" would read like "nothing to report". */
export const parameterTypes = ['text', 'time', 'digest', 'deploy'] as const;
export type ParameterType = (typeof parameterTypes)[number];

export interface Parameter {
  name: string;
  type: ParameterType;
  /** What counts when it is not given; null where it must be. */
  fallback: string | null;
  says: string;
}

export interface Citation {
  /** `45 CFR 164.312(b)` */
  citation: string;
  title: string;
  /** Required or addressable. */
  mark: 'R' | 'A';
}

/** One question with its answer in SQL. */
export interface Query {
  name: string;
  question: string;
  supports: Citation[];
  /** In the order of the question marks in the SQL. */
  parameters: Parameter[];
  sql: string;
}

const HEADER = /^-- (question|supports|parameter): (.+)$/;
const CITATION = /^(?<citation>45 CFR \S+) (?<title>.+) \((?<mark>[RA])\)$/;
const PARAMETER = /^(?<name>[a-z][a-z0-9-]*) (?<type>[a-z]+)(?: = (?<fallback>\S+))?: (?<says>.+)$/;

/**
 * Reads a query of `queries/`: lines of comment with its question, what it supports and its parameters, then the SQL. Throws
 * BadInput for a header that does not say all of it, and when the SQL has other question marks than the header has parameters.
 */
export function parseQuery(name: string, text: string): Query {
  const wrong = (what: string) => new BadInput('audit.query_file', `queries/${name}.sql: ${what}`);
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const said = lines.slice(0, end).map((line) => {
    const [, field, value] = HEADER.exec(line) ?? [];
    if (field === undefined || value === undefined) throw wrong(`${line} is no question, supports or parameter`);
    return { field, value };
  });
  const all = (field: string) => said.filter((each) => each.field === field).map(({ value }) => value);
  const [question, ...more] = all('question');
  if (question === undefined || more.length > 0 || !question.endsWith('?'))
    throw wrong('it must ask one question, with ?');
  const supports = all('supports').map((value) => {
    const { citation, title, mark } = CITATION.exec(value)?.groups ?? {};
    if (citation === undefined) throw wrong(`${value} is no citation with title and (R) or (A)`);
    return { citation, title, mark } as Citation;
  });
  if (supports.length === 0) throw wrong('it supports nothing: name a citation');
  const parameters = all('parameter').map((value) => {
    const { name: parameter, type, fallback, says } = PARAMETER.exec(value)?.groups ?? {};
    if (!(parameterTypes as readonly (string | undefined)[]).includes(type))
      throw wrong(`${value} is no parameter: name, one of ${parameterTypes.join(', ')}, what it means`);
    return { name: parameter, type, fallback: fallback ?? null, says } as Parameter;
  });
  const sql = lines.slice(end).join('\n').trim();
  const marks = bare(sql).split('?').length - 1;
  if (marks !== parameters.length) throw wrong(`it has ${marks} question marks for ${parameters.length} parameters`);
  return { name, question, supports, parameters, sql };
}

/** The SQL without comments and without what stands in quotes. */
export function bare(sql: string): string {
  return sql.replace(/'(?:[^']|'')*'|--[^\n]*/g, ' ');
}

/** What must not occur: a parse error in DuckDB, and a function that answers null there without a word. */
const BANNED: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/\blistagg\b/i, 'listagg … within group is no DuckDB: use array_join(array_agg(…), …)'],
  [/\bjson_value\b/i, 'json_value answers null in DuckDB: use json_extract_scalar'],
  [/\bjson_query\b/i, 'json_query is no DuckDB: index what is needed as a column'],
  [/\bqualify\b/i, 'qualify is no Trino: number the rows in a subquery'],
  [/::/, ':: is no Trino: write cast(… as …)'],
  [/\bilike\b/i, 'ilike is no Trino: compare lower(…)'],
  [/\bgroup\s+by\s+all\b/i, 'group by all is no Trino: name the columns'],
  [/\bexclude\s*\(/i, 'select * exclude is no Trino: name the columns'],
  [/\b(insert|update|delete|create|drop|attach|copy|install|load|set|pragma)\b/i, 'a query only reads'],
  [/\bread_(parquet|csv|json|text|blob)\b/i, 'a query reads the tables of the index, no files'],
  [
    /\bcurrent_(timestamp|date|time)\b|\bnow\s*\(/i,
    'an answer must be the same tomorrow: take the time as a parameter',
  ],
];

/** Why a query would not run on DuckDB and Trino alike, or would not give the same answer again; empty when it would. */
export function lintQuery({ sql }: Pick<Query, 'sql'>): string[] {
  const text = bare(sql);
  return BANNED.filter(([pattern]) => pattern.test(text)).map(([, why]) => why);
}
