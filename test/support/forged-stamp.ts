import { createHash, createPrivateKey, createSign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate as Parsed } from '@sigstore/core';
import { der, SEQUENCE, SET } from '../../src/attestation/timestamp-request.ts';
import type { Authority } from './tsa.ts';

const INTEGER = 0x02;
const OCTETS = 0x04;
const NULL = der(0x05, []);
const CONTEXT = 0xa0;
const GENERALIZED_TIME = 0x18;
const OID = {
  sha256: '608648016503040201',
  signedData: '2a864886f70d010702',
  data: '2a864886f70d010701',
  tstInfo: '2a864886f70d0109100104',
  contentType: '2a864886f70d010903',
  messageDigest: '2a864886f70d010904',
  signingCertificate: '2a864886f70d010910022f',
  ecdsaSha256: '2a8648ce3d040302',
  policy: '2a03040501',
};

/** What of a stamp is not as it should be; nothing by default. */
export interface Flaws {
  time?: string;
  nonce?: Buffer | null;
  contentType?: keyof typeof OID;
  signedType?: keyof typeof OID;
  /** What the message digest is of, in the place of the stamp. */
  digestOf?: Buffer;
  /** Whose hash the signing certificate attribute holds; null leaves it out. */
  named?: X509Certificate | null;
  /** Signs in the place of the authority's signer. */
  key?: string;
  signers?: number;
  attributes?: 'twice' | 'none';
}

/**
 * A time stamp reply written by hand, so that each part of it can be wrong by itself: openssl makes only right ones. Without
 * flaws it verifies.
 */
export function forgeStamp(authority: Authority, asked: { imprint: Buffer; nonce: Buffer }, flaws: Flaws = {}): Buffer {
  const certificate = new X509Certificate(authority.signer);
  const info = stampOf(asked, flaws);
  const attributes = attributesOf(info, certificate, flaws);
  const key = createPrivateKey(flaws.key ?? readFileSync(join(authority.folder, 'signer.key'), 'utf8'));
  const { issuer, serialNumber } = Parsed.parse(Buffer.from(certificate.raw) as Buffer<ArrayBuffer>);
  const signer = der(SEQUENCE, [
    der(INTEGER, [Buffer.from([1])]),
    der(SEQUENCE, [der(SEQUENCE, [issuer]), der(INTEGER, [serialNumber])]),
    sha256(),
    ...(flaws.attributes === 'none' ? [] : [der(CONTEXT, attributes)]),
    der(SEQUENCE, [oid('ecdsaSha256')]),
    der(OCTETS, [createSign('sha256').update(der(SET, attributes)).sign(key)]),
  ]);
  const signed = der(SEQUENCE, [
    der(INTEGER, [Buffer.from([3])]),
    der(SET, [sha256()]),
    der(SEQUENCE, [oid(flaws.contentType ?? 'tstInfo'), der(CONTEXT, [der(OCTETS, [info])])]),
    der(CONTEXT, [certificate.raw]),
    der(
      SET,
      Array.from({ length: flaws.signers ?? 1 }, () => signer),
    ),
  ]);
  const status = der(SEQUENCE, [der(INTEGER, [Buffer.from([0])])]);
  return der(SEQUENCE, [status, der(SEQUENCE, [oid('signedData'), der(CONTEXT, [signed])])]);
}

function stampOf({ imprint, nonce: askedNonce }: { imprint: Buffer; nonce: Buffer }, { time, nonce }: Flaws): Buffer {
  const sent = nonce === undefined ? askedNonce : nonce;
  const now = `${new Date().toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return der(SEQUENCE, [
    der(INTEGER, [Buffer.from([1])]),
    oid('policy'),
    der(SEQUENCE, [sha256(), der(OCTETS, [imprint])]),
    der(INTEGER, [Buffer.from([7])]),
    der(GENERALIZED_TIME, [Buffer.from(time ?? now)]),
    ...(sent === null ? [] : [der(INTEGER, [sent])]),
  ]);
}

function attributesOf(info: Buffer, certificate: X509Certificate, flaws: Flaws): Buffer[] {
  const digest = createHash('sha256')
    .update(flaws.digestOf ?? info)
    .digest();
  const named = flaws.named === undefined ? certificate : flaws.named;
  const type = attribute('contentType', oid(flaws.signedType ?? 'tstInfo'));
  return [
    type,
    ...(flaws.attributes === 'twice' ? [type] : []),
    attribute('messageDigest', der(OCTETS, [digest])),
    ...(named === null ? [] : [attribute('signingCertificate', certificateName(named))]),
  ];
}

/** SigningCertificateV2 with the default hash. */
function certificateName(certificate: X509Certificate): Buffer {
  const hash = createHash('sha256').update(certificate.raw).digest();
  return der(SEQUENCE, [der(SEQUENCE, [der(SEQUENCE, [der(OCTETS, [hash])])])]);
}

function attribute(name: keyof typeof OID, value: Buffer): Buffer {
  return der(SEQUENCE, [oid(name), der(SET, [value])]);
}

function oid(name: keyof typeof OID): Buffer {
  return der(0x06, [Buffer.from(OID[name], 'hex')]);
}

function sha256(): Buffer {
  return der(SEQUENCE, [oid('sha256'), NULL]);
}
