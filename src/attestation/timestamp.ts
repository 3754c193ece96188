import { createHash, randomBytes } from 'node:crypto';
import { CouldNot, Denied } from '../lib/errors.ts';
import type { Http } from '../lib/http.ts';
import { formatTime } from '../lib/time.ts';
import { timestampRequest } from './timestamp-request.ts';

export interface TimestampAuthority {
  url: string;
  /** PEM: certificates that vouch for the authority, its own or of those above it. */
  certificates: readonly string[];
}

export interface TrustedTime {
  /** Milliseconds. */
  time: number;
  /** The authority's whole reply (TimeStampResp, DER), for the record. */
  reply: Buffer;
}

const LIMIT = 64 * 1024;
const TIMEOUT = 15_000;

/**
 * The time by a time stamping authority (RFC 3161), fresh: the reply must carry our nonce and the digest of bytes that were
 * random a moment ago. `now` is this machine's clock in milliseconds; it is not believed, yet when the two are further apart
 * than `maxSkew` (milliseconds) one of them is wrong, and nothing can be judged by either.
 *
 * Throws CouldNot `timestamp.unavailable` where the authority gives no stamp, Denied `timestamp.invalid` where the stamp does
 * not verify, Denied `timestamp.skew` where the clocks disagree.
 */
export async function trustedTime(
  http: Http,
  authority: TimestampAuthority,
  now: () => number,
  maxSkew: number,
): Promise<TrustedTime> {
  const imprint = createHash('sha256').update(randomBytes(32)).digest();
  const { request, nonce } = timestampRequest(imprint);
  const reply = await ask(http, authority.url, request);
  // Only here: parsing ASN.1 costs 12 ms that a pure judge need not pay.
  const { verifyTimestamp } = await import('./timestamp-verify.ts');
  const time = verifyTimestamp(reply, { imprint, nonce, certificates: authority.certificates });
  const clock = now();
  if (Math.abs(clock - time) > maxSkew) {
    throw new Denied(
      'timestamp.skew',
      `this machine's clock says ${formatTime(clock)}, the time stamping authority ${formatTime(time)}: they are further apart than max-skew (${maxSkew / 1000} s); set the clock of the runner`,
    );
  }
  return { time, reply };
}

async function ask(http: Http, url: string, body: Buffer): Promise<Buffer> {
  const reply = await http({
    method: 'POST',
    url,
    what: 'ask the time stamping authority for the time',
    headers: { 'content-type': 'application/timestamp-query', accept: 'application/timestamp-reply' },
    body,
    limit: LIMIT,
    timeout: TIMEOUT,
  });
  if (reply.status === 200) return reply.body;
  throw new CouldNot(
    'timestamp.unavailable',
    `the time stamping authority answered ${reply.status}: without trusted time nothing is judged; check trust.timestamp.url and run again`,
  );
}
