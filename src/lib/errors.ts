/**
 * The three families of failure, one exit code each. All three block a pipeline; the code only tells a person or a script
 * where to look.
 *
 *   Denied    1  judged no: a rule, a verification or a comparison failed
 *   BadInput  2  a person wrote something wrong: flag, file, contract
 *   CouldNot  3  the outside world did not answer: network, store, tool, platform
 *
 * A message says what happened to which thing, why it matters and what to do.
 */
export type ExitCode = 1 | 2 | 3;

/** A failure that we know: its exit code, a stable code and a message for a person. All else that is thrown is a defect. */
export abstract class GatehouseError extends Error {
  abstract readonly exit: ExitCode;
  /** Stable, machine-readable name of this failure, for example `contract.unknown_key`. */
  readonly code: string;

  constructor(code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.name = new.target.name;
  }
}

/** Judged no. It is never right to go on. */
export class Denied extends GatehouseError {
  readonly exit = 1;
}

/** A person has to change what they wrote; trying again changes nothing. */
export class BadInput extends GatehouseError {
  readonly exit = 2;
}

/** Nothing was judged; the same words may do later. */
export class CouldNot extends GatehouseError {
  readonly exit = 3;
}

/** The message of anything that was thrown, without a stack: libraries throw strings and plain objects too. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === 'object' && thrown !== null && 'message' in thrown) return String(thrown.message);
  return String(thrown);
}

/** What a person is told of anything that was thrown: what we do not know is a defect of ours, and says so. */
export function explain(thrown: unknown): string {
  if (thrown instanceof GatehouseError) return thrown.message;
  return `unexpected: ${messageOf(thrown)}; this is a defect of gatehouse, nothing was allowed`;
}
