import { createHash } from 'node:crypto';
import type { AuditIndex } from '../../contract/audit-index.ts';
import { type Findings, type Range, rangeWords } from './collect.ts';
import { EvidenceList } from './evidence-list.ts';
import { Html, html } from './html.ts';
import {
  chainSection,
  controlSection,
  denialSection,
  deploySection,
  driftSection,
  exceptionSection,
  ledgerSection,
  quarantineSection,
} from './sections.ts';
import { STYLE } from './style.ts';
import { when } from './table.ts';

interface Section {
  id: string;
  title: string;
  body: Html;
}

/**
 * The report as one file: no script, nothing from elsewhere, readable by somebody who has never seen this program. The same
 * index and range give the same bytes.
 */
export function reportPage(index: AuditIndex, found: Findings, range: Range): string {
  const marks = new EvidenceList();
  const command = (query: string, ...words: string[]) => commandOf(index, query, [...words, ...rangeWords(range)]);
  const all = (query: string, ...words: string[]) => html`All of them: <code>${command(query, ...words)}</code>`;
  const sections: Section[] = [
    { id: 'scope', title: 'Scope', body: scope(index, found, range) },
    { id: 'reading', title: 'How to read this report', body: READING },
    { id: 'ledger', title: 'State of the ledger', body: ledgerSection(index, found, marks) },
    {
      id: 'deploys',
      title: 'Deploys',
      body: deploySection(found, marks, all('deploys-by-environment', 'environment=NAME')),
    },
    {
      id: 'chains',
      title: 'Deploys without a complete approval chain',
      body: chainSection(found, marks, all('deploys-without-complete-approval-chain')),
    },
    { id: 'denials', title: 'Denials by reason', body: denialSection(found, marks, all('denials-by-reason')) },
    {
      id: 'exceptions',
      title: 'Exceptions and break-glass',
      body: exceptionSection(found, marks, all('exceptions-and-break-glass')),
    },
    { id: 'drift', title: 'Drift', body: driftSection(found, marks, all('drift')) },
    {
      id: 'quarantine',
      title: 'Quarantine',
      body: html`<p>These lie in the store and no figure counts them: they did not verify, or are not the bytes that were recorded.</p>${quarantineSection(found, marks)}`,
    },
    { id: 'controls', title: 'Controls', body: html`${CONTROLS}${controlSection(found)}` },
    { id: 'proof', title: 'How each figure can be proved', body: proof(index, found, command) },
    { id: 'limits', title: 'What cannot be proved', body: LIMITS },
    {
      id: 'evidence',
      title: 'Evidence',
      body: html`<p>Keys of the objects in the store. Each can be fetched again and proved:</p><pre><code>gatehouse audit prove KEY --store ${shell(index.store)} --trust trust.json</code></pre>${marks.list()}`,
    },
  ];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'">
<title>Evidence report: ${found.scope.repositories.slice(0, 3).join(', ') || 'empty store'}</title>
<style>${STYLE_MARKUP}</style>
</head>
<body>
<header>
<h1>Evidence report</h1>
<p>${found.scope.repositories.slice(0, 8).join(', ') || 'An empty store'}${found.scope.repositories.length > 8 ? ` and ${found.scope.repositories.length - 8} more` : ''}, as of ${when(index.asOf)} UTC</p>
</header>
<nav aria-label="Contents"><ol>${sections.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li>`)}</ol></nav>
<main>
${figures(index, found)}
${sections.map(({ id, title, body }) => html`<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>${body}</section>\n`)}
</main>
<footer><p>Made by <code>gatehouse audit report</code> from an index that can be made again from the store at any time. This report is no evidence by itself: what it says is proved by the records that it names.</p></footer>
</body>
</html>
`.markup;
}

/** Written by us, and hashed for the page's own policy: it must go in as it is. */
const STYLE_MARKUP = new Html(STYLE);

function figures({ ledger, quarantined }: AuditIndex, { deploys, chains, denials, exceptions }: Findings): Html {
  const incomplete = new Set(chains.map((row) => row.evidence_key)).size;
  const refused = new Set(denials.map((row) => row.evidence_key)).size;
  const items: [number, string, string][] = [
    [deploys.filter(({ outcome }) => outcome === 'success').length, 'deployed', 'deploys'],
    [refused, 'refused', 'denials'],
    [incomplete, 'with incomplete approval chain', 'chains'],
    [exceptions.length, 'exceptions and break-glass', 'exceptions'],
    [ledger.findings, 'findings of the ledger', 'ledger'],
    [quarantined, 'objects in quarantine', 'quarantine'],
  ];
  return html`<ul class="figures">${items.map(([count, label, id]) => html`<li><b>${count}</b><span><a href="#${id}">${label}</a></span></li>`)}</ul>`;
}

function scope(
  index: AuditIndex,
  { scope: { repositories, environments, first, last, records } }: Findings,
  range: Range,
): Html {
  const bound = (at: number | null, open: string) => (at === null ? open : when(new Date(at).toISOString()));
  return html`<dl class="facts">
<dt>Store</dt><dd><code>${index.store}</code></dd>
<dt>Read</dt><dd>${when(index.asOf)} UTC</dd>
<dt>Range asked for</dt><dd>${bound(range.since, 'from the beginning')} until ${bound(range.until, 'the end')}</dd>
<dt>Records in the range</dt><dd>${records}${first === null ? null : html`, from ${when(first)} to ${when(last)} UTC`}</dd>
<dt>Repositories</dt><dd>${repositories.join(', ') || 'none'}</dd>
<dt>Environments</dt><dd>${environments.join(', ') || 'none'}</dd>
</dl>
<p>State of the ledger and quarantine are about the whole store; everything else is about the range.</p>`;
}

const READING = html`
<p>A delivery pipeline wrote signed records into a store: what was changed, built, scanned, decided, approved and deployed. This
report was made by somebody who does not have to trust the pipeline: every record was verified by keys that the auditor brought
along, before anything was counted.</p>
<ul>
<li>A row counts a <b>record that verified</b>: its signature, the role of the key that signed it (a scanner’s key cannot say “approved”), the repository that the key may write for, its place in its run, and its bytes in the log.</li>
<li><b>Contested</b> marks a record that verified and that the ledger contradicts all the same, for example one written after its run was sealed. It is shown, and counts in nobody’s favour.</li>
<li>What did not verify is in <a href="#quarantine">quarantine</a> and in no figure.</li>
<li><b>E1, E2, …</b> name the evidence of a row; <a href="#evidence">the list at the end</a> has the keys.</li>
<li>People are named as the organisation’s register names them; where it names nobody, by their account on the platform.</li>
</ul>`;

const CONTROLS = html`<p>Records <b>support</b>, that is: produce evidence for, the sections named here. No software satisfies a section of the Security
Rule by itself, and an assessor judges whether the evidence is enough. <b>R</b> is a required specification. <b>A</b> is
addressable, which is not optional: the entity implements it, or documents why not and what it does instead
(45 CFR 164.306(d)(3)).</p>`;

const LIMITS = html`<p>No store can show by itself:</p>
<ul>
<li>that a <b>compromised job</b> signed something false that is well formed. It can be attributed to the job and its key, not recognised;</li>
<li>a run that was <b>removed as a whole before its first checkpoint</b>. Compare the runs here with the platform’s own list of runs;</li>
<li>a log that was <b>rewritten as a whole</b> when nobody had kept a checkpoint outside the store. Keep one, and bring it along next time;</li>
<li>what happened <b>outside any known run</b>: it needs the cluster’s admission records and drift checks;</li>
<li>times that are wrong by less than the tolerated difference between clocks (15 minutes);</li>
<li>a store whose owner lies consistently about times and versions: it needs a copy elsewhere, or a witness.</li>
</ul>`;

function proof(
  index: AuditIndex,
  { deploys, scope: { environments } }: Findings,
  command: (query: string, ...words: string[]) => string,
): Html {
  const lines: [string, string][] = [
    [
      'Everything that the ledger’s verification found',
      `gatehouse ledger verify --store ${shell(index.store)} --trust trust.json`,
    ],
    ...environments.map((name): [string, string] => [
      `Deploys to ${name}`,
      command('deploys-by-environment', `environment=${name}`),
    ]),
    ['Incomplete approval chains', command('deploys-without-complete-approval-chain')],
    ['Denials by reason', command('denials-by-reason')],
    ['Exceptions and break-glass', command('exceptions-and-break-glass')],
    ['Drift', command('drift')],
    ...(typeof deploys.at(-1)?.deploy_id === 'string'
      ? [
          [
            'Everything about one deploy, here the newest',
            commandOf(index, 'deploy-dossier', [`deploy=${deploys.at(-1)?.deploy_id}`]),
          ] as [string, string],
        ]
      : []),
  ];
  return html`<p><code>gatehouse</code> stands for <code>node dist/gatehouse.js</code> of a checkout; <code>trust.json</code> is as the auditor brings it along: the organisation’s release and notary keys, and a checkpoint kept from before.</p>
<dl>${lines.map(([what, line]) => html`<dt>${what}</dt><dd><pre><code>${line}</code></pre></dd>`)}</dl>`;
}

/** A command line that can be pasted into a shell. */
function commandOf(index: AuditIndex, query: string, words: readonly string[]): string {
  return [
    `gatehouse audit query ${query}`,
    ...words.map((word) => `--param ${shell(word)}`),
    `--store ${shell(index.store)} --trust trust.json`,
  ].join(' ');
}

/** A word for a shell: names come from records, and whoever pastes the line must not run what they say. */
export function shell(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
