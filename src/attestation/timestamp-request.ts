import { randomBytes } from 'node:crypto';

/** A TimeStampReq (RFC 3161, section 2.4.1) for a SHA-256 digest, with a fresh nonce, asking for the signer's certificate. */
export function timestampRequest(imprint: Uint8Array): { request: Buffer; nonce: Buffer } {
  const nonce = randomBytes(8);
  // Positive and without a leading zero byte: DER has one way only to write an integer.
  nonce[0] = ((nonce[0] as number) & 0x7f) | 0x40;
  const request = der(SEQUENCE, [
    der(INTEGER, [Buffer.from([1])]),
    der(SEQUENCE, [SHA256_IDENTIFIER, der(OCTET_STRING, [imprint])]),
    der(INTEGER, [nonce]),
    der(BOOLEAN, [Buffer.from([0xff])]),
  ]);
  return { request, nonce };
}

export const SEQUENCE = 0x30;
export const SET = 0x31;
const BOOLEAN = 0x01;
const INTEGER = 0x02;
const OCTET_STRING = 0x04;

/** AlgorithmIdentifier: OID 2.16.840.1.101.3.4.2.1, parameters NULL. */
const SHA256_IDENTIFIER = Buffer.from('300d06096086480165030402010500', 'hex');

/** One DER value: tag, length, content. */
export function der(tag: number, content: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(content);
  const { length } = bytes;
  const head = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...head]), bytes]);
}
