/** A number with its noun, `1 finding`, `2 findings`; the noun in the singular, of those whose plural ends in s. */
export function plural(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
