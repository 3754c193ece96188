import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { folderDigest } from '../../src/lib/file.ts';
import { expectRefused, keyFlag, program, type Refused } from '../support/bad-input.ts';
import { editContract, LAYOUT, steps, succeed } from '../support/direct.ts';
import { editPlatform, keysIn, playRun, recordAt, type Scene } from '../support/gate-scene.ts';
import { commitAll, run, sandboxes } from '../support/sandbox.ts';
import { standIns } from '../support/stand-in.ts';

const sandbox = sandboxes();
let scene: Scene;
let checkout: string;
let commit: string;
let path: Record<string, string>;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'unscanned');
  checkout = sandbox.folder('checkout');
  for (const [file, content] of Object.entries({
    'main.go': 'package main\n',
    '.gitleaksignore': 'abc\n',
    '.trivyignore': 'CVE-2026-1\n',
    'deploy/.checkov.yaml': 'skip-check: [CKV_K8S_1]\n',
    'tests/test_it.py': 'assert True\n',
  })) {
    mkdirSync(join(checkout, file, '..'), { recursive: true });
    writeFileSync(join(checkout, file), content);
  }
  commit = commitAll(checkout);
  const folder = standIns(join(sandbox.folder('tools'), 'bin'), {
    gitleaks: { says: '[]' },
    trivy: { says: writtenNow('sample/reports/trivy.json'), version: '0.74.0' },
    checkov: { says: '', exit: 2 },
    semgrep: { says: readFileSync('sample/reports/semgrep.json', 'utf8') },
  });
  path = { PATH: `${folder}${delimiter}${process.env.PATH}` };
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

/** A report that says it was written now, as one of a scanner that ran now does. */
const writtenNow = (report: string) =>
  JSON.stringify({ ...JSON.parse(readFileSync(report, 'utf8')), CreatedAt: new Date().toISOString() });

const words = (more: string[], reports = join(sandbox.folder('reports'), 'new')) => [
  'scan',
  '--phase',
  'run',
  '--checkout',
  checkout,
  '--reports',
  reports,
  ...more,
];
const called = (tool: string) =>
  readFileSync(join(path.PATH?.split(delimiter)[0] as string, `${tool}.called`), 'utf8').split('\n');

/** What the scan job leaves, run for real with stand-ins. */
async function scanned(site: Site, more: string[]): Promise<{ reports: string; digest: string }> {
  const reports = join(sandbox.folder('reports'), 'new');
  const { stdout } = await program(site, words(more, reports), path);
  return { reports, digest: JSON.parse(stdout).digest };
}

describe('phase run', () => {
  it('leaves a report and a sidecar a tool, and one digest over all of it', async () => {
    const site = scene.at('unscanned');
    const before = keysIn(site);
    const reports = join(sandbox.folder('reports'), 'new');
    const ended = await program(site, words(['--tool', 'gitleaks'], reports), path);
    expect(ended).toMatchObject({ code: 0, stderr: expect.stringContaining('gitleaks 9.8.7: complete, no findings') });
    expect(JSON.parse(ended.stdout)).toMatchObject({
      digest: folderDigest(reports, 'reports'),
      reports: [{ tool: 'gitleaks', status: 'complete' }],
    });
    expect(readdirSync(reports)).toEqual(['gitleaks.json', 'gitleaks.sidecar.json']);
    const sidecar = JSON.parse(readFileSync(join(reports, 'gitleaks.sidecar.json'), 'utf8'));
    expect(sidecar).toMatchObject({
      tool: { name: 'gitleaks', version: '9.8.7' },
      exitCode: 0,
      subject: { commit },
    });
    expect(JSON.stringify(sidecar)).not.toContain('/tmp/');
    expect(keysIn(site)).toEqual(before);
  });

  it('scans the commit, whole, without what the repository tells scanners to leave out', async () => {
    appendFileSync(join(checkout, 'main.go'), '// not committed\n');
    const { stderr } = await program(scene.at('unscanned'), words(['--tool', 'checkov']), path);
    run('git', ['-C', checkout, 'checkout', '-q', '--', 'main.go']);
    for (const file of ['.gitleaksignore', '.trivyignore', 'deploy/.checkov.yaml'])
      expect(stderr).toContain(`${file} is not obeyed`);
    const [cwd, flag, tree] = called('checkov');
    expect(flag).toBe('--directory');
    expect([cwd, tree].every((folder) => folder !== checkout && !existsSync(folder as string))).toBe(true);
  });

  it('F23 keeps what a scanner that failed left, and says so', async () => {
    const reports = join(sandbox.folder('reports'), 'new');
    const ended = await program(scene.at('unscanned'), words(['--tool', 'checkov'], reports), path);
    expect(ended.code).toBe(1);
    expect(JSON.parse(ended.stdout).reports).toMatchObject([{ tool: 'checkov', status: 'error' }]);
    expect(JSON.parse(readFileSync(join(reports, 'checkov.sidecar.json'), 'utf8'))).toMatchObject({ exitCode: 2 });
  });

  it('runs nothing that lies in the judged repository', async () => {
    const site = scene.at('unscanned');
    standIns(join(checkout, 'bin'), { gitleaks: { says: 'planted' } });
    const { code, stdout } = await program(site, words(['--tool', 'gitleaks']), {
      PATH: `bin${delimiter}.${delimiter}/usr/bin${delimiter}/bin`,
    });
    rmSync(join(checkout, 'bin'), { recursive: true });
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 'scan.no_tool' });
  });

  it.each<Refused>([
    ['nothing to go by', () => words([]), 2, 'inputs.environment', /needs --environment/],
    [
      'no folder for the reports',
      () => ['scan', '--phase', 'run', '--tool', 'gitleaks'],
      2,
      'inputs.reports',
      /needs --reports/,
    ],
    [
      'an unknown environment',
      () => words(['--environment', 'prod']),
      2,
      'inputs.environment',
      /no environment prod; it has production/,
    ],
    [
      'a tool that the contract does not allow',
      () => words(['--tool', 'sarif']),
      2,
      'scan.tool',
      /allows no tool sarif/,
    ],
    ['a container scan without an image', () => words(['--tool', 'trivy']), 2, 'scan.no_image', /add --layout/],
    [
      'semgrep without rules',
      () => words(['--tool', 'semgrep']),
      2,
      'scan.no_rules',
      /scanners\.sast\.tools\[\]\.rules/,
    ],
    [
      'a folder that is no checkout',
      () => [
        'scan',
        '--phase',
        'run',
        '--tool',
        'gitleaks',
        '--checkout',
        sandbox.folder('none'),
        '--reports',
        '/tmp/none',
      ],
      2,
      'scan.checkout',
      /is not a git checkout/,
    ],
    [
      'a checkout that is not there',
      () => ['scan', '--phase', 'run', '--tool', 'gitleaks', '--checkout', '/nonexistent', '--reports', '/tmp/none'],
      2,
      'scan.checkout',
      /there is no folder \/nonexistent/,
    ],
    [
      'reports in a folder that is not there, before it scans',
      () => ['scan', '--phase', 'run', '--tool', 'gitleaks', '--reports', '/nonexistent/reports'],
      2,
      'scan.reports',
      /its folder is not there.*: name one/,
    ],
    [
      'F30 a part of a history',
      () => {
        const shallow = join(sandbox.folder('shallow'), 'clone');
        run('git', ['clone', '-q', '--depth', '1', `file://${checkout}`, shallow]);
        return ['scan', '--phase', 'run', '--tool', 'gitleaks', '--checkout', shallow, '--reports', '/tmp/none'];
      },
      2,
      'scan.shallow',
      /fetch-depth 0/,
    ],
    [
      'a tool that is not installed',
      () => words(['--tool', 'osv-scanner']),
      3,
      'scan.no_tool',
      /osv-scanner is not on the PATH/,
    ],
  ])('refuses %s', async (...row) => {
    await expectRefused(scene, scene.at('unscanned'), row);
  });

  it('refuses a folder that has something in it', async () => {
    const reports = sandbox.folder('reports');
    const { code, stdout } = await program(scene.at('unscanned'), words(['--tool', 'gitleaks'], reports), path);
    expect({ exit: code, ...JSON.parse(stdout) }).toMatchObject({ exit: 2, code: 'scan.reports' });
    expect(readdirSync(reports)).toEqual([]);
  });
});

describe('phase record', () => {
  const record = (site: Site, reports: string, digest: string, more: string[] = []) => [
    'scan',
    '--phase',
    'record',
    '--reports',
    reports,
    '--digest',
    digest,
    ...more,
    '--run',
    site.path('run.json'),
    ...keyFlag(site, 'scan'),
  ];
  /** A run of the very commit that was scanned. */
  async function runOfCommit(): Promise<Site> {
    const site = scene.at('ready');
    editPlatform(site, ({ commits: [known], runs: [only] }) => {
      Object.assign(known as object, { sha: commit });
      Object.assign(only as object, { sha: commit });
    });
    await succeed(steps.open(site));
    return site;
  }

  it('signs each report of the folder as imported by its sidecar, where no trusted job vouches for the scan', async () => {
    const site = await runOfCommit();
    const { reports, digest } = await scanned(site, ['--tool', 'gitleaks']);
    const before = keysIn(site);
    expect((await program(site, record(site, reports, digest))).code).toBe(0);
    const [key] = keysIn(site).filter((each) => each.startsWith('v1/records/') && !before.includes(each));
    expect(recordAt(site, key as string)).toMatchObject({
      type: 'scan.completed',
      outcome: 'success',
      subjects: [{ kind: 'commit', digest: `gitCommit:${commit}` }],
      data: { tool: 'gitleaks', importer: expect.stringMatching(/^sidecar@sha256:/) },
    });
  });

  it('all in one process counts as executed', async () => {
    const site = await runOfCommit();
    await editContract(
      site,
      (contract) => {
        contract.scanners.sast.tools[0].rules = 'rules.yml';
        contract.scanners.sca.tools[0].name = 'gitleaks';
      },
      false,
    );
    const before = keysIn(site);
    const ended = await program(
      site,
      [
        'scan',
        '--phase',
        'all',
        '--checkout',
        checkout,
        '--tool',
        'gitleaks',
        '--run',
        site.path('run.json'),
        ...keyFlag(site, 'scan'),
      ],
      path,
    );
    expect(ended.code).toBe(0);
    const [key] = keysIn(site).filter((each) => each.startsWith('v1/records/') && !before.includes(each));
    expect(recordAt(site, key as string).data).toMatchObject({ tool: 'gitleaks', importer: null });
  });

  it('binds a container scan to the image of the layout', async () => {
    const site = scene.at('unscanned');
    const { reports, digest } = await scanned(site, ['--tool', 'trivy', '--layout', resolve(LAYOUT)]);
    const before = keysIn(site);
    const ended = await program(site, record(site, reports, digest, ['--subject', scene.image]));
    expect(ended.code).toBe(0);
    const [key] = keysIn(site).filter((each) => each.startsWith('v1/records/') && !before.includes(each));
    expect(recordAt(site, key as string)).toMatchObject({ subjects: [{ kind: 'image', digest: scene.digest }] });
  });

  it.each<[string, (reports: string) => void, string]>([
    [
      'a report that was changed on the way',
      (reports) => writeFileSync(join(reports, 'gitleaks.json'), '[ ]'),
      'scan.reports_changed',
    ],
    [
      'a report that was added on the way',
      (reports) => cpSync(join(reports, 'gitleaks.json'), join(reports, 'more.json')),
      'scan.reports_changed',
    ],
    ['a report that was taken away', (reports) => rmSync(join(reports, 'gitleaks.json')), 'scan.reports_changed'],
  ])('F28 refuses %s', async (_, change, code) => {
    const site = await runOfCommit();
    const { reports, digest } = await scanned(site, ['--tool', 'gitleaks']);
    change(reports);
    await expectRefused(scene, site, ['', () => record(site, reports, digest), 1, code, /changed on the way/]);
  });

  it.each<[string, (reports: string) => string | undefined, 1 | 2, string, RegExp]>([
    [
      'a report without a sidecar',
      (reports) => rmSync(join(reports, 'gitleaks.sidecar.json')) as undefined,
      2,
      'scan.reports',
      /no report with its sidecar/,
    ],
    [
      'a sidecar that is none',
      (reports) => writeFileSync(join(reports, 'gitleaks.sidecar.json'), '{}') as undefined,
      2,
      'sidecar.schema',
      /is not a gatehouse\/scan-sidecar\/1/,
    ],
    ['an image that nobody named', () => 'trivy', 1, 'scan.subject', /add --subject/],
  ])('refuses %s', async (_, change, exit, code, message) => {
    const site = await runOfCommit();
    const other = await scanned(site, ['--tool', 'trivy', '--layout', resolve(LAYOUT)]);
    const own = await scanned(site, ['--tool', 'gitleaks']);
    const { reports } = change(own.reports) === undefined ? own : other;
    await expectRefused(scene, site, [
      '',
      () => record(site, reports, folderDigest(reports, 'reports')),
      exit,
      code,
      message,
    ]);
  });

  it('F14 refuses a scan of another commit', async () => {
    const site = scene.at('unscanned');
    const { reports, digest } = await scanned(site, ['--tool', 'gitleaks']);
    await expectRefused(scene, site, [
      '',
      () => record(site, reports, digest),
      1,
      'scan.subject',
      /this run is of [0-9a-f]{40}/,
    ]);
  });

  it('refuses a folder without its digest', async () => {
    const site = scene.at('unscanned');
    const given = record(site, '/tmp/none', 'x').filter((word) => word !== '--digest' && word !== 'x');
    await expectRefused(scene, site, ['', () => given, 2, 'inputs.digest', /needs --digest/]);
  });
});
