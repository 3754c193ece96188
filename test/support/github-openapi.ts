import { readFileSync } from 'node:fs';
import { type Description, fitting, heldAgainst } from './openapi.ts';

interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  reply: object;
  example: unknown;
}
const file: Description & { paths: Record<string, Operation> } = JSON.parse(
  readFileSync('test/fixtures/github/openapi.json', 'utf8'),
);
const { demand, checkRequest } = heldAgainst('GitHub', file);

export { checkRequest };

/** The published description's own example of an answer, to build others upon. */
export function exampleOf(path: string): unknown {
  return structuredClone(operationAt(path).example);
}

/**
 * Holds a question and its answer against GitHub's published description: the path must be one of it, each query parameter
 * named in it and fit its schema, and the answer fit the schema of a 200. Throws what does not fit.
 */
export function checkExchange(path: string, query: URLSearchParams, answer: unknown): void {
  const template = templateOf(path);
  const { parameters, reply } = operationAt(template);
  for (const [name, value] of query) {
    const known = parameters.find((each) => each.in === 'query' && each.name === name);
    if (known === undefined) throw new Error(`${template} has no query parameter ${name}`);
    demand(known.schema, /^\d+$/.test(value) ? Number(value) : value, `${template}?${name}`);
  }
  demand(reply, answer, `the answer of ${template}`);
}

/** The description's path that a real one is: literal parts before named ones. */
export function templateOf(path: string): string {
  return fitting(path, Object.keys(file.paths));
}

function operationAt(template: string): Operation {
  const found = file.paths[template];
  if (found === undefined) throw new Error(`the description has no ${template}`);
  return found;
}
