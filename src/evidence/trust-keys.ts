import { publicKey, requireCheckpointKey, requireStatementKey } from '../contract/key-type.ts';
import type { Trust } from '../contract/trust.ts';

/**
 * Throws BadInput `key.type` or `key.unreadable` unless the trust file's keys can do their part: an auditor who brings the wrong
 * ones along must not read that the evidence is forged.
 */
export function requireTrustKeys({ release, notary }: Trust): void {
  for (const [index, pem] of release.entries())
    requireStatementKey(publicKey(pem, `trust file: release[${index}]`), `trust file: release[${index}]`);
  for (const [index, pem] of notary.entries())
    requireCheckpointKey(publicKey(pem, `trust file: notary[${index}]`), `trust file: notary[${index}]`);
}
