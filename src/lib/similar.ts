/** The candidate nearest to a misspelt word (two edits, or a quarter of a long word), for "did you mean", or null. */
export function similar(word: string, candidates: Iterable<string>): string | null {
  let best: string | null = null;
  let least = Math.min(Math.floor(word.length / 2), Math.max(2, Math.floor(word.length / 4))) + 1;
  for (const candidate of candidates) {
    const distance = edits(word, candidate);
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/**
 * How the sentence about a word that is not there ends: with the candidate that may have been meant, else with a full stop.
 * `mark` is what the word begins with where it was given, such as `--`.
 */
export function orMeant(word: string, candidates: Iterable<string>, mark = ''): string {
  const meant = similar(word, candidates);
  return meant === null ? '.' : `; did you mean ${mark}${meant}?`;
}

/** Levenshtein distance, one row at a time. */
function edits(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, x] of [...a].entries()) {
    const next = [i + 1];
    for (const [j, y] of [...b].entries()) {
      next.push(Math.min((row[j] as number) + (x === y ? 0 : 1), (row[j + 1] as number) + 1, (next[j] as number) + 1));
    }
    row = next;
  }
  return row.at(-1) as number;
}
