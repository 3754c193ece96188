import { ASN1Obj } from '@sigstore/core';
import { der, SEQUENCE, SET } from './timestamp-request.ts';

/** What a time stamping authority's reply says, none of it verified. Byte strings are as sent. */
export interface TimestampReply {
  /** TSTInfo as it was signed. */
  info: Buffer;
  imprint: { algorithm: string; digest: Buffer };
  nonce: Buffer | null;
  /** Milliseconds. */
  genTime: number;
  /** DER, in no order. */
  certificates: Buffer[];
  /** Content of the issuer's name and of the serial number. */
  signer: { issuer: Buffer; serial: Buffer };
  digestAlgorithm: string;
  signatureAlgorithm: string;
  signature: Buffer;
  /** The signed attributes as they were signed, and their values by OID. */
  signedAttributes: Buffer;
  attributes: Map<string, ASN1Obj>;
}

const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const GRANTED = [0n, 1n];

/**
 * Takes a TimeStampResp (RFC 3161, section 2.4.2; RFC 5652) apart: granted, one signer, named by issuer and serial number.
 * Throws an Error that says what is not so.
 *
 * The library's own RFC3161Timestamp is not used: it hashes RSA signatures by SHA-256 whatever they say, knows neither nonce
 * nor certificates, and compares neither the content type nor the signing certificate among the signed attributes.
 */
export function parseTimestampReply(bytes: Buffer): TimestampReply {
  const [status, token] = parse(bytes).subs;
  const granted = sub(status, 0).toInteger();
  if (!GRANTED.includes(granted)) throw new Error(`the authority refused (PKIStatus ${granted})`);
  if (sub(token, 0).toOID() !== SIGNED_DATA) throw new Error('it holds no signed data');
  const signed = sub(sub(token, 1), 0);
  const content = sub(signed, 2);
  if (sub(content, 0).toOID() !== TST_INFO) throw new Error('what is signed is no time stamp');
  const info = Buffer.from(sub(sub(content, 1), 0).value);
  const signers = signed.subs.at(-1);
  if (signers?.subs.length !== 1) throw new Error('it does not have exactly one signer');
  return { info, ...stampOf(parse(info)), certificates: certificatesOf(signed), ...signerOf(sub(signers, 0)) };
}

function stampOf(info: ASN1Obj): Pick<TimestampReply, 'imprint' | 'nonce' | 'genTime'> {
  const imprint = sub(info, 2);
  const nonce = info.subs.slice(5).find((each) => each.tag.isInteger());
  return {
    imprint: { algorithm: sub(sub(imprint, 0), 0).toOID(), digest: sub(imprint, 1).value },
    nonce: nonce === undefined ? null : nonce.value,
    genTime: timeOf(sub(info, 4)),
  };
}

/** GeneralizedTime in UTC with any fraction of a second (RFC 3161 demands `Z`; Date rolls 30 February over, which is no time). */
function timeOf({ tag, value }: ASN1Obj): number {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?Z$/.exec(value.toString('latin1'));
  if (!tag.isGeneralizedTime() || match === null) throw new Error('its time is not one');
  const [, year, month, day, hour, minute, second, fraction = ''] = match;
  const text = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  const time = Date.parse(`${text}.${fraction.padEnd(3, '0').slice(0, 3)}Z`);
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text)) throw new Error('its time is not one');
  return time;
}

/** `certificates [0] IMPLICIT`, behind the content. */
function certificatesOf(signed: ASN1Obj): Buffer[] {
  const set = signed.subs.slice(3).find((each) => each.tag.isContextSpecific(0));
  return (set?.subs ?? []).map((each) => der(each.tag.toDER(), [each.value]));
}

type Signer = Pick<
  TimestampReply,
  'signer' | 'digestAlgorithm' | 'signatureAlgorithm' | 'signature' | 'signedAttributes' | 'attributes'
>;

function signerOf(info: ASN1Obj): Signer {
  const name = sub(info, 1);
  const attributes = sub(info, 3);
  if (name.tag.toDER() !== SEQUENCE) throw new Error('its signer is not named by issuer and serial number');
  if (!attributes.tag.isContextSpecific(0)) throw new Error('it has no signed attributes');
  const found = attributes.subs.map((each): [string, ASN1Obj] => [sub(each, 0).toOID(), sub(each, 1)]);
  if (new Set(found.map(([oid]) => oid)).size !== found.length) throw new Error('a signed attribute is there twice');
  return {
    signer: { issuer: sub(name, 0).value, serial: sub(name, 1).value },
    digestAlgorithm: sub(sub(info, 2), 0).toOID(),
    signatureAlgorithm: sub(sub(info, 4), 0).toOID(),
    signature: sub(info, 5).value,
    // RFC 5652, section 5.4: signed is the SET, sent is its implicit [0].
    signedAttributes: der(SET, [attributes.value]),
    attributes: new Map(found),
  };
}

function parse(bytes: Buffer): ASN1Obj {
  return ASN1Obj.parseBuffer(Buffer.from(bytes) as Buffer<ArrayBuffer>);
}

function sub(object: ASN1Obj | undefined, index: number): ASN1Obj {
  const found = object?.subs[index];
  if (found === undefined) throw new Error('a part is missing');
  return found;
}
