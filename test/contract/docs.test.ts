import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commands } from '../../src/commands/catalogue.ts';
import { inputsOf } from '../../src/commands/flags.ts';

const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'sample/README.md', 'gitlab-components/README.md'],
  ...readdirSync('docs').map((name) => join('docs', name)),
];
const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts);

/** Commands of the page's shell blocks; a comment and what follows a pipe are not theirs, a `$ ` before them neither. */
function commandsOf(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh)?\n([\s\S]*?)^```$/gm)].map(([, block]) => block as string);
  return blocks
    .flatMap((block) => block.replaceAll('\\\n', ' ').split('\n'))
    .flatMap((line) => line.replace(/\s# .*$/, '').split(/ && | \| /))
    .map((line) => line.replace(/^\$ /, '').trim())
    .filter((line) => /^(gatehouse|node dist\/gatehouse\.js|npm) /.test(line));
}

/** What of a command does not exist; it may still fail for what it is given. */
async function faultOf(line: string): Promise<string | null> {
  const [program, ...words] = wordsOf(line);
  if (program === 'npm') {
    const script = words[0] === 'run' ? words.find((word, i) => i > 0 && !word.startsWith('-')) : words[0];
    return ['ci', 'exec', ...scripts].includes(script ?? '') ? null : `npm has no script ${script}`;
  }
  const [verb = '', ...rest] = program === 'node' ? words.slice(1) : words;
  if (verb === '--help' || rest.includes('--help')) return null;
  if (!Object.hasOwn(commands, verb)) return `there is no verb ${verb}`;
  const command = await (commands[verb] as () => Promise<Parameters<typeof inputsOf>[0]>)();
  try {
    inputsOf(
      command,
      rest.filter((word) => word !== '--json'),
    );
    return null;
  } catch (thrown) {
    return (thrown as Error).message;
  }
}

function wordsOf(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  it('names no command, flag or script that is not there', async () => {
    const faults = await Promise.all(commandsOf(text).map(async (line) => [line, await faultOf(line)]));
    expect(faults.filter(([, fault]) => fault !== null)).toEqual([]);
  });

  it('leads to no file that is not there', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link as string);
    expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
  });
});

it('the pages hold commands', () => {
  expect(PAGES.flatMap((page) => commandsOf(readFileSync(page, 'utf8'))).length).toBeGreaterThan(20);
});

it.each([
  ['gatehouse policygate', 'there is no verb policygate'],
  ['gatehouse policy-gate --enviroment production', /enviroment/],
  ['gatehouse deploy-by-digest --image x', /decision/],
  ['npm run tests', 'npm has no script tests'],
])('a planted %s is found', async (line, fault) => {
  expect(await faultOf(line)).toMatch(fault);
});
