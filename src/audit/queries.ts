import { BadInput } from '../lib/errors.ts';
import { orMeant } from '../lib/similar.ts';
import all from './queries.generated.json' with { type: 'json' };
import type { Query } from './query-file.ts';

/** The queries of `queries/`, as they were when this program was built: they are part of what the release is known by. */
export const queries = all as readonly Query[];

/** The query of this name. Throws BadInput. */
export function queryOf(name: string): Query {
  const query = queries.find((each) => each.name === name);
  if (query !== undefined) return query;
  const meant = orMeant(
    name,
    queries.map((each) => each.name),
  );
  throw new BadInput(
    'audit.unknown_query',
    `there is no query ${JSON.stringify(name)}${meant} See gatehouse audit query --list`,
  );
}
