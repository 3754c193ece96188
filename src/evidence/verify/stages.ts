import type { ContractFile } from '../../contract/contract-file.ts';
import { parseContract } from '../../contract/load-contract.ts';
import { messageOf } from '../../lib/errors.ts';
import type { Store } from '../../store/store.ts';
import { readAttachment } from '../blob.ts';
import { type Finding, type FindingCode, SETTLE_LIMIT } from '../finding.ts';
import { isImageStage, meets, rankOf, requiredStages } from '../stages.ts';
import { isPipeline, type RunView } from './runs.ts';
import type { Accepted } from './survey.ts';

/** Finds the stages that runs owe and lack. One for a whole ledger: contracts are read once. */
export class StageCheck {
  readonly #store: Store;
  readonly #now: number;
  readonly #contracts = new Map<string, ContractFile | string>();
  /** Image-stage records of sealed runs, by the digest that they are about. */
  readonly #sealed = new Map<string, Accepted[]>();

  constructor(store: Store, runs: Iterable<RunView>, now: number) {
    this.#store = store;
    this.#now = now;
    for (const { seals, records } of runs) {
      if (seals.length === 0) continue;
      for (const accepted of records) this.#index(accepted);
    }
  }

  #index(accepted: Accepted): void {
    for (const { digest } of accepted.record.subjects) {
      const about = this.#sealed.get(digest);
      if (about === undefined) this.#sealed.set(digest, [accepted]);
      else about.push(accepted);
    }
  }

  async check(run: RunView): Promise<Finding[]> {
    const opened = run.records.filter(({ record }) => record.type === 'run.opened');
    const findings: Finding[] = [];
    const add = (code: FindingCode, key: string | null, detail: string) =>
      findings.push({ code, key, run: run.name, detail });
    const required = new Set<string>();
    for (const each of opened) for (const stage of await this.#required(each, add)) required.add(stage);
    for (const stage of owed(run, [...required], this.#now)) {
      if (!this.#isMet(run, stage)) add('MISSING_STAGE', null, stage);
    }
    return findings;
  }

  /** What run.opened says, and what its own contract says; where they differ, both. */
  async #required(
    { key, record }: Accepted,
    add: (code: FindingCode, key: string, detail: string) => void,
  ): Promise<string[]> {
    const said = Array.isArray(record.data.required)
      ? record.data.required.filter((stage) => typeof stage === 'string')
      : [];
    const contract = await this.#contract(
      record.attachments.find(({ role, digest }) => role === 'contract' && digest === record.data.contract),
    );
    if (typeof contract === 'string') {
      add('BAD_CONTRACT', key, contract);
      return said;
    }
    try {
      const computed = requiredStages(
        contract,
        record.environment ?? '',
        said.includes('deploy.outcome') ? 'deploy' : 'promote',
      );
      if (computed.length !== new Set(said).size || !computed.every((stage) => said.includes(stage))) {
        add(
          'BAD_CONTRACT',
          key,
          `it requires ${said.join(' ') || 'nothing'}; its contract asks for ${computed.join(' ')}`,
        );
      }
      return [...said, ...computed];
    } catch (cause) {
      add('BAD_CONTRACT', key, messageOf(cause));
      return said;
    }
  }

  /** The contract of an attachment, or why there is none. */
  async #contract(attachment: Accepted['record']['attachments'][number] | undefined): Promise<ContractFile | string> {
    if (attachment === undefined) return 'the contract that data.contract names is not attached';
    const known = this.#contracts.get(attachment.digest);
    if (known !== undefined) return known;
    const read = await readAttachment(this.#store, attachment).then(
      (bytes) => parseContract(bytes, attachment.digest).file,
      messageOf,
    );
    this.#contracts.set(attachment.digest, read);
    return read;
  }

  /** By a record of this run; for what is about the image itself, also by one of a sealed run about the same digest. */
  #isMet(run: RunView, stage: string): boolean {
    if (run.records.some(({ record }) => meets(stage, record))) return true;
    if (!isImageStage(stage)) return false;
    const digests = run.records.flatMap(({ record }) => record.subjects.map(({ digest }) => digest));
    return digests.some((digest) => this.#sealed.get(digest)?.some(({ record }) => meets(stage, record)) === true);
  }
}

/** A run under way owes nothing yet; one that was stopped or denied owes what comes before the last thing that it did. */
function owed(run: RunView, required: string[], now: number): string[] {
  const began = Math.min(...run.records.map(({ at }) => at));
  if (run.seals.length === 0 && now - began <= SETTLE_LIMIT) return [];
  if (!wasStopped(run)) return required;
  const reached = Math.max(...run.records.filter(isPipeline).map(({ record }) => rankOf(record.type)));
  return required.filter((stage) => rankOf(stage) < reached);
}

function wasStopped({ records, seals }: RunView): boolean {
  const decision = records
    .filter(({ record }) => record.type === 'gate.decided')
    .sort(byTime)
    .at(-1);
  const seal = [...seals].sort((a, b) => a.attempt - b.attempt).at(-1);
  const denied =
    decision !== undefined && (decision.record.outcome !== 'success' || decision.record.data.outcome === 'deny');
  return denied || (seal !== undefined && seal.record.outcome !== 'success');
}

function byTime(a: Accepted, b: Accepted): number {
  return a.at - b.at || (a.record.time < b.record.time ? -1 : 1);
}
