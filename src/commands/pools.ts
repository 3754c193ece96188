import type { Collected, Part } from '../contract/collected.ts';
import type { Context } from './command.ts';
import type { Stage } from './stage.ts';

/**
 * Whether the jobs that hold no key ran where the contract wants them to. A label says nothing: whoever may register a runner
 * gives it any label, and what such a machine built or scanned is its owner's word. A platform whose jobs are not of one
 * workflow cannot be asked, and nothing is taken away there. Of what was collected it is the runner of that very job.
 */
export async function ranInPool(stage: Stage, job: Part, context: Context, collected?: Collected): Promise<boolean> {
  const { platform, identity, contract } = stage;
  if (collected === undefined && platform.poolOf === undefined) return true;
  const pool = collected === undefined ? ((await platform.poolOf?.(identity.run, job)) ?? null) : collected.job.runner;
  const pools = Object.values(contract.file.environments).flatMap((environment) => environment['runner-pools']);
  if (pool !== null && pools.includes(pool)) return true;
  context.progress(
    `job ${job} ran in ${pool === null ? 'no runner pool that the platform names' : `runner pool ${pool}`}, which contract.yml does not list (runner-pools): nothing that it says of itself counts`,
  );
  return false;
}
