import { rmSync, writeFileSync } from 'node:fs';
import type { Receipt } from '../contract/receipt.ts';
import { type Record, record as recordSchema } from '../contract/record.ts';
import { type RecordType, roleOfType } from '../contract/roles.ts';
import type { RunFile } from '../contract/run.ts';
import { attemptOfSealKey, recordPrefix } from '../evidence/layout.ts';
import { entriesUnder } from '../evidence/read-object.ts';
import { readRecord } from '../evidence/read-record.ts';
import { receiptsOfRun, sealRun } from '../evidence/seal.ts';
import { requiredStages } from '../evidence/stages.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { cell } from '../lib/markdown.ts';
import { plural } from '../lib/plural.ts';
import { formatTime, parseTime } from '../lib/time.ts';
import { whyNot } from '../lib/write.ts';
import * as z from '../lib/zod.ts';
import type { RunOutcome } from '../platform/platform.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, optionalText } from './inputs.ts';
import { runInputs } from './run-inputs.ts';
import { openStage, type Stage } from './stage.ts';

/** What other components write about themselves is not emitted by hand. */
const TYPES = [
  'run.opened',
  'run.sealed',
  'access.reviewed',
  'access.granted',
  'access.revoked',
  'access.snapshot',
  'inventory.checked',
  'test.completed',
] as const satisfies readonly RecordType[];
const DAYS_BACK = 7;
const DAY = 86_400_000;

const inputs = z.strictObject({
  type: choice(TYPES, { description: 'what to record', value: 'TYPE' }),
  environment: optionalText({
    description: 'environment of contract.yml that the run is meant for; needed by run.opened',
    value: 'NAME',
  }),
  outcome: z.optional(
    choice(['success', 'failure', 'cancelled', 'skipped', 'as-pipeline'], {
      description:
        'how it ended, a success unless it is said; as-pipeline: as GitLab says that the pipeline’s other jobs did, which a seal there is unless it is said',
    }),
  ),
  data: optionalText({
    description: 'what happened, a JSON file whose object becomes the record’s data',
    value: 'FILE',
  }),
  ...runInputs,
});
type Inputs = z.infer<typeof inputs>;

export const evidenceEmit = command({
  name: 'evidence-emit',
  summary: 'records what happened: opens a run, seals it, or says what a job did',
  description: [
    'run.opened begins a run: it records which evidence the run owes by contract.yml, and locally creates the file --run, which',
    'every later step takes. run.sealed ends it: one object with all records of the run, after which an added one is a finding.',
    'Other types carry --data. A record is signed by the role that its type belongs to, and stored before this ends.',
    'Exit code: 0 stored, 1 refused, 2 bad input, 3 the store did not take it.',
  ].join('\n'),
  examples: [
    {
      says: 'begin a local run',
      command: 'gatehouse evidence-emit --type run.opened --environment production --run run.json --key file:gate.pem',
    },
    { says: 'end it', command: 'gatehouse evidence-emit --type run.sealed --run run.json --key file:gate.pem' },
  ],
  inputs,
  outputs: { receipt: 'the store’s answer, gatehouse/receipt/1' },
  run: async (given, context) => {
    if (given.type === 'run.opened') return await open(given, context);
    const data = given.type === 'run.sealed' ? null : dataOf(given);
    const stage = await openStage(roleOfType[given.type], 'evidence-emit', given, context);
    return data === null ? await seal(given, stage) : await emit(given, data, stage);
  },
});

async function open(given: Inputs, context: Context): Promise<Result> {
  const { environment } = given;
  if (environment === undefined)
    throw new BadInput(
      'inputs.environment',
      'run.opened needs --environment: what a run owes depends on where it goes',
    );
  const stage = await openStage('gate', 'evidence-emit', given, context, true);
  const { id, attempt } = stage.identity.run;
  await requireOneCall(stage);
  const required = requiredStages(stage.contract.file, environment, 'deploy');
  const { register } = await stage.register();
  const approvalsBefore = await stage.platform.approvalsGiven(stage.identity.run, environment);
  const file = stage.identity.run.platform === 'local' ? (given.run ?? null) : null;
  const written = await whileHolding(file, { id, attempt, jobKey: stage.place.jobKey, nextStep: 1 }, async () => {
    const attachment = await stage.attach(stage.contract.bytes, 'contract', 'application/yaml', true);
    return await stage.write({
      type: 'run.opened',
      subjects: [commitOf(stage)],
      outcome: 'success',
      environment,
      attachments: [attachment],
      data: { required, registerNumber: register.number, approvalsBefore, contract: stage.contract.digest },
    });
  });
  return answer(
    written,
    `run ${id}, attempt ${attempt}, is open for ${environment}; by contract.yml it owes these records: ${required.join(', ')}`,
  );
}

/** Evidence is a run's: what a second call of the trusted workflow adds would fall outside the seal of the first. */
async function requireOneCall({ platform, identity: { run } }: Stage): Promise<void> {
  const others = (await platform.namesakes?.(run)) ?? [];
  if (others.length > 0)
    throw new Denied(
      'run.called_twice',
      `run ${run.id} has another job of this kind, ${others.join(', ')}: a run has one opening and one seal; call the workflow once, from a job that is no matrix, and promote another image or to another environment by a workflow of its own`,
    );
}

/** Takes the run file before anything is recorded, so that of two openings one wins; gives it back when nothing was recorded. */
async function whileHolding<T>(path: string | null, file: RunFile, record: () => Promise<T>): Promise<T> {
  if (path === null) return await record();
  try {
    writeFileSync(path, `${JSON.stringify(file)}\n`, { flag: 'wx' });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new BadInput(
        'run.exists',
        `run file ${path} is there already: a run is opened once; name another file or go on with that run`,
        cause,
      );
    }
    throw new BadInput('run.unwritable', `cannot write run file ${path}: ${whyNot(cause)}`, cause);
  }
  try {
    return await record();
  } catch (cause) {
    rmSync(path, { force: true });
    throw cause;
  }
}

async function seal(given: Inputs, stage: Stage): Promise<Result> {
  const { run } = stage.identity;
  await requireUnsealed(stage);
  const receipts = await receiptsOfRun(stage.store, run, stage.now() - DAYS_BACK * DAY, stage.now());
  if (receipts.length === 0)
    throw new Denied(
      'seal.empty',
      `run ${run.id} has no records in the last ${DAYS_BACK} days: there is nothing to seal`,
    );
  const fields = stage.fields({ subjects: [commitOf(stage)], outcome: await outcomeOf(given, stage) });
  const { receipt, records } = await sealRun(stage.store, fields, stage.place, stage.writer, receipts);
  return answer(receipt, `run ${run.id}, attempt ${run.attempt}, is sealed over ${plural(records, 'record')}`);
}

/** A seal that nobody was told the end of asks the platform, where that says it: it runs however the jobs before it ended. */
async function outcomeOf({ type, outcome: told }: Inputs, { platform }: Stage): Promise<RunOutcome> {
  const outcome = told ?? (type === 'run.sealed' && platform.outcome !== undefined ? 'as-pipeline' : 'success');
  if (outcome !== 'as-pipeline') return outcome;
  if (platform.outcome === undefined)
    throw new BadInput(
      'inputs.outcome',
      'outcome as-pipeline is for GitLab, which says how the pipeline’s other jobs ended: elsewhere say it yourself',
    );
  return await platform.outcome();
}

/** Two seals of one attempt contradict each other for as long as the store lasts: the second is refused. */
async function requireUnsealed({ identity: { run }, store, now, ledgerKeys }: Stage): Promise<void> {
  const keys = await ledgerKeys();
  for (let day = now() - DAYS_BACK * DAY; day <= now(); day += DAY) {
    const prefix = recordPrefix(run, formatTime(day).slice(0, 10)).replace('v1/records/', 'v1/seals/');
    for (const { key, versionId } of await entriesUnder(store, prefix)) {
      const found = attemptOfSealKey(key) === run.attempt ? await store.read(key, versionId) : null;
      if (found === null) continue;
      const storedAt = found.storeTime === null ? null : parseTime(found.storeTime);
      const line = found.bytes.subarray(0, found.bytes.indexOf('\n'));
      const read = readRecord(line, { keys, storedAt, now: now() });
      if ('record' in read && read.record.type === 'run.sealed')
        throw new Denied(
          'seal.exists',
          `run ${run.id}, attempt ${run.attempt}, is sealed already (${key}): a second seal would contradict the first; open a new attempt for what is left to do`,
        );
    }
  }
}

/** What happened, out of the file that was named. Throws BadInput. */
function dataOf(given: Inputs): Record['data'] {
  if (given.data === undefined)
    throw new BadInput('inputs.data', `${given.type} needs --data: a JSON file that says what happened`);
  const data = recordSchema.shape.data.safeParse(
    parseJson(readInput(given.data, 'data', 64 * 1024), `data ${given.data}`),
  );
  if (!data.success) throw new BadInput('inputs.data', `data ${given.data} is not a JSON object`);
  return data.data;
}

async function emit(given: Inputs, data: Record['data'], stage: Stage): Promise<Result> {
  const written = await stage.write({
    type: given.type,
    subjects: [commitOf(stage)],
    outcome: await outcomeOf(given, stage),
    environment: given.environment ?? null,
    data,
  });
  return answer(written, `${given.type} is recorded`);
}

function commitOf({ identity }: Stage) {
  return { name: identity.run.repository, kind: 'commit' as const, digest: `gitCommit:${identity.run.sha}` };
}

function answer({ schema, key, versionId, storeTime, digest }: Receipt, says: string): Result {
  const receipt = { schema, key, versionId, storeTime, digest };
  return {
    exit: 0,
    json: receipt,
    text: `${says}\n  ${key}`,
    summary: () => `## 🧾 Recorded\n\n${cell(says)}\n\n\`${key}\`\n`,
    outputs: { receipt: JSON.stringify(receipt) },
  };
}
