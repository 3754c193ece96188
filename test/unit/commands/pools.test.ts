import { ranInPool } from '../../../src/commands/pools.ts';
import type { Stage } from '../../../src/commands/stage.ts';
import type { Collected } from '../../../src/contract/collected.ts';

/** A stage of which only what is asked here is there. */
const stageWith = (poolOf: (() => Promise<string | null>) | undefined) =>
  ({
    platform: poolOf === undefined ? {} : { poolOf },
    identity: { run: {} },
    contract: {
      file: { environments: { test: { 'runner-pools': ['tests'] }, production: { 'runner-pools': ['pool'] } } },
    },
  }) as unknown as Stage;

async function asked(pool: string | null | undefined): Promise<{ ran: boolean; said: string }> {
  const lines: string[] = [];
  const stage = stageWith(pool === undefined ? undefined : async () => pool);
  const ran = await ranInPool(stage, 'scan', { progress: (line: string) => void lines.push(line) } as never);
  return { ran, said: lines.join('\n') };
}

it.each(['pool', 'tests'])('a job in pool %s of the contract counts', async (pool) => {
  expect(await asked(pool)).toEqual({ ran: true, said: '' });
});

it('a platform whose jobs are not of one workflow is not asked', async () => {
  expect(await asked(undefined)).toEqual({ ran: true, said: '' });
});

it.each([
  ['pool', true],
  ['77', false],
  [null, false],
])('what was collected from runner %p is asked of nobody', async (runner, counts) => {
  const collected = { job: { runner } } as Collected;
  const asking = stageWith(() => Promise.reject(new Error('asked')));
  expect(await ranInPool(asking, 'build', { progress: () => {} } as never, collected)).toBe(counts);
  expect(await ranInPool(stageWith(undefined), 'build', { progress: () => {} } as never, collected)).toBe(counts);
});

it.each(['Default', 'pool ', 'Pool', '', null])('a job in %p does not count, and people are told', async (pool) => {
  const { ran, said } = await asked(pool);
  expect(ran).toBe(false);
  expect(said).toMatch(/job scan ran in .*runner-pools/);
});
