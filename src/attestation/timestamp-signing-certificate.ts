import { createHash, type X509Certificate } from 'node:crypto';
import type { ASN1Obj } from '@sigstore/core';
import { hashOf } from './timestamp-hash.ts';

/** signingCertificate (RFC 2634, SHA-1) and signingCertificateV2 (RFC 5035). */
const V1 = '1.2.840.113549.1.9.16.2.12';
const V2 = '1.2.840.113549.1.9.16.2.47';
/**
 * RFC 3161, section 2.4.1, and RFC 5816: the signed attributes name the signer's certificate by its hash, so that no other
 * certificate of the same key can stand in. SHA-1 is taken where version 1 demands it: it only says which one.
 */
export function requireSigningCertificate(attributes: ReadonlyMap<string, ASN1Obj>, signer: X509Certificate): void {
  const named = [identifier(attributes.get(V1), 'sha1'), identifier(attributes.get(V2), 'sha256')].filter(
    (each) => each !== null,
  );
  const fits = named.every(({ hash, digest }) => createHash(hash).update(signer.raw).digest().equals(digest));
  if (named.length === 0 || !fits) throw new Error('its signature does not name the certificate of its signer');
}

/** The first of the certificates that an attribute names; its first part is the hash's name where that is not the default. */
function identifier(attribute: ASN1Obj | undefined, standard: string): { hash: string; digest: Buffer } | null {
  if (attribute === undefined) return null;
  const parts = attribute.subs[0]?.subs[0]?.subs[0]?.subs ?? [];
  const [first, second] = parts;
  if (first === undefined) throw new Error('its signing certificate attribute is empty');
  if (first.tag.isOctetString()) return { hash: standard, digest: first.value };
  if (second === undefined) throw new Error('its signing certificate attribute cannot be read');
  return { hash: hashOf(first.subs[0]?.toOID() ?? ''), digest: second.value };
}
