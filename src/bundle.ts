/*
 * What the launchers in dist import. The command line starts at once; the action brings GitHub's toolkit along and is loaded when
 * it is called.
 */
export { cli } from './main.ts';

export async function action(name: string, phase: 'main' | 'post', home: string): Promise<void> {
  await (await import('./action.ts')).action(name, phase, home);
}
