import { signStatement } from '../attestation/sign.ts';
import type { Signer } from '../attestation/signer.ts';
import { controlsOfType } from '../contract/controls.ts';
import { slug } from '../contract/primitives.ts';
import { problemText } from '../contract/problems.ts';
import { PREDICATE_TYPE, RECORD_LIMIT, type Record, record, STATEMENT_TYPE } from '../contract/record.ts';
import { type Role, roleOfType } from '../contract/roles.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput } from '../lib/errors.ts';
import { type Place, pointerKeys, recordKey } from './layout.ts';
import { redact } from './redact.ts';
import { slotId } from './slot.ts';

/** What a stage has to say. Id, controls and format are added here and cannot be chosen. */
export type RecordInput = Omit<Record, 'specversion' | 'schema' | 'id' | 'controls'>;

/** Who signs: a key and the role that the contract gives it. */
export interface Writer {
  signer: Signer;
  role: Role;
}

/** A record ready to be stored. Retries send these very bytes: signing again would make another object in the same slot. */
export interface SignedRecord {
  record: Record;
  /** Sigstore bundle, canonical JSON, one line without a line feed. */
  bytes: Buffer;
  digest: string;
  key: string;
  pointers: { key: string; bytes: Buffer }[];
  /** How many secrets were replaced before signing; also in `data.redactions` when there were any. */
  redacted: number;
}

/**
 * Builds and signs one record: redacts, checks the schema, refuses a type that the role may not sign. `tool` is the scanner
 * that by-digest pointers name. Throws BadInput `evidence.role`, `evidence.record` or `evidence.too_large`.
 */
export async function signRecord(
  input: RecordInput,
  place: Place,
  writer: Writer,
  tool: string | null = null,
): Promise<SignedRecord> {
  const { complete, redacted } = build(input, place, writer.role);
  const bytes = await signStatement(writer.signer, {
    _type: STATEMENT_TYPE,
    subject: statementSubjects(complete),
    predicateType: PREDICATE_TYPE,
    predicate: complete,
  });
  if (bytes.length > RECORD_LIMIT) {
    throw new BadInput(
      'evidence.too_large',
      `record ${complete.type} has ${bytes.length} bytes with its envelope, more than ${RECORD_LIMIT}: attach what is large as a blob`,
    );
  }
  const digest = digestOf(bytes);
  const key = recordKey(complete, place, digest);
  const pointing = canonicalBytes({ key, tool });
  return {
    record: complete,
    bytes,
    digest,
    key,
    pointers: pointerKeys(complete, digest).map((at) => ({ key: at, bytes: pointing })),
    redacted,
  };
}

/** A role signs its own types; `emit` signs what no role owns. */
export function maySign(role: Role, type: string): boolean {
  return (Object.hasOwn(roleOfType, type) ? roleOfType[type as keyof typeof roleOfType] : 'emit') === role;
}

/** The record's subjects as an in-toto statement names them. */
export function statementSubjects(record: Record): { name: string; digest: { [algorithm: string]: string } }[] {
  return record.subjects.map(({ name, digest }) => {
    const [algorithm, hex] = digest.split(':') as [string, string];
    return { name, digest: { [algorithm]: hex } };
  });
}

function build(input: RecordInput, place: Place, role: Role): { complete: Record; redacted: number } {
  if (!maySign(role, input.type)) {
    throw new BadInput(
      'evidence.role',
      `role ${role} may not sign ${input.type}: readers would refuse the record; let the component whose record it is write it`,
    );
  }
  if (!slug.safeParse(place.jobKey).success || !slug.safeParse(place.stepKey).success) {
    throw new BadInput(
      'evidence.place',
      `job key ${JSON.stringify(place.jobKey)} or step key ${JSON.stringify(place.stepKey)} cannot stand in a store key: use letters, digits, dot, dash and underscore`,
    );
  }
  const { value, count } = redact(input);
  requireIntegers(value.data, 'data');
  const parsed = record.safeParse({
    ...value,
    specversion: '1.0',
    schema: 'gatehouse/record/1',
    id: slotId(input.run, place, input.seq, input.type),
    controls: controlsOfType(input.type),
    data: count === 0 ? value.data : { ...value.data, redactions: count },
  });
  if (!parsed.success)
    throw new BadInput(
      'evidence.record',
      `record ${input.type} does not fit its schema: ${problemText(parsed.error, record)}`,
    );
  return { complete: parsed.data, redacted: count };
}

/** Readers in other languages disagree on fractions in canonical JSON, so records have none. */
function requireIntegers(value: unknown, path: string): void {
  if (typeof value === 'number' && !Number.isSafeInteger(value)) {
    throw new BadInput(
      'evidence.record',
      `${path} is ${value}: a record holds integers only; write a fraction as text or in a smaller unit`,
    );
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, inner] of Object.entries(value)) requireIntegers(inner, `${path}.${name}`);
}
