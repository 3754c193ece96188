import { readFileSync } from 'node:fs';
import { decision as decisionSchema } from '../../../src/contract/decision.ts';
import { rulesOf } from '../../../src/contract/gate-rules.ts';
import { loadContract } from '../../../src/contract/load-contract.ts';
import { type JudgeInput, judge } from '../../../src/gate/judge.ts';
import { loadPolicy, type Policy } from '../../../src/gate/policy.ts';
import { canonicalBytes } from '../../../src/lib/canonical.ts';
import { cases, factsOf } from '../../fixtures/gate/cases.ts';
import { allowed, NOW } from '../../fixtures/gate/facts.ts';

const contract = loadContract('test/fixtures/gate/contract.yml');
const policy = loadPolicy(readFileSync('policies/gate.wasm'));
const ID = '00000000-0000-4000-8000-000000000000';

function judged(facts: unknown, changes: Partial<JudgeInput> = {}) {
  return judge({ facts, contract, policy, now: NOW, id: ID, simulated: true, ...changes });
}
const failing = (decision: ReturnType<typeof judged>) =>
  decision.reasons.filter((reason) => reason.outcome === 'fail').map((reason) => reason.rule);

describe('one changed fact', () => {
  it.each(cases.filter((each) => !each.fails.includes('ALL')))('$name', (each) => {
    const decision = judged(factsOf(each));
    expect(failing(decision)).toEqual(each.fails);
    expect(decision.outcome).toBe(each.fails.length === 0 ? 'allow' : 'deny');
    expect(decisionSchema.parse(decision)).toEqual(decision);
  });

  it('every rule of the policy is failed by at least one case', () => {
    const failed = new Set(cases.flatMap((each) => each.fails));
    expect(rulesOf('deploy').filter((rule) => !failed.has(rule))).toEqual(['environment.known']);
  });

  it('an environment that the contract lacks fails and allows nothing', () => {
    const decision = judged({ ...allowed(), environment: 'prod' });
    expect(decision.outcome).toBe('deny');
    expect(failing(decision)).toContain('environment.known');
  });
});

describe('facts that do not fit their schema', () => {
  const paths = leaves(allowed());
  it('has many values to break', () => expect(paths.length).toBeGreaterThan(100));

  it.each(['missing', 'null', 'empty', 'number', 'text', 'list'] as const)(
    '%s in any one place denies, but where no rule rests on the place',
    (kind) => {
      const unchanged = JSON.stringify(allowed());
      const through = paths
        .filter(
          (path) => JSON.stringify(broken(path, kind)) !== unchanged && judged(broken(path, kind)).outcome === 'allow',
        )
        .map((path) => path.join('.'));
      expect(through.filter((place) => !NO_RULE_RESTS_ON.test(place))).toEqual([]);
      expect(through.length).toBeLessThan(paths.length / 2);
    },
  );

  it.each([null, [], {}, 'allow', 1, true])('%j denies with facts.schema', (facts) => {
    expect(failing(judged(facts))).toEqual(['facts.schema']);
  });

  it('an unknown key denies and is named', () => {
    const decision = judged({ ...allowed(), verified: true });
    expect(failing(decision)).toEqual(['facts.schema']);
    expect(decision.reasons[0]?.message).toContain('verified');
  });
});

describe('the engine', () => {
  const answering = (change: (result: ReturnType<Policy['evaluate']>) => ReturnType<Policy['evaluate']>): Policy => ({
    ...policy,
    evaluate: (input) => change(policy.evaluate(input)),
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('trap');
      },
    ],
    ['says nothing', (result: ReturnType<Policy['evaluate']>) => ({ ...result, reasons: [] })],
    [
      'leaves one rule out',
      (result: ReturnType<Policy['evaluate']>) => ({ ...result, reasons: result.reasons.slice(1) }),
    ],
    [
      'skips a rule outside profile local',
      (result: ReturnType<Policy['evaluate']>) => ({
        ...result,
        reasons: result.reasons.map((reason) =>
          reason.rule === 'runner.pool' ? { ...reason, outcome: 'skipped' as const } : reason,
        ),
      }),
    ],
  ])('denies with policy.engine when it %s', (_, change) => {
    expect(failing(judged(allowed(), { policy: answering(change) }))).toEqual(['policy.engine']);
  });

  it('gives equal bytes for equal input', () => {
    for (const each of cases)
      expect(canonicalBytes(judged(factsOf(each)))).toEqual(canonicalBytes(judged(factsOf(each))));
  });

  it('keeps control characters of a scanner out of messages', () => {
    const facts = allowed();
    const finding = facts.scans[0]?.report.findings[0];
    Object.assign(finding as object, { severity: 'critical', rule: 'CVE\n::error::owned\u001b[2J' });
    const [reason] = judged(facts).reasons.filter(({ rule }) => rule === 'scan.findings');
    expect(reason?.outcome).toBe('fail');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
    expect(reason?.message).not.toMatch(/[\u0000-\u001f]/);
  });
});

type Path = (string | number)[];

/** Paths of all values in a document, containers too. */
function leaves(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([key, item]) =>
    leaves(item, [...path, Array.isArray(value) ? Number(key) : key]),
  );
  return path.length === 0 ? inner : [path, ...inner];
}

function broken(path: Path, kind: string): unknown {
  const facts = structuredClone(allowed()) as unknown as Record<string | number, unknown>;
  let holder = facts;
  for (const key of path.slice(0, -1)) holder = holder[key] as typeof holder;
  const last = path.at(-1) as string | number;
  if (kind === 'missing') {
    if (Array.isArray(holder)) holder.splice(Number(last), 1);
    else delete holder[last];
  } else {
    holder[last] = { null: null, empty: '', number: -1, text: 'zzz', list: [] }[kind];
  }
  return facts;
}

/**
 * Description, not judged: who ran where, what a tool calls its findings, what a rule cites as evidence, spare entries of a
 * list, times for which any earlier one is as good, and the name of a person who is somebody else then.
 */
const NO_RULE_RESTS_ON = new RegExp(
  [
    'run\\.(platform|host|repository|id|attempt|parent|caller|workflow|job|runner)\\b.*',
    'workflow\\.(caller.*|release|jobRef|jobSha)',
    'runner\\.(name|hosted)',
    'target\\.(kind|name)',
    'subjects\\.0\\.platform',
    'registries\\.0',
    'source\\.(base|people\\.[012](\\.as)?|reviews\\.0\\.at)',
    '(signatures|provenance|sboms|tls|approvals|receipts|scans)\\.\\d\\.(signer|builder|from|format|time|protocol|key|at|atFrom|components|digest|notAfter|effective)',
    '(scans\\.\\d\\.report)\\.(importer|source|subject|counts|findings|tool\\.(rules|digest|version|database)|execution\\.(reasons|argv|exitCode|startedAt|targets|range|filters))\\b.*',
    '(source\\.(reviews|people)|approvals)\\.\\d\\.personId',
    'tls\\.0\\.acceptedProtocols\\.\\d',
    'register\\.(digest|number)',
    'changeTicket|waivers|revoked',
  ]
    .map((place) => `^(${place})$`)
    .join('|'),
);
