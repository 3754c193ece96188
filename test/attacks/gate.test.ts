import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Site } from '../../src/commands/demo/site.ts';
import { editContract, steps, succeed, verdictOf } from '../support/direct.ts';
import {
  approval,
  approved,
  editPlatform,
  editRegister,
  expectDenial,
  hours,
  judged,
  keysIn,
  playRun,
  type Scene,
  table,
} from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('gate'));
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

it('the run without an attack is allowed, at both stages', async () => {
  expect((await judged(scene, ['', 'scanned', () => {}, []])).verdict).toBe('allow');
  expect((await judged(scene, ['', 'approved', () => {}, []])).verdict).toBe('allow');
});

describe('the release that judges', () => {
  const dist = (site: Site, name: string) => site.path('fork', 'dist', name);
  it.each(
    table([
      [
        'its program has one more line',
        'scanned',
        (site) => writeFileSync(dist(site, 'gatehouse.js'), '// another program\n'),
        ['release.registered'],
      ],
      [
        'its program has one more file',
        'scanned',
        (site) => writeFileSync(dist(site, 'more.js'), ''),
        ['release.registered'],
      ],
      [
        'F01 its contract is edited to deny nothing but critical',
        'scanned',
        (site) =>
          editContract(
            site,
            (contract) => Object.assign(contract.environments.production, { 'deny-severities': ['critical'] }),
            false,
          ),
        ['release.registered'],
      ],
      [
        'its policy is another one that says the same',
        'scanned',
        (site) =>
          writeFileSync(
            dist(site, 'gate.wasm'),
            Buffer.concat([readFileSync('policies/gate.wasm'), Buffer.from([0, 2, 1, 0x78])]),
          ),
        ['release.registered'],
      ],
      [
        'it is older than the register demands',
        'scanned',
        (site) => editRegister(site, () => ({ minimumVersion: '99.0.0' })),
        ['release.registered'],
      ],
      [
        'it has ended',
        'scanned',
        (site) =>
          editRegister(site, ({ releases }) => ({
            releases: releases.map((each) => ({ ...each, notAfter: hours(-1) })),
          })),
        ['release.registered'],
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));

  it.each([
    ['nothing', ''],
    ['text', 'package gate'],
    ['half of it', null],
  ])('F11 a policy that is %s is no allow', async (_, text) => {
    const site = scene.at('scanned');
    const whole = readFileSync('policies/gate.wasm');
    writeFileSync(dist(site, 'gate.wasm'), text ?? whole.subarray(0, whole.length / 2));
    const before = keysIn(site);
    expect(await steps.gate(site, 'promote', scene.image)).toMatchObject({
      code: 3,
      json: { code: 'policy.unreadable' },
    });
    // F18: that the gate could not judge is on record.
    const added = keysIn(site).filter((key) => !before.includes(key) && key.startsWith('v1/records/'));
    expect(added.some((key) => key.includes('-gate.decided-'))).toBe(true);
  });
});

describe('what the contract demands and nothing looks at', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a change may put anything anywhere
  it.each<[string, (contract: any) => object]>([
    ['a canary that each scan finds', ({ scanners }) => Object.assign(scanners.secrets, { canary: true })],
    ['a second store', ({ evidence }) => Object.assign(evidence, { 'second-store': 'file:../other' })],
  ])('%s is not taken for kept', async (_, demand) => {
    const site = scene.at('scanned');
    await editContract(site, demand, false);
    const said = await steps.gate(site, 'promote', scene.image);
    expect(said).toMatchObject({ code: 2, json: { code: 'contract.invalid' } });
    expect(said.text).toContain('this release cannot show that it is kept');
  });
});

describe('limits of the contract', () => {
  const production = (change: object) => (site: Site) =>
    editContract(site, (contract) => Object.assign(contract.environments.production, change));
  it.each(
    table([
      ['F15 evidence may be an hour old', 'scanned', production({ 'max-evidence-age': '1h' }), ['scan.fresh']],
      [
        'F15 a database may be an hour old',
        'scanned',
        (site) =>
          editContract(site, (contract) => Object.assign(contract.scanners.container, { 'database-max-age': '1h' })),
        ['scan.database'],
      ],
      [
        'F04 a category that nobody scanned',
        'scanned',
        (site) =>
          editContract(site, (contract) => {
            contract.scanners.dast = { tools: [{ name: 'zap' }] };
            contract.environments.production.required.push('dast');
          }),
        ['scan.present'],
      ],
      [
        'F34 another version of the scanner',
        'scanned',
        (site) =>
          editContract(site, (contract) =>
            Object.assign(contract.scanners.container.tools[0], { versions: ['0.1.0'] }),
          ),
        ['scan.tool'],
      ],
      [
        'F34 another scanner',
        'scanned',
        (site) =>
          editContract(site, (contract) => Object.assign(contract.scanners.container.tools[0], { name: 'grype' })),
        ['scan.tool'],
      ],
      [
        'no importer',
        'scanned',
        (site) => editContract(site, (contract) => Object.assign(contract.scanners.container, { importers: [] })),
        ['scan.origin'],
      ],
      [
        'F05 even medium findings deny',
        'scanned',
        production({ 'deny-severities': ['critical', 'high', 'medium', 'low', 'info'] }),
        ['scan.findings'],
      ],
      ['another ref', 'scanned', production({ refs: ['refs/heads/release'] }), ['source.ref']],
      ['another event', 'scanned', production({ events: ['workflow_dispatch'] }), ['source.event']],
      ['two reviews', 'scanned', production({ reviews: 2 }), ['source.reviewed']],
      ['isolation of a job', 'scanned', production({ isolation: 'job' }), ['provenance.isolation']],
      [
        'F09 a business associate without an agreement',
        'scanned',
        production({ services: ['cloud-provider', 'mail-provider'] }),
        ['services.agreement'],
      ],
      [
        'F92 an endpoint that nobody looked at',
        'approved',
        production({ endpoints: ['127.0.0.1:443'] }),
        ['tls.verified'],
      ],
      [
        'another target',
        'approved',
        production({ targets: [{ cluster: 'demo', namespace: 'lab-results', name: 'other' }] }),
        ['target.allowed'],
      ],
      [
        'two approvals',
        'approved',
        production({ approvals: { groups: ['release-approvers'], number: 2, strength: 'job' } }),
        ['approval.present'],
      ],
      [
        'an approval bound to the run',
        'approved',
        production({ approvals: { groups: ['release-approvers'], number: 1, strength: 'run' } }),
        ['approval.strength'],
      ],
      [
        'another group',
        'approved',
        production({ approvals: { groups: ['nobody'], number: 1, strength: 'job' } }),
        ['approval.entitled'],
      ],
    ]),
  )('$name', ({ row }) => expectDenial(scene, row));
});

describe('the question itself', () => {
  it.each(
    table([
      [
        'F21 an environment that the contract does not know',
        'scanned',
        () => {},
        ['environment.known'],
        { words: ['--environment', 'staging'] },
      ],
      [
        'an environment that every object has',
        'scanned',
        () => {},
        ['environment.known'],
        { words: ['--environment', 'constructor'] },
      ],
      [
        'an environment in other letters',
        'scanned',
        () => {},
        ['environment.known'],
        { words: ['--environment', 'Production'] },
      ],
      [
        'a target of another namespace',
        'approved',
        () => {},
        ['target.allowed'],
        { words: ['--target', 'demo/kube-system/Deployment/lab-results'] },
      ],
      [
        'a target of another cluster',
        'approved',
        () => {},
        ['target.allowed'],
        { words: ['--target', 'prod/lab-results/Deployment/lab-results'] },
      ],
      [
        'a deploy without its promotion',
        'scanned',
        (site) => approved(site, approval()),
        ['evidence.recorded'],
        { stage: 'deploy' },
      ],
    ]),
  )('$name', async ({ row }) => {
    const { verdict, code } = await judged(scene, row);
    expect(code).toBe(1);
    expect(verdict).toEqual(expect.arrayContaining(row[3]));
  });

  it('F56 a promotion of another run does not count', async () => {
    const site = scene.at('approved');
    editPlatform(
      site,
      (platform) => void platform.runs.push({ ...(platform.runs[0] as (typeof platform.runs)[0]), attempt: 2 }),
    );
    rmSync(site.path('run.json'));
    await succeed(steps.open(site));
    approved(site, approval({ attempt: 2 }));
    expect(verdictOf(await steps.gate(site, 'deploy', scene.image))).toEqual(['evidence.recorded']);
  });

  it('only the failed jobs run again: nothing opened that attempt, and the denial says what to do', async () => {
    const site = scene.at('approved');
    editPlatform(
      site,
      (platform) => void platform.runs.push({ ...(platform.runs[0] as (typeof platform.runs)[0]), attempt: 2 }),
    );
    const run = JSON.parse(readFileSync(site.path('run.json'), 'utf8'));
    writeFileSync(site.path('run.json'), JSON.stringify({ ...run, attempt: 2 }));
    approved(site, approval({ attempt: 2 }));
    const { code, json, text } = await steps.gate(site, 'deploy', scene.image);
    expect(code).toBe(1);
    expect(verdictOf({ code, json, text })).toContain('register.fresh');
    expect(text).toMatch(/✖ register\.fresh .*no record run\.opened of this attempt .*: use "Re-run all jobs"/);
  });

  it('the platform says another commit than when the run was opened', async () => {
    const site = scene.at('approved');
    const sha = 'e'.repeat(40);
    editPlatform(site, (platform) => {
      platform.commits.push({ ...(platform.commits[0] as (typeof platform.commits)[0]), sha });
      Object.assign(platform.runs[0] as object, { sha });
    });
    const { code, json } = await steps.gate(site, 'deploy', scene.image);
    expect(code).toBe(1);
    expect(verdictOf({ code, json, text: '' })).toEqual(
      expect.arrayContaining([
        'evidence.recorded',
        'provenance.source',
        'register.fresh',
        'scan.present',
        'approval.present',
      ]),
    );
  });
});
