import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ask, select } from '../../../src/audit/ask.ts';
import { buildIndex } from '../../../src/audit/build-index.ts';
import { emptyIndexFolder, openIndex } from '../../../src/audit/open-index.ts';
import { queries, queryOf } from '../../../src/audit/queries.ts';
import { tableNames } from '../../../src/audit/tables.ts';
import { appendRecord } from '../../../src/evidence/append.ts';
import { type RecordInput, signRecord } from '../../../src/evidence/record.ts';
import {
  deliver,
  keys,
  type Ledger,
  newLedger,
  placeOfStep,
  sampleInput,
  sampleRun,
  tick,
  trust,
} from '../evidence/sample-ledger.ts';

const made: string[] = [];
const newFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-index-test-'));
  made.push(folder);
  return folder;
};
afterAll(() => {
  for (const folder of made) rmSync(folder, { recursive: true, force: true });
});

/** Builds the index of a ledger and asks it. */
async function indexed({ store }: Pick<Ledger, 'store'>, now = Date.now()) {
  const folder = newFolder();
  const index = await buildIndex(store, trust, folder, now);
  const asked = async (sql: string) => {
    const open = await openIndex(folder);
    try {
      return (await select(open.connection, sql)).rows;
    } finally {
      open.close();
    }
  };
  return { folder, index, asked };
}

const event = (key: string) => `select type, contested, remarks from events where evidence_key = '${key}'`;
const refused = (key: string) => `select code from quarantine where evidence_key = '${key}'`;

/** Lays one more record of run `id`, signed by this key whatever its role. */
async function add(
  { store }: Ledger,
  id: string,
  signer: keyof typeof keys,
  more: Partial<RecordInput>,
  step = 'more',
) {
  const input = { ...sampleInput('exception.granted', sampleRun(id)), ...more };
  const role = input.type === 'drift.checked' ? ('cluster' as const) : ('gate' as const);
  const signed = await signRecord(input, placeOfStep(1, step), { signer: keys[signer], role });
  return (await appendRecord(store, signed)).key;
}

describe('an index', () => {
  it('of an empty store is empty, and every question has the answer "no rows"', async () => {
    const ledger = await newLedger();
    const { folder, index } = await indexed(ledger);
    expect(index).toMatchObject({ ledger: { status: 'clean', records: 0 }, anchor: null, quarantined: 0 });
    expect(Object.values(index.tables).map(({ rows }) => rows)).toEqual(tableNames.map(() => 0));
    const open = await openIndex(folder);
    for (const query of queries.filter(({ parameters }) => parameters.every(({ type }) => type !== 'deploy'))) {
      const words = query.parameters.filter(({ fallback }) => fallback === null);
      const given = words.map(({ name, type }) => `${name}=${type === 'digest' ? `sha256:${'a'.repeat(64)}` : 'x'}`);
      expect((await ask(open.connection, query, given)).rows).toEqual([]);
    }
    open.close();
  });

  it('of one store at one time has the same bytes when it is made again', async () => {
    const ledger = await newLedger();
    await Promise.all(['1', '2', '3'].map((id) => deliver(ledger, id)));
    await tick(ledger.store);
    const now = Date.now();
    const [first, second] = [await indexed(ledger, now), await indexed(ledger, now)];
    const names = readdirSync(first.folder).sort();
    expect(names).toEqual(['index.json', ...tableNames.map((name) => `${name}.parquet`)].sort());
    for (const name of names)
      expect(readFileSync(join(second.folder, name)).equals(readFileSync(join(first.folder, name)))).toBe(true);
    const rows = await first.asked('select count(*) as n, count(leaf_index) as anchored from events');
    expect(rows).toEqual([{ n: 39, anchored: 39 }]);
  });

  it('holds a record that no tree head covers yet, without a place in the log', async () => {
    const ledger = await newLedger();
    await deliver(ledger, '1');
    const { asked } = await indexed(ledger);
    expect(await asked('select count(*) as n, count(leaf_index) as anchored from events')).toEqual([
      { n: 13, anchored: 0 },
    ]);
  });
});

describe('no fact becomes of', () => {
  const rows: [what: string, lay: (ledger: Ledger) => Promise<string>, code: string][] = [
    ['a record signed by another role', (ledger) => add(ledger, '1', 'scan', {}), 'WRONG_ROLE'],
    ['a record for a foreign repository', (ledger) => add(ledger, '1', 'stranger', {}), 'FOREIGN_WRITER'],
    [
      'an approval signed by the deploy key',
      (ledger) => add(ledger, '1', 'deploy', { type: 'approval.decided' }),
      'WRONG_ROLE',
    ],
    [
      'a record whose bytes were changed',
      async (ledger) => {
        const key = await add(ledger, '1', 'gate', {});
        const path = join(ledger.folder, key);
        const bytes = readFileSync(path);
        rmSync(path);
        writeFileSync(path, Buffer.from(bytes.toString('utf8').replace('"payload"', '"payLoad"')));
        return key;
      },
      'MODIFIED',
    ],
    [
      'a record that another one was written over, well signed',
      async (ledger) => {
        const [first, second] = [
          await add(ledger, '1', 'gate', {}, 'a'),
          await add(ledger, '1', 'gate', { data: { other: true } }, 'b'),
        ];
        const bytes = readFileSync(join(ledger.folder, second));
        rmSync(join(ledger.folder, first));
        writeFileSync(join(ledger.folder, first), bytes);
        return first;
      },
      'MISFILED',
    ],
    [
      'a link to a record',
      async (ledger) => {
        const key = await add(ledger, '1', 'gate', {});
        const other = key.replace('more-0000', 'more-0001');
        symlinkSync(join(ledger.folder, key), join(ledger.folder, other));
        return other;
      },
      'NOT_AN_OBJECT',
    ],
    [
      'garbage',
      async ({ folder }) => {
        const key = `v1/records/dt=2026-01-01/repo=local~localhost~7/run=1/job/step-0000-deploy.outcome-${'0'.repeat(32)}.json`;
        mkdirSync(join(folder, key, '..'), { recursive: true });
        writeFileSync(join(folder, key), Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x00]));
        return key;
      },
      'BAD_RECORD',
    ],
  ];

  it.each(rows)('%s: it is in quarantine with the reason', async (_, lay, code) => {
    const ledger = await newLedger();
    const key = await lay(ledger);
    const { asked, index } = await indexed(ledger);
    expect(await asked(event(key))).toEqual([]);
    expect((await asked(refused(key))).map((row) => row.code)).toContain(code);
    expect(index.quarantined).toBeGreaterThan(0);
  });

  it('an attachment that is not what the record names; the record itself still counts', async () => {
    const ledger = await newLedger();
    const digest = `sha256:${'d'.repeat(64)}`;
    const attachment = {
      key: `v1/blobs/sha256/dd/${'d'.repeat(64)}`,
      digest,
      size: 2,
      mediaType: 'x',
      encoding: 'identity' as const,
      role: 'facts',
    };
    const reasons = [{ rule: 'a.b', outcome: 'pass', message: 'm', fix: null, controls: [] }];
    const input = { contractDigest: digest, policyDigest: digest, factsDigest: digest };
    const data = { id: 'x', stage: 'deploy', outcome: 'allow', target: null, reasons, input };
    const key = await add(ledger, '1', 'gate', { type: 'gate.decided', attachments: [attachment], data });
    mkdirSync(join(ledger.folder, attachment.key, '..'), { recursive: true });
    writeFileSync(join(ledger.folder, attachment.key), '{}');
    const { asked } = await indexed(ledger);
    expect(await asked(`select outcome, person from decisions where evidence_key = '${key}'`)).toEqual([
      { outcome: 'allow', person: null },
    ]);
    expect((await asked(refused(attachment.key))).map(({ code }) => code)).toContain('ATTACHMENT');
  });

  it('data that is not what its type promises', async () => {
    const ledger = await newLedger();
    const key = await add(ledger, '1', 'gate', { type: 'gate.decided', data: { outcome: 'allow' } });
    const { asked } = await indexed(ledger);
    expect(await asked(event(key))).toHaveLength(1);
    expect(await asked('select * from decisions')).toEqual([]);
    expect(await asked(refused(key))).toEqual([{ code: 'BAD_DATA' }]);
  });
});

describe('what the ledger contradicts stays, marked', () => {
  it('a record of a sealed run that is not under its seal', async () => {
    const ledger = await newLedger();
    await deliver(ledger, '1');
    const key = await add(ledger, '1', 'gate', { type: 'approval.decided' });
    const { asked } = await indexed(ledger);
    expect(await asked(event(key))).toEqual([
      { type: 'approval.decided', contested: true, remarks: 'NOT_IN_MANIFEST' },
    ]);
  });

  it('both of two records in one slot', async () => {
    const ledger = await newLedger();
    const both = [
      await add(ledger, '1', 'gate', { data: { n: 1 } }),
      await add(ledger, '1', 'gate', { data: { n: 2 } }),
    ];
    const { asked } = await indexed(ledger);
    const rows = await asked('select evidence_key, contested from events');
    expect(rows.map((row) => row.evidence_key).sort()).toEqual(both.sort());
    expect(rows.map((row) => row.contested)).toEqual([true, true]);
  });
});

describe('text from records', () => {
  const hostile = [
    `'; drop table events; --`,
    '\u0000\u001b[2J',
    '"\n,=cmd()',
    '\u202egpj',
    '<script>',
    '\ud83d\ude00',
    '$.x',
  ];

  it.each(hostile)('goes in and comes out unchanged: %j', async (text) => {
    const ledger = await newLedger();
    const key = await add(ledger, '1', 'gate', { data: { reason: text, id: 'EX' } });
    const { folder, asked } = await indexed(ledger);
    expect(await asked(event(key))).toHaveLength(1);
    const open = await openIndex(folder);
    const { rows } = await ask(open.connection, queryOf('exceptions-and-break-glass'), []);
    expect(rows).toMatchObject([{ reason: text, exception_id: 'EX', evidence_key: key }]);
    open.close();
  });

  it('of a caller is bound, never read as SQL', async () => {
    const ledger = await newLedger();
    await deliver(ledger, '1');
    const { folder } = await indexed(ledger);
    const open = await openIndex(folder);
    const query = queryOf('deploys-by-environment');
    expect((await ask(open.connection, query, ['environment=production'])).rows).toHaveLength(1);
    for (const text of ["x' or '1'='1", "production'--", 'production; drop view deploys'])
      expect((await ask(open.connection, query, [`environment=${text}`])).rows).toEqual([]);
    expect((await ask(open.connection, query, ['environment=production'])).rows).toHaveLength(1);
    open.close();
  });
});

describe('an open index', () => {
  it.each([
    ["select * from read_csv('/etc/passwd')", /disabled by configuration/],
    ["copy (select 1) to '/tmp/gatehouse-must-not-be.csv'", /disabled by configuration/],
    ["attach '/tmp/gatehouse-must-not-be.db'", /disabled by configuration/],
    ['install httpfs', /disabled/],
    ['set enable_external_access = true', /locked|cannot be changed|Cannot change/i],
    ["set allowed_paths = ['/etc/passwd']", /locked|Cannot/i],
  ])('reaches nothing but its own tables: %s', async (sql, message) => {
    const ledger = await newLedger();
    const { asked } = await indexed(ledger);
    await expect(asked(sql)).rejects.toThrow(message);
  });

  it.each([
    [
      'damaged',
      (folder: string) => writeFileSync(join(folder, 'events.parquet'), 'x'),
      /events.parquet is not what index.json names/,
    ],
    ['incomplete', (folder: string) => rmSync(join(folder, 'deploys.parquet')), /deploys.parquet is not what/],
    [
      'of another kind',
      (folder: string) => writeFileSync(join(folder, 'index.json'), '{"schema":"x"}'),
      /does not fit its schema/,
    ],
    ['none', (folder: string) => rmSync(join(folder, 'index.json')), /holds no index/],
  ])('is refused when it is %s', async (_, harm, message) => {
    const { folder } = await indexed(await newLedger());
    harm(folder);
    await expect(openIndex(folder)).rejects.toThrow(message);
  });

  it('gives way to the next one, and to nothing else', async () => {
    const { folder } = await indexed(await newLedger());
    emptyIndexFolder(folder);
    expect(readdirSync(folder)).toEqual([]);
    writeFileSync(join(folder, 'thesis.doc'), 'years of work');
    expect(() => emptyIndexFolder(folder)).toThrow(/thesis.doc, which is no part of an index/);
    expect(readdirSync(folder)).toEqual(['thesis.doc']);
  });
});
