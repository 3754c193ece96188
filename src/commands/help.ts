import texts from './help.generated.json' with { type: 'json' };

/** Help of a verb, the list of verbs for the empty word, or null. Plain generated text: asking for help loads no schema. */
export function help(verb: string): string | null {
  const all: Record<string, string> = texts;
  return Object.hasOwn(all, verb) ? (all[verb] as string) : null;
}
