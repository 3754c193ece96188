import { randomUUID } from 'node:crypto';
import type { Decision } from '../contract/decision.ts';
import { loadContract } from '../contract/load-contract.ts';
import { explainDecision, refusalOf, summariseDecision } from '../gate/explain.ts';
import { judge, refuse } from '../gate/judge.ts';
import { loadPolicy } from '../gate/policy.ts';
import { BadInput } from '../lib/errors.ts';
import { readInput } from '../lib/file.ts';
import { parseJson } from '../lib/json.ts';
import { parseTime } from '../lib/time.ts';
import * as z from '../lib/zod.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, optionalText } from './inputs.ts';
import { ownContract, ownPolicyBytes } from './release.ts';
import { runInputs } from './run-inputs.ts';
import type { Untrusted } from './situation.ts';

const inputs = z.strictObject({
  stage: z.optional(
    choice(['promote', 'deploy', 'preview'], {
      description:
        'promote: may this image go on; deploy: may it go to the target now; preview: what would be said of these scans, for what is not merged yet, without a key and never an allow',
    }),
  ),
  environment: optionalText({
    description: 'environment of contract.yml that the image is meant for',
    value: 'NAME',
  }),
  image: optionalText({ description: 'image by digest, registry/repository@sha256:…', value: 'IMAGE@DIGEST' }),
  target: optionalText({ description: 'stage deploy: where it goes, cluster/namespace/kind/name', value: 'TARGET' }),
  reports: optionalText({ description: 'stage preview: the folder that the scan job left', value: 'FOLDER' }),
  digest: optionalText({
    description: 'stage preview: digest of the folder of reports, as the scan job put it out',
    value: 'sha256:…',
  }),
  facts: optionalText({
    description: 'judge these facts and nothing else: simulated, signs and stores nothing',
    value: 'FILE',
    cliOnly: true,
  }),
  contract: optionalText({
    description: 'with --facts: the contract to judge by, instead of the one beside this program',
    value: 'FILE',
    cliOnly: true,
  }),
  now: optionalText({ description: 'with --facts: the time of the decision', value: 'RFC3339', cliOnly: true }),
  ...runInputs,
});
export type GateInputs = z.infer<typeof inputs>;

export const policyGate = command({
  name: 'policy-gate',
  summary: 'decides whether an image may be promoted or deployed',
  description: [
    'Collects verified facts about the image, the change and the people, judges them by the policy and contract.yml of this',
    'release, and leaves a signed decision with a reason and a citation for every rule. Anything missing, stale, unknown or',
    'unreadable denies. Stage preview shows what scans mean before a merge: no key, no record, no decision. With --facts it is the',
    'pure judge: no network, no key, no record, and deploy refuses its decision.',
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
  outputs: {
    decision: 'allow or deny',
    'decision-id': 'id of the decision',
    'decision-key': 'key of its record in the store',
  },
  cancelled: ({ stage, environment }) =>
    stage === 'preview'
      ? null
      : {
          type: 'gate.decided',
          environment: environment ?? null,
          data: { stage: stage ?? null, error: 'cancelled', message: 'the job was ended before the gate had decided' },
        },
  run: async (given, context) => {
    if (given.facts !== undefined) return answer(simulate(given, given.facts, context), null, context);
    // The pure judge must start fast: what reads reports, store, registry and platform is loaded only where it is needed.
    if (given.stage === 'preview') return (await import('./preview.ts')).preview(given, context);
    return await gate(given, context);
  },
});

/** The pure judge over a file. */
function simulate(given: GateInputs, factsFile: string, context: Context): Decision {
  const now = given.now === undefined ? null : parseTime(given.now);
  if (now === null) {
    throw new BadInput(
      'inputs.now',
      `--now ${given.now ?? 'is missing'}: give the time to judge by as RFC 3339 in UTC, for example 2026-01-31T08:00:00Z`,
    );
  }
  const contract = given.contract === undefined ? ownContract(context.home) : loadContract(given.contract);
  const facts = parseJson(readInput(factsFile, 'facts'), `facts ${factsFile}`);
  return judge({
    facts,
    contract,
    policy: loadPolicy(ownPolicyBytes(context.home)),
    now,
    id: randomUUID(),
    simulated: true,
  });
}

/** The gate over verified evidence. Whoever runs it outside the trusted workflow gets a denial, not an error. */
async function gate(given: GateInputs, context: Context): Promise<Result> {
  if (given.contract !== undefined || given.now !== undefined) {
    throw new BadInput(
      'inputs.facts',
      '--contract and --now go with --facts only: the gate judges by the contract beside it and by trusted time',
    );
  }
  const { decideAndRecord, Untrusted } = await import('./gate-run.ts');
  try {
    const { decision, key } = await decideAndRecord(given, context);
    return answer(decision, key, context);
  } catch (thrown) {
    if (!(thrown instanceof Untrusted)) throw thrown;
    return answer(outside(thrown, context), null, context);
  }
}

/** The answer to who runs the gate in a job of their own. No key is there to record it with. */
function outside({ what, fix }: Untrusted, context: Context): Decision {
  return refuse(
    {
      contract: ownContract(context.home),
      policy: loadPolicy(ownPolicyBytes(context.home)),
      now: context.now(),
      id: randomUUID(),
      simulated: false,
    },
    'workflow_untrusted',
    what,
    fix,
  );
}

function answer(decision: Decision, key: string | null, context: Context): Result {
  const outputs = {
    decision: decision.outcome,
    'decision-id': decision.id,
    ...(key === null ? {} : { 'decision-key': key }),
  };
  return {
    exit: decision.outcome === 'allow' ? 0 : 1,
    json: key === null ? decision : { ...decision, key },
    text: explainDecision(decision, context.colour),
    refusal: refusalOf(decision),
    summary: () => summariseDecision(decision),
    outputs: decision.simulated ? {} : outputs,
  };
}
