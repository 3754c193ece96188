/** What the launchers in dist import: both entries, each loaded only when it is called. */
export async function cli(words: string[], home: string): Promise<void> {
  await (await import('./main.ts')).cli(words, home);
}

export async function action(name: string, phase: 'main' | 'post', home: string): Promise<void> {
  await (await import('./action.ts')).action(name, phase, home);
}
