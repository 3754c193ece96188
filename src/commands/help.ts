import texts from './help.generated.json' with { type: 'json' };

/** Help of a verb, or the list of verbs. Plain generated text: asking for help loads no schema. */
export function help(verb: string | undefined): string {
  const all = texts as Record<string, string>;
  return all[verb ?? ''] ?? `There is no verb ${JSON.stringify(verb)}.\n\n${all['']}`;
}
