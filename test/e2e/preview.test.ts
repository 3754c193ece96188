import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { folderDigest } from '../../src/lib/file.ts';
import { expectRefused, program, type Refused } from '../support/bad-input.ts';
import { SOURCE_REPORTS } from '../support/direct.ts';
import { keysIn, playRun, type Scene } from '../support/gate-scene.ts';
import { layReports } from '../support/report-folder.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'ready');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const folderOf = (...names: string[]) => layReports(join(sandbox.folder('reports'), 'reports'), names);
const words = ({ reports, digest }: { reports: string; digest: string }, environment = 'production') => [
  ...['policy-gate', '--stage', 'preview', '--environment', environment],
  ...['--reports', reports, '--digest', digest],
];
const preview = async (folder: { reports: string; digest: string }, env: Record<string, string> = {}) => {
  const { code, stdout } = await program(scene.at('ready'), words(folder), env);
  const { outcome, reasons, ...rest } = JSON.parse(stdout);
  const failing = reasons.filter((reason: { outcome: string }) => reason.outcome === 'fail');
  return { code, outcome, failing: failing.map(({ rule }: { rule: string }) => rule), rest };
};

describe('stage preview', () => {
  it('says that the scans meet the contract, and is no decision', async () => {
    const site = scene.at('ready');
    const before = keysIn(site);
    const { code, stdout } = await program(site, words(folderOf(...SOURCE_REPORTS, 'trivy')));
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ schema: 'gatehouse/preview/1', outcome: 'no-objection' });
    expect(stdout).not.toMatch(/"allow"|gatehouse\/decision/);
    expect(JSON.parse(stdout).notJudged).toEqual(
      expect.arrayContaining(['signature.build', 'source.reviewed', 'register.fresh', 'provenance.built']),
    );
    expect(keysIn(site)).toEqual(before);
  });

  it.each([
    ['a critical finding', [...SOURCE_REPORTS, 'trivy-critical'], ['scan.findings']],
    ['a failed scan', [...SOURCE_REPORTS, 'trivy-failed'], ['scan.complete']],
    ['no scan of the image', SOURCE_REPORTS, ['scan.present']],
    ['a required scan that is not there', ['semgrep', 'checkov', 'osv-scanner', 'trivy'], ['scan.present']],
  ])('objects to %s', async (_, names, rules) => {
    const { code, outcome, failing } = await preview(folderOf(...names));
    expect({ code, outcome, failing }).toMatchObject({ code: 1, outcome: 'objection' });
    expect(failing).toEqual(expect.arrayContaining(rules));
  });

  it('needs no token, no key and no store, and leaves what a job has in its environment alone', async () => {
    const { code } = await preview(folderOf(...SOURCE_REPORTS, 'trivy'), {
      ACTIONS_ID_TOKEN_REQUEST_URL: 'http://127.0.0.1:1/never-asked',
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'never-sent',
    });
    expect(code).toBe(0);
  });

  it.each<Refused>([
    [
      'no environment',
      () => ['policy-gate', '--stage', 'preview'],
      2,
      'inputs.missing',
      /needs --environment, --reports/,
    ],
    [
      'an unknown environment',
      () => words(folderOf('trivy'), 'prod'),
      2,
      'inputs.environment',
      /no environment prod; it has production/,
    ],
    [
      'a name that every object has',
      () => words(folderOf('trivy'), 'constructor'),
      2,
      'inputs.environment',
      /no environment constructor/,
    ],
    [
      'a folder in which no scan left anything',
      () => {
        const reports = sandbox.folder('empty');
        return words({ reports, digest: folderDigest(reports, 'reports') });
      },
      2,
      'scan.reports',
      /is empty: .*did not run/,
    ],
    [
      'a folder that is not there',
      () => words({ reports: join(sandbox.folder('none'), 'x'), digest: `sha256:${'0'.repeat(64)}` }),
      2,
      'file.unreadable',
      /reports/,
    ],
    [
      'reports that were changed on the way',
      () => {
        const folder = folderOf('trivy');
        writeFileSync(join(folder.reports, 'trivy.json'), '{}');
        return words(folder);
      },
      1,
      'scan.reports_changed',
      /were changed on the way/,
    ],
    [
      'a report without its sidecar',
      () => {
        const { reports } = folderOf('trivy', 'gitleaks');
        rmSync(join(reports, 'gitleaks.sidecar.json'));
        return words({ reports, digest: folderDigest(reports, 'reports') });
      },
      2,
      'scan.reports',
      /gitleaks.json without a sidecar/,
    ],
  ])('refuses %s', async (...row) => {
    await expectRefused(scene, scene.at('ready'), row);
  });
});
