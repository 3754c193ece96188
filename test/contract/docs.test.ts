import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from 'yaml';
import { commands } from '../../src/commands/catalogue.ts';
import { inputsOf } from '../../src/commands/flags.ts';
import { commandsIn, pageCommand, wordsOf } from '../support/page-command.ts';

const READMES = ['actions', 'gitlab-components/templates'].flatMap((folder) =>
  readdirSync(folder).map((name) => join(folder, name, 'README.md')),
);
const PAGES = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'sample/README.md'],
  ...['gitlab-components/README.md', 'workflows/github/README.md'],
  ...readdirSync('docs').map((name) => join('docs', name)),
  ...READMES.filter((path) => existsSync(path)),
];
const scripts = Object.keys(JSON.parse(readFileSync('package.json', 'utf8')).scripts);

/** Pages whose blocks one test runs from top to bottom. */
const WHOLE: Record<string, string> = {
  'docs/fork.md': 'test/interop/fork-guide.test.ts',
  'docs/gitlab.md': 'test/interop/fork-guide.test.ts',
  'docs/audit.md': 'test/e2e/audit.test.ts',
};
/** Commands that a test takes out of the page and runs: page, how the command begins, test. */
const LOOKED_UP = [
  ['README.md', 'npm run demo', 'test/e2e/demo.test.ts'],
  ['README.md', 'gatehouse policy-gate', 'test/e2e/readme.test.ts'],
  ['docs/deploy.md', 'gatehouse admission policy', 'test/interop/kubernetes-admission.test.ts'],
  ['docs/stores.md', 'gatehouse doctor', 'test/attacks/store-s3.test.ts'],
  ['sample/README.md', 'node sample/make-image.ts', 'test/interop/sample-image.test.ts'],
  ['sample/README.md', 'node sample/make-image.ts --with buildah', 'test/interop/sample-buildah.test.ts'],
] as const;
/** Commands that continuous integration runs, in these very words but for `--silent` and what follows `--`. */
const BY_CI = ['npm ci', 'npm test', 'npm run tools', 'npm run build', 'npm run test:more'];
/** Commands of whose folders test:more is made. */
const IN_ONE = ['hosted', 'attacks', 'soak', 'interop'].map((name) => `npm run test:${name}`);
/** Commands that no test runs, and why. */
const BY_HAND: [command: string, why: string][] = [
  ['bash .ci/run', 'it runs the tests'],
  ['npm run check', 'its four parts are run one by one by .ci/run'],
  ['npm run bench', 'it measures, and what it measures is the machine'],
  ['npm run assemble -- --out F', 'with a folder’s name in the place of F it stands in docs/gitlab.md, which is run'],
  ['node sample/scan.ts', 'it takes five scanners and many minutes, and writes new times into what is committed'],
];

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

/** Commands of ours, as far as a pipe; flags after it are another program's. */
const oursIn = (text: string) =>
  commandsIn(text)
    .map((line) => line.split(' | ')[0] as string)
    .filter((line) => /^(gatehouse|node dist\/gatehouse\.js|npm) /.test(line));

describe.each(PAGES)('%s', (page) => {
  const text = readFileSync(page, 'utf8');

  it('names no command, flag or script that is not there', async () => {
    const faults = await Promise.all(oursIn(text).map(async (line) => [line, await faultOf(line)]));
    expect(faults.filter(([, fault]) => fault !== null)).toEqual([]);
  });

  it('leads to no file that is not there', () => {
    const links = [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link]) => link as string);
    expect(links.filter((link) => !existsSync(join(dirname(page), link)))).toEqual([]);
  });
});

/** Commands of a page that nothing here accounts for. */
function unaccounted(page: string, text: string): string[] {
  if (WHOLE[page] !== undefined) return [];
  const lookedUp = LOOKED_UP.filter(([of]) => of === page).map(([of, begins]) => pageCommand(of, begins));
  return commandsIn(text).filter(
    (line) =>
      !lookedUp.includes(line) &&
      ![...BY_CI, ...IN_ONE].some((each) => line === each || line.startsWith(`${each} -- `)) &&
      !BY_HAND.some(([each]) => line === each),
  );
}

describe('every command of a page is run, or it is said why not', () => {
  it.each(PAGES)('%s', (page) => {
    expect(unaccounted(page, readFileSync(page, 'utf8'))).toEqual([]);
  });

  it('by a test that goes through the page', () => {
    const others = Object.entries(WHOLE).filter(
      ([page, test]) => !readFileSync(test, 'utf8').includes(`readFileSync('${page}', 'utf8')`),
    );
    expect(others).toEqual([]);
  });

  it('by a test that looks it up', () => {
    const others = LOOKED_UP.filter(
      ([page, begins, test]) => !readFileSync(test, 'utf8').includes(`pageCommand('${page}', '${begins}')`),
    );
    expect(others).toEqual([]);
  });

  it('by continuous integration', () => {
    const ci = readFileSync('.ci/run', 'utf8').replaceAll(' --silent', '');
    expect(BY_CI.filter((each) => !new RegExp(`^${each}( |$)`, 'm').test(ci))).toEqual([]);
    const { 'test:more': more } = JSON.parse(readFileSync('package.json', 'utf8')).scripts;
    expect(IN_ONE).toEqual(
      more
        .split(' ')
        .slice(2)
        .map((folder: string) => `npm run test:${folder}`),
    );
  });

  it('and what nobody runs stands on a page', () => {
    const all = PAGES.flatMap((page) => commandsIn(readFileSync(page, 'utf8')));
    expect(BY_HAND.filter(([each]) => !all.includes(each))).toEqual([]);
  });

  it('a planted one is found', () => {
    expect(unaccounted('README.md', '```\n$ gatehouse status --image x\n```\n')).toEqual([
      'gatehouse status --image x',
    ]);
  });
});

it('the pages hold commands', () => {
  expect(PAGES.flatMap((page) => oursIn(readFileSync(page, 'utf8'))).length).toBeGreaterThan(20);
});

it.each([
  ['gatehouse policygate', 'there is no verb policygate'],
  ['gatehouse policy-gate --enviroment production', /enviroment/],
  ['gatehouse deploy-by-digest --image x', /decision/],
  ['npm run tests', 'npm has no script tests'],
])('a planted %s is found', async (line, fault) => {
  expect(await faultOf(line)).toMatch(fault);
});

it('README names jobs that the pipelines have', () => {
  const jobs = ['promote', 'child']
    .map((name) => readFileSync(`gitlab-components/templates/${name}/template.yml`, 'utf8'))
    .join('\n');
  const named = [...readFileSync('README.md', 'utf8').matchAll(/`(gatehouse-[a-z<>-]+)`/g)].map(
    ([, job]) => job as string,
  );
  expect(named.length).toBeGreaterThan(1);
  expect(named.filter((job) => !jobs.includes(`\n${job.replace('<name>', '$[[ inputs.name ]]')}:\n`))).toEqual([]);
});

it('README leads to each page to read on once', () => {
  const [, more = ''] = readFileSync('README.md', 'utf8').split('\n## Read on\n');
  const links = [...more.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link as string);
  expect(links.length).toBeGreaterThan(8);
  expect(links.filter((link, i) => links.indexOf(link) !== i)).toEqual([]);
});

describe('who has inputs', () => {
  it.each(READMES.filter((path) => existsSync(path)))('reads in %s of inputs, and of a flag only as one', (path) => {
    expect(readFileSync(path, 'utf8').match(/(?<!`)--[a-z][a-z-]*|`--[a-z-]+`(?! \(command line\))/g)).toBeNull();
  });

  it('is told what may be chosen, also on GitHub, whose inputs know no choices', () => {
    const { inputs } = parse(readFileSync('actions/evidence-emit/action.yml', 'utf8'));
    expect(inputs.type.description).toMatch(/\(run\.opened, run\.sealed, .*test\.completed\)$/);
    expect(readFileSync('actions/evidence-emit/README.md', 'utf8')).toContain(inputs.type.description);
  });

  it('is offered nothing in an action that always fails there', () => {
    for (const file of ['action.yml', 'README.md'])
      expect(readFileSync(`actions/evidence-emit/${file}`, 'utf8')).not.toMatch(/as-pipeline|--child/);
  });

  it('opens environments to named branches, as docs/fork.md does, and runs all jobs again', () => {
    const readme = readFileSync('workflows/github/README.md', 'utf8');
    expect(readme).toContain('each for exactly the branches of `refs` in contract.yml');
    expect(readFileSync('docs/fork.md', 'utf8')).not.toContain('"protected_branches": true');
    for (const page of ['docs/fork.md', 'workflows/github/README.md'])
      expect(readFileSync(page, 'utf8')).toMatch(/Re-run all jobs/);
  });

  it('is told which git it takes', () => {
    const [major, minor] =
      /is not git (\d+)\.(\d+) or newer/.exec(readFileSync('src/deploy/git.ts', 'utf8'))?.slice(1) ?? [];
    for (const page of ['README.md', 'docs/deploy.md'])
      expect(readFileSync(page, 'utf8')).toMatch(new RegExp(`git (\\()?${major}\\.${minor} or newer`));
  });
});
