import { Ajv, type ValidateFunction } from 'ajv';

/** What is kept of a platform's published OpenAPI description. */
export interface Description {
  /** Bodies by method and path; null where none is sent. */
  requests: Record<string, object | null>;
  schemas: Record<string, Schema>;
}
// biome-ignore lint/suspicious/noExplicitAny: JSON Schema, in which true and false are schemas too
export type Schema = any;

export interface Held {
  /** Throws where the value does not fit. */
  demand(schema: Schema, value: unknown, what: string): void;
  /** Keys of a value that neither the schema nor what it is made of names. */
  unnamed(schema: Schema, value: unknown): string[];
  /**
   * Holds a request that people are told to send against the description: method and path must be of it, and the body fit its
   * schema, with no key that the schema does not name. Throws what does not fit.
   */
  checkRequest(method: string, path: string, body: unknown): void;
}

export function heldAgainst(platform: string, { requests, schemas }: Description): Held {
  const ajv = new Ajv({ strict: false, validateFormats: false });
  ajv.addSchema({ $id: 'platform', schemas });
  const compiled = new Map<Schema, ValidateFunction>();

  const validatorOf = (schema: Schema): ValidateFunction => {
    const known = compiled.get(schema);
    if (known !== undefined) return known;
    const made = ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/schemas/', '"platform#/schemas/')));
    compiled.set(schema, made);
    return made;
  };

  const demand: Held['demand'] = (schema, value, what) => {
    const validate = validatorOf(schema);
    if (validate(value)) return;
    const [error] = validate.errors ?? [];
    throw new Error(`${what} does not fit ${platform}'s description: ${error?.instancePath} ${error?.message}`);
  };

  /** A schema and all that it refers to or combines. */
  const parts = (schema: Schema): Schema[] => {
    const { $ref, anyOf = [], oneOf = [], allOf = [] } = schema;
    const named = typeof $ref === 'string' ? [schemas[$ref.split('/').at(-1) ?? ''] ?? {}] : [];
    return [schema, ...[...named, ...anyOf, ...oneOf, ...allOf].flatMap(parts)];
  };

  const strange = (of: Schema[], value: unknown, at: string): string[] => {
    const all = of.flatMap(parts);
    if (Array.isArray(value)) {
      const items = all.flatMap(({ items }) => (items === undefined ? [] : [items]));
      return value.flatMap((each, i) => strange(items, each, `${at}[${i}]`));
    }
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) => {
      const named = all.flatMap(({ properties }) => (properties?.[key] === undefined ? [] : [properties[key]]));
      return named.length === 0 ? [`${at}.${key}`] : strange(named, inner, `${at}.${key}`);
    });
  };
  const unnamed: Held['unnamed'] = (schema, value) => strange([schema], value, '');

  const checkRequest: Held['checkRequest'] = (method, path, body) => {
    const own = Object.keys(requests).filter((each) => each.startsWith(`${method} `));
    const template = fitting(
      path,
      own.map((each) => each.slice(method.length + 1)),
    );
    const schema = requests[`${method} ${template}`] ?? null;
    if (schema === null && body !== null) throw new Error(`${method} ${template} takes no body`);
    if (schema === null) return;
    demand(schema, body, `the body of ${method} ${template}`);
    const keys = unnamed(schema, body);
    if (keys.length > 0) throw new Error(`${method} ${template} has no ${keys.join(', ')}`);
  };

  return { demand, unnamed, checkRequest };
}

/** The one of these paths that a real one is: named parts stand for anything. */
export function fitting(path: string, templates: string[]): string {
  const given = path.split('/');
  const fits = templates.filter((template) => {
    const wanted = template.split('/');
    return wanted.length === given.length && wanted.every((part, i) => part.startsWith('{') || part === given[i]);
  });
  const [found] = fits;
  if (found === undefined || fits.length > 1) throw new Error(`${path} is ${fits.length} paths of the description`);
  return found;
}
