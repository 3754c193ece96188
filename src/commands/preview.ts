import { randomUUID } from 'node:crypto';
import type { Decision, Reason } from '../contract/decision.ts';
import { redact } from '../evidence/redact.ts';
import { type PreviewReport, previewFacts } from '../facts/preview.ts';
import { failureLines, failureTable, firstFailure, reasonLine } from '../gate/explain.ts';
import { judge } from '../gate/judge.ts';
import { loadPolicy } from '../gate/policy.ts';
import { BadInput } from '../lib/errors.ts';
import { cell } from '../lib/markdown.ts';
import { plural } from '../lib/plural.ts';
import { normalise, readFolder } from '../scan/index.ts';
import type { Context, Result } from './command.ts';
import { ownContract, ownPolicyBytes } from './release.ts';
import { rulesFor } from './rules.ts';

export interface PreviewInputs {
  environment?: string | undefined;
  reports?: string | undefined;
  digest?: string | undefined;
}

/**
 * What the gate would say of these scans, for changes that are not merged yet: no key, no store, no registry, no decision. All
 * other rules are about what happens after the merge, so they are named and not judged. The answer is never an allow.
 */
export function preview(given: PreviewInputs, context: Context): Result {
  const contract = ownContract(context.home);
  const { environment, reports, digest } = requireAll(given);
  rulesFor(environment, contract.file);
  const now = context.now();
  const decision = judge({
    facts: redact(previewFacts(contract, environment, reportsIn(reports, digest, now), now)).value,
    contract,
    policy: loadPolicy(ownPolicyBytes(context.home)),
    now,
    id: randomUUID(),
    simulated: true,
  });
  return answer(environment, decision);
}

function requireAll({ environment, reports, digest }: PreviewInputs) {
  if (environment === undefined || reports === undefined || digest === undefined) {
    const missing = Object.entries({ environment, reports, digest }).flatMap(([name, value]) =>
      value === undefined ? [`--${name}`] : [],
    );
    throw new BadInput(
      'inputs.missing',
      `stage preview needs ${missing.join(', ')}: the folder that scan --phase run left, its digest, and where the image is meant to go`,
    );
  }
  return { environment, reports, digest };
}

function reportsIn(folder: string, digest: string, now: number): PreviewReport[] {
  return readFolder(folder, digest, now).map(({ name, bytes, sidecar: { run, subject } }) => {
    if (subject === undefined)
      throw new BadInput('scan.subject', `the sidecar of ${name} does not say what was scanned; scan again`);
    const report = normalise({
      bytes,
      tool: run.tool.name,
      origin: { kind: 'executed', run },
      subject: {
        image: 'image' in subject ? `preview@${subject.image}` : null,
        platform: null,
        commit: 'commit' in subject ? subject.commit : null,
      },
      now,
    });
    return { report, subject };
  });
}

/** What can be judged before the merge; `policy.engine` and `facts.schema` say that nothing was. */
const isJudged = ({ rule }: Reason) =>
  rule.startsWith('scan.') || ['environment.known', 'facts.schema', 'policy.engine'].includes(rule);

function answer(environment: string, decision: Decision): Result {
  const judged = decision.reasons.filter(isJudged);
  const later = decision.reasons.filter((reason) => !isJudged(reason)).map(({ rule }) => rule);
  const failed = judged.filter(({ outcome }) => outcome === 'fail');
  // Nothing judged is nothing seen: a policy that says nothing must not look like a clean preview.
  const clean = failed.length === 0 && judged.some(({ outcome }) => outcome === 'pass');
  return {
    exit: clean ? 0 : 1,
    json: {
      schema: 'gatehouse/preview/1',
      environment,
      outcome: clean ? 'no-objection' : 'objection',
      reasons: judged,
      notJudged: later,
    },
    refusal: `PREVIEW for ${environment}: the gate would deny by ${firstFailure(judged)}`,
    text: [
      `PREVIEW for ${environment}, not a decision: ${clean ? 'the scans meet the contract' : `the gate would deny by ${plural(failed.length, 'rule')}`}`,
      ...failureLines(judged),
      ...judged.filter(({ outcome }) => outcome !== 'fail').map((reason) => reasonLine(reason)),
      `– ${plural(later.length, 'rule')} about signature, review, approval and deploy are judged after the merge; waivers are not known here`,
    ].join('\n'),
    summary: () =>
      [
        `## 👀 Preview for ${cell(environment)}: ${clean ? 'no objection so far' : 'the gate would deny'}`,
        ...failureTable(judged),
        '',
        `This is no decision: nothing was signed, stored or approved. Rules about scans that hold: ${judged.length - failed.length}; ${later.length} more are judged after the merge. Waivers are not known here.`,
        '',
      ].join('\n'),
  };
}
