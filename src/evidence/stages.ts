import type { ContractFile } from '../contract/contract-file.ts';
import { BadInput } from '../lib/errors.ts';

/** How far a run goes: to the decision that an image may be promoted, or into an environment. */
export type Extent = 'promote' | 'deploy';

/** Prefix of the stages that one scan each meets: `scan.completed:<category>`. */
const SCAN = 'scan.completed:';

/**
 * The records that a run owes, from the contract: what `run.opened` says in `data.required` and what verifiers compute again.
 * Scans are named with the category, `scan.completed:sca`; such a record's `data.covers` lists its categories. Throws BadInput for an
 * environment that the contract lacks.
 */
export function requiredStages(contract: ContractFile, environment: string, extent: Extent): string[] {
  if (!Object.hasOwn(contract.environments, environment)) {
    throw new BadInput(
      'contract.environment',
      `environment ${environment} is not in the contract; it knows ${Object.keys(contract.environments).join(', ')}`,
    );
  }
  const scans = (contract.environments[environment]?.required ?? []).map((category) => SCAN + category);
  const deploy = ['approval.decided', 'deploy.intent', 'deploy.outcome'];
  return [
    'run.opened',
    ...scans,
    ...IMAGE_STAGES,
    'change.reviewed',
    'gate.decided',
    ...(extent === 'deploy' ? deploy : []),
  ];
}

const IMAGE_STAGES = ['build.completed', 'sbom.created', 'artifact.signed'];

/** Whether a record of another, sealed run for the same digest can meet this stage. */
export function isImageStage(stage: string): boolean {
  return IMAGE_STAGES.includes(stage) || stage.startsWith(SCAN);
}

/** Whether a record of this type and data meets the stage. */
export function meets(stage: string, record: { type: string; data: { [name: string]: unknown } }): boolean {
  if (!stage.startsWith(SCAN)) return record.type === stage;
  const { covers } = record.data;
  return record.type === 'scan.completed' && Array.isArray(covers) && covers.includes(stage.slice(SCAN.length));
}

/**
 * When a stage is due, as a rank: a run that was stopped owes what ranks below the last thing that it did. Scan and signing
 * run side by side, so they share a rank.
 */
export function rankOf(type: string): number {
  if (type === 'run.opened') return 0;
  const later = ['change.reviewed', 'gate.decided', 'approval.decided', 'deploy.intent', 'deploy.outcome'].indexOf(
    type,
  );
  return later === -1 ? 1 : later + 2;
}
