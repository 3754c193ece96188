import { problemsOf } from '../contract/problems.ts';
import { BadInput } from '../lib/errors.ts';
import * as z from '../lib/zod.ts';

/** What help and the checks over action.yml and templates need to know of an input beside its schema. */
export interface InputMeta {
  description: string;
  /** A placeholder in help, for example FILE. Absent for a switch. */
  value?: string;
  /** Only on the command line: in a pipeline it would let the judged party choose its own truth. */
  cliOnly?: boolean;
  /** Place among the words that are no flags. */
  positional?: number;
  /** A flag that may be given several times: its values arrive as lines of one text. */
  repeatable?: boolean;
}

/* Inputs arrive as strings on every face; these turn them into values. */

/** Text, at most 8192 characters. */
export const text = (meta: InputMeta) => z.string().check(z.maxLength(8192), z.meta({ ...meta }));
/** Text that may be left out; empty is left out. */
export const optionalText = (meta: InputMeta) => z.optional(text(meta));
/** One of these words. */
export const choice = <const T extends readonly string[]>(values: T, meta: InputMeta) =>
  z.enum(values).check(z.meta({ ...meta, value: meta.value ?? values.join('|') }));
/** A switch, off unless it is `true`. */
export const toggle = (meta: InputMeta) =>
  z._default(z.stringbool({ truthy: ['true'], falsy: ['false'] }), false).check(z.meta({ ...meta }));

/** Reads the metadata that an input was made with, through optional and default. */
export function metaOf(schema: z.core.$ZodType): InputMeta {
  const own = z.globalRegistry.get(schema) as InputMeta | undefined;
  if (own?.description !== undefined) return own;
  const inner = (schema._zod.def as { innerType?: z.core.$ZodType }).innerType;
  if (inner === undefined) throw new Error('an input has no description');
  return metaOf(inner);
}

/** The words that a choice takes, read through optional and default; null where it is no choice. */
export function optionsOf(schema: z.core.$ZodType): readonly string[] | null {
  const { options, _zod } = schema as z.core.$ZodType & { options?: readonly string[] };
  const { innerType } = _zod.def as { innerType?: z.core.$ZodType };
  return options ?? (innerType === undefined ? null : optionsOf(innerType));
}

/** `one of a, b`, where neither the placeholder nor anything else says which words a choice takes; else null. */
export function unsaidOptions(schema: z.core.$ZodType): string | null {
  const options = optionsOf(schema);
  return options === null || metaOf(schema).value === options.join('|') ? null : `one of ${options.join(', ')}`;
}

/** A switch takes no value on the command line. */
export function isToggle(schema: z.core.$ZodType): boolean {
  return metaOf(schema).value === undefined;
}

/** Checks raw strings. Empty means unset. Throws BadInput naming each input that is missing, unknown or wrong. */
export function parseInputs<S extends z.ZodMiniObject>(
  verb: string,
  schema: S,
  raw: Record<string, string | undefined>,
): z.infer<S> {
  const given = Object.fromEntries(Object.entries(raw).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = problemsOf(parsed.error, schema).map((problem) => {
    const name = String(problem.path[0] ?? '');
    const input = schema.shape[name] as z.ZodMiniType | undefined;
    if (input === undefined || name in given) return `  ${name}: ${problem.message}`;
    return `  ${name}: is required: ${[metaOf(input).description, unsaidOptions(input)].filter(Boolean).join('; ')}`;
  });
  throw new BadInput(
    'inputs.invalid',
    `${verb} cannot start, its inputs are wrong:\n${lines.join('\n')}\nSee gatehouse ${verb} --help`,
  );
}
