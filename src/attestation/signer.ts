/**
 * Signs with one key, wherever the private half is. `sign` takes the bytes themselves (not their digest) and answers with
 * ECDSA P-256/SHA-256 in DER, RSA PKCS#1 v1.5/SHA-256, or Ed25519 for checkpoints.
 */
export interface Signer {
  /** The key's id in contract.yml and in the store's `v1/keys`. */
  readonly keyId: string;
  readonly publicKeyPem: string;
  sign(preimage: Uint8Array): Promise<Buffer>;
}

/** A public key that we chose to trust, by its id. */
export interface TrustedKey {
  id: string;
  publicKeyPem: string;
}
