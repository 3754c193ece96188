import type { AuditIndex } from '../../contract/audit-index.ts';
import { plural } from '../../lib/plural.ts';
import { barChart, bucketsOf, timeChart } from './chart.ts';
import type { Control, Findings, Rows } from './collect.ts';
import type { EvidenceList } from './evidence-list.ts';
import { type Html, html } from './html.ts';
import { short, table, when } from './table.ts';

type Row = Rows[number];
const text = (value: unknown): string | null => (value === null || value === undefined ? null : String(value));

const OUTCOMES: { [outcome: string]: Html } = {
  success: html`<span class="good">✔ deployed</span>`,
  failure: html`<span class="bad">✖ failed</span>`,
  error: html`<span class="bad">✖ error</span>`,
  denied: html`<span class="bad">⛔ refused</span>`,
  unknown: html`<span class="warn">? never recorded</span>`,
};

/** How far the store can be believed: verdict, anchor, and every finding. `marks` numbers the evidence that a section names. */
export function ledgerSection(index: AuditIndex, { store }: Findings, marks: EvidenceList): Html {
  const { ledger, anchor } = index;
  return html`
<dl class="facts">
<dt>Verdict</dt><dd>${ledger.status === 'clean' ? html`<span class="good">✔ clean</span>: nothing was found` : html`<span class="bad">✖ ${plural(ledger.findings, 'finding')}</span>, listed below`}</dd>
<dt>Records that count</dt><dd>${ledger.records} in ${plural(ledger.runs, 'run')}</dd>
<dt>Anchor</dt><dd>${anchor === null ? html`<span class="warn">none</span>: no signed tree head covers the store, so a removed record leaves no trace in the log` : html`tree head of <code>${anchor.origin}</code> over ${plural(anchor.size, 'object')}, root <code>${anchor.root}</code>`}</dd>
<dt>Compared with a checkpoint kept outside</dt><dd>${index.comparedWithKept ? 'yes, and what the store says now is consistent with it or is among the findings' : html`<span class="warn">no</span>: without one, a log that was rewritten as a whole looks like an honest one`}</dd>
</dl>
${table<Row>(
  'What the ledger’s verification found',
  [
    { head: 'Code', cell: (row) => html`<code>${text(row.code)}</code><br><small>${text(row.meaning)}</small>` },
    { head: 'Detail', cell: (row) => text(row.detail) },
    { head: 'Run', cell: (row) => text(row.run) },
    { head: 'Object', cell: (row) => marks.mark(row.evidence_key) },
  ],
  store,
)}`;
}

/** Deploys over time and one by one, with those whose approval chain is incomplete. `all` stands below a table that was cut. */
export function deploySection({ deploys, chains }: Findings, marks: EvidenceList, all: Html): Html {
  const incomplete = new Set(chains.map((row) => row.evidence_key));
  const points = deploys.map(({ time, outcome }) => ({ time: String(time), refused: outcome !== 'success' }));
  return html`
${deploys.length === 0 ? null : timeChart(bucketsOf(points))}
${table<Row>(
  'Deploys, newest first (times in UTC)',
  [
    { head: 'When', kind: 'when', cell: (row) => when(row.time) },
    {
      head: 'Where',
      kind: 'wide',
      cell: (row) => html`${text(row.environment)}<br><small>${text(row.target)}</small>`,
    },
    { head: 'What', kind: 'wide', cell: (row) => html`${text(row.image)}<br>${short(row.digest)}` },
    { head: 'Started by', cell: (row) => text(row.person) ?? text(row.identity) },
    { head: 'Approved by', cell: (row) => text(row.approved_by) },
    {
      head: 'Outcome',
      cell: (row) =>
        html`${OUTCOMES[String(row.outcome)] ?? text(row.outcome)}${row.reason === null ? null : html`<br><small>${text(row.reason)}</small>`}${incomplete.has(row.evidence_key) ? html`<br><a class="bad" href="#chains">approval chain incomplete</a>` : null}${row.contested === true ? html`<br><span class="warn">contested by the ledger: ${text(row.remarks)}</span>` : null}`,
    },
    { head: 'Evidence', cell: (row) => marks.mark(row.evidence_key) },
  ],
  deploys.toReversed(),
  all,
)}`;
}

/** One row for each deploy, with everything that it lacks. */
export function chainSection({ chains }: Findings, marks: EvidenceList, all: Html): Html {
  const deploys = new Map<string, Row[]>();
  for (const row of chains) {
    const key = String(row.evidence_key);
    deploys.set(key, [...(deploys.get(key) ?? []), row]);
  }
  return table<[Row, Row[]]>(
    'Deploys whose approval chain is incomplete or contradicted',
    [
      { head: 'When', kind: 'when', cell: ([row]) => when(row.time) },
      {
        head: 'Where',
        kind: 'wide',
        cell: ([row]) => html`${text(row.environment)}<br><small>${text(row.target)}</small>`,
      },
      { head: 'What', kind: 'wide', cell: ([row]) => html`${text(row.image)}<br>${short(row.digest)}` },
      {
        head: 'What is missing',
        cell: ([, rows]) => html`<ul>${rows.map(({ missing }) => html`<li>${text(missing)}</li>`)}</ul>`,
      },
      { head: 'Evidence', cell: ([row]) => marks.mark(row.evidence_key) },
    ],
    [...deploys.values()].map((rows): [Row, Row[]] => [rows[0] as Row, rows]),
    all,
  );
}

/** What was denied, by rule and one by one. */
export function denialSection({ denials }: Findings, marks: EvidenceList, all: Html): Html {
  const counts = new Map<string, number>();
  for (const { rule } of denials) counts.set(String(rule), (counts.get(String(rule)) ?? 0) + 1);
  const bars = [...counts].map(([label, count]) => ({ label, count })).sort((a, b) => b.count - a.count);
  return html`
${bars.length === 0 ? null : barChart('Denials by the rule that failed', bars.slice(0, 20))}
${table<Row>(
  'Denials by reason',
  [
    { head: 'Rule', cell: (row) => html`<code>${text(row.rule)}</code>` },
    { head: 'When', kind: 'when', cell: (row) => when(row.time) },
    {
      head: 'What',
      cell: (row) => html`${text(row.image)}<br><small>${text(row.environment)}, ${text(row.refused_by)}</small>`,
    },
    { head: 'Why', cell: (row) => text(row.message) },
    { head: 'Started by', cell: (row) => text(row.person) },
    { head: 'Evidence', cell: (row) => marks.mark(row.evidence_key) },
  ],
  denials,
  all,
)}`;
}

/** Exceptions, waived rules and break-glass, each with who asked, who approved and until when. */
export function exceptionSection({ exceptions }: Findings, marks: EvidenceList, all: Html): Html {
  return table<Row>(
    'Exceptions granted and used, rules waived, break-glass',
    [
      { head: 'When', kind: 'when', cell: (row) => when(row.time) },
      {
        head: 'What',
        cell: (row) => html`<code>${text(row.event)}</code><br><small>${text(row.exception_id)}</small>`,
      },
      { head: 'For', cell: (row) => html`${text(row.subject)}<br>${short(row.digest)}` },
      {
        head: 'Requested, approved',
        cell: (row) => [row.requester, row.approver].filter((who) => who !== null).join(', ') || null,
      },
      { head: 'Why', cell: (row) => html`${text(row.reason)} <small>${text(row.ticket)}</small>` },
      { head: 'Until', cell: (row) => text(row.expires) },
      { head: 'Evidence', cell: (row) => marks.mark(row.evidence_key) },
    ],
    exceptions,
    all,
  );
}

/** What checks of clusters found, also that they found nothing. */
export function driftSection({ drift }: Findings, marks: EvidenceList, all: Html): Html {
  return table<Row>(
    'Checks of clusters against what was approved',
    [
      { head: 'When', kind: 'when', cell: (row) => when(row.time) },
      {
        head: 'Finding',
        cell: (row) =>
          row.target === null ? text(row.finding) : html`<span class="bad">✖</span> ${text(row.finding)}`,
      },
      { head: 'Where', kind: 'wide', cell: (row) => text(row.target) },
      { head: 'Runs', cell: (row) => short(row.running) },
      { head: 'Approved', cell: (row) => short(row.approved) },
      { head: 'Evidence', cell: (row) => marks.mark(row.evidence_key) },
    ],
    drift,
    all,
  );
}

/** Objects of the store that the tables leave out, each with the reason. */
export function quarantineSection({ quarantine }: Findings, marks: EvidenceList): Html {
  return table<Row>(
    'Objects that are no facts, with the reason',
    [
      { head: 'Reason', cell: (row) => html`<code>${text(row.code)}</code><br><small>${text(row.reason)}</small>` },
      { head: 'Run, as its name claims', cell: (row) => text(row.run) },
      { head: 'Object', cell: (row) => marks.mark(row.evidence_key) },
    ],
    quarantine,
  );
}

/** Each citation with the number of records that support it, and none where there are none. */
export function controlSection({ controls }: Findings): Html {
  return table<Control>(
    'Citations of the HIPAA Security Rule and the records that support them',
    [
      {
        head: 'Citation',
        kind: 'wide',
        cell: ({ citation, title }) => html`<span class="cite">${citation}</span><br><small>${title}</small>`,
      },
      { head: 'Mark', kind: 'whole', cell: ({ mark }) => (mark === 'R' ? 'R, required' : 'A, addressable') },
      {
        head: 'Records that produce evidence for it',
        cell: ({ types }) => {
          const present = types.filter(({ records }) => records > 0);
          return present.length === 0
            ? html`<small>none in this range</small>`
            : present.map(({ type, records }) => `${type} (${records})`).join(', ');
        },
      },
      { head: 'Records', kind: 'n', cell: ({ types }) => types.reduce((sum, { records }) => sum + records, 0) },
    ],
    controls,
  );
}
