import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { signStatement } from '../../src/attestation/sign.ts';
import { REGISTER_PREDICATE_TYPE } from '../../src/contract/register.ts';
import type { Role } from '../../src/contract/roles.ts';
import { appendRecord } from '../../src/evidence/append.ts';
import { type RecordInput, type SignedRecord, signRecord } from '../../src/evidence/record.ts';
import {
  type Delivery,
  deliver,
  keys,
  type Ledger,
  newLedger,
  p256Signer,
  placeOfStep,
  release,
  sampleInput,
} from '../unit/evidence/sample-ledger.ts';

/** An attack, the codes that `ledger verify` must then show, and how much later the auditor looks. */
export type Attack = [
  what: string,
  attack: (scene: Scene) => Promise<void> | void,
  codes: string[],
  hoursLater?: number,
];

/** A ledger with the sealed run r1, at the mercy of an attacker who may do anything to its folder. */
export interface Scene extends Ledger {
  r1: Delivery;
}

export async function newScene(): Promise<Scene> {
  const ledger = await newLedger();
  return { ...ledger, r1: await deliver(ledger, 'r1') };
}

export const path = ({ folder }: Ledger, key: string) => join(folder, key);
export const keyOf = ({ r1 }: Scene, name: string) => r1.receipts.get(name)?.key as string;
export function remove(scene: Scene, ...keys: string[]): void {
  for (const key of keys) rmSync(path(scene, key), { recursive: true });
}
export function write(scene: Scene, key: string, bytes: Uint8Array | string): void {
  mkdirSync(dirname(path(scene, key)), { recursive: true });
  rmSync(path(scene, key), { force: true });
  writeFileSync(path(scene, key), bytes);
}

/** A record of run r1, signed by this key, laid beside the others under a name of its own. */
export async function add(
  scene: Scene,
  type: string,
  signer: keyof typeof keys | 'outsider',
  role: Role,
  more: Partial<RecordInput> = {},
): Promise<void> {
  const by = signer === 'outsider' ? p256Signer('outsider') : keys[signer];
  const signed = await signRecord(sampleInput(type, scene.r1.run, more), placeOfStep(1, 'late'), { signer: by, role });
  await appendRecord(scene.store, signed);
}

/** The record as the thief of its key would have written it. */
export async function forge(scene: Scene, name: string, role: 'gate' | 'deploy'): Promise<SignedRecord> {
  const { record } = scene.r1.signed.get(name) ?? { record: undefined };
  if (record === undefined) throw new Error(name);
  const { specversion, schema, id, controls, ...input } = record;
  const [step] = name.split('/') as [string];
  return signRecord({ ...input, data: { ...input.data, forged: true } }, placeOfStep(1, step), {
    signer: keys[role],
    role,
  });
}

export function breakSignature(bytes: Buffer): Buffer {
  const bundle = JSON.parse(bytes.toString()) as { dsseEnvelope: { signatures: [{ sig: string }] } };
  const signature = Buffer.from(bundle.dsseEnvelope.signatures[0].sig, 'base64');
  signature[signature.length - 1] = (signature[signature.length - 1] as number) ^ 1;
  bundle.dsseEnvelope.signatures[0].sig = signature.toString('base64');
  return Buffer.from(JSON.stringify(bundle));
}

export const batches = (scene: Scene) =>
  readdirSync(path(scene, 'v1/log/batch'))
    .sort()
    .map((name) => `v1/log/batch/${name}`);
export function editBatch(
  scene: Scene,
  edit: (batch: { leaves: { digest: string }[]; checkpoint: string }) => void,
): void {
  const [key] = batches(scene) as [string];
  const batch = JSON.parse(readFileSync(path(scene, key), 'utf8'));
  edit(batch);
  write(scene, key, JSON.stringify(batch));
}

export function keyDocument(more: { revokedAt?: string }) {
  return {
    schema: 'gatehouse/key/1' as const,
    id: 'emit-1',
    role: 'emit' as const,
    publicKey: keys.emit.publicKeyPem,
    repositories: ['7'],
    from: '2020-01-01T00:00:00Z',
    until: null,
    revokedAt: null,
    ...more,
  };
}

export async function publishRegister(
  scene: Scene,
  number: number,
  windows: { id: string; from: string; until: string | null; revokedAt: string | null }[],
): Promise<void> {
  const digest = `sha256:${'0'.repeat(64)}`;
  const predicate = {
    schema: 'gatehouse/register/1',
    number,
    time: new Date().toISOString(),
    minimumVersion: '0.1.0',
    releases: [
      {
        version: '0.1.0',
        commits: [],
        distDigest: digest,
        contractDigest: digest,
        policyDigest: digest,
        notAfter: null,
      },
    ],
    keys: windows,
    revokedDigests: [],
    agreements: [],
    waivers: [],
    people: [],
    groups: [],
  };
  const bytes = await signStatement(release, {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'register', digest: { sha256: '0'.repeat(64) } }],
    predicateType: REGISTER_PREDICATE_TYPE,
    predicate,
  });
  await scene.store.put(`v1/register/${String(number).padStart(10, '0')}.json`, bytes);
}

export function blobKeyOf(scene: Scene): string {
  return scene.r1.signed.get('open/run.opened')?.record.attachments[0]?.key as string;
}

export function pointerOf(scene: Scene, type: string): string {
  const pointer = [...scene.r1.signed.values()]
    .flatMap(({ pointers }) => pointers)
    .find(({ key }) => key.includes(`/${type}-`));
  return pointer?.key as string;
}

/** Bends a run to be about another image, so that r1 meets none of its stages. */
export function elsewhere(_name: string, input: RecordInput): RecordInput {
  return { ...input, subjects: [{ name: '127.0.0.1:5000/other', kind: 'image', digest: `sha256:${'b'.repeat(64)}` }] };
}
