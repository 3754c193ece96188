import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  reply: object;
  example: unknown;
}
const file: { paths: Record<string, Operation>; schemas: object } = JSON.parse(
  readFileSync('test/fixtures/github/openapi.json', 'utf8'),
);
const ajv = new Ajv({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'github', schemas: file.schemas });

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
    demand(validatorOf(known.schema), /^\d+$/.test(value) ? Number(value) : value, `${template}?${name}`);
  }
  demand(validatorOf(reply), answer, `the answer of ${template}`);
}

/** The description's path that a real one is: literal parts before named ones. */
export function templateOf(path: string): string {
  const parts = path.split('/');
  const fits = Object.keys(file.paths).filter((template) => {
    const wanted = template.split('/');
    return wanted.length === parts.length && wanted.every((part, i) => part.startsWith('{') || part === parts[i]);
  });
  const [found] = fits;
  if (found === undefined || fits.length > 1) throw new Error(`${path} is ${fits.length} paths of the description`);
  return found;
}

function operationAt(template: string): Operation {
  const found = file.paths[template];
  if (found === undefined) throw new Error(`the description has no ${template}`);
  return found;
}

const compiled = new Map<object, ValidateFunction>();

function validatorOf(schema: object): ValidateFunction {
  const known = compiled.get(schema);
  if (known !== undefined) return known;
  const made = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/schemas/', '"github#/schemas/')));
  compiled.set(schema, made);
  return made;
}

function demand(validate: ValidateFunction, value: unknown, what: string): void {
  if (validate(value)) return;
  const [error] = validate.errors ?? [];
  throw new Error(`${what} does not fit GitHub's description: ${error?.instancePath} ${error?.message}`);
}
