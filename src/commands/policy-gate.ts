import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import type { Decision } from '../contract/decision.ts';
import { type Contract, loadContract } from '../contract/load-contract.ts';
import { explainDecision, summariseDecision } from '../gate/explain.ts';
import { judge, refuse } from '../gate/judge.ts';
import { loadPolicy, type Policy } from '../gate/policy.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, text } from './inputs.ts';

const inputs = z.strictObject({
  stage: choice(['promote', 'deploy'], {
    description: 'promote: may this image go on; deploy: may it go to the target now',
  }).optional(),
  environment: text({
    description: 'environment of contract.yml that the image is meant for',
    value: 'NAME',
  }).optional(),
  image: text({ description: 'image by digest, registry/repository@sha256:…', value: 'IMAGE@DIGEST' }).optional(),
  facts: text({
    description: 'judge these facts and nothing else: simulated, signs and stores nothing',
    value: 'FILE',
    cliOnly: true,
  }).optional(),
  contract: text({
    description: 'with --facts: the contract to judge by, instead of the one beside this program',
    value: 'FILE',
    cliOnly: true,
  }).optional(),
  now: text({ description: 'with --facts: the time of the decision', value: 'RFC3339', cliOnly: true }).optional(),
});
type Inputs = z.infer<typeof inputs>;

export const policyGate = command({
  name: 'policy-gate',
  summary: 'decides whether an image may be promoted or deployed',
  description: [
    'Collects verified facts about the image, the change and the people, judges them by the policy and contract.yml of this',
    'release, and leaves a signed decision with a reason and a citation for every rule. Anything missing, stale, unknown or',
    'unreadable denies. With --facts it is the pure judge: no network, no key, no record, and deploy refuses its decision.',
    'Exit code: 0 allow, 1 deny, 2 bad input or contract, 3 could not do it; all but 0 block.',
  ].join('\n'),
  examples: [
    {
      says: 'may this image go on to production?',
      command:
        'gatehouse policy-gate --stage promote --environment production --image registry.example.org/app/web@sha256:…',
    },
    {
      says: 'what would the policy say to these facts?',
      command: 'gatehouse policy-gate --facts facts.json --contract contract.yml --now 2026-01-31T08:00:00Z --json',
    },
  ],
  inputs,
  outputs: { decision: 'allow or deny', 'decision-id': 'id of the decision' },
  run: async (given, context) =>
    answer(given.facts === undefined ? await gate(given, context) : simulate(given, given.facts, context), context),
});

/** The pure judge over a file. */
function simulate(given: Inputs, factsFile: string, context: Context): Decision {
  const now = given.now === undefined ? null : parseTime(given.now);
  if (now === null) {
    throw new BadInput(
      'inputs.now',
      `--now ${given.now ?? 'is missing'}: give the time to judge by as RFC 3339 in UTC, for example 2026-01-31T08:00:00Z`,
    );
  }
  const contract = given.contract === undefined ? ownContract(context) : loadContract(given.contract);
  const facts = parseJson(readInput(factsFile, 'facts'), `facts ${factsFile}`);
  return judge({ facts, contract, policy: ownPolicy(context), now, id: randomUUID(), simulated: true });
}

/** The gate over verified evidence. Whoever runs it outside the trusted workflow gets a denial, not an error. */
async function gate(given: Inputs, context: Context): Promise<Decision> {
  if (given.contract !== undefined || given.now !== undefined) {
    throw new BadInput(
      'inputs.facts',
      '--contract and --now go with --facts only: the gate judges by the contract beside it and by trusted time',
    );
  }
  return refuse(
    {
      contract: ownContract(context),
      policy: ownPolicy(context),
      now: context.now(),
      id: randomUUID(),
      simulated: false,
    },
    'workflow_untrusted',
    'the gate runs outside the trusted workflow: no verified identity says which workflow this is',
    'call the reusable workflow (or include the parent pipeline) of the compliance repository at a released version',
  );
}

function ownContract(context: Context): Contract {
  return loadContract(join(context.home, '..', 'contract.yml'));
}

function ownPolicy(context: Context): Policy {
  return loadPolicy(readInput(join(context.home, 'gate.wasm'), 'policy'));
}

function answer(decision: Decision, context: Context): Result {
  return {
    exit: decision.outcome === 'allow' ? 0 : 1,
    json: decision,
    text: explainDecision(decision, context.colour),
    summary: summariseDecision(decision),
    outputs: decision.simulated ? {} : { decision: decision.outcome, 'decision-id': decision.id },
  };
}
