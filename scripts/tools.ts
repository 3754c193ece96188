/** `npm run tools`: installs the pinned real tools that the build and the interop tests use. See --help. */

import { cacheFolder } from './tools/cache.ts';
import { SETS, TOOLS, type Tool } from './tools/catalogue.ts';
import { explain } from './tools/failure.ts';
import { findTool, installCommand } from './tools/find.ts';
import { installAll } from './tools/install.ts';
import { table } from './tools/table.ts';

const HELP = `usage: npm run tools                  lists the tools, and which are installed
       npm run tools -- NAME...       builds or installs these, unless they are there already
       npm run tools -- --path NAME   prints where a tool is
       npm run tools -- --help

NAME is a tool of the list or a set: ${[...SETS.keys()].join(', ')}.
Go tools need Go 1.26, Python tools Python 3.11, Debian packages root or sudo. Sources and wheels come from where your
go and pip are configured to get them, and are checked against the hashes in tools/; packages are checked by apt.
The cache is $GATEHOUSE_TOOLS, else $XDG_CACHE_HOME/gatehouse/tools, else ~/.cache/gatehouse/tools; it may be deleted
at any time. Exit code: 0 all there, 2 wrong use, 3 something is not installed.`;

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(explain(error));
  process.exitCode = 3;
}

async function main(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) {
    console.log(table());
    console.log(`\ncache: ${cacheFolder()}\n${HELP}`);
    return 0;
  }
  if (first === '--help' || first === '-h') {
    console.log(HELP);
    return 0;
  }
  if (first === '--path') {
    return printPath(rest);
  }
  const wrong = args.filter((name) => toolsNamed(name).length === 0);
  if (wrong.length > 0) {
    return misuse(wrong);
  }
  const wanted = new Set(args.flatMap(toolsNamed));
  return await installAll(TOOLS.filter((tool) => wanted.has(tool)));
}

function printPath(names: readonly string[]): number {
  const [name = ''] = names;
  const tool = TOOLS.find((each) => each.name === name);
  if (tool === undefined || names.length > 1) {
    return misuse(names, '--path takes the name of one tool');
  }
  const path = findTool(name);
  if (path === null) {
    console.error(`error: ${name} is not installed; install it: ${installCommand(name)}`);
    return 3;
  }
  console.log(path);
  return 0;
}

function misuse(names: readonly string[], rule = 'there is no tool or set of this name'): number {
  console.error(`error: ${rule}: ${names.join(', ') || '(none given)'}`);
  console.error(`tools: ${TOOLS.map((tool) => tool.name).join(', ')}\nsets: ${[...SETS.keys()].join(', ')}`);
  return 2;
}

function toolsNamed(name: string): readonly Tool[] {
  return SETS.get(name) ?? TOOLS.filter((tool) => tool.name === name);
}
