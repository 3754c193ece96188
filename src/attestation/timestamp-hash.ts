const HASHES: Record<string, string> = {
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

/** The hash that an OID of a time stamp names. Throws an Error for any other than SHA-256, SHA-384 and SHA-512. */
export function hashOf(oid: string): string {
  const hash = HASHES[oid];
  if (hash === undefined) throw new Error(`it uses hash ${oid}; SHA-256, SHA-384 or SHA-512 are accepted`);
  return hash;
}
