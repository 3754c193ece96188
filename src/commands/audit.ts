import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask } from '../audit/ask.ts';
import { buildIndex } from '../audit/build-index.ts';
import { asCsv, asTable } from '../audit/formats.ts';
import { emptyIndexFolder, type OpenIndex, openIndex } from '../audit/open-index.ts';
import { bindings } from '../audit/parameters.ts';
import { queries, queryOf } from '../audit/queries.ts';
import type { Query } from '../audit/query-file.ts';
import type { AuditIndex } from '../contract/audit-index.ts';
import { BadInput } from '../lib/errors.ts';
import { plural } from '../lib/plural.ts';
import { requirePlace } from '../lib/write.ts';
import * as z from '../lib/zod.ts';
import { openStore } from '../store/store.ts';
import { type Context, command, type Result } from './command.ts';
import { choice, optionalText, toggle } from './inputs.ts';
import { proof } from './proof.ts';
import { readTrust } from './trust-file.ts';

const inputs = z.strictObject({
  action: choice(['index', 'query', 'prove', 'report'], {
    description:
      'index: make tables of all evidence that verifies; query: ask a named question; prove: prove one row; report: one HTML file',
    positional: 0,
  }),
  name: optionalText({
    description: 'query: name of the question; prove: evidence_key of a row',
    positional: 1,
    value: 'NAME',
  }),
  store: optionalText({
    description: 'the store to read, for example file:///evidence',
    value: 'URL',
    cliOnly: true,
  }),
  trust: optionalText({
    description: 'keys and checkpoint that you bring along, gatehouse/trust/1',
    value: 'FILE',
    cliOnly: true,
  }),
  index: optionalText({
    description: 'query, report: an index that was made before, instead of --store and --trust',
    value: 'FOLDER',
    cliOnly: true,
  }),
  out: optionalText({
    description: 'index: folder for the tables; report: file to write',
    value: 'PATH',
    cliOnly: true,
  }),
  param: optionalText({
    description: 'query: a parameter of the question; may be given several times',
    value: 'NAME=VALUE',
    repeatable: true,
    cliOnly: true,
  }),
  since: optionalText({ description: 'report: from this moment on', value: 'RFC3339', cliOnly: true }),
  until: optionalText({ description: 'report: before this moment', value: 'RFC3339', cliOnly: true }),
  list: toggle({ description: 'query: show every question with its citations and parameters', cliOnly: true }),
  csv: toggle({ description: 'query: print comma-separated values', cliOnly: true }),
});
type Inputs = z.infer<typeof inputs>;

export const audit = command({
  name: 'audit',
  summary: 'answers an auditor’s questions from evidence that verifies',
  description: [
    'Verifies the store by the keys that you bring along, and makes tables of what verified; everything else is listed in',
    'quarantine with the reason. The tables are derived and can be made again at any time: each row carries the key of its',
    'evidence, and `audit prove KEY` fetches that again and proves it. Needs npm ci in a checkout: the engine, DuckDB, is no',
    'part of dist. What the ledger finds is said with every answer; whether the store is clean, `ledger verify` judges.',
    'Exit code: 0 answered (prove: proved), 1 not proved, 2 bad input, 3 could not do it.',
  ].join('\n'),
  examples: [
    { says: 'which questions are there?', command: 'gatehouse audit query --list' },
    {
      says: 'what did this person deploy?',
      command:
        'gatehouse audit query deploys-by-person --param person=dev-1 --store file:///evidence --trust trust.json',
    },
    {
      says: 'verify once, then ask often',
      command: 'gatehouse audit index --store file:///evidence --trust trust.json --out index',
    },
    { says: 'ask the index', command: 'gatehouse audit query denials-by-reason --index index --csv' },
    {
      says: 'prove a row',
      command: 'gatehouse audit prove v1/records/… --store file:///evidence --trust trust.json',
    },
    {
      says: 'a report to hand over',
      command: 'gatehouse audit report --store file:///evidence --trust trust.json --out report.html',
    },
  ],
  inputs,
  run: async (given, context) => await actions[given.action](given, context),
});

const actions: { [action in Inputs['action']]: (given: Inputs, context: Context) => Promise<Result> } = {
  index: makeIndex,
  query,
  prove: async (given, context) => {
    if (given.name === undefined) throw new BadInput('inputs.name', 'audit prove needs the evidence_key of a row');
    const { store, trust } = storeAndTrust(given);
    return await proof(store, readTrust(trust), given.name, context);
  },
  report: async (given, context) => {
    const { rangeOf, writeReport } = await import('./audit-report.ts');
    if (given.out === undefined) throw new BadInput('inputs.out', 'audit report needs --out: the file to write');
    const { out } = given;
    requirePlace(out, 'report');
    rangeOf(given);
    return await withIndex(given, context, async (open) => await writeReport(open, out, given));
  },
};

async function makeIndex(given: Inputs, context: Context): Promise<Result> {
  if (given.out === undefined) throw new BadInput('inputs.out', 'audit index needs --out: the folder for the tables');
  const { store, trust } = storeAndTrust(given);
  const keys = readTrust(trust);
  emptyIndexFolder(given.out);
  const index = await buildIndex(openStore(store, context.env), keys, given.out, context.now());
  const rows = Object.entries(index.tables).map(([name, table]) => `  ${name.padEnd(16)}${table.rows}`);
  return { exit: 0, json: index, text: [standing(index), ...rows, `in ${given.out}`].join('\n') };
}

async function query(given: Inputs, context: Context): Promise<Result> {
  if (given.list) return list();
  if (given.name === undefined)
    throw new BadInput('inputs.name', 'audit query needs the name of a question: see gatehouse audit query --list');
  const asked = queryOf(given.name);
  const words = given.param?.split('\n') ?? [];
  // Before minutes of verifying: a misspelt parameter is known now.
  bindings(asked, words);
  return await withIndex(given, context, async ({ connection, index }) => {
    const answer = await ask(connection, asked, words);
    const { store, asOf, anchor, ledger, quarantined } = index;
    const told = `${asked.question}\n${cited(asked)}\n${standing(index)}`;
    if (given.csv) context.progress(told);
    return {
      exit: 0,
      json: {
        query: asked.name,
        question: asked.question,
        supports: asked.supports,
        store,
        asOf,
        anchor,
        ledger,
        quarantined,
        ...answer,
      },
      text: given.csv ? asCsv(answer) : `${told}\n\n${asTable(answer)}`,
    };
  });
}

function list(): Result {
  return {
    exit: 0,
    json: queries.map(({ sql: _, ...told }) => told),
    text: queries
      .map((each) =>
        [
          each.name,
          `  ${each.question}`,
          `  ${cited(each)}`,
          ...each.parameters.map(
            ({ name, type, fallback, says }) =>
              `  --param ${name}=<${type}>  ${says}${fallback === null ? '' : ` (default ${fallback})`}`,
          ),
        ].join('\n'),
      )
      .join('\n\n'),
  };
}

function cited({ supports }: Query): string {
  return `supports ${supports.map(({ citation, title, mark }) => `${citation} ${title} (${mark})`).join(', ')}`;
}

/** What an answer rests on, in one line. */
export function standing({ ledger, anchor, quarantined, asOf }: AuditIndex): string {
  const head =
    anchor === null
      ? 'anchored by no tree head'
      : `anchored by tree head ${anchor.origin} over ${plural(anchor.size, 'object')}`;
  const found =
    ledger.findings === 0
      ? 'the ledger is clean'
      : `the ledger has ${plural(ledger.findings, 'finding')}: see ledger verify`;
  return `${plural(ledger.records, 'record')} in ${plural(ledger.runs, 'run')} as of ${asOf}, ${head}; ${found}${quarantined === 0 ? '' : `; ${plural(quarantined, 'object')} in quarantine`}`;
}

/** Opens the index that was given, or makes one of the store that goes away again. */
async function withIndex(given: Inputs, context: Context, use: (open: OpenIndex) => Promise<Result>): Promise<Result> {
  if (given.index !== undefined) {
    if (given.store !== undefined || given.trust !== undefined)
      throw new BadInput('inputs.index', '--index goes without --store and --trust: an index was made by them already');
    return await asking(given.index, use);
  }
  const { store, trust } = storeAndTrust(given);
  const keys = readTrust(trust);
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-index-'));
  try {
    context.working(`verifying ${store}`);
    await buildIndex(openStore(store, context.env), keys, folder, context.now());
    return await asking(folder, use);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function asking(folder: string, use: (open: OpenIndex) => Promise<Result>): Promise<Result> {
  const open = await openIndex(folder);
  try {
    return await use(open);
  } finally {
    open.close();
  }
}

function storeAndTrust({ action, store, trust }: Inputs): { store: string; trust: string } {
  if (store === undefined || trust === undefined)
    throw new BadInput(
      'inputs.trust',
      `audit ${action} needs --store and --trust: what to check, and the keys to check it by`,
    );
  return { store, trust };
}
