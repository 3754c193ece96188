import { severities } from '../contract/primitives.ts';
import type { Draft, Severity } from './reading.ts';

/** How bad a finding is and who says so. */
export type Rating = Pick<Draft, 'severity' | 'severitySource'>;

/** Nobody says: never taken for low. */
export const UNRATED: Rating = { severity: 'unknown', severitySource: 'none' };

/** Secrets and malicious packages, whatever their tool thinks of them. */
export const CRITICAL_BY_POLICY: Rating = { severity: 'critical', severitySource: 'policy-default' };

const WORDS = new Map<string, Severity>([
  ['critical', 'critical'],
  ['high', 'high'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['low', 'low'],
  ['info', 'info'],
  ['informational', 'info'],
  ['negligible', 'info'],
]);

/** The severity that a word names in any letter case, or null: an unlisted word is no severity, not a guess. */
export function severityOfWord(word: unknown, words: ReadonlyMap<string, Severity> = WORDS): Severity | null {
  return typeof word === 'string' ? (words.get(word.trim().toLowerCase()) ?? null) : null;
}

/** The severity of a CVSS score of 0 to 10 (FIRST's qualitative scale; 0 is info), or null. */
export function severityOfScore(score: number | null): Severity | null {
  if (score === null || !(score >= 0 && score <= 10)) return null;
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'info';
}

/** The worst of several ratings, of equals the first; without any, unrated. */
export function worst(ratings: readonly (Rating | null)[]): Rating {
  let found: Rating | null = null;
  for (const rating of ratings) {
    if (rating !== null && (found === null || rank(rating) < rank(found))) found = rating;
  }
  return found ?? UNRATED;
}

/** A rating from a source that may have had nothing to say. */
export function rated(severity: Severity | null, severitySource: Rating['severitySource']): Rating | null {
  return severity === null ? null : { severity, severitySource };
}

function rank(rating: Rating): number {
  return severities.indexOf(rating.severity);
}
