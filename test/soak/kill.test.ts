import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { directoryStore } from '../../src/store/directory.ts';

const WRITER = fileURLToPath(new URL('./kill-writer.js', import.meta.url));
const STEPS = ['open', 'write', 'fsync', 'link'] as const;
const KILLS_A_STEP = 20;
const RANDOM_KILLS = 200;

interface Outcome {
  acknowledged: number;
  visible: number;
  /** Temporary files that the dead process left. */
  leftovers: number;
  /** Objects whose bytes are not those of their name. */
  torn: number;
  /** Acknowledged objects that are not there. */
  lost: number;
}
const NOTHING: Outcome = { acknowledged: 0, visible: 0, leftovers: 0, torn: 0, lost: 0 };

function sum(a: Outcome, b: Outcome): Outcome {
  return {
    acknowledged: a.acknowledged + b.acknowledged,
    visible: a.visible + b.visible,
    leftovers: a.leftovers + b.leftovers,
    torn: a.torn + b.torn,
    lost: a.lost + b.lost,
  };
}

/** Runs one writer until it is dead and looks at what is in the store. `after` kills it so many milliseconds after its first put. */
async function kill(
  writer: 'store' | 'naive',
  step: (typeof STEPS)[number] | 'never',
  count: number,
  after: number | null,
): Promise<Outcome> {
  const root = mkdtempSync(join(tmpdir(), 'gatehouse-kill-'));
  const child = spawn(process.execPath, [WRITER, root, writer, step, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (said === '' && after !== null) setTimeout(() => child.kill('SIGKILL'), after);
    said += text;
  });
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  expect(signal).toBe('SIGKILL');
  const outcome = await inspect(root, said.split('\n').slice(0, -1));
  rmSync(root, { recursive: true });
  return outcome;
}

async function inspect(root: string, acknowledged: string[]): Promise<Outcome> {
  const store = directoryStore(root);
  const whole = new Set<string>();
  let visible = 0;
  for await (const { key, oddity } of store.list('')) {
    visible += 1;
    const bytes = oddity === null ? await store.get(key) : null;
    if (bytes !== null && key.endsWith(`/${createHash('sha256').update(bytes).digest('hex')}.json`)) whole.add(key);
  }
  const temporary = join(root, '.tmp');
  return {
    acknowledged: acknowledged.length,
    visible,
    leftovers: existsSync(temporary) ? readdirSync(temporary).length : 0,
    torn: visible - whole.size,
    lost: acknowledged.filter((key) => !whole.has(key)).length,
  };
}

/** Two at a time: the machine has at least two cores, and a dying process should not have one to itself. */
async function all(tasks: (() => Promise<Outcome>)[]): Promise<Outcome> {
  let total = NOTHING;
  const queue = tasks.values();
  const worker = async () => {
    for (const task of queue) {
      const outcome = await task();
      total = sum(total, outcome);
    }
  };
  await Promise.all([worker(), worker()]);
  return total;
}

describe('a writer that is killed', () => {
  it.each(STEPS)(`after %s, ${KILLS_A_STEP} times: nothing torn, nothing acknowledged lost`, async (step) => {
    const outcome = await all(
      Array.from({ length: KILLS_A_STEP }, (_, i) => () => kill('store', step, 1 + (i % 4), null)),
    );
    process.stdout.write(`killed ${KILLS_A_STEP} times after ${step}: ${JSON.stringify(outcome)}\n`);
    expect(outcome).toMatchObject({ torn: 0, lost: 0 });
    // The kill came where it should: each died with its temporary file not yet removed.
    expect(outcome.leftovers).toBe(KILLS_A_STEP);
    expect(outcome.visible).toBe(step === 'link' ? outcome.acknowledged + KILLS_A_STEP : outcome.acknowledged);
  });

  it(`at any moment, ${RANDOM_KILLS} times: nothing torn, nothing acknowledged lost`, async () => {
    const outcome = await all(
      Array.from({ length: RANDOM_KILLS }, () => () => kill('store', 'never', 0, Math.random() * 25)),
    );
    process.stdout.write(`killed ${RANDOM_KILLS} times at random: ${JSON.stringify(outcome)}\n`);
    expect(outcome).toMatchObject({ torn: 0, lost: 0 });
    expect(outcome.acknowledged).toBeGreaterThanOrEqual(RANDOM_KILLS);
  });

  it('while it writes to the final name, as naive writers do, leaves torn objects, and this test sees them', async () => {
    const outcome = await all((['open', 'write'] as const).map((step) => () => kill('naive', step, 2, null)));
    process.stdout.write(`a naive writer killed twice: ${JSON.stringify(outcome)}\n`);
    expect(outcome.torn).toBe(2);
  });
});
