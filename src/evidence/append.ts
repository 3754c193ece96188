import type { Receipt } from '../contract/receipt.ts';
import type { Store } from '../store/store.ts';
import type { SignedRecord } from './record.ts';

/**
 * Stores a signed record, its by-digest pointers first: a failing scan whose pointer could not be written is not hidden by a
 * record that nobody finds, while a pointer without its record denies. A record that is there already is a success, since its
 * key holds the digest of these bytes. Safe to repeat. Throws CouldNot.
 */
export async function appendRecord(store: Store, signed: SignedRecord): Promise<Receipt> {
  for (const pointer of signed.pointers) await store.put(pointer.key, pointer.bytes, 'application/json');
  const { receipt } = await store.put(signed.key, signed.bytes, 'application/json');
  return receipt;
}
