import type { Seen } from '../../../lib/seen.ts';
import type { BranchProtection, BranchRules, Ruleset } from './replies.ts';

/** How branch protection, the older one beside rulesets, is named among what guards a branch. */
export const BRANCH_PROTECTION = 'branch protection';

/** What keeps a branch as it is, from all rulesets in force on it and its branch protection together. */
export interface BranchGuard {
  keptFromDeletion: boolean;
  keptFromForce: boolean;
  /** Approving reviews that a change needs; 0 without a pull request. */
  reviews: number;
  codeOwners: boolean;
  /** Names of what guards it. */
  by: string[];
  /** Who may go past it. */
  bypass: Seen<string[]>;
  /** Why branch protection is not shown, where there is some; null where all of it is here. */
  hidden: string | null;
}

/** `rules` are those in force on the branch; `rulesets` those that they are of; `protection` the older branch protection, null without any. */
export function branchGuard(
  rules: BranchRules,
  rulesets: Seen<Ruleset>[],
  shown: Seen<BranchProtection | null>,
): BranchGuard {
  const protection = 'value' in shown ? shown.value : null;
  const has = (type: string) => rules.some((rule) => rule.type === type);
  const demands = rules.filter(({ type }) => type === 'pull_request').map(({ parameters }) => parameters);
  const old = protection?.required_pull_request_reviews;
  return {
    keptFromDeletion: has('deletion') || (protection !== null && protection.allow_deletions?.enabled === false),
    keptFromForce: has('non_fast_forward') || (protection !== null && protection.allow_force_pushes?.enabled === false),
    reviews: Math.max(
      0,
      old?.required_approving_review_count ?? 0,
      ...demands.map((demand) => demand?.required_approving_review_count ?? 0),
    ),
    codeOwners:
      old?.require_code_owner_reviews === true || demands.some((demand) => demand?.require_code_owner_review === true),
    by: [
      ...rulesets.map((each) => ('value' in each ? `ruleset ${each.value.name}` : 'a ruleset')),
      ...(protection === null ? [] : [BRANCH_PROTECTION]),
    ],
    bypass: allSeen([
      ...rulesets.map((each) => ('value' in each ? bypassOf(each.value) : each)),
      ...(protection === null ? [] : [{ value: bypassOfProtection(protection) }]),
    ]),
    hidden: 'unknown' in shown ? shown.unknown : null,
  };
}

/** Who may go past a ruleset; GitHub shows it only to those who may edit it. */
export function bypassOf({ name, bypass_actors: actors }: Ruleset): Seen<string[]> {
  if (actors === undefined)
    return {
      unknown: `who may go past ruleset ${name} is shown only to a token that may edit it (administration: write)`,
    };
  return {
    value: actors.map(({ actor_type: type, actor_id: id, bypass_mode: mode }) => {
      const who =
        type === 'RepositoryRole' ? `role ${ROLES[String(id)] ?? id}` : `${type}${id == null ? '' : ` ${id}`}`;
      return `${who} (${mode ?? 'always'})`;
    }),
  };
}

/** Repository roles of GitHub's own, by the numbers that its rulesets use. */
const ROLES: Record<string, string> = { 2: 'maintain', 4: 'write', 5: 'admin' };

function bypassOfProtection({
  enforce_admins: admins,
  required_pull_request_reviews: reviews,
}: BranchProtection): string[] {
  const { users = [], teams = [], apps = [] } = reviews?.bypass_pull_request_allowances ?? {};
  return [
    ...(admins?.enabled === true ? [] : ['administrators']),
    ...[...users, ...teams, ...apps].map(({ login, slug }) => login ?? slug ?? 'somebody'),
  ];
}

/** All of it, or why one part is not seen. */
export function allSeen(parts: Seen<string[]>[]): Seen<string[]> {
  const hidden = parts.find((part) => 'unknown' in part);
  if (hidden !== undefined) return hidden;
  return { value: [...new Set(parts.flatMap((part) => ('value' in part ? part.value : [])))] };
}
