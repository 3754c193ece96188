import { en } from 'zod/locales';
import { config } from 'zod/mini';

/*
 * zod as everything here imports it: of the functional API those words that are used, and the build drops the rest, since every
 * start would read it. That API brings no language along. Without one, each message would be "Invalid input", so English is set
 * where no schema can miss it. And a process parses a handful of documents: compiling a parser for each schema costs more than
 * it saves.
 */
config({ ...en(), jitless: true });

export type { core, infer, ZodMiniObject, ZodMiniType } from 'zod/mini';
export {
  _default,
  array,
  boolean,
  describe,
  discriminatedUnion,
  enum,
  globalRegistry,
  int,
  iso,
  length,
  literal,
  looseObject,
  maximum,
  maxLength,
  meta,
  minimum,
  minLength,
  null,
  nullable,
  nullish,
  number,
  object,
  omit,
  optional,
  partialRecord,
  pipe,
  positive,
  record,
  refine,
  regex,
  strictObject,
  string,
  stringbool,
  superRefine,
  transform,
  tuple,
  union,
  unknown,
  uuid,
} from 'zod/mini';
