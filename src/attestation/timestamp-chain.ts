import type { X509Certificate } from 'node:crypto';
import { X509Certificate as Parsed } from '@sigstore/core';
import { formatTime } from '../lib/time.ts';

const EXTENDED_KEY_USAGE = '2.5.29.37';
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';
/** A time stamping authority has a root and one or two below it. */
const DEPTH = 5;

/** The same certificate with its extensions to be read, which Node does not show. Throws an Error for what is not DER. */
export function parsedCertificate(certificate: X509Certificate): Parsed {
  return Parsed.parse(Buffer.from(certificate.raw) as Buffer<ArrayBuffer>);
}

/** RFC 3161, section 2.3: its key is for time stamping and for nothing else, and says so critically. Throws an Error. */
export function requireTimestamping(signer: X509Certificate): void {
  const usage: string[] = signer.keyUsage ?? [];
  const critical = parsedCertificate(signer).extension(EXTENDED_KEY_USAGE)?.critical;
  if (usage.length !== 1 || usage[0] !== TIME_STAMPING || critical !== true) {
    throw new Error("its signer's certificate is not for time stamping alone");
  }
}

/**
 * The signer is one of the contract's certificates or hangs, over certificates that the reply may enclose, below one of them;
 * all of them valid at that time (milliseconds). Throws an Error.
 */
export function requireVouchedFor(
  signer: X509Certificate,
  enclosed: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
  at: number,
): void {
  let current = signer;
  for (let depth = 0; depth < DEPTH; depth++) {
    requireValid(current, at);
    if (anchors.some((anchor) => anchor.raw.equals(current.raw))) return;
    const issuer = [...anchors, ...enclosed].find((each) => isIssuer(each, current));
    if (issuer === undefined) throw new Error("none of the contract's certificates vouches for its signer");
    current = issuer;
  }
  throw new Error(`its certificates are more than ${DEPTH} deep`);
}

function isIssuer(candidate: X509Certificate, of: X509Certificate): boolean {
  const itself = candidate.raw.equals(of.raw);
  return !itself && candidate.ca && of.checkIssued(candidate) && of.verify(candidate.publicKey);
}

function requireValid({ subject, validFrom, validTo }: X509Certificate, at: number): void {
  if (Date.parse(validFrom) <= at && at <= Date.parse(validTo)) return;
  throw new Error(`certificate ${subject.replaceAll('\n', ', ')} is not valid at ${formatTime(at)}`);
}
