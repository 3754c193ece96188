import { randomUUID } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { localSigner } from '../attestation/keys/local.ts';
import type { Signer } from '../attestation/signer.ts';
import type { Contract } from '../contract/load-contract.ts';
import { problemText } from '../contract/problems.ts';
import type { Receipt } from '../contract/receipt.ts';
import type { Attachment, Record } from '../contract/record.ts';
import type { Role } from '../contract/roles.ts';
import { type RunFile, runFile as runFileSchema } from '../contract/run.ts';
import { appendRecord } from '../evidence/append.ts';
import { putBlob } from '../evidence/blob.ts';
import type { Place } from '../evidence/layout.ts';
import { type LedgerKey, readLedgerKeys } from '../evidence/ledger-keys.ts';
import { type RecordInput, signRecord, type Writer } from '../evidence/record.ts';
import { readRegister, type SignedRegister } from '../evidence/register.ts';
import { BadInput, Denied, messageOf } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { formatTime } from '../lib/time.ts';
import { replaceFile } from '../lib/write.ts';
import { localPlatform } from '../platform/local.ts';
import type { Platform, RunIdentity } from '../platform/platform.ts';
import { openStore, type Store } from '../store/store.ts';
import type { Context } from './command.ts';
import { distDigest, ownContract, ownContractPath } from './release.ts';
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
  /** Milliseconds. */
  now(): number;
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

/** Thrown where nothing verified says which workflow this is: the gate turns it into a recorded-nowhere denial. */
export class Untrusted extends Denied {}

/**
 * Opens a stage of a run under one role. In profile local the run comes from the file `--run` and the platform file that the
 * contract names. Throws Untrusted outside a trusted workflow, BadInput for a key that is not the role's.
 */
export function openStage(
  role: Role,
  given: { run?: string | undefined; key?: string | undefined },
  context: Context,
  opening?: { jobKey: string },
): Promise<Stage> {
  const contract = ownContract(context.home);
  const folder = dirname(resolve(ownContractPath(context.home)));
  return openLocal(role, given, context, contract, folder, opening);
}

async function openLocal(
  role: Role,
  given: { run?: string | undefined; key?: string | undefined },
  context: Context,
  contract: Contract,
  folder: string,
  opening?: { jobKey: string },
): Promise<Stage> {
  const [local] = contract.file.platforms;
  if (local?.kind !== 'local') {
    throw new Untrusted(
      'workflow_untrusted',
      'this runs outside the trusted workflow: no verified identity says which workflow it is',
    );
  }
  if (given.run === undefined)
    throw new BadInput(
      'inputs.run',
      'a local run needs its file: add --run FILE, made by evidence-emit --type run.opened',
    );
  const step = opening === undefined ? takeStep(given.run) : null;
  const platform = localPlatform(resolve(folder, local.file), step?.file ?? null);
  const identity = await platform.identify();
  const store = storeOf(contract.file.evidence.store, folder);
  const signer = signerOf(role, contract, given.key, folder);
  const writer: Writer = { signer, role };
  const place: Place = { jobKey: opening?.jobKey ?? (step as Step).file.jobKey, stepKey: `step-${step?.number ?? 0}` };
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
    register: () =>
      readRegister(storeOf(contract.file.register.url ?? contract.file.evidence.store, folder), {
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

/** A store of the contract; a relative `file:` URL is relative to contract.yml. */
export function storeOf(url: string, folder: string): Store {
  return openStore(
    url.startsWith('file:') && !url.startsWith('file:///')
      ? `file://${resolve(folder, url.slice('file:'.length))}`
      : url,
  );
}

/** The role's signer: the contract's key whose private half this is. */
export function signerOf(
  role: Role,
  contract: Contract,
  url: string | undefined,
  folder: string,
  open = localSigner,
): Signer {
  const keys = contract.file.trust.keys[role] ?? [];
  if (keys.length === 0)
    throw new BadInput('key.no_role', `contract.yml names no key of role ${role}: add one under trust.keys.${role}`);
  const failures: string[] = [];
  for (const key of keys) {
    const where = url ?? key.url;
    if (where === undefined) {
      failures.push(`key ${key.id} has no url in the contract and no --key was given`);
      continue;
    }
    try {
      return open(where, { id: key.id, publicKeyPem: key.public }, url === undefined ? folder : process.cwd());
    } catch (cause) {
      if (!(cause instanceof BadInput)) throw cause;
      failures.push(messageOf(cause));
    }
  }
  throw new BadInput('key.none', `no key of role ${role} can be used: ${failures.join('; ')}`);
}

interface Step {
  file: RunFile;
  number: number;
}

/** Takes the next step number and writes the file before anything is recorded: a step that dies leaves a number out, never twice. */
function takeStep(path: string): Step {
  const parsed = runFileSchema.safeParse(parseJson(readInput(path, 'run file', 64 * 1024), `run file ${path}`));
  if (!parsed.success)
    throw new BadInput(
      'run.file',
      `run file ${path} does not fit its schema: ${problemText(parsed.error, runFileSchema)}`,
    );
  writeRunFile(path, { ...parsed.data, nextStep: parsed.data.nextStep + 1 });
  return { file: parsed.data, number: parsed.data.nextStep };
}

export function writeRunFile(path: string, file: RunFile): void {
  replaceFile(path, `${JSON.stringify(file)}\n`, 'run file');
}

/** A random job key for a run that is opened by hand. */
export function newJobKey(): string {
  return `local-${randomUUID().slice(0, 8)}`;
}
