import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { formatTime } from '../../src/lib/time.ts';
import { openStore } from '../../src/store/store.ts';
import { allowed, NOW } from '../fixtures/gate/facts.ts';
import { FAKE_CREDENTIALS, type Flaws, startFakeS3 } from '../support/fake-s3.ts';
import { playRun } from '../support/gate-scene.ts';
import { startServer, type TestServer } from '../support/json-server.ts';
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
  /** Every way that the SDK knows to be told where to go, how, and as whom. */
  async function hostile(trap: string): Promise<Record<string, string>> {
    const folder = sandbox.folder('aws');
    mkdirSync(join(folder, '.aws'), { recursive: true });
    const settings = [
      `endpoint_url = ${trap}`,
      'region = evil-region-1',
      'services = evil',
      'use_fips_endpoint = true',
      'use_dualstack_endpoint = true',
      's3_use_arn_region = true',
      `role_arn = arn:aws:iam::1:role/evil`,
      'source_profile = other',
      `credential_process = /bin/sh -c 'echo evil >${folder}/ran'`,
      `[services evil]\ns3 =\n  endpoint_url = ${trap}\nsts =\n  endpoint_url = ${trap}`,
    ].join('\n');
    for (const name of ['config', 'credentials', join('.aws', 'config'), join('.aws', 'credentials')])
      writeFileSync(join(folder, name), `[default]\n${settings}\n[profile evil]\n${settings}\n`);
    return {
      HOME: folder,
      AWS_ENDPOINT_URL: trap,
      AWS_ENDPOINT_URL_S3: trap,
      AWS_ENDPOINT_URL_STS: trap,
      AWS_REGION: 'evil-region-1',
      AWS_DEFAULT_REGION: 'evil-region-1',
      AWS_PROFILE: 'evil',
      AWS_CONFIG_FILE: join(folder, 'config'),
      AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
      AWS_SDK_LOAD_CONFIG: '1',
      AWS_USE_FIPS_ENDPOINT: 'true',
      AWS_USE_DUALSTACK_ENDPOINT: 'true',
      AWS_S3_USE_ARN_REGION: 'true',
      AWS_MAX_ATTEMPTS: '99',
      AWS_RETRY_MODE: 'adaptive',
      AWS_DEFAULTS_MODE: 'auto',
      AWS_EC2_METADATA_SERVICE_ENDPOINT: trap,
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${trap}/credentials`,
      AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
      AWS_SIGV4A_SIGNING_REGION_SET: '*',
      AWS_AUTH_SCHEME_PREFERENCE: 'sigv4a',
      AWS_SDK_UA_APP_ID: 'evil-app',
    };
  }

  async function trap() {
    const server = await startServer(() => ({ json: {} }));
    running.push(server);
    return server;
  }

  it('is not followed: every request goes to the URL of the store, signed for its region, and none elsewhere', async () => {
    const [server, elsewhere] = [await fake(), await trap()];
    const { json } = await doctor(server.store, await hostile(elsewhere.url));
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
      ...(await hostile(elsewhere.url)),
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
      ...(await hostile(elsewhere.url)),
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
  /** The modules and chunks that a command loads. */
  async function loadedBy(
    words: string[],
    env: Record<string, string> = {},
    program = 'build/dist/gatehouse.js',
  ): Promise<{ code: number | null; sdk: string[] }> {
    const folder = sandbox.folder('loaded');
    const hook = join(folder, 'hook.mjs');
    writeFileSync(
      hook,
      `import { registerHooks } from 'node:module';
       import { appendFileSync, readFileSync } from 'node:fs';
       registerHooks({ load(url, context, next) {
         if (url.startsWith('file:') && readFileSync(new URL(url), 'utf8').includes('x-amz-checksum-')) appendFileSync(${JSON.stringify(join(folder, 'seen'))}, url + '\\n');
         return next(url, context);
       } });`,
    );
    writeFileSync(join(folder, 'seen'), '');
    const { code } = await runAside(
      process.execPath,
      ['--import', hook, program, ...words],
      cleanEnvironment(folder, env),
    );
    return { code, sdk: readFileSync(join(folder, 'seen'), 'utf8').split('\n').filter(Boolean) };
  }

  it('the SDK by the pure judge and by a folder; an S3 store does load it, so that this test can fail', async () => {
    const facts = join(sandbox.folder('facts'), 'facts.json');
    writeFileSync(facts, JSON.stringify(allowed()));
    const judge = ['--facts', facts, '--contract', 'test/fixtures/gate/contract.yml', '--now', formatTime(NOW)];
    expect(await loadedBy(['policy-gate', ...judge])).toEqual({ code: 0, sdk: [] });
    const folder = sandbox.folder('directory');
    expect(await loadedBy(['doctor', '--store', `file://${folder}`])).toMatchObject({ sdk: [] });
    const scene = await playRun(sandbox.folder('run'), resolve('build/dist'), 'opened');
    const site = scene.at('opened');
    await scene.registry.close();
    expect(await loadedBy(['register', 'show'], {}, site.program)).toEqual({ code: 0, sdk: [] });
    const key = site.path('gate.pem');
    writeFileSync(key, site.keys.get('gate') as string, { mode: 0o600 });
    const seal = ['--type', 'run.sealed', '--run', site.path('run.json'), '--key', `file://${key}`];
    expect(await loadedBy(['evidence-emit', ...seal], {}, site.program)).toEqual({ code: 0, sdk: [] });
    const { sdk } = await loadedBy(['doctor', '--store', (await fake()).store], FAKE_CREDENTIALS);
    expect(sdk.length).toBeGreaterThan(0);
  });
});
