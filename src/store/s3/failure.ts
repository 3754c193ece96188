import { codeOf, headerOf, statusOf } from '../../lib/aws/thrown.ts';
import { CouldNot, GatehouseError } from '../../lib/errors.ts';
import type { S3Address } from './address.ts';

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
