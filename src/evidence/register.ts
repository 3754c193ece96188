import { signStatement } from '../attestation/sign.ts';
import type { Signer, TrustedKey } from '../attestation/signer.ts';
import { verifyStatement } from '../attestation/verify.ts';
import { problemText } from '../contract/problems.ts';
import { STATEMENT_TYPE } from '../contract/record.ts';
import { REGISTER_PREDICATE_TYPE, type Register, register as registerSchema } from '../contract/register.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf, sha256Hex } from '../lib/digest.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import { REGISTER_PREFIX } from './ledger-keys.ts';

/** Who may have signed registers, and when that key is valid: both stand in the contract. */
export interface RegisterTrust {
  keys: readonly TrustedKey[];
  window: { from: string; until: string };
}

export interface SignedRegister {
  register: Register;
  /** Of the stored bytes. */
  digest: string;
  bytes: Buffer;
}

/** What a person edits; number, time and format are added at publication. */
export type RegisterDraft = Omit<Register, 'schema' | 'number' | 'time'>;
export const registerDraft = z.omit(registerSchema, { schema: true, number: true, time: true });

/**
 * The newest register. Throws Denied when there is none, when a number is missing below it (somebody hides one) or when it
 * does not verify: an older register is never used instead, since the newer one may have revoked what is judged.
 */
export async function readRegister(store: Store, trust: RegisterTrust): Promise<SignedRegister> {
  const newest = await newestNumber(store);
  if (newest === 0)
    throw denied(
      'none',
      'the store has no register: nothing says which releases, keys and people are in force; publish one with `gatehouse register publish`',
    );
  const key = registerKey(newest);
  const bytes = await store.get(key);
  if (bytes === null) throw denied('missing', `register ${key} was listed but is not there`);
  const { statement } = verifyStatement(
    bytes,
    { keys: trust.keys, subjectDigest: null, predicateTypes: [REGISTER_PREDICATE_TYPE], inForce: () => true },
    `register ${key}`,
  );
  const parsed = registerSchema.safeParse(statement.predicate);
  if (!parsed.success)
    throw denied('schema', `register ${key} does not fit its schema: ${problemText(parsed.error, registerSchema)}`);
  if (parsed.data.number !== newest)
    throw denied('number', `register ${key} says that it is number ${parsed.data.number}`);
  requireWindow(parsed.data, trust, key);
  return { register: parsed.data, digest: digestOf(bytes), bytes };
}

/** Signs the next register as role release and stores it. Throws BadInput when another one was published meanwhile. */
export async function publishRegister(
  store: Store,
  release: Signer,
  draft: RegisterDraft,
  now: number,
): Promise<{ number: number; key: string; digest: string }> {
  const number = (await newestNumber(store)) + 1;
  const predicate = registerSchema.parse({ ...draft, schema: 'gatehouse/register/1', number, time: formatTime(now) });
  const bytes = await signStatement(release, {
    _type: STATEMENT_TYPE,
    subject: [{ name: `register ${number}`, digest: { sha256: sha256Hex(canonicalBytes(predicate)) } }],
    predicateType: REGISTER_PREDICATE_TYPE,
    predicate,
  });
  const key = registerKey(number);
  const { created } = await store.put(key, bytes, 'application/json');
  if (!created)
    throw new BadInput(
      'register.taken',
      `register ${number} was published by somebody else just now: read it, then publish yours as the next`,
    );
  return { number, key, digest: digestOf(bytes) };
}

/** Key of the register with this number: ten digits, so that the order of names is that of numbers. */
export function registerKey(number: number): string {
  return `${REGISTER_PREFIX}${String(number).padStart(10, '0')}.json`;
}

/** The highest number in the store, 0 for none. Throws Denied for a gap and for anything else that lies there. */
async function newestNumber(store: Store): Promise<number> {
  const keys = new Set<string>();
  for await (const { key, oddity } of store.list(REGISTER_PREFIX)) {
    if (oddity !== null || !/\/\d{10}\.json$/.test(key))
      throw denied('odd', `${key} lies among the registers and is none${oddity === null ? '' : ` (${oddity})`}`);
    keys.add(key);
  }
  for (let number = 1; number <= keys.size; number++) {
    if (!keys.has(registerKey(number)))
      throw denied('gap', `register ${number} is missing though there are later ones: somebody hides what it says`);
  }
  return keys.size;
}

function requireWindow(register: Register, { window }: RegisterTrust, key: string): void {
  const at = parseTime(register.time) as number;
  if (at < (parseTime(window.from) as number) || at >= (parseTime(window.until) as number)) {
    throw denied(
      'window',
      `register ${key} is of ${register.time}, outside the release key's window (${window.from} to ${window.until})`,
    );
  }
}

function denied(code: string, message: string): Denied {
  return new Denied(`register.${code}`, message);
}
