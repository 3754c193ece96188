/** Everything that `ledger verify` can find, and what it means. */
export const findingCodes = {
  CHECKPOINT_SIG: 'a checkpoint is not signed by a trusted notary key, or is of another log',
  LOG_ENTRIES_DO_NOT_HASH_TO_CHECKPOINT:
    'the leaves of the log do not have the root that a signed checkpoint states: the log was changed',
  LOG_GAP: 'a batch of the log is missing or out of place',
  BAD_LOG_BATCH: 'an object of the log cannot be read or does not fit its schema',
  DELETED: 'the log has a leaf for an object that is gone',
  MODIFIED: 'the bytes are not those of the leaf, or not those that the name states',
  UNANCHORED: 'the object is older than the limit and no checkpoint covers it',
  NOT_AN_OBJECT: 'a symbolic link, special file or impossible name lies in the store',
  HIDDEN: 'a delete marker lies over the name: a reader by name does not find what was stored',
  SHADOWED: 'something was put over an object that was there: a reader by name gets that instead',
  UNEXPECTED_OBJECT: 'the object lies where the layout has none',
  UNREADABLE: 'the object is too large or cannot be read',
  BAD_RECORD: 'a document that is not what its place asks for: no bundle, no record, other subjects, not canonical',
  BAD_SIGNATURE: 'the record is not signed by any key of the ledger',
  BAD_KEY: 'a key document or register is not signed by role release, or contradicts another one',
  KEY_NOT_IN_FORCE: 'the key was not in force when the store took the record',
  WRONG_ROLE: 'the key has a role that may not sign this type of record',
  FOREIGN_WRITER: 'the key may not write for this repository',
  MISFILED: 'the record does not belong where it lies: other run, job, step, number, type or day',
  BACKDATED: 'the record claims an earlier time than the store saw it',
  FUTURE_DATED: 'the record claims a later time than the store saw it',
  EQUIVOCATION: 'two records claim one slot',
  GAP: 'a number is missing among the records of one step',
  NO_OPEN: 'the run has no record run.opened',
  BAD_CONTRACT: 'the contract of the run cannot be read, or asks for another set of records than run.opened says',
  MISSING_STAGE: 'a record that the run owes does not exist',
  UNSEALED: 'the run was opened longer ago than the limit and is not sealed',
  BAD_SEAL: 'the seal cannot be verified or does not fit its lines',
  TWO_SEALS: 'an attempt has two seals',
  NOT_IN_MANIFEST: 'the record is in a sealed run but not under its seal',
  MANIFEST_MISMATCH: 'the record is under the seal with other bytes',
  MANIFEST_MISSING: 'the seal covers a record that is not in the store',
  ATTACHMENT_MISSING: 'a record names an attachment that is not in the store',
  ATTACHMENT_MISMATCH: 'an attachment is not the content that the record names',
  POINTER_MISSING: 'the by-digest pointer of a record is gone: a look-up by digest does not find the record',
  DANGLING_POINTER: 'a by-digest pointer leads to no record, or to one that is not about this digest',
  INTENT_WITHOUT_OUTCOME: 'a deploy was announced and its outcome never recorded',
  DECISION_NOT_CONSUMED: 'a deploy acted on a decision that it had not used up, or that another one had',
} as const;

export type FindingCode = keyof typeof findingCodes;

/** The code for what lies over an object. */
export function coveringCode(covers: 'hides' | 'shadows'): FindingCode {
  return covers === 'hides' ? 'HIDDEN' : 'SHADOWED';
}

export interface Finding {
  code: FindingCode;
  /** The object in the store that it is about, when it is about one. */
  key: string | null;
  /** `<platform>~<host>~<repository id>/<run id>`, as far as it is known. */
  run: string | null;
  detail: string;
}

/** How long something may be under way before it is a finding, and how far clocks may differ, in milliseconds. */
export const SETTLE_LIMIT = 60 * 60_000;
export const SKEW_LIMIT = 15 * 60_000;
