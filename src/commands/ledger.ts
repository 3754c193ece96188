import { dirname, resolve } from 'node:path';
import type { Trust } from '../contract/trust.ts';
import { checkpoint } from '../evidence/checkpoint.ts';
import { findingCodes } from '../evidence/finding.ts';
import { ledgerVerify } from '../evidence/verify/ledger.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { plural } from '../lib/plural.ts';
import { replaceFile, requirePlace } from '../lib/write.ts';
import * as z from '../lib/zod.ts';
import { openStore } from '../store/store.ts';
import { type Context, command, type Result } from './command.ts';
import { requireUnbentEnvironment } from './environment.ts';
import { choice, optionalText } from './inputs.ts';
import { proof } from './proof.ts';
import { ownContract, ownContractPath } from './release.ts';
import { signerOf, storeOf } from './stage.ts';
import { readTrust } from './trust-file.ts';

const inputs = z.strictObject({
  action: choice(['checkpoint', 'verify', 'prove'], {
    description:
      'checkpoint: sign a tree head over the store; verify: check everything; prove: show one record with its proof',
    positional: 0,
  }),
  record: optionalText({ description: 'prove: key of the record', positional: 1, value: 'KEY' }),
  store: optionalText({
    description: 'verify and prove: the store to check, for example file:///evidence',
    value: 'URL',
    cliOnly: true,
  }),
  trust: optionalText({
    description: 'verify and prove: keys and checkpoint that you bring along, gatehouse/trust/1',
    value: 'FILE',
    cliOnly: true,
  }),
  key: optionalText({ description: 'checkpoint: private key of role notary', value: 'file:KEY.pem', cliOnly: true }),
  previous: optionalText({
    description: 'checkpoint: the last tree head as it was copied outside',
    value: 'FILE',
    cliOnly: true,
  }),
  out: optionalText({
    description: 'checkpoint: where to copy the new tree head, outside the store',
    value: 'FILE',
    cliOnly: true,
  }),
});
type Inputs = z.infer<typeof inputs>;

export const ledger = command({
  name: 'ledger',
  summary: 'checkpoints the evidence store, and finds what was changed, hidden, added or left out in it',
  description: [
    'checkpoint: the notary signs a tree head over every object of the store; copy it where the store’s owner cannot change it.',
    'verify: checks every object against log, name, signature, role and run by keys that you bring along, never by keys of the',
    'store alone. prove: one record with its inclusion proof. A run is sealed by evidence-emit --type run.sealed.',
    'Exit code: 0 clean, 1 findings, 2 bad input, 3 the store did not answer.',
  ].join('\n'),
  examples: [
    {
      says: 'sign a tree head and keep it elsewhere',
      command: 'gatehouse ledger checkpoint --key file:notary.pem --out /mnt/elsewhere/head',
    },
    {
      says: 'is anything wrong in this store?',
      command: 'gatehouse ledger verify --store file:///evidence --trust trust.json --json',
    },
  ],
  inputs,
  run: async (given, context) => {
    if (given.action === 'checkpoint') return await sign(given, context);
    const { store, trust } = given;
    if (store === undefined || trust === undefined)
      throw new BadInput(
        'inputs.trust',
        `ledger ${given.action} needs --store and --trust: what to check, and the keys to check it by`,
      );
    return given.action === 'verify'
      ? await check(store, readTrust(trust), context)
      : await prove(given, store, readTrust(trust), context);
  },
});

async function sign(given: Inputs, context: Context): Promise<Result> {
  requireUnbentEnvironment(context.env);
  if (given.out !== undefined) requirePlace(given.out, 'tree head');
  const contract = ownContract(context.home);
  const folder = dirname(resolve(ownContractPath(context.home)));
  const signer = signerOf('notary', contract, given.key, folder, context.env, 'checkpoint');
  const result = await checkpoint(storeOf(contract.file.evidence.store, folder, context.env), {
    signer,
    origin: `${contract.file.organization.toLowerCase().replace(/[^a-z0-9.-]+/g, '-')}/evidence`,
    earlierKeys: (contract.file.trust.keys.notary ?? []).map((key) => key.public),
    previous: given.previous === undefined ? null : readInput(given.previous, 'tree head', 64 * 1024).toString('utf8'),
  });
  if (given.out !== undefined && result.checkpoint !== null) replaceFile(given.out, result.checkpoint, 'tree head');
  return {
    exit: result.unread.length === 0 ? 0 : 1,
    json: result,
    text: [
      `tree head over ${plural(result.size, 'object')}, ${result.added} of them new${given.out === undefined ? '' : `, copied to ${given.out}`}`,
      ...result.unread.map((key) => `  not readable and not covered: ${key}`),
    ].join('\n'),
  };
}

async function check(store: string, trust: Trust, context: Context): Promise<Result> {
  const report = await ledgerVerify(openStore(store, context.env), trust, {
    now: context.now(),
    expectedCheckpoint: null,
  });
  const { status, anchor, records, runs, findings } = report;
  return {
    exit: status === 'clean' ? 0 : 1,
    json: report,
    text: [
      `${status === 'clean' ? 'clean' : plural(findings.length, 'finding')}: ${plural(records, 'record')} in ${plural(runs, 'run')}, ${anchor === null ? 'anchored by no tree head' : `anchored by tree head ${anchor.origin} over ${plural(anchor.size, 'object')}`}`,
      ...findings.flatMap(({ code, key, run, detail }) => [
        `✖ ${[code, key ?? run].filter(Boolean).join(' ')}: ${detail}`,
        `    ${findingCodes[code]}`,
      ]),
    ].join('\n'),
  };
}

async function prove(given: Inputs, store: string, trust: Trust, context: Context): Promise<Result> {
  if (given.record === undefined) throw new BadInput('inputs.record', 'ledger prove needs the key of a record');
  return await proof(store, trust, given.record, context);
}
