import { CouldNot, GatehouseError } from '../../lib/errors.ts';
import type { S3Address } from './address.ts';

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
const VAGUE: ReadonlySet<string> = new Set(['Error', 'TypeError', 'Unknown', 'UnknownError', 'S3ServiceException']);

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

/** The failure for people. `what` is said after "cannot", `permission` is the right that the act takes. */
export function failureOf(thrown: unknown, what: string, permission: string, address: S3Address): CouldNot {
  if (thrown instanceof GatehouseError) throw thrown;
  const code = codeOf(thrown);
  const status = statusOf(thrown);
  const [name, advice] = adviceFor(thrown, code, status, permission, address);
  return new CouldNot(`store.${name}`, `cannot ${what} in bucket ${address.bucket} (${code}): ${advice}`);
}

function adviceFor(
  thrown: unknown,
  code: string,
  status: number | null,
  permission: string,
  address: S3Address,
): [name: string, advice: string] {
  const where = headerOf(thrown, 'x-amz-bucket-region');
  const known = ADVICE[code];
  if (known !== undefined) return known;
  if (WRONG_REGION.has(code) || status === 301 || status === 307)
    return [
      'region',
      `the bucket is not in region ${address.region}${where !== null && /^[a-z0-9-]{2,32}$/.test(where) && where !== address.region ? ` but in ${where}` : ''}; correct region= in the store's URL`,
    ];
  if (status === 403)
    return [
      'denied',
      `these credentials lack ${permission}, or the object does not exist and they may not list; see docs/stores.md for what each identity needs`,
    ];
  if (status === null)
    return [
      'unreachable',
      `${new URL(address.endpoint).host} did not answer; check the network and endpoint= in the store's URL`,
    ];
  if (status === 501) return ['unsupported', 'the server does not know this request; see gatehouse doctor --store'];
  return ['failed', `the server answered ${status}; see gatehouse doctor --store`];
}

const WRONG_REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

const credentials = 'the credentials are not accepted; check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY of this job';
const expired = 'the credentials are no longer valid; fetch new ones and run again';
const damaged = 'the bytes did not arrive as they were sent, nothing was stored; run again';

const ADVICE: Readonly<Record<string, [name: string, advice: string]>> = {
  NoSuchBucket: [
    'no_bucket',
    'there is no such bucket; create it with versions and object lock, or correct the store’s URL',
  ],
  InvalidAccessKeyId: ['credentials', credentials],
  SignatureDoesNotMatch: ['credentials', credentials],
  InvalidToken: ['credentials', credentials],
  // versitygw's word for the same.
  XAdminUserNotFound: ['credentials', credentials],
  ExpiredToken: ['expired', expired],
  ExpiredTokenException: ['expired', expired],
  TokenRefreshRequired: ['expired', expired],
  RequestTimeTooSkewed: ['clock', 'the clock of this machine differs too much from the store’s; set it right'],
  BadDigest: ['checksum', damaged],
  InvalidDigest: ['checksum', damaged],
  XAmzContentSHA256Mismatch: ['checksum', damaged],
  ENOTFOUND: ['unreachable', 'there is no host of this name; check region= and endpoint= in the store’s URL'],
};
