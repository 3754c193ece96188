import type { TrustedKey } from '../attestation/signer.ts';
import { verifyStatement } from '../attestation/verify.ts';
import { KEY_PREDICATE_TYPE, type KeyDocument, keyDocument } from '../contract/key.ts';
import { publicKey, requireStatementKey } from '../contract/key-type.ts';
import { problemText } from '../contract/problems.ts';
import { REGISTER_PREDICATE_TYPE, type Register, register } from '../contract/register.ts';
import type { Role } from '../contract/roles.ts';
import { Denied, messageOf } from '../lib/errors.ts';
import { parseTime } from '../lib/time.ts';
import type * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import type { Finding } from './finding.ts';
import { DOCUMENT_LIMIT, entriesUnder, REGISTER_LIMIT, readAtMost } from './read-object.ts';

export const KEYS_PREFIX = 'v1/keys/';
export const REGISTER_PREFIX = 'v1/register/';

/** A key that may sign records, as readers see it. */
export interface LedgerKey extends TrustedKey {
  role: Role;
  mayWrite(repositoryId: string): boolean;
  /** Whether the key was in force at this time, in milliseconds. */
  inForce(at: number): boolean;
}

type Window = Pick<KeyDocument, 'from' | 'until' | 'revokedAt'>;

/**
 * The keys that role release has put into the ledger. Every document about a key, and the newest register's entry where it has
 * one, must allow what the key signs: a revocation counts whatever else is said. Documents that disagree on role or public key
 * make the key unusable. What does not verify is a finding. Throws CouldNot only when the store cannot be listed.
 */
export async function readLedgerKeys(
  store: Store,
  releasePems: readonly string[],
): Promise<{ keys: LedgerKey[]; findings: Finding[] }> {
  const findings: Finding[] = [];
  const wrong = (key: string, detail: string) => findings.push({ code: 'BAD_KEY', key, run: null, detail });
  const documents = new Map<string, KeyDocument[]>();
  for (const entry of await entriesUnder(store, KEYS_PREFIX)) {
    const { key } = entry;
    try {
      const document = readSigned(
        await readAtMost(store, entry, DOCUMENT_LIMIT),
        releasePems,
        KEY_PREDICATE_TYPE,
        keyDocument,
      );
      if (!key.startsWith(`${KEYS_PREFIX}${document.id}.json`) && !key.startsWith(`${KEYS_PREFIX}${document.id}~`)) {
        throw new Denied('key.misfiled', `it is about key ${document.id}, whose documents have other names`);
      }
      // A key of another type would make every verification throw.
      requireStatementKey(publicKey(document.publicKey, 'its key'), 'its key');
      documents.set(document.id, [...(documents.get(document.id) ?? []), document]);
    } catch (cause) {
      wrong(key, messageOf(cause));
    }
  }
  const entries = (await newestRegister(store, releasePems, wrong))?.keys ?? [];
  const keys: LedgerKey[] = [];
  for (const about of documents.values()) {
    const [first] = about as [KeyDocument];
    if (about.some((document) => document.role !== first.role || document.publicKey !== first.publicKey)) {
      wrong(
        `${KEYS_PREFIX}${first.id}.json`,
        `documents about key ${first.id} disagree on its role or public key: it is not used`,
      );
    } else {
      keys.push(ledgerKey(first, about, [...about, ...entries.filter((entry) => entry.id === first.id)]));
    }
  }
  return { keys, findings };
}

function ledgerKey(
  { id, role, publicKey: publicKeyPem }: KeyDocument,
  about: KeyDocument[],
  windows: Window[],
): LedgerKey {
  return {
    id,
    role,
    publicKeyPem,
    mayWrite: (repositoryId) =>
      about.every(({ repositories }) => repositories.includes('*') || repositories.includes(repositoryId)),
    inForce: (at) =>
      windows.every(
        ({ from, until, revokedAt }) =>
          ms(from) <= at && (until === null || at < ms(until)) && (revokedAt === null || at < ms(revokedAt)),
      ),
  };
}

/** The register with the highest number that verifies; the ledger only takes the windows of keys from it. */
async function newestRegister(
  store: Store,
  releasePems: readonly string[],
  wrong: (key: string, detail: string) => void,
): Promise<Register | null> {
  for (const entry of (await entriesUnder(store, REGISTER_PREFIX)).reverse()) {
    try {
      const document = readSigned(
        await readAtMost(store, entry, REGISTER_LIMIT),
        releasePems,
        REGISTER_PREDICATE_TYPE,
        register,
      );
      // An old register under a new name would take back a revocation.
      if (entry.key === `${REGISTER_PREFIX}${String(document.number).padStart(10, '0')}.json`) return document;
      wrong(entry.key, `it is register number ${document.number}, which lies elsewhere`);
    } catch (cause) {
      wrong(entry.key, messageOf(cause));
    }
  }
  return null;
}

/** A document signed by role release. Release keys are the root of trust: their window is the trust file's business. */
function readSigned<T>(
  bytes: Buffer,
  releasePems: readonly string[],
  predicateType: string,
  schema: z.ZodMiniType<T>,
): T {
  const keys = releasePems.map((publicKeyPem, index) => ({ id: `release ${index + 1}`, publicKeyPem }));
  const expected = { keys, subjectDigest: null, predicateTypes: [predicateType], inForce: () => true };
  const { statement } = verifyStatement(bytes, expected, 'document');
  const parsed = schema.safeParse(statement.predicate);
  if (!parsed.success)
    throw new Denied('key.schema', `it does not fit its schema: ${problemText(parsed.error, schema)}`);
  return parsed.data;
}

/** The schema has accepted the time. */
function ms(time: string): number {
  return parseTime(time) as number;
}
