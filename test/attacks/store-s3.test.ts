import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatTime } from '../../src/lib/time.ts';
import { openStore } from '../../src/store/store.ts';
import { allowed, NOW } from '../fixtures/gate/facts.ts';
import { trustFile } from '../support/audit-scene.ts';
import { FAKE_CREDENTIALS, type Flaws, startFakeS3 } from '../support/fake-s3.ts';
import { playRun, type Scene } from '../support/gate-scene.ts';
import { hostileAws } from '../support/hostile-aws.ts';
import { startServer, type TestServer } from '../support/json-server.ts';
import { loadedBy } from '../support/loaded.ts';
import { pageCommand, wordsOf } from '../support/page-command.ts';
import { cleanEnvironment, runAside, sandboxes } from '../support/sandbox.ts';

/*
 * Servers that are no S3, and an environment that leads elsewhere. The servers are fakes of ours, each with one fault that no
 * real server here has; what real ones do is in test/interop.
 */

const sandbox = sandboxes();
const running: TestServer[] = [];
afterEach(async () => {
  for (const server of running.splice(0)) await server.close();
});
afterAll(sandbox.clean);

async function fake(flaws: Flaws = {}) {
  const server = await startFakeS3(flaws);
  running.push(server);
  return server;
}

const doctor = async (store: string, env: Record<string, string> = {}) => {
  const [, ...given] = wordsOf(pageCommand('docs/stores.md', 'gatehouse doctor'));
  const words = ['build/dist/gatehouse.js', ...given.map((word) => (word.startsWith('s3:') ? store : word)), '--json'];
  const { code, stdout, stderr } = await runAside(
    process.execPath,
    words,
    cleanEnvironment(sandbox.folder('home'), { ...FAKE_CREDENTIALS, ...env }),
  );
  expect(stdout + stderr).not.toContain(FAKE_CREDENTIALS.AWS_SECRET_ACCESS_KEY);
  return { code, json: JSON.parse(stdout), stderr };
};
const statusOf = (json: { checks: { check: string; status: string }[] }, name: string) =>
  json.checks.find(({ check }) => check === name)?.status;

describe('a server that is not what it seems', () => {
  it('honest in what the fake knows: those checks are ok', async () => {
    const { json } = await doctor((await fake()).store);
    expect(['create only', 'kept', 'checksum', 'checksum echo', 'clock'].map((name) => statusOf(json, name))).toEqual(
      Array(5).fill('ok'),
    );
  });

  it.each<[string, Flaws, string, string]>([
    ['that ignores If-None-Match (F60)', { ignoresConditions: true }, 'create only', 'fails'],
    ['that answers 200 and stores nothing', { forgets: true }, 'kept', 'fails'],
    ['that stores under a wrong checksum (F59)', { acceptsWrongChecksums: true }, 'checksum', 'fails'],
    ['that confirms no checksum', { echo: null }, 'checksum echo', 'fails'],
    ['that confirms another checksum', { echo: 'AAAA' }, 'checksum echo', 'fails'],
    ['that does not say what its bucket is', {}, 'lock', 'unknown'],
  ])('%s is shown and unfit', async (_, flaws, name, status) => {
    const { code, json } = await doctor((await fake(flaws)).store);
    expect([code, json.status, statusOf(json, name)]).toEqual([1, 'unfit', status]);
  });

  it('that ignores If-None-Match: both writers think they won, and the reader sees which was first', async () => {
    const { store: url } = await fake({ ignoresConditions: true });
    const store = openStore(url, FAKE_CREDENTIALS);
    const puts = [
      await store.put('v1/once/x.json', Buffer.from('one')),
      await store.put('v1/once/x.json', Buffer.from('two')),
    ];
    expect(puts.map(({ created }) => created)).toEqual([true, true]);
    const entries = [];
    for await (const entry of store.list('v1/once/')) entries.push(entry);
    expect(entries.map(({ covers }) => covers)).toEqual(['shadows', undefined]);
    expect((await store.get('v1/once/x.json', entries[1]?.versionId))?.toString()).toBe('one');
  });

  it('that answers 200 and stores nothing: a reader finds nothing', async () => {
    const { store: url } = await fake({ forgets: true });
    const store = openStore(url, FAKE_CREDENTIALS);
    expect((await store.put('v1/a', Buffer.from('x'))).created).toBe(true);
    expect(await store.get('v1/a')).toBeNull();
  });
});

describe('an environment that leads elsewhere', () => {
  const hostile = (trap: string) => hostileAws(trap, sandbox.folder('aws'));

  async function trap() {
    const server = await startServer(() => ({ json: {} }));
    running.push(server);
    return server;
  }

  it('is not followed: every request goes to the URL of the store, signed for its region, and none elsewhere', async () => {
    const [server, elsewhere] = [await fake(), await trap()];
    const { json } = await doctor(server.store, hostile(elsewhere.url));
    expect(statusOf(json, 'create only')).toBe('ok');
    expect(server.seen.length).toBeGreaterThan(5);
    for (const { headers } of server.seen) {
      expect(headers.authorization).toMatch(
        /^AWS4-HMAC-SHA256 Credential=AKIAFAKE0123456789AB\/\d{8}\/us-east-1\/s3\//,
      );
      expect(JSON.stringify(headers)).not.toContain('evil');
    }
    expect(elsewhere.seen).toEqual([]);
  });

  it('gives no credentials either: without variables of its own the store is not opened', async () => {
    const [server, elsewhere] = [await fake(), await trap()];
    const { code, json } = await doctor(server.store, {
      ...hostile(elsewhere.url),
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
    });
    expect([code, json.code]).toEqual([2, 'store.credentials']);
    expect([server.seen, elsewhere.seen]).toEqual([[], []]);
  });

  it('sends no web identity to a token service that the URL does not name', async () => {
    const [server, elsewhere] = [await fake(), await trap()];
    const token = join(sandbox.folder('token'), 'token');
    writeFileSync(token, 'a.b.c');
    const { code, json } = await doctor(server.store, {
      ...hostile(elsewhere.url),
      AWS_ACCESS_KEY_ID: '',
      AWS_SECRET_ACCESS_KEY: '',
      AWS_WEB_IDENTITY_TOKEN_FILE: token,
      AWS_ROLE_ARN: 'arn:aws:iam::1:role/emit',
    });
    expect([code, json.code]).toEqual([2, 'store.credentials']);
    expect([server.seen, elsewhere.seen]).toEqual([[], []]);
  });

  it.each(['NODE_EXTRA_CA_CERTS', 'HTTPS_PROXY', 'NODE_USE_ENV_PROXY'])('%s stops it', async (name) => {
    const server = await fake();
    const { code, json } = await doctor(server.store, { [name]: name === 'HTTPS_PROXY' ? server.url : '/dev/null' });
    expect([code, json.code, server.seen]).toEqual([2, 'environment.redirected', []]);
  });

  it('a redirect of the server is not followed', async () => {
    const elsewhere = await trap();
    const server = await fake({
      first: () => ({ status: 307, headers: { location: `${elsewhere.url}/fake/x` }, bytes: '' }),
    });
    const { code, json } = await doctor(server.store);
    expect([code, json.code]).toEqual([3, 'store.region']);
    expect(elsewhere.seen).toEqual([]);
  });
});

describe('what is not used is not loaded', () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await playRun(sandbox.folder('run'), resolve('build/dist'), 'scanned');
  });
  afterAll(() => scene.registry.close());

  /** A library in a loaded file by what stands in that file alone. */
  const LIBRARIES = {
    sdk: 'x-amz-checksum-',
    kms: 'TrentService',
    aws: 'AWS4-HMAC-SHA256',
    toolkit: 'GITHUB_STEP_SUMMARY',
    undici: 'undici',
    duckdb: 'duckdb',
    engine: 'duckdb.node',
  };
  async function loaded(words: string[], env: Record<string, string> = {}, program?: string) {
    const { code, text } = await loadedBy(sandbox, words, env, program);
    expect(text).toContain('gatehouse');
    return {
      code,
      libraries: Object.entries(LIBRARIES).flatMap(([name, mark]) => (text.includes(mark) ? [name] : [])),
    };
  }

  it('by the judge, a folder, the register, a record, and the gate that collects evidence', async () => {
    const facts = join(sandbox.folder('facts'), 'facts.json');
    writeFileSync(facts, JSON.stringify(allowed()));
    const judge = ['--facts', facts, '--contract', 'test/fixtures/gate/contract.yml', '--now', formatTime(NOW)];
    expect(await loaded(['policy-gate', ...judge])).toEqual({ code: 0, libraries: [] });
    expect(await loaded(['doctor', '--store', `file://${sandbox.folder('directory')}`])).toMatchObject({
      libraries: [],
    });
    const site = scene.at('scanned');
    const key = site.path('gate.pem');
    writeFileSync(key, site.keys.get('gate') as string, { mode: 0o600 });
    const run = ['--run', site.path('run.json'), '--key', `file://${key}`];
    const gate = ['--stage', 'promote', '--environment', 'production', '--image', scene.image, ...run];
    expect(await loaded(['policy-gate', ...gate], {}, site.program)).toEqual({ code: 0, libraries: [] });
    expect(await loaded(['register', 'show'], {}, site.program)).toEqual({ code: 0, libraries: [] });
    const seal = ['--type', 'run.sealed', ...run];
    expect(await loaded(['evidence-emit', ...seal], {}, site.program)).toEqual({ code: 0, libraries: [] });
  });

  it('but each is seen where it is loaded, so that this test can fail', async () => {
    const s3 = await loaded(['doctor', '--store', (await fake()).store], FAKE_CREDENTIALS);
    expect(s3.libraries).toEqual(['sdk', 'aws']);
    expect((await loaded([], {}, 'build/dist/scan.js')).libraries).toEqual(['toolkit', 'undici']);
    const site = scene.at('scanned');
    const index = [
      '--store',
      `file://${site.path('store')}`,
      '--trust',
      trustFile(site, site.folder),
      '--out',
      site.path('index'),
    ];
    expect(await loaded(['audit', 'index', ...index])).toEqual({ code: 0, libraries: ['duckdb', 'engine'] });
  });
});
