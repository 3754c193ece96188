import { problemText } from '../contract/problems.ts';
import { type Run, run as runSchema } from '../contract/run.ts';
import { Denied } from '../lib/errors.ts';
import type { ClaimedRun, RunIdentity } from './platform.ts';

/** Says that what the token claims is not what the platform's API knows of the run. */
export function mismatch(what: string): Denied {
  return new Denied(
    'platform.mismatch',
    `the platform's API does not confirm the job's token: ${what}; a token of another run is not accepted`,
  );
}

/** A claimed run with its runner, as records hold it. Throws Denied where a value does not fit a record. */
export function identityWith(
  { run, workflow, runner }: ClaimedRun,
  found: { name: string; pool: string; triggeredBy: string; reranBy: string | null },
): RunIdentity {
  const whole: Run = {
    ...run,
    runner: { name: found.name, pool: found.pool, environment: runner.environment, hosted: runner.hosted, image: null },
  };
  const parsed = runSchema.safeParse(whole);
  if (!parsed.success) throw mismatch(`it does not fit a record: ${problemText(parsed.error, runSchema)}`);
  return { run: parsed.data, workflow, triggeredBy: found.triggeredBy, reranBy: found.reranBy };
}
