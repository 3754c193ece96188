import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

interface Operation {
  parameters: { name: string; in: string; required: boolean; schema: object }[];
  reply: object;
  example: unknown;
}
const file: {
  paths: Record<string, Operation>;
  requests: Record<string, object | null>;
  schemas: Record<string, object>;
} = JSON.parse(readFileSync('test/fixtures/github/openapi.json', 'utf8'));
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

/**
 * Holds a request that people are told to send against the description: method and path must be of it, and the body fit its
 * schema, with no key that the schema does not name. Throws what does not fit.
 */
export function checkRequest(method: string, path: string, body: unknown): void {
  const own = Object.keys(file.requests).filter((each) => each.startsWith(`${method} `));
  const template = fitting(
    path,
    own.map((each) => each.slice(method.length + 1)),
  );
  const schema = file.requests[`${method} ${template}`] ?? null;
  if (schema === null && body !== null) throw new Error(`${method} ${template} takes no body`);
  if (schema === null) return;
  demand(validatorOf(schema), body, `the body of ${method} ${template}`);
  const strange = unnamed([schema], body, '');
  if (strange.length > 0) throw new Error(`${method} ${template} has no ${strange.join(', ')}`);
}

type Schema = { [key: string]: unknown };

/** Keys of a value that none of these schemas, nor what they are made of, names. */
function unnamed(schemas: object[], value: unknown, at: string): string[] {
  const all = schemas.flatMap(parts);
  if (Array.isArray(value)) {
    const items = all.flatMap(({ items }) => (items === undefined ? [] : [items as object]));
    return value.flatMap((each, i) => unnamed(items, each, `${at}[${i}]`));
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const named = all.flatMap(({ properties }) => {
      const found = (properties as Record<string, object> | undefined)?.[key];
      return found === undefined ? [] : [found];
    });
    return named.length === 0 ? [`${at}.${key}`] : unnamed(named, inner, `${at}.${key}`);
  });
}

/** A schema and all that it refers to or combines. */
function parts(schema: object): Schema[] {
  const { $ref, anyOf = [], oneOf = [], allOf = [] } = schema as Schema;
  const named = typeof $ref === 'string' ? [file.schemas[$ref.split('/').at(-1) ?? ''] ?? {}] : [];
  const more = [...named, ...(anyOf as object[]), ...(oneOf as object[]), ...(allOf as object[])];
  return [schema as Schema, ...more.flatMap(parts)];
}

/** The description's path that a real one is: literal parts before named ones. */
export function templateOf(path: string): string {
  return fitting(path, Object.keys(file.paths));
}

function fitting(path: string, templates: string[]): string {
  const parts = path.split('/');
  const fits = templates.filter((template) => {
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
