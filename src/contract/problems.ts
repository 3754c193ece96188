import { similar } from '../lib/similar.ts';
import type * as z from '../lib/zod.ts';

type Path = (string | number)[];
type Issue = z.core.$ZodIssue;

/** One thing wrong with a document: where (`['environments', 'production', 'required', 0]`), and what, for a person. */
export interface Problem {
  path: Path;
  message: string;
}

/** Flattens zod's issues into problems: of a union the branch that fits best, of an unknown key what may have been meant. */
export function problemsOf(error: z.core.$ZodError, schema: z.ZodMiniType): Problem[] {
  return error.issues.flatMap((issue) => fromIssue(issue, [], schema));
}

/** `a.b[0]`, or `(document)` for the top. */
export function pathText(path: Path): string {
  if (path.length === 0) return '(document)';
  return path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('');
}

/** The first few problems on one line, for a message about a document that nobody here wrote. */
export function problemText(error: z.core.$ZodError, schema: z.ZodMiniType): string {
  return problemsOf(error, schema)
    .slice(0, 3)
    .map((problem) => `${pathText(problem.path)}: ${problem.message}`)
    .join('; ');
}

function fromIssue(issue: Issue, above: Path, schema: z.ZodMiniType): Problem[] {
  const path = [...above, ...(issue.path as Path)];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const meant = similar(key, keysAt(schema, path));
      return { path: [...path, key], message: `unknown key${meant === null ? '' : `; did you mean "${meant}"?`}` };
    });
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const branches = issue.errors.map((branch) => branch.flatMap((inner) => fromIssue(inner, path, schema)));
    return branches.reduce((best, branch) => (branch.length < best.length ? branch : best));
  }
  return [{ path, message: issue.message.replace(/^Invalid (input|option): /, '').replace(MISSING, 'is missing; $1') }];
}

const MISSING = /^(expected .*), received undefined$/;

/** The keys that a schema knows at a path, looked up in zod's own definitions. */
function keysAt(schema: z.ZodMiniType, path: Path): string[] {
  let layer = [schema];
  for (const part of path) layer = layer.flatMap(unwrap).flatMap((type) => step(type, part));
  return layer.flatMap(unwrap).flatMap((type) => Object.keys(definition(type).shape ?? {}));
}

interface Definition {
  innerType?: z.ZodMiniType;
  options?: z.ZodMiniType[];
  shape?: Record<string, z.ZodMiniType>;
  element?: z.ZodMiniType;
  valueType?: z.ZodMiniType;
}

function definition(type: z.ZodMiniType): Definition {
  return type.def as Definition;
}

/** Sees through optional, nullable, default and unions. */
function unwrap(type: z.ZodMiniType): z.ZodMiniType[] {
  const { innerType, options } = definition(type);
  if (innerType !== undefined) return unwrap(innerType);
  return options === undefined ? [type] : options.flatMap(unwrap);
}

function step(type: z.ZodMiniType, part: string | number): z.ZodMiniType[] {
  const { shape, element, valueType } = definition(type);
  const next = typeof part === 'number' ? element : (shape?.[part] ?? valueType);
  return next === undefined ? [] : [next];
}
