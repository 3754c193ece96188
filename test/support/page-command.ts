import { readFileSync } from 'node:fs';

/** Commands of a page's shell blocks, each as it would be pasted: continued lines joined, without prompt and comment. */
export function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```(?:sh(?: \w+)?)?\n([\s\S]*?)^ *```$/gm)].map(([, block]) => block as string);
  return blocks
    .flatMap((block) => block.replace(/ *\\\n */g, ' ').split('\n'))
    .flatMap((line) => line.replace(/\s# .*$/, '').split(' && '))
    .map((line) => line.replace(/^ *\$ /, '').trim())
    .filter((line) => /^(gatehouse|node|npm|bash|kubectl) /.test(line));
}

/** The one command of the page that begins so, or is just that. Throws where there is none or more than one. */
export function pageCommand(page: string, begins: string): string {
  const all = [...new Set(commandsIn(readFileSync(page, 'utf8')))];
  const found = all.includes(begins) ? [begins] : all.filter((each) => each.startsWith(begins));
  if (found.length !== 1) throw new Error(`${page} has ${found.length} commands ${begins}`);
  return found[0] as string;
}

/** As a shell splits it, where it only quotes. */
export function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}
