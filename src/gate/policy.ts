import * as opa from '@open-policy-agent/opa-wasm';
import type { Facts } from '../contract/facts.ts';
import type { PolicyContract } from '../contract/policy-contract.ts';
import { digestOf } from '../lib/digest.ts';
import { CouldNot, messageOf } from '../lib/errors.ts';
import * as z from '../lib/zod.ts';

// The package's types name an export that exists only on its default.
const { loadPolicySync } = (opa as unknown as { default: Pick<typeof opa, 'loadPolicySync'> }).default;

/** Written into decisions; a test holds it to the version in package.json. */
export const ENGINE = 'opa-wasm 1.10.0';

export interface PolicyInput {
  facts: Facts;
  contract: PolicyContract;
  /** Milliseconds. */
  now: number;
}

const verdict = z.strictObject({
  rule: z.string(),
  outcome: z.enum(['pass', 'fail', 'waived', 'skipped']),
  message: z.string(),
  fix: z.string(),
  evidence: z.array(z.string()),
});
export type Verdict = z.infer<typeof verdict>;

const answer = z
  .array(z.strictObject({ result: z.strictObject({ reasons: z.array(verdict), waivers: z.array(z.string()) }) }))
  .check(z.length(1));

/** A compiled policy. `evaluate` throws when the engine did not answer in full: the judge turns that into a denial. */
export interface Policy {
  digest: string;
  evaluate(input: PolicyInput): { reasons: Verdict[]; waivers: string[] };
}

/** Loads policies/gate.wasm. Throws CouldNot when the bytes are not a policy. */
export function loadPolicy(wasm: Uint8Array): Policy {
  const loaded = load(wasm);
  return {
    digest: digestOf(wasm),
    evaluate: (input) => {
      const [only] = answer.parse(loaded.evaluate(input));
      return (only as z.infer<typeof answer>[number]).result;
    },
  };
}

function load(wasm: Uint8Array) {
  try {
    return loadPolicySync(wasm as unknown as Parameters<typeof loadPolicySync>[0]);
  } catch (cause) {
    throw new CouldNot(
      'policy.unreadable',
      `the policy gate.wasm beside this program cannot be loaded: ${messageOf(cause)}; the release is damaged, fetch it again`,
      cause,
    );
  }
}
