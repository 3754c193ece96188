import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Site } from '../../src/commands/demo/site.ts';
import { keyFlag, program } from '../support/bad-input.ts';
import { LAYOUT, REPORTS, steps, succeed } from '../support/direct.ts';
import { editPlatform, keysIn, playRun, recordAt, type Scene, storePath } from '../support/gate-scene.ts';
import { cleanEnvironment, run, runAside, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('cli'), resolve('build/dist'), 'scanned');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const inRun = (site: Site, role: string) => ['--run', site.path('run.json'), ...keyFlag(site, role)];
const gate = (site: Site) => [
  'policy-gate',
  '--stage',
  'promote',
  '--environment',
  'production',
  '--image',
  scene.image,
  ...inRun(site, 'gate'),
];
const bare = (words: string[], env: Record<string, string> = {}) =>
  run(process.execPath, ['build/dist/gatehouse.js', ...words], { env: cleanEnvironment('/nonexistent', env) });

/** Each verb that holds a key. */
const TRUSTED: [string, (site: Site) => string[]][] = [
  ['evidence-emit', (site) => ['evidence-emit', '--type', 'run.sealed', ...inRun(site, 'gate')]],
  ['policy-gate', gate],
  [
    'build-sign',
    (site) => [
      'build-sign',
      '--phase',
      'sign',
      '--layout',
      LAYOUT,
      '--digest',
      scene.digest,
      '--image',
      `${scene.registry.host}/x`,
      ...inRun(site, 'build'),
    ],
  ],
  ['scan', (site) => ['scan', '--phase', 'record', '--report', join(REPORTS, 'trivy.json'), ...inRun(site, 'scan')]],
  [
    'deploy-by-digest',
    (site) => [
      'deploy-by-digest',
      '--decision',
      'k',
      '--image',
      scene.image,
      '--environment',
      'production',
      '--target',
      'a/b/c/d',
      '--manifest',
      'm',
      ...inRun(site, 'deploy'),
    ],
  ],
  [
    'register publish',
    (site) => ['register', 'publish', '--file', site.path('register.json'), ...keyFlag(site, 'release')],
  ],
  ['ledger checkpoint', (site) => ['ledger', 'checkpoint', ...keyFlag(site, 'notary')]],
];

describe('the environment', () => {
  it.each(TRUSTED)('F42 NODE_OPTIONS and the like stop %s before it does anything', async (_, words) => {
    const site = scene.at('scanned');
    const given = words(site);
    const before = keysIn(site);
    for (const [name, value] of [
      ['NODE_OPTIONS', '--no-warnings'],
      ['NODE_COMPILE_CACHE', sandbox.folder('cache')],
      ['https_proxy', 'http://127.0.0.1:9'],
    ]) {
      const { code, stdout } = await program(site, given, { [name as string]: value as string });
      expect({ code, ...JSON.parse(stdout) }).toMatchObject({
        code: 'environment.redirected',
        message: expect.stringContaining(`${name} is set`),
      });
    }
    expect(keysIn(site)).toEqual(before);
  });

  it('may be what it likes where no key is held', () => {
    const { code } = bare(['contract', 'check', '--file', 'contract.yml'], {
      NODE_OPTIONS: '--no-warnings',
      HTTPS_PROXY: 'http://127.0.0.1:9',
    });
    expect(code).toBe(0);
  });

  it('F93 cannot send evidence, keys or questions elsewhere', async () => {
    const site = scene.at('scanned');
    const elsewhere = sandbox.folder('elsewhere');
    const url = `file://${elsewhere}`;
    const env = Object.fromEntries(
      [
        'AWS_ENDPOINT_URL',
        'AWS_ENDPOINT_URL_S3',
        'GATEHOUSE_STORE',
        'EVIDENCE_STORE',
        'STORE',
        'INPUT_STORE',
        'INPUT_CONTRACT',
        'INPUT_NOW',
        'GATEHOUSE_CONTRACT',
        'CONTRACT',
        'GATEHOUSE_NOW',
        'SOURCE_DATE_EPOCH',
        'REGISTRY',
        'TMP_STORE',
        'GITHUB_API_URL',
        'CI_API_V4_URL',
      ].map((name) => [name, url]),
    );
    const { code, stdout } = await program(site, gate(site), {
      ...env,
      GITHUB_ACTOR: 'lead-1',
      GITLAB_USER_LOGIN: 'lead-1',
      CI: 'true',
    });
    const decision = JSON.parse(stdout);
    expect({ code, outcome: decision.outcome }).toEqual({ code: 0, outcome: 'allow' });
    expect(keysIn(site)).toContain(decision.key);
    expect(readdirSync(elsewhere)).toEqual([]);
    expect(Math.abs(Date.parse(decision.now) - Date.now())).toBeLessThan(3_600_000);
  });

  it('F42 has no contract for the gate, nor has the folder that it is started in', async () => {
    const site = scene.at('scanned');
    const workspace = sandbox.folder('workspace');
    const contract = readFileSync(site.path('fork', 'contract.yml'), 'utf8');
    writeFileSync(join(workspace, 'contract.yml'), contract.replace('"critical"', '"high"'));
    writeFileSync(join(workspace, 'gate.wasm'), '');
    const { stdout } = await runAside(
      'sh',
      ['-c', 'cd "$0" && exec "$@"', workspace, process.execPath, site.program, ...gate(site), '--json'],
      cleanEnvironment(site.folder),
    );
    const here = JSON.parse(stdout);
    expect(here.outcome).toBe('allow');
    expect(here.input.contractDigest).toBe(JSON.parse((await program(site, ['contract', 'check'])).stdout).digest);
  });

  it('may reach the program by a link: contract and policy are those beside the program itself', async () => {
    const site = scene.at('scanned');
    const link = join(sandbox.folder('bin'), 'gatehouse');
    symlinkSync(site.program, link);
    const { code, stdout } = await runAside(
      process.execPath,
      [link, ...gate(site), '--json'],
      cleanEnvironment(site.folder),
    );
    expect({ code, outcome: JSON.parse(stdout).outcome }).toEqual({ code: 0, outcome: 'allow' });
  });
});

describe('what the judged party could say', () => {
  it.each([
    '--force',
    '--skip',
    '--no-verify',
    '--dry-run',
    '--exception-bypass-policy-check',
    '--allow',
    '--insecure',
    '--simulate',
    '--store',
    '--registry',
    '--register',
    '--policy',
    '--id',
  ])('F17 there is no flag %s', (flag) => {
    const { code, stderr } = bare(['policy-gate', flag, 'true']);
    expect(code).toBe(2);
    expect(stderr).toContain(`policy-gate has no flag ${flag}`);
  });

  it.each([
    ['a contract', ['--contract', 'contract.yml']],
    ['a time', ['--now', '2026-01-01T00:00:00Z']],
  ])('F06 %s of one’s own does not go with evidence', async (_, words) => {
    const site = scene.at('scanned');
    const before = keysIn(site);
    const { code, stdout } = await program(site, [...gate(site), ...words]);
    expect({ code, error: JSON.parse(stdout).code }).toEqual({ code: 2, error: 'inputs.facts' });
    expect(keysIn(site)).toEqual(before);
  });

  it('F06 facts of one’s own make a simulated decision, in a real run too: nothing is stored, nothing can be deployed', async () => {
    const site = scene.at('scanned');
    const facts = site.path('facts.json');
    const { json: decided } = await succeed(steps.gate(site, 'promote', scene.image));
    const attachment = recordAt(site, decided.key).attachments.find(({ role }) => role === 'facts');
    const bytes = readFileSync(storePath(site, attachment?.key as string));
    writeFileSync(facts, attachment?.encoding === 'gzip' ? gunzipSync(bytes) : bytes);
    const before = keysIn(site);
    const { code, stdout } = await program(site, [...gate(site), '--facts', facts, '--now', new Date().toISOString()]);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, outcome: 'allow', simulated: true });
    expect(JSON.parse(stdout).key).toBeUndefined();
    expect(keysIn(site)).toEqual(before);
  });

  /** Values as they come from a variable that somebody else has filled. */
  const HOSTILE = [
    '$(touch /tmp/gatehouse-owned)',
    '`id`',
    '; rm -rf /',
    '../../../../etc/passwd',
    'x\n::set-env name=A::b',
    '\u001b]0;x\u0007',
    '{{7*7}}',
    "'; DROP TABLE runs; --",
    'a'.repeat(8192),
    '%00',
    '-',
    '--',
    '\\',
    '💥',
  ];
  it.each(HOSTILE.map((value) => ({ value })))('F80 $value is text, and bad input', ({ value }) => {
    const tries = [
      ['verify', value],
      ['replay', value],
      ['policy-gate', '--stage', 'deploy', '--environment', value, `--image=${value}`, `--target=${value}`],
      ['scan', `--report=${value}`],
      ['ledger', 'verify', `--store=${value}`, `--trust=${value}`],
      ['contract', 'check', `--file=${value}`],
    ];
    const [words] = tries.slice(value.length % tries.length);
    const { code, stdout, stderr } = bare([...(words as string[]), '--json']);
    expect(code).toBeGreaterThanOrEqual(1);
    expect(JSON.parse(stdout).status ?? JSON.parse(stdout).outcome).toMatch(/error|deny/);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr).not.toMatch(/^\s*::/m);
    expect(stderr).not.toContain('\u0007');
    expect(readdirSync('/tmp')).not.toContain('gatehouse-owned');
  });

  it('a verb that there is not is named, in help too, and in one document', () => {
    for (const words of [
      ['frobnicate'],
      ['frobnicate', '--help'],
      ['help', 'frobnicate'],
      ['__proto__', '--help'],
      ['constructor'],
    ]) {
      const { code, stdout, stderr } = bare([...words, '--json']);
      expect({ words, code, error: JSON.parse(stdout).code }).toEqual({ words, code: 2, error: 'cli.unknown_verb' });
      expect(stderr).toContain('See gatehouse --help');
    }
    expect(bare(['polcy-gate', '--help']).stderr).toContain('did you mean policy-gate?');
    for (const words of [['--json'], ['--cancelled', '--json']])
      expect(bare(words)).toMatchObject({ code: 2, stdout: expect.stringContaining('cli.no_verb') });
    expect(JSON.parse(bare(['help', 'verify', '--json']).stdout).help).toContain('usage: gatehouse verify');
  });

  it('an answer that nobody reads is no yes, and no stack', () => {
    const { stdout, stderr } = run(
      'bash',
      [
        '-c',
        '"$0" build/dist/gatehouse.js contract check --file contract.yml | true; echo "${PIPESTATUS[0]}"',
        process.execPath,
      ],
      { env: cleanEnvironment('/nonexistent') },
    );
    expect(stdout).toBe('3\n');
    expect(stderr).not.toMatch(/EPIPE|\n\s+at /);
  });
});

describe('F62 a secret that passes through', () => {
  const tail = 'Q7zK2mX9vB4nR8tY1wE5uI3oP6aS0dF2gH4j';
  const CANARIES = [
    `ghp_${tail}`,
    `glpat-${tail.slice(0, 22)}`,
    `AKIA${'Q7ZK2MX9VB4NR8TY'}`,
    `eyJhbGciOi${tail}.eyJzdWIiOi${tail}.${tail}`,
    `npm_${tail}`,
    `xoxb-${tail}`,
  ];
  const [GITHUB, GITLAB, AWS, JWT, NPM, SLACK] = CANARIES as [string, string, string, string, string, string];

  it('in a report, a command line, the platform’s names or a job’s data reaches neither store nor registry nor log', async () => {
    const site = scene.at('opened');
    const said: string[] = [];
    const call = async (words: string[]) => {
      const { stdout, stderr } = await program(site, words, { GITHUB_TOKEN: GITHUB, CI_JOB_TOKEN: GITLAB });
      said.push(stdout, stderr);
      return JSON.parse(stdout);
    };
    editPlatform(site, (platform) => {
      platform.repository.name = `care/${GITHUB}`;
      Object.assign(platform.runs[0] as object, { ref: `refs/heads/${GITLAB}`, event: `push ${AWS}` });
    });
    const { image } = await call([
      'build-sign',
      '--phase',
      'sign',
      '--layout',
      LAYOUT,
      '--digest',
      scene.digest,
      '--image',
      `${scene.registry.host}/care/canary`,
      ...inRun(site, 'build'),
    ]);
    const folder = sandbox.folder('reports');
    const report = JSON.parse(readFileSync(join(REPORTS, 'trivy.json'), 'utf8'));
    report.Results[0].Vulnerabilities[0].Title = `found ${NPM} here`;
    report.ArtifactName = `registry/${SLACK}`;
    writeFileSync(join(folder, 'trivy.json'), JSON.stringify(report));
    await call([
      'scan',
      '--phase',
      'record',
      '--report',
      join(folder, 'trivy.json'),
      '--subject',
      image,
      ...inRun(site, 'scan'),
    ]);
    const semgrep = JSON.parse(readFileSync(join(REPORTS, 'semgrep.json'), 'utf8'));
    for (const result of semgrep.results)
      Object.assign(result.extra, { message: `password=${tail} and ${JWT}`, lines: AWS });
    writeFileSync(join(folder, 'semgrep.json'), JSON.stringify(semgrep));
    await call([
      'scan',
      '--phase',
      'record',
      '--tool',
      'semgrep',
      '--report',
      join(folder, 'semgrep.json'),
      ...inRun(site, 'scan'),
    ]);
    const decision = await call([
      'policy-gate',
      '--stage',
      'promote',
      '--environment',
      'production',
      '--image',
      image,
      ...inRun(site, 'gate'),
    ]);
    expect(decision.outcome).toBe('deny');
    await call(['replay', decision.key]);
    expect(said.at(-2)).toContain('"equal"');

    const stored = keysIn(site).map((key) => {
      const bytes = readFileSync(storePath(site, key));
      return open(key.endsWith('.gz') ? gunzipSync(bytes) : bytes);
    });
    const registry = scene.published().map((file) => open(readFileSync(join(scene.registryFolder, file))));
    expect(stored.length).toBeGreaterThan(20);
    expect(registry.length).toBeGreaterThan(10);
    for (const [place, texts] of Object.entries({ stored, registry, said }))
      for (const canary of [...CANARIES, tail])
        expect({ place, canary, found: texts.filter((text) => text.includes(canary)).length }).toEqual({
          place,
          canary,
          found: 0,
        });
  });
});

/** The bytes as text, and the payload of an envelope in it as well. */
function open(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const payloads = [...text.matchAll(/"payload":"([A-Za-z0-9+/=]+)"/g)].map(([, payload]) =>
    Buffer.from(payload as string, 'base64').toString('utf8'),
  );
  return [text, ...payloads].join('\n');
}
