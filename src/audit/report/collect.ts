import { controlsOfType } from '../../contract/controls.ts';
import { recordTypes } from '../../contract/roles.ts';
import { securityRule } from '../../contract/security-rule.ts';
import { type Answer, ask, select } from '../ask.ts';
import type { OpenIndex } from '../open-index.ts';
import { queryOf } from '../queries.ts';
import { timestamp } from '../table-file.ts';

export type Rows = Answer['rows'];

/** What the report says, before it is written down. Figures that a named query answers are that query's answer. */
export interface Findings {
  scope: { repositories: string[]; environments: string[]; first: string | null; last: string | null; records: number };
  deploys: Rows;
  chains: Rows;
  denials: Rows;
  exceptions: Rows;
  drift: Rows;
  store: Rows;
  quarantine: Rows;
  controls: Control[];
}

/** One citation, and what in the store produces evidence for it. */
export interface Control {
  citation: string;
  title: string;
  mark: string;
  types: { type: string; records: number }[];
}

/** A range of time, in milliseconds; null is open. */
export interface Range {
  since: number | null;
  until: number | null;
}

/** All that the report shows of an open index, by the named questions where there is one. Throws what the engine throws. */
export async function collect({ connection }: OpenIndex, range: Range): Promise<Findings> {
  const words = rangeWords(range);
  const answerOf = async (name: string) => (await ask(connection, queryOf(name), words)).rows;
  const bounds = [timestamp(range.since ?? 0) as string, timestamp(range.until ?? MAX) as string];
  const within = async (sql: string, end = '') => {
    const where = 'where time >= cast(? as timestamp) and time < cast(? as timestamp)';
    return (await select(connection, `${sql} ${where} ${end}`, bounds)).rows;
  };
  const [totals] = await within('select min(time) as first, max(time) as last, count(*) as records from events');
  const names = async (column: 'repository' | 'environment') =>
    (await within(`select distinct ${column} as name from events`))
      .flatMap(({ name }) => (typeof name === 'string' ? [name] : []))
      .sort();
  const types = await within('select type, count(*) as n from events', 'group by type');
  const all = async (table: string) =>
    (await select(connection, `select * from ${table} order by code, evidence_key, run`)).rows;
  return {
    scope: {
      repositories: await names('repository'),
      environments: await names('environment'),
      first: (totals?.first ?? null) as string | null,
      last: (totals?.last ?? null) as string | null,
      records: totals?.records as number,
    },
    deploys: (await within('select * from deploys')).sort(byTime),
    chains: await answerOf('deploys-without-complete-approval-chain'),
    denials: await answerOf('denials-by-reason'),
    exceptions: await answerOf('exceptions-and-break-glass'),
    drift: await answerOf('drift'),
    store: await all('store_findings'),
    quarantine: await all('quarantine'),
    controls: controls(new Map(types.map(({ type, n }) => [String(type), Number(n)]))),
  };
}

/** The end of times that a store can hold. */
const MAX = Date.UTC(9999, 0, 1);

/** The range as parameters of a query. */
export function rangeWords({ since, until }: Range): string[] {
  const word = (name: string, at: number | null) => (at === null ? [] : [`${name}=${new Date(at).toISOString()}`]);
  return [...word('since', since), ...word('until', until)];
}

function byTime(a: Rows[number], b: Rows[number]): number {
  const [left, right] = [a, b].map(({ time, evidence_key: key }) => `${time} ${key}`) as [string, string];
  return left < right ? -1 : 1;
}

/** Every citation of the control map with the records that support it, in the order of the Security Rule. */
function controls(counts: ReadonlyMap<string, number>): Control[] {
  const known = [...new Set([...recordTypes, ...counts.keys()])];
  return Object.entries(securityRule).flatMap(([citation, { title, mark }]) => {
    const supporting = known.filter((type) => controlsOfType(type).includes(citation));
    return supporting.length === 0
      ? []
      : [{ citation, title, mark, types: supporting.map((type) => ({ type, records: counts.get(type) ?? 0 })) }];
  });
}
