import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ask } from '../../audit/ask.ts';
import { buildIndex } from '../../audit/build-index.ts';
import { hasEngine } from '../../audit/duckdb.ts';
import { asGrid } from '../../audit/formats.ts';
import { type OpenIndex, openIndex } from '../../audit/open-index.ts';
import { queryOf } from '../../audit/queries.ts';
import type { Trust } from '../../contract/trust.ts';
import { openStore } from '../../store/store.ts';
import { writeReport } from '../audit-report.ts';
import type { Site } from './site.ts';

export interface Asked {
  /** The site with the allowed run, and one with a run that was refused. */
  site: Site;
  refused: Site;
  /** The auditor's trust file. */
  trust: string;
  /** An empty folder for the indexes. */
  folder: string;
  report: string;
  /** Whether the store is still there when somebody reads the report. */
  kept: boolean;
}

/** One question, or the report, with what is to be seen. */
export interface Shown {
  title: string;
  ok: boolean;
  detail: string;
}

/** What an auditor asks first, which columns are shown here, and whether an answer without rows is the good one. */
const QUESTIONS: {
  query: string;
  of: 'site' | 'refused';
  words(deploy: string): string[];
  columns: string[];
  none?: string;
}[] = [
  {
    query: 'deploys-by-person',
    of: 'site',
    words: () => ['person=dev-1'],
    columns: ['outcome', 'environment', 'target', 'digest', 'approved_by'],
  },
  {
    query: 'deploy-dossier',
    of: 'site',
    words: (deploy) => [`deploy=${deploy}`],
    columns: ['part', 'signer', 'detail'],
  },
  {
    query: 'deploys-without-complete-approval-chain',
    of: 'site',
    words: () => [],
    columns: ['missing'],
    none: 'none: every deploy has its whole chain',
  },
  { query: 'denials-by-reason', of: 'refused', words: () => [], columns: ['rule', 'person', 'message'] },
  {
    query: 'images-that-contain-a-component',
    of: 'site',
    words: () => ['name=golang.org/x/crypto'],
    columns: ['name', 'version', 'image', 'environment'],
  },
];

/** Asks in this very process: an auditor would build the index once as well. Without DuckDB it says so, and that is no failure. */
export async function askQuestions(asked: Asked, show: (shown: Shown) => void): Promise<void> {
  if (!(await hasEngine())) {
    const detail =
      'DuckDB is not installed where this program lies, so nothing is asked: npm ci in a checkout brings it';
    show({ title: 'an auditor asks', ok: true, detail });
    return;
  }
  const trust = JSON.parse(readFileSync(asked.trust, 'utf8')) as Trust;
  const site = await indexOf(asked.site, trust, join(asked.folder, 'site'));
  // The refused run left the allowed one before the notary came: its store has no tree head to compare with.
  const refused = await indexOf(asked.refused, { ...trust, checkpoint: null }, join(asked.folder, 'refused'));
  try {
    const { rows } = await ask(site.connection, queryOf('deploys-by-person'), ['person=dev-1']);
    const deploy = String(rows[0]?.deploy_id);
    for (const { query, of, words, columns, none } of QUESTIONS) {
      const { question } = queryOf(query);
      const answer = await ask((of === 'site' ? site : refused).connection, queryOf(query), words(deploy));
      const empty = answer.rows.length === 0;
      const detail = empty ? (none ?? 'no rows') : asGrid({ columns, rows: answer.rows });
      show({ title: `an auditor asks: ${question}`, ok: empty === (none !== undefined), detail });
    }
    await writeReport(site, asked.report, {});
    show({
      title: 'the report for an assessor',
      ok: true,
      detail: `${asked.report}${asked.kept ? '' : ' (--keep FOLDER leaves the store too, so that its commands can be run)'}`,
    });
  } finally {
    site.close();
    refused.close();
  }
}

async function indexOf(site: Site, trust: Trust, folder: string): Promise<OpenIndex> {
  mkdirSync(folder, { recursive: true });
  await buildIndex(openStore(`file://${site.path('store')}`, {}), trust, folder, Date.now());
  return await openIndex(folder);
}
