import { bucketsOf, timeChart } from '../../../src/audit/report/chart.ts';
import type { Findings, Rows } from '../../../src/audit/report/collect.ts';
import { html } from '../../../src/audit/report/html.ts';
import { reportPage, shell } from '../../../src/audit/report/page.ts';
import { SHOWN, table } from '../../../src/audit/report/table.ts';
import type { AuditIndex } from '../../../src/contract/audit-index.ts';
import { run } from '../../support/sandbox.ts';

const index: AuditIndex = {
  schema: 'gatehouse/audit-index/1',
  store: 'file:///evidence',
  asOf: '2026-03-01T00:00:00.000Z',
  anchor: null,
  comparedWithKept: false,
  ledger: { status: 'findings', records: 3, runs: 1, findings: 1 },
  quarantined: 0,
  tables: {},
};
const found = (changes: Partial<Findings> = {}): Findings => ({
  scope: { repositories: [], environments: [], first: null, last: null, records: 0 },
  deploys: [],
  chains: [],
  denials: [],
  exceptions: [],
  drift: [],
  store: [],
  quarantine: [],
  controls: [],
  ...changes,
});
const range = { since: null, until: null };

describe('text in a report', () => {
  it.each([
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    [`" onload="x' y=`, '&quot; onload=&quot;x&#39; y='],
    ['a & b &lt;', 'a &amp; b &amp;lt;'],
    ['\u202egpj.exe\u0000\u001b[2J', '\ufffdgpj.exe\ufffd\ufffd[2J'],
  ])('is no markup: %j', (text, escaped) => {
    expect(html`<b title="${text}">${[text]}</b>`.markup).toBe(`<b title="${escaped}">${escaped}</b>`);
  });

  it('of every column is escaped, wherever it came from', () => {
    const evil = '<img src=x onerror=alert(1)>';
    const row = new Proxy({} as Rows[number], { get: () => evil });
    const rows = [row];
    const types = [{ type: evil, records: 1 }];
    const page = reportPage(
      { ...index, store: evil, anchor: { origin: evil, size: 1, root: evil } },
      found({
        scope: { repositories: [evil], environments: [evil], first: null, last: null, records: 1 },
        chains: rows,
        denials: rows,
        exceptions: rows,
        drift: rows,
        store: rows,
        quarantine: rows,
        controls: [{ citation: evil, title: evil, mark: 'R', types }],
        deploys: [
          {
            ...Object.fromEntries(
              ['person', 'image', 'target', 'environment', 'reason', 'outcome', 'evidence_key'].map((name) => [
                name,
                evil,
              ]),
            ),
            time: '2026-01-01T00:00:00Z',
          },
        ],
      }),
      range,
    );
    expect(page).not.toContain('<img');
    expect(page.split('&lt;img src=x').length).toBeGreaterThan(40);
  });

  it('in a command is one word for a shell', () => {
    const evil = `x'; touch /tmp/gatehouse-must-not-be; echo '$(id)`;
    expect(run('sh', ['-c', `printf %s ${shell(evil)}`]).stdout).toBe(evil);
    expect(shell('file:///evidence')).toBe('file:///evidence');
  });
});

describe('a report', () => {
  it('of an empty store says "none" and does not break', () => {
    const page = reportPage(index, found(), range);
    expect(page).toContain('An empty store');
    expect(page.split('None.').length).toBeGreaterThan(6);
  });

  it('of one index and range has the same bytes again', () => {
    expect(reportPage(index, found(), range)).toBe(reportPage(index, found(), range));
  });

  it('says that nothing anchors the store, and that no checkpoint was kept', () => {
    const page = reportPage(index, found(), range);
    expect(page).toContain('no signed tree head covers the store');
    expect(page).toContain('a log that was rewritten as a whole looks like an honest one');
  });

  it.each(['satisfies ePHI', 'compliant', 'certified', 'ensures', 'HIPAA requires', 'immutable'])(
    'claims nothing that software cannot: %s',
    (words) => {
      expect(reportPage(index, found(), range)).not.toContain(words);
    },
  );

  it('with more rows than a page bears says how many are left and how to see them', () => {
    const rows = Array.from({ length: SHOWN + 7 }, (_, i) => i);
    const { markup } = table('Many', [{ head: 'n', cell: (n: number) => n }], rows, html`ask`);
    expect(markup.split('<tr>').length - 2).toBe(SHOWN);
    expect(markup).toContain('7 more rows are not shown here. ask');
  });
});

describe('a chart', () => {
  const at = (time: string, refused = false) => ({ time, refused });

  it.each([
    ['days', '2026-01-01T23:59:59Z', '2026-01-03T00:00:00Z', ['2026-01-01', '2026-01-02', '2026-01-03']],
    [
      'weeks by their Monday',
      '2026-01-01T00:00:00Z',
      '2026-02-10T00:00:00Z',
      ['2025-12-29', '2026-01-05', '2026-01-12', '2026-01-19', '2026-01-26', '2026-02-02', '2026-02-09'],
    ],
    [
      'months',
      '2025-11-30T00:00:00Z',
      '2026-08-01T00:00:00Z',
      ['2025-11', '2025-12', '2026-01', '2026-02', '2026-03', '2026-04', '2026-05', '2026-06', '2026-07', '2026-08'],
    ],
  ])('counts in %s, empty ones too', (_, first, last, labels) => {
    const buckets = bucketsOf([at(first), at(last, true)]);
    expect(buckets.map(({ label }) => label)).toEqual(labels);
    expect(buckets[0]).toMatchObject({ deployed: 1, refused: 0 });
    expect(buckets.at(-1)).toMatchObject({ deployed: 0, refused: 1 });
  });

  it('says every number in words', () => {
    expect(timeChart(bucketsOf([at('2026-01-01T00:00:00Z'), at('2026-01-01T01:00:00Z', true)])).markup).toContain(
      'aria-label="Deploys over time. 2026-01-01: 1 deployed, 1 not"',
    );
    expect(bucketsOf([])).toEqual([]);
  });
});
