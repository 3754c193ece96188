import type { Check } from './check.ts';

const BRANCH = 'refs/heads/';

/** Names of the branches among the refs that a contract allows. Each is as good as the default one: what is pushed there may go out. */
export function branchesOf(refs: readonly string[]): string[] {
  return [...new Set(refs.filter((ref) => ref.startsWith(BRANCH)).map((ref) => ref.slice(BRANCH.length)))];
}

export function notBranches(refs: readonly string[]): string[] {
  return refs.filter((ref) => !ref.startsWith(BRANCH));
}

/** What protects a tag of an application is not looked at, and so does not count as held. */
export function unseenRef(ref: string): Check {
  return {
    check: `application ${ref}`,
    found: 'the contract allows it, and only branches are looked at here',
    needed: 'branches alone in refs',
    status: 'unknown',
  };
}
