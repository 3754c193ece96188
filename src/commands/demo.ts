import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { BadInput, CouldNot } from '../lib/errors.ts';
import { exec } from '../lib/exec.ts';
import { whyNot } from '../lib/write.ts';
import * as z from '../lib/zod.ts';
import { parseName } from '../registry/reference.ts';
import { type Context, command, type Result } from './command.ts';
import { REPOSITORY } from './demo/site.ts';
import { interrupt } from './demo/steps.ts';
import { startRegistryProcess, type Told, tell } from './demo/story.ts';
import { optionalText, toggle } from './inputs.ts';

const inputs = z.strictObject({
  keep: optionalText({
    description: 'folder to leave everything in, to look at afterwards; must not exist',
    value: 'FOLDER',
    cliOnly: true,
  }),
  live: toggle({
    description: 'run the scanners that `npm run tools` has installed, instead of taking their committed reports',
    cliOnly: true,
  }),
  registry: optionalText({
    description: 'a registry that takes pushes without credentials, in place of the demo’s own',
    value: 'HOST[:PORT]',
    cliOnly: true,
  }),
  'serve-registry': toggle({
    description: 'only serve the registry of the demo until standard input closes',
    cliOnly: true,
  }),
});

export const demo = command({
  name: 'demo',
  summary: 'promotes a real image end to end on this machine, and shows eight refusals',
  description: [
    'Lays a fork of this library in a temporary folder, as a platform team would, with fresh keys for each role, and runs every step',
    'from it: open, sign, scan, judge, approve, judge, deploy, seal; then eight runs that differ in one fact and are refused by one',
    'rule; then an auditor’s look and first questions (these only where DuckDB is installed). Needs git, and nothing from the network.',
    'Scan reports are the committed outputs of the real tools.',
    'Exit code: 0 everything came out as it must, 1 something did not.',
  ].join('\n'),
  examples: [
    { says: 'see it', command: 'npm run demo' },
    { says: 'with scanners run for real, those that are installed', command: 'npm run demo -- --live' },
    { says: 'and keep what it made', command: 'gatehouse demo --keep /tmp/gatehouse-demo' },
    { says: 'by a registry of your own', command: 'gatehouse demo --registry localhost:5000' },
  ],
  inputs,
  run: async (given, context) => {
    if (given['serve-registry']) return await serve();
    if (given.registry !== undefined) parseName(`${given.registry}/${REPOSITORY}`);
    const sample = join(context.home, '..', 'sample');
    if (!existsSync(join(sample, 'image', 'index.json')))
      throw new BadInput(
        'demo.sample',
        `the sample ${sample} is not there: run the demo from a whole checkout of gatehouse`,
      );
    if (given.keep !== undefined && existsSync(given.keep))
      throw new BadInput('inputs.keep', `${given.keep} exists already: name a folder that does not`);
    return await play(sample, given, context);
  },
});

async function serve(): Promise<Result> {
  const { serveRegistry } = await import('../registry/server/serve.ts');
  await serveRegistry();
  return { exit: 0, json: { status: 'stopped' }, text: 'the registry has stopped' };
}

/** What a terminal or a runner ends a program by. Without a handler keys and folders would stay. */
const ENDED_BY = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

async function play(
  sample: string,
  { keep: to, live, registry }: z.infer<typeof inputs>,
  context: Context,
): Promise<Result> {
  const keep = to ?? null;
  const folder = keep === null ? temporary() : kept(keep);
  const started = Date.now();
  for (const signal of ENDED_BY) process.on(signal, interrupt);
  let server: { registry: string; stop(): void } | null = null;
  try {
    if (registry === undefined) server = await startRegistryProcess(join(context.home, 'gatehouse.js'), folder);
    const told = await tell({
      home: context.home,
      sample,
      reports: live ? await scanLive(sample, join(folder, 'reports'), context) : join(sample, 'reports'),
      folder,
      registry: registry ?? (server?.registry as string),
      // Without --keep everything goes, but for what a person wants to open afterwards.
      report: keep === null ? join(tmpdir(), 'gatehouse-demo-report.html') : join(folder, 'report.html'),
      kept: keep !== null,
      begin: context.working,
      end: (step) => context.progress(line(step, context.colour)),
    });
    const ok = told.every((step) => step.ok);
    const seconds = Math.round((Date.now() - started) / 1000);
    return {
      exit: ok ? 0 : 1,
      json: { status: ok ? 'as it must be' : 'not as it must be', seconds, steps: told },
      text: ending(told, seconds, keep),
    };
  } finally {
    server?.stop();
    if (keep === null) rmSync(folder, { recursive: true, force: true });
    for (const signal of ENDED_BY) process.off(signal, interrupt);
  }
}

function temporary(): string {
  try {
    return mkdtempSync(join(tmpdir(), 'gatehouse-demo-'));
  } catch (cause) {
    throw new CouldNot(
      'demo.temporary',
      `cannot make a folder in ${tmpdir()}: ${whyNot(cause)}; set TMPDIR to one that you may write to, or name one with --keep`,
      cause,
    );
  }
}

function kept(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true });
    return folder;
  } catch (cause) {
    throw new BadInput(
      'inputs.keep',
      `cannot make ${folder}: ${whyNot(cause)}; name a folder that you may make`,
      cause,
    );
  }
}

/** The committed reports, with those of installed scanners made anew: they run for real, on a database of the sample. */
async function scanLive(sample: string, reports: string, context: Context): Promise<string> {
  context.working('running the installed scanners');
  cpSync(join(sample, 'reports'), reports, { recursive: true });
  const { code, stdout, stderr } = await exec(
    nodeForTypeScript(join(sample, '..')),
    [join(sample, 'scan.ts'), '--installed', '--out', reports],
    {
      cwd: join(sample, '..'),
      env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', LANG: 'C.UTF-8' },
    },
  );
  if (code !== 0)
    throw new CouldNot(
      'demo.live',
      `the scanners could not be run: ${stderr.trim().split('\n').slice(-3).join(' / ')}`,
    );
  context.progress(`live scans\n    ${stdout.trim().replaceAll('\n', '\n    ')}`);
  return reports;
}

/** A Node that runs TypeScript as it is: this one, or the pinned one that `npm ci` has brought. */
function nodeForTypeScript(checkout: string): string {
  if (process.features.typescript) return process.execPath;
  const pinned = join(checkout, 'node_modules', '.bin', 'node');
  if (existsSync(pinned)) return pinned;
  throw new CouldNot(
    'demo.live',
    `live scans need a newer Node than ${process.version} or the one that npm ci brings: run npm ci in the checkout, then npm run demo -- --live`,
  );
}

function line({ title, ok, detail, milliseconds }: Told, colour: boolean): string {
  const paint = (style: 'green' | 'red' | 'gray' | 'bold', words: string) =>
    colour ? styleText(style, words, { validateStream: false }) : words;
  const mark = !ok ? paint('red', '✖') : title.startsWith('refused') ? paint('green', '⛔') : paint('green', '✔');
  const indented = detail.replaceAll('\n', '\n    ');
  return `${mark} ${paint('bold', title)} ${paint('gray', `${(milliseconds / 1000).toFixed(1)} s`)}\n    ${paint('gray', indented)}`;
}

function ending(told: Told[], seconds: number, keep: string | null): string {
  const wrong = told.filter((step) => !step.ok);
  const refused = told.filter((step) => step.rules !== undefined);
  return [
    '',
    wrong.length === 0
      ? `One image promoted, ${refused.length} refused, one altered record found, in ${seconds} s.`
      : `${wrong.length} steps did not come out as they must: ${wrong.map((step) => step.title).join('; ')}`,
    '',
    'What next',
    '  gatehouse policy-gate --help     what the gate asks for',
    '  docs/contracts.md                every document and why it is so',
    '  contract.yml                     the rules that a platform team edits, reviews and tags',
    keep === null
      ? '  npm run demo -- --keep FOLDER    the same, keeping fork, store and GitOps repository to look at'
      : `  ${keep}    fork, store, GitOps repository and report of this demo; the report’s commands run in there`,
  ].join('\n');
}
