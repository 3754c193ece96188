import { dirname, resolve } from 'node:path';
import { parseContract } from '../contract/load-contract.ts';
import type { Record } from '../contract/record.ts';
import { readAttachment } from '../evidence/blob.ts';
import { placeOf } from '../evidence/layout.ts';
import { readLedgerKeys } from '../evidence/ledger-keys.ts';
import { readVerified } from '../facts/evidence.ts';
import { judge } from '../gate/judge.ts';
import { loadPolicy } from '../gate/policy.ts';
import { recordedDecision } from '../gate/recorded.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { BadInput, Denied } from '../lib/errors.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import type { Store } from '../store/store.ts';
import { command } from './command.ts';
import { text } from './inputs.ts';
import { ownContract, ownContractPath } from './release.ts';
import { releaseKeys, storeOf } from './stage.ts';

export const replay = command({
  name: 'replay',
  summary: 'judges a stored decision again, from what was stored with it, and compares the bytes',
  description: [
    'Reads a record gate.decided with the facts, contract and policy attached to it, judges them again with the stored id and',
    'time, and compares: the decision must have equal bytes. Nothing of today enters it but this program.',
    'Exit code: 0 equal, 1 different or not verified, 2 bad input, 3 the store did not answer.',
  ].join('\n'),
  examples: [
    { says: 'was this decision right?', command: 'gatehouse replay v1/records/dt=…/step-7-0001-gate.decided-….json' },
  ],
  inputs: z.strictObject({
    decision: text({ description: 'key of the record gate.decided', positional: 0, value: 'KEY' }),
  }),
  run: async (given, context) => {
    if (placeOf(given.decision) === null)
      throw new BadInput(
        'replay.key',
        `${JSON.stringify(given.decision)} is no key of a record: give the one that policy-gate said (output decision-key), v1/records/…-gate.decided-….json`,
      );
    const contract = ownContract(context.home);
    const store = storeOf(contract.file.evidence.store, dirname(resolve(ownContractPath(context.home))), context.env);
    const { keys } = await readLedgerKeys(
      store,
      releaseKeys(contract).map((key) => key.publicKeyPem),
    );
    const found = await readVerified({ store, keys, now: context.now() }, given.decision);
    if (typeof found === 'string') throw new Denied('replay.record', `cannot replay: ${found}`);
    const { stored, again } = await judgeAgain(store, found.record);
    const equal = stored.equals(again);
    return {
      exit: equal ? 0 : 1,
      json: {
        status: equal ? 'equal' : 'different',
        key: given.decision,
        stored: digestOf(stored),
        replayed: digestOf(again),
      },
      text: equal
        ? `equal: judged again, ${given.decision} has the same ${stored.length} bytes (${digestOf(stored)})`
        : `✖ different: stored ${digestOf(stored)}, judged again ${digestOf(again)}`,
    };
  },
});

async function judgeAgain(store: Store, record: Record): Promise<{ stored: Buffer; again: Buffer }> {
  const decision = recordedDecision(record);
  if (typeof decision === 'string') throw new Denied('replay.decision', `cannot replay: ${decision}`);
  const attached = async (role: string) => {
    const attachment = record.attachments.find((each) => each.role === role);
    if (attachment === undefined)
      throw new Denied('replay.attachment', `cannot replay: the record has no attachment ${role}`);
    return await readAttachment(store, attachment);
  };
  const { id, now, simulated } = decision;
  const again = judge({
    facts: parseJson(await attached('facts'), 'facts'),
    contract: parseContract(await attached('contract'), 'of the record'),
    policy: loadPolicy(await attached('policy')),
    now: parseTime(now) as number,
    id,
    simulated,
  });
  return { stored: canonicalBytes(decision), again: canonicalBytes(again) };
}
