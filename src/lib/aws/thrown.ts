import { GatehouseError } from '../errors.ts';

/** What the SDK throws, as far as we look at it: never its message, into which a server writes what it likes. */
export interface Thrown {
  name?: string;
  code?: string;
  $metadata?: { httpStatusCode?: number };
  $response?: { headers?: Record<string, string | undefined> };
}

/** A word for what happened: the service's error code, the network's, or the HTTP status. */
export function codeOf(thrown: unknown): string {
  const { name, code, $metadata } = (thrown ?? {}) as Thrown;
  const status = $metadata?.httpStatusCode;
  const word = [code, name].find(
    (each) => typeof each === 'string' && /^[A-Za-z][A-Za-z0-9_.]{0,63}$/.test(each) && !VAGUE.has(each),
  );
  return word ?? (status === undefined ? 'no answer' : `HTTP ${status}`);
}

/** Names that say less than the status does. */
const VAGUE: ReadonlySet<string> = new Set([
  'Error',
  'TypeError',
  'Unknown',
  'UnknownError',
  'S3ServiceException',
  'KMSServiceException',
]);

/** The HTTP status of the answer that was an error, null where there was no answer. */
export function statusOf(thrown: unknown): number | null {
  return ((thrown ?? {}) as Thrown).$metadata?.httpStatusCode ?? null;
}

/** A header of the answer that was an error. */
export function headerOf(thrown: unknown, name: string): string | null {
  return ((thrown ?? {}) as Thrown).$response?.headers?.[name] ?? null;
}

const TRANSIENT_CODES: ReadonlySet<string> = new Set([
  'ConditionalRequestConflict',
  'OperationAborted',
  'SlowDown',
  'RequestTimeout',
  'InternalError',
  'ServiceUnavailable',
  'Throttling',
  'ThrottlingException',
  'TimeoutError',
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
]);

/** Whether the same bytes may be sent again: a conflict of two conditional puts, a server that asks to slow down, a lost answer. */
export function isTransient(thrown: unknown): boolean {
  if (thrown instanceof GatehouseError) return false;
  const status = statusOf(thrown);
  return TRANSIENT_CODES.has(codeOf(thrown)) || status === 429 || (status !== null && status >= 500 && status !== 501);
}
