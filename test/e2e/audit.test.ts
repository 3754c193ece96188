import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type AuditScene, playAudit } from '../support/audit-scene.ts';
import { recordOf } from '../support/gate-scene.ts';
import { cleanEnvironment, type Ended, run, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: AuditScene;
beforeAll(async () => {
  scene = await playAudit(sandbox.folder('audit'));
});
afterAll(async () => {
  await scene.scene.registry.close();
  sandbox.clean();
});

const PROGRAM = resolve('build/dist/gatehouse.js');
const gatehouse = (words: string[], cwd = sandbox.folder('cwd'), program = PROGRAM): Ended =>
  run(process.execPath, [program, ...words], { cwd, env: cleanEnvironment(cwd) });
const there = () => ['--store', scene.store, '--trust', scene.trust];

describe('docs/audit.md', () => {
  it('says only what can be done: each of its commands, one after the other', () => {
    const text = readFileSync('docs/audit.md', 'utf8');
    const lines = [...text.matchAll(/```sh\n([^`]+)```/g)].flatMap(([, block]) => (block as string).trim().split('\n'));
    expect(lines.length).toBeGreaterThan(14);
    const cwd = sandbox.folder('docs');
    const real: [string, string][] = [
      ['file:///evidence', scene.store],
      ['trust.json', scene.trust],
      ['DEPLOY', scene.deploys.allowed],
      ['sha256:DIGEST', scene.digest.first],
      ['KEY', recordOf(scene.site, 'approval.decided').key],
    ];
    for (const line of lines) {
      const [name, ...words] = real.reduce((all, [from, to]) => all.replace(from, to), line).split(' ');
      expect(name).toBe('gatehouse');
      const { code, stdout, stderr } = gatehouse(words, cwd);
      // The scene has findings on purpose; verifying says so.
      expect({ line, code, stderr: code === 0 ? '' : stderr }).toEqual({
        line,
        code: words[0] === 'ledger' ? 1 : 0,
        stderr: '',
      });
      expect(stdout.length).toBeGreaterThan(20);
    }
    for (const file of ['index/events.parquet', 'report.html', 'quarter.html'])
      expect(existsSync(join(cwd, file))).toBe(true);
  });

  it('names every question', () => {
    const { stdout } = gatehouse(['audit', 'query', '--list', '--json']);
    const names = JSON.parse(stdout).map(({ name }: { name: string }) => name);
    expect(names).toHaveLength(10);
    for (const name of names) expect(readFileSync('docs/audit.md', 'utf8')).toContain(`audit query ${name} `);
  });
});

describe('audit', () => {
  it('answers in one JSON document that says what the answer rests on', () => {
    const { code, stdout } = gatehouse(['audit', 'query', 'drift', ...there(), '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      query: 'drift',
      supports: [{ citation: '45 CFR 164.312(c)(1)', title: 'Integrity', mark: 'R' }, {}],
      store: scene.store,
      anchor: { origin: 'example.org/evidence' },
      ledger: { status: 'findings' },
      quarantined: 1,
      rows: [{ finding: 'nothing differs' }, { finding: 'another image runs than was approved' }],
    });
  });

  it('prints CSV alone on stdout', () => {
    const { code, stdout, stderr } = gatehouse(['audit', 'query', 'drift', ...there(), '--csv']);
    expect(code).toBe(0);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    expect(stdout).toMatch(/^time,finding,target,/);
    expect(stderr).toContain('supports 45 CFR 164.312(c)(1) Integrity (R)');
  });

  it('does not prove what is in quarantine', () => {
    const { code, stdout } = gatehouse(['audit', 'prove', scene.wrongRole, ...there(), '--json']);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'failed', problems: [{ code: 'WRONG_ROLE' }] });
  });

  it('says what is missing where DuckDB is not installed, and still lists its questions', () => {
    const folder = sandbox.folder('copy');
    cpSync('build/dist', join(folder, 'dist'), { recursive: true });
    const program = join(folder, 'dist', 'gatehouse.js');
    const { code, stdout, stderr } = gatehouse(['audit', 'query', 'drift', ...there(), '--json'], folder, program);
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ code: 'audit.no_duckdb' });
    expect(stderr).toMatch(/npm ci/);
    expect(gatehouse(['audit', 'query', '--list'], folder, program).code).toBe(0);
    expect(
      gatehouse(['audit', 'prove', recordOf(scene.site, 'gate.decided').key, ...there()], folder, program).code,
    ).toBe(0);
  });

  it.each<[what: string, words: string[], code: number, error: string, message: RegExp]>([
    ['no action', [], 2, 'inputs.invalid', /action: is required/],
    ['no question', ['query'], 2, 'inputs.name', /see gatehouse audit query --list/],
    [
      'an unknown question',
      ['query', 'deploy-by-person'],
      2,
      'audit.unknown_query',
      /did you mean deploys-by-person\?/,
    ],
    ['no parameter', ['query', 'deploys-by-person', 'AT'], 2, 'audit.parameters', /person is missing/],
    [
      'a misspelt parameter',
      ['query', 'drift', '--param', 'sinc=x', 'AT'],
      2,
      'audit.parameters',
      /did you mean since\?/,
    ],
    ['an ill-typed parameter', ['query', 'drift', '--param', 'since=now', 'AT'], 2, 'audit.parameters', /write 2026-/],
    [
      'two values',
      ['query', 'drift', '--param', 'since=x', '--param', 'since=y', 'AT'],
      2,
      'audit.parameters',
      /given twice/,
    ],
    [
      'a line feed in a value',
      ['query', 'drift', '--param', 'since=x\nuntil=y', 'AT'],
      2,
      'cli.line_feed',
      /line feed/,
    ],
    [
      'an unknown deploy',
      ['query', 'deploy-dossier', '--param', 'deploy=00000000-0000-4000-8000-0000000000ff', 'AT'],
      2,
      'audit.unknown_deploy',
      /there is no deploy/,
    ],
    ['no store', ['query', 'drift'], 2, 'inputs.trust', /--store and --trust/],
    ['index and store', ['query', 'drift', '--index', 'x', 'AT'], 2, 'inputs.index', /--index goes without/],
    ['no such index', ['query', 'drift', '--index', '/nonexistent'], 2, 'audit.index', /holds no index.*audit index/],
    [
      'no such store',
      ['index', '--store', 'file:///nonexistent', 'TRUST', '--out', 'new'],
      3,
      'store.missing',
      /does not exist/,
    ],
    ['no place for an index', ['index', 'AT'], 2, 'inputs.out', /needs --out/],
    ['no place for a report', ['report', 'AT'], 2, 'inputs.out', /needs --out/],
    [
      'a report into nowhere',
      ['report', '--out', '/nonexistent/r.html', 'AT'],
      2,
      'file.unwritable',
      /r.html: there is no such folder/,
    ],
    [
      'an empty range',
      ['report', '--out', 'r', '--since', '2026-02-01T00:00:00Z', '--until', '2026-01-01T00:00:00Z', 'AT'],
      2,
      'inputs.time',
      /is not before/,
    ],
    ['a range in words', ['report', '--out', 'r', '--since', 'January', 'AT'], 2, 'inputs.time', /RFC 3339/],
    ['nothing to prove', ['prove', 'AT'], 2, 'inputs.name', /evidence_key/],
    ['a key that is not there', ['prove', 'v1/records/none', 'AT'], 2, 'prove.missing', /there is no record/],
  ])('refuses %s', (_, words, code, error, message) => {
    const given = words.flatMap((word) =>
      word === 'AT' ? there() : word === 'TRUST' ? ['--trust', scene.trust] : [word],
    );
    const ended = gatehouse(['audit', ...given, '--json']);
    expect(JSON.parse(ended.stdout)).toMatchObject({
      status: 'error',
      code: error,
      message: expect.stringMatching(message),
    });
    expect(ended.code).toBe(code);
    expect(ended.stderr).not.toMatch(/\n\s+at |node:internal/);
  });

  it('leaves a folder with other things in it alone', () => {
    const folder = sandbox.folder('mine');
    writeFileSync(join(folder, 'thesis.doc'), 'x');
    const { code, stderr } = gatehouse(['audit', 'index', ...there(), '--out', folder]);
    expect({ code, said: /thesis.doc/.test(stderr), there: existsSync(join(folder, 'thesis.doc')) }).toEqual({
      code: 2,
      said: true,
      there: true,
    });
  });
});
