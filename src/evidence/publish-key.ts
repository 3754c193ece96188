import { signStatement } from '../attestation/sign.ts';
import type { Signer } from '../attestation/signer.ts';
import { KEY_PREDICATE_TYPE, type KeyDocument, keyDocument } from '../contract/key.ts';
import { publicKey, requireStatementKey, spki } from '../contract/key-type.ts';
import type { Receipt } from '../contract/receipt.ts';
import { STATEMENT_TYPE } from '../contract/record.ts';
import { sha256Hex } from '../lib/digest.ts';
import type { Store } from '../store/store.ts';
import { KEYS_PREFIX } from './ledger-keys.ts';

/**
 * Signs a key document as role release and stores it: the first about its key as `v1/keys/<id>.json`, a later one (an end, a
 * revocation) as `v1/keys/<id>~<digest>.json`. Throws CouldNot, or BadInput for a key that cannot sign records.
 */
export async function publishKey(store: Store, release: Signer, document: KeyDocument): Promise<Receipt> {
  const predicate = keyDocument.parse(document);
  const key = publicKey(predicate.publicKey, `key ${predicate.id}`);
  requireStatementKey(key, `key ${predicate.id}`);
  const bytes = await signStatement(release, {
    _type: STATEMENT_TYPE,
    subject: [
      {
        name: predicate.id,
        digest: { sha256: sha256Hex(spki(key)) },
      },
    ],
    predicateType: KEY_PREDICATE_TYPE,
    predicate,
  });
  const first = await store.put(`${KEYS_PREFIX}${predicate.id}.json`, bytes, 'application/json');
  if (first.created) return first.receipt;
  return (
    await store.put(`${KEYS_PREFIX}${predicate.id}~${sha256Hex(bytes).slice(0, 32)}.json`, bytes, 'application/json')
  ).receipt;
}
