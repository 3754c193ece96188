import type { RecordType } from '../contract/roles.ts';
import type { ExitCode } from '../lib/errors.ts';
import type * as z from '../lib/zod.ts';
import type { Annotation } from './annotations.ts';

/** What a command may know of the world; entries make it, tests pass plain objects. */
export interface Context {
  /** Folder of the running launcher: the policy lies in it, contract.yml beside it. */
  home: string;
  env: Readonly<Record<string, string | undefined>>;
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds; what is waited for is asked again afterwards. */
  sleep(milliseconds: number): Promise<void>;
  /** One line of progress for people; goes to stderr. */
  progress(line: string): void;
  /** What is being done right now; shown on a terminal only, until the next line takes its place. */
  working(words: string): void;
  /** Colour for people's text. */
  colour: boolean;
}

export interface Result {
  exit: 0 | ExitCode;
  /** The one document of `--json`. */
  json: unknown;
  /** The same for people; may hold several lines. */
  text: string;
  /** Markdown for a job summary, made only where there is one. */
  summary?: () => string;
  /** What was refused by which rule and why, in one line; what an action says where it blocks, instead of the first line of `text`. */
  refusal?: string | undefined;
  /** Remarks at lines of the repository's files. */
  annotations?: () => Annotation[];
  /** Outputs of the action and component, by name. */
  outputs?: Record<string, string>;
}

/** The record that a verb leaves when its process was ended before it could say how it went. */
export interface Cancelled {
  type: RecordType;
  environment: string | null;
  data: Record<string, unknown>;
}

/** One verb. Keys of `inputs` are the names of flags, action inputs and component inputs alike. */
export interface Command<S extends z.ZodMiniObject = z.ZodMiniObject> {
  name: string;
  /** One line, for the list of verbs. */
  summary: string;
  /** What it does, when it denies, what it leaves behind. */
  description: string;
  examples: { says: string; command: string }[];
  inputs: S;
  /** What an action or component puts out, by name. */
  outputs?: Record<string, string>;
  run(inputs: z.infer<S>, context: Context): Promise<Result>;
  /** What to record of a run of it that was cancelled; null where it held no key, and so had promised nothing. */
  cancelled?(inputs: z.infer<S>): Cancelled | null;
}

/** Keeps the inferred input types of `run` while the entries see one type of command. */
export function command<S extends z.ZodMiniObject>(definition: Command<S>): Command {
  return definition as unknown as Command;
}
