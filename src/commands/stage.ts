import { dirname, resolve } from 'node:path';
import { openFile, openKey, type Signed } from '../attestation/keys/open.ts';
import type { Signer } from '../attestation/signer.ts';
import type { Contract } from '../contract/load-contract.ts';
import type { Receipt } from '../contract/receipt.ts';
import type { Attachment, Record } from '../contract/record.ts';
import type { Role } from '../contract/roles.ts';
import { appendRecord } from '../evidence/append.ts';
import { putBlob } from '../evidence/blob.ts';
import type { Place } from '../evidence/layout.ts';
import { type LedgerKey, readLedgerKeys } from '../evidence/ledger-keys.ts';
import { type RecordInput, signRecord, type Writer } from '../evidence/record.ts';
import { readRegister, type SignedRegister } from '../evidence/register.ts';
import { BadInput, messageOf } from '../lib/errors.ts';
import { formatTime } from '../lib/time.ts';
import type { Platform, RunIdentity } from '../platform/platform.ts';
import { type Environment, openStore, type Store } from '../store/store.ts';
import type { Context } from './command.ts';
import { distDigest, ownContract, ownContractPath } from './release.ts';
import { type DecisionTime, hostedSituation, localFile, localSituation, type Whereabouts } from './situation.ts';
import version from './version.generated.json' with { type: 'json' };

/** What happened, for a record; everything else about it is known to the stage. */
export type Event = Pick<Record, 'type' | 'subjects' | 'outcome' | 'data'> &
  Partial<Pick<Record, 'environment' | 'attachments' | 'opId' | 'policy'>>;

export type Written = Receipt & { record: Record; bytes: Buffer };

/** One command's part in a run: who it is, where evidence goes, and the key of its one role. */
export interface Stage {
  contract: Contract;
  store: Store;
  platform: Platform;
  identity: RunIdentity;
  signer: Signer;
  /** Milliseconds, by this machine's clock. */
  now(): number;
  decisionTime(): Promise<DecisionTime>;
  register(): Promise<SignedRegister>;
  ledgerKeys(): Promise<LedgerKey[]>;
  attach(bytes: Uint8Array, role: string, mediaType: string, verbatim?: boolean): Promise<Attachment>;
  /** Signs and stores one record; when it returns, the record is stored. `tool` names the scanner in by-digest pointers. */
  write(event: Event, tool?: string): Promise<Written>;
  /** For what writes its record elsewhere than under v1/records: the fields, the place and the writer. */
  fields(event: Omit<Event, 'type' | 'data'>): Omit<RecordInput, 'type' | 'data' | 'attachments'>;
  place: Place;
  writer: Writer;
}

/**
 * Opens a stage of a run under one role, for the verb that runs. Throws Untrusted outside a trusted workflow, BadInput for a
 * key that is not the role's and under an environment that could bend a trusted job.
 */
export async function openStage(
  role: Role,
  verb: string,
  given: Whereabouts,
  context: Context,
  opening = false,
): Promise<Stage> {
  const contract = ownContract(context.home);
  const folder = dirname(resolve(ownContractPath(context.home)));
  const file = localFile(contract, folder);
  const situation =
    file === null
      ? await hostedSituation(contract, role, verb, given, context)
      : await localSituation(file, given, context, opening);
  const { platform, identity, place } = situation;
  const store = storeOf(contract.file.evidence.store, folder, context.env);
  const signer = signerOf(role, contract, given.key, folder, context.env);
  const writer: Writer = { signer, role };
  const producer = { name: 'gatehouse', version: version.version, digest: distDigest(context.home) };
  let seq = 0;
  const fields: Stage['fields'] = (event) => ({
    source: `${identity.run.platform}://${identity.run.host}/${identity.run.repository}`,
    time: formatTime(context.now()),
    producer,
    run: identity.run,
    actor: {
      identity: `${identity.run.platform}:${identity.triggeredBy}`,
      kind: 'workload',
      provider: identity.run.platform,
      subjectId: identity.run.job,
      triggeredBy: identity.triggeredBy,
      session: null,
      authn: null,
    },
    environment: event.environment ?? null,
    subjects: event.subjects,
    outcome: event.outcome,
    changeTicket: null,
    opId: event.opId ?? null,
    policy: event.policy ?? [],
    seq: seq++,
  });
  return {
    contract,
    store,
    platform,
    identity,
    signer,
    now: context.now,
    decisionTime: situation.decisionTime,
    register: () =>
      readRegister(storeOf(contract.file.register.url ?? contract.file.evidence.store, folder, context.env), {
        keys: releaseKeys(contract),
        window: contract.file.trust['release-window'],
      }),
    ledgerKeys: async () =>
      (
        await readLedgerKeys(
          store,
          releaseKeys(contract).map((key) => key.publicKeyPem),
        )
      ).keys,
    attach: async (bytes, attachmentRole, mediaType, verbatim = false) =>
      (await putBlob(store, bytes, { mediaType, role: attachmentRole, verbatim })).attachment,
    write: async (event, tool) => {
      const signed = await signRecord(
        { ...fields(event), type: event.type, data: event.data, attachments: event.attachments ?? [] },
        place,
        writer,
        tool ?? null,
      );
      return { ...(await appendRecord(store, signed)), record: signed.record, bytes: signed.bytes };
    },
    fields,
    place,
    writer,
  };
}

/** Public release keys as the contract names them: the root of trust of register and keys. */
export function releaseKeys(contract: Contract): { id: string; publicKeyPem: string }[] {
  return (contract.file.trust.keys.release ?? []).map((key) => ({ id: key.id, publicKeyPem: key.public }));
}

/** A store of the contract. Only credentials come from the environment. */
export function storeOf(url: string, folder: string, env: Environment): Store {
  return openStore(absoluteUrl(url, folder), env);
}

/** A store's URL as the contract has it; a relative `file:` URL is relative to contract.yml. */
export function absoluteUrl(url: string, folder: string): string {
  return url.startsWith('file:') && !url.startsWith('file:///')
    ? `file://${resolve(folder, url.slice('file:'.length))}`
    : url;
}

/**
 * The role's signer: over the file that `url` (--key) names, which has to belong to a key of the contract, else over the first
 * key of the contract that opens. Only contract.yml names a key in a KMS: whoever names one says whom the job talks to.
 */
export function signerOf(
  role: Role,
  contract: Contract,
  url: string | undefined,
  folder: string,
  env: Environment,
  signed: Signed = 'statement',
): Signer {
  const keys = contract.file.trust.keys[role] ?? [];
  if (keys.length === 0)
    throw new BadInput('key.no_role', `contract.yml names no key of role ${role}: add one under trust.keys.${role}`);
  const failures: string[] = [];
  for (const key of keys) {
    const expected = { id: key.id, publicKeyPem: key.public };
    try {
      if (url !== undefined) return openFile(url, expected, process.cwd(), signed);
      if (key.url !== undefined) return openKey(key.url, expected, folder, signed, env);
      failures.push(`key ${key.id} has no url in the contract and no --key was given`);
    } catch (cause) {
      if (!(cause instanceof BadInput)) throw cause;
      failures.push(messageOf(cause));
    }
  }
  throw new BadInput('key.none', `no key of role ${role} can be used: ${failures.join('; ')}`);
}
