import rules from '../../controls/rules.json' with { type: 'json' };

interface Rule {
  stages: string[];
  controls: string[];
}
const known = rules as Record<string, Rule>;

/** The rules that a decision of this stage must answer for. */
export function rulesOf(stage: string): string[] {
  return Object.keys(known).filter((rule) => known[rule]?.stages.includes(stage));
}

/** What a rule supports, for example `45 CFR 164.312(b)`. Throws for a rule that the map lacks: no verdict goes without a citation. */
export function citationsOfRule(rule: string): string[] {
  const entry = known[rule];
  if (entry === undefined) throw new Error(`rule ${rule} has no entry in controls/rules.json`);
  return entry.controls;
}
