import { createHash, createVerify, X509Certificate } from 'node:crypto';
import { Denied, messageOf } from '../lib/errors.ts';
import { parsedCertificate, requireTimestamping, requireVouchedFor } from './timestamp-chain.ts';
import { hashOf } from './timestamp-hash.ts';
import { parseTimestampReply, type TimestampReply } from './timestamp-reply.ts';
import { requireSigningCertificate } from './timestamp-signing-certificate.ts';

export interface TimestampExpectation {
  /** SHA-256 of what was to be stamped. */
  imprint: Buffer;
  nonce: Buffer;
  /** PEM. */
  certificates: readonly string[];
}

/**
 * Verifies a reply (RFC 3161, sections 2.3 and 2.4; RFC 5652, section 5.4; RFC 5816) and gives its time in milliseconds: our
 * digest and nonce, one signature over them, by a certificate for time stamping alone, for which the contract's certificates
 * vouch at that time. Throws Denied `timestamp.invalid`.
 */
export function verifyTimestamp(reply: Buffer, expected: TimestampExpectation): number {
  try {
    const parsed = parseTimestampReply(reply);
    requireOurs(parsed, expected);
    const anchors = expected.certificates.map((pem) => new X509Certificate(pem));
    const enclosed = parsed.certificates.map((bytes) => new X509Certificate(bytes));
    const signer = signerAmong([...enclosed, ...anchors], parsed);
    requireTimestamping(signer);
    requireVouchedFor(signer, enclosed, anchors, parsed.genTime);
    requireSigned(parsed, signer);
    return parsed.genTime;
  } catch (cause) {
    throw new Denied(
      'timestamp.invalid',
      `the time stamp does not verify: ${messageOf(cause)}; without trusted time nothing is judged`,
      cause,
    );
  }
}

function requireOurs({ imprint, nonce }: TimestampReply, expected: TimestampExpectation): void {
  if (hashOf(imprint.algorithm) !== 'sha256' || !imprint.digest.equals(expected.imprint)) {
    throw new Error('it stamps other bytes than those that were sent');
  }
  if (nonce === null) throw new Error('it carries no nonce, so it may be an old one');
  if (!nonce.equals(expected.nonce))
    throw new Error('it carries another nonce than was sent: it answers another question');
}

/** The certificate that the signer names by issuer and serial number. */
function signerAmong(certificates: X509Certificate[], { signer }: TimestampReply): X509Certificate {
  const found = certificates.find((each) => {
    const { issuer, serialNumber } = parsedCertificate(each);
    return issuer.equals(signer.issuer) && serialNumber.equals(signer.serial);
  });
  if (found === undefined) throw new Error("neither the reply nor the contract has the signer's certificate");
  return found;
}

const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';

function requireSigned(reply: TimestampReply, signer: X509Certificate): void {
  const hash = hashOf(reply.digestAlgorithm);
  const type = reply.attributes.get(CONTENT_TYPE)?.subs[0];
  const digest = reply.attributes.get(MESSAGE_DIGEST)?.subs[0];
  if (type?.toOID() !== TST_INFO) throw new Error('its signature is over something of another type');
  if (digest?.value.equals(createHash(hash).update(reply.info).digest()) !== true) {
    throw new Error('what is signed is not what it says');
  }
  requireSigningCertificate(reply.attributes, signer);
  const signatureHash = reply.signatureAlgorithm === RSA ? hash : SIGNATURES[reply.signatureAlgorithm];
  if (signatureHash === undefined)
    throw new Error(`it is signed by algorithm ${reply.signatureAlgorithm}, which is not accepted`);
  const verifier = createVerify(signatureHash).update(reply.signedAttributes);
  if (!verifier.verify(signer.publicKey, reply.signature)) throw new Error('its signature is wrong');
}

/** A bare rsaEncryption: its hash is the digest algorithm's. */
const RSA = '1.2.840.113549.1.1.1';
/** ECDSA and RSA (PKCS #1 v1.5) with their hashes. */
const SIGNATURES: Record<string, string> = {
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
};
