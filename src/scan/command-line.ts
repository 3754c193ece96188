import type { Conventions, Filter } from './reading.ts';

/** The words of a command line. One handed to a shell as a single argument (`sh -c '…'`) hides nothing. */
export function wordsOf(argv: readonly string[]): string[] {
  const shell = /(^|\/)(ba|da|a|z)?sh$/.test(argv[0] ?? '');
  const own = shell ? argv.slice(1).filter((argument) => !argument.startsWith('-')) : argv;
  return own.flatMap((argument) => argument.split(/\s+/).filter((word) => word !== ''));
}

/**
 * The options on a command line that made the tool leave findings out, as `--flag=value`. What a configuration file or
 * the environment did leaves no trace here: whoever runs the tool must point it at files of its own.
 */
export function filtersIn(
  words: readonly string[],
  conventions: Pick<Conventions, 'filters' | 'abbreviates'>,
): string[] {
  return words.flatMap((word, index) => {
    const [flag, ...rest] = word.split('=');
    const filter = find(flag as string, conventions);
    if (filter === undefined) return [];
    const value = rest.length > 0 ? rest.join('=') : filter.bare ? 'true' : (words[index + 1] ?? '');
    return harmless(value, filter) ? [] : [`${filter.flags[0]}${filter.bare ? '' : `=${value}`}`];
  });
}

function find(
  flag: string,
  { filters, abbreviates }: Pick<Conventions, 'filters' | 'abbreviates'>,
): Filter | undefined {
  const exact = filters.find((filter) => filter.flags.includes(flag));
  if (exact !== undefined || !abbreviates || !/^--\w{3,}/.test(flag)) return exact;
  return filters.find((filter) => filter.flags.some((full) => full.startsWith(flag)));
}

/** A filter that is switched off, that names an empty file, or that names everything. */
function harmless(value: string, { bare, all }: Filter): boolean {
  if (bare) return value === 'false';
  if (value === '/dev/null') return true;
  const named = new Set(value.split(',').map((part) => part.trim().toLowerCase()));
  return all?.every((one) => named.has(one)) ?? false;
}

/** The last value of an option on a command line, or null. */
export function optionIn(words: readonly string[], ...flags: string[]): string | null {
  let value: string | null = null;
  for (const [index, word] of words.entries()) {
    const [flag, ...rest] = word.split('=');
    if (flags.includes(flag as string)) value = rest.length > 0 ? rest.join('=') : (words[index + 1] ?? '');
  }
  return value;
}
