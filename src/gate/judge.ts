import type { Decision, Reason } from '../contract/decision.ts';
import { type Facts, facts as factsSchema } from '../contract/facts.ts';
import { citationsOfRule, rulesOf } from '../contract/gate-rules.ts';
import type { Contract } from '../contract/load-contract.ts';
import { pathText, problemsOf } from '../contract/problems.ts';
import { canonicalBytes } from '../lib/canonical.ts';
import { digestOf } from '../lib/digest.ts';
import { messageOf } from '../lib/errors.ts';
import { formatTime } from '../lib/time.ts';
import { ENGINE, type Policy } from './policy.ts';

/** Rules that profile local has nothing to judge for, and may skip. */
const LOCAL_ONLY = new Set(['workflow_untrusted', 'runner.pool', 'clock.trusted']);

export interface JudgeInput {
  /** `gatehouse/facts/1`, not yet checked: what does not fit is a denial, never an exception. */
  facts: unknown;
  contract: Contract;
  policy: Policy;
  /** Milliseconds; the judge reads no clock. */
  now: number;
  /** A random UUID, chosen by the caller so that a replay can pass the stored one. */
  id: string;
  simulated: boolean;
}

/**
 * Judges facts by the contract: pure, so that the same input gives the same bytes years later. One conjunctive decision: an
 * allow needs every rule of the stage to be there and none to fail.
 */
export function judge(input: JudgeInput): Decision {
  const parsed = factsSchema.safeParse(input.facts);
  if (!parsed.success) {
    const problems = problemsOf(parsed.error, factsSchema).map(
      (problem) => `${pathText(problem.path)}: ${problem.message}`,
    );
    return decide(input, null, [refusal('facts.schema', `the facts do not fit their schema: ${first(problems)}`)], []);
  }
  const facts = parsed.data;
  try {
    const { reasons, waivers } = input.policy.evaluate({ facts, contract: input.contract.policy, now: input.now });
    const judged = reasons.map((verdict) => ({
      ...verdict,
      message: printable(verdict.message),
      evidence: verdict.evidence.map(printable),
      controls: citationsOfRule(verdict.rule),
    }));
    return decide(
      input,
      facts,
      [...judged, ...missingRules(facts, judged), ...undueSkips(input.contract, judged)],
      waivers,
    );
  } catch (cause) {
    return decide(
      input,
      facts,
      [refusal('policy.engine', `the policy engine did not answer: ${messageOf(cause)}`)],
      [],
    );
  }
}

/** A decision of denial without facts: the gate could not even begin to judge. */
export function refuse(
  input: Omit<JudgeInput, 'facts'>,
  rule: 'workflow_untrusted',
  message: string,
  fix: string,
): Decision {
  return decide({ ...input, facts: null }, null, [{ ...refusal(rule, message), fix }], []);
}

function decide(input: JudgeInput, facts: Facts | null, reasons: Reason[], waivers: string[]): Decision {
  const allowed =
    reasons.some((reason) => reason.outcome === 'pass') && reasons.every((reason) => reason.outcome !== 'fail');
  const lifetime = facts === null ? 0 : (input.contract.policy.environments[facts.environment]?.decisionLifetime ?? 0);
  return {
    schema: 'gatehouse/decision/1',
    id: input.id,
    stage: facts?.stage ?? null,
    outcome: allowed ? 'allow' : 'deny',
    subjects: facts?.subjects ?? [],
    environment: facts?.environment ?? null,
    target: facts?.target ?? null,
    run: facts?.run ?? null,
    workflow: facts?.workflow ?? null,
    now: formatTime(input.now),
    notAfter: formatTime(input.now + lifetime),
    simulated: input.simulated,
    reasons: reasons.toSorted((a, b) => (a.rule < b.rule ? -1 : 1)),
    input: {
      factsDigest: digestOf(canonicalBytes(input.facts)),
      contractDigest: input.contract.digest,
      policyDigest: input.policy.digest,
      customPolicyDigest: null,
      registerDigest: facts?.register.digest ?? null,
      registerNumber: facts?.register.number ?? null,
      engine: ENGINE,
    },
    waivers,
  };
}

/** A rule that the policy did not answer for was not judged: no silence counts as a pass. */
function missingRules(facts: Facts, judged: Reason[]): Reason[] {
  const answered = new Set(judged.map((reason) => reason.rule));
  const missing = rulesOf(facts.stage).filter((rule) => !answered.has(rule));
  return missing.length === 0 ? [] : [refusal('policy.engine', `the policy did not answer for ${missing.join(', ')}`)];
}

/** Outside profile local a rule may be skipped only because an earlier one failed, which denies anyway. */
function undueSkips(contract: Contract, judged: Reason[]): Reason[] {
  if (judged.some((reason) => reason.outcome === 'fail')) return [];
  const local = contract.policy.profile === 'local';
  const undue = judged.filter((reason) => reason.outcome === 'skipped' && !(local && LOCAL_ONLY.has(reason.rule)));
  return undue.length === 0
    ? []
    : [refusal('policy.engine', `the policy skipped ${undue.map((reason) => reason.rule).join(', ')}`)];
}

const fixes: Record<string, string> = {
  'facts.schema': 'facts come from this library’s collectors only; use the same release for every step',
  'policy.engine': 'use an unchanged release: its policy and program belong together',
};

function refusal(rule: string, message: string): Reason {
  return {
    rule,
    outcome: 'fail',
    message: printable(message),
    fix: fixes[rule] ?? null,
    controls: citationsOfRule(rule),
    evidence: [],
  };
}

function first(problems: string[]): string {
  const shown = problems.slice(0, 5).join('; ');
  return problems.length > 5 ? `${shown}; and ${problems.length - 5} more` : shown;
}

/** Facts quote scanners and platforms: what reaches a log or a page has no control characters and an end. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it replaces
  return text.replace(/[\u0000-\u001f\u007f\u2028\u2029]/g, '\ufffd').slice(0, 4096) || '(empty)';
}
