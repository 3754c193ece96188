import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, program, type Refused } from '../support/bad-input.ts';
import { steps, succeed } from '../support/direct.ts';
import { keysIn, playRun, recordAt, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'opened');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const words =
  (type: string, ...more: string[]) =>
  (site: Site) => ['evidence-emit', '--type', type, '--run', site.path('run.json'), ...keyFlag(site, 'gate'), ...more];
const opening =
  (...more: string[]) =>
  (site: Site) => [
    'evidence-emit',
    '--type',
    'run.opened',
    '--run',
    site.path('new.json'),
    ...keyFlag(site, 'gate'),
    ...more,
  ];
const PRODUCTION = ['--environment', 'production'];

describe('evidence-emit refuses', () => {
  it.each<Refused>([
    [
      'no type',
      (site) => ['evidence-emit', '--run', site.path('run.json')],
      2,
      'inputs.invalid',
      /type: is required: what to record/,
    ],
    [
      'a type that components write themselves',
      words('gate.decided'),
      2,
      'inputs.invalid',
      /type: expected one of "run\.opened"/,
    ],
    [
      'an outcome that there is not',
      words('run.sealed', '--outcome', 'green'),
      2,
      'inputs.invalid',
      /outcome: expected one of/,
    ],
    ['an unknown flag', words('run.sealed', '--force'), 2, 'cli.unknown_flag', /has no flag --force/],
    ['an opening for no environment', opening(), 2, 'inputs.environment', /what a run owes depends on where it goes/],
    [
      'an opening for an unknown environment',
      opening('--environment', 'prod'),
      2,
      'contract.environment',
      /environment prod is not in the contract; it knows production/,
    ],
    [
      'an opening for what every object has',
      opening('--environment', 'constructor'),
      2,
      'contract.environment',
      /environment constructor is not in the contract/,
    ],
    [
      'a second opening with one run file',
      words('run.opened', ...PRODUCTION),
      2,
      'run.exists',
      /is there already: a run is opened once/,
    ],
    [
      'an opening whose run file cannot be written',
      (site) => [
        'evidence-emit',
        '--type',
        'run.opened',
        '--run',
        '/nonexistent/run.json',
        ...PRODUCTION,
        ...keyFlag(site, 'gate'),
      ],
      2,
      'run.unwritable',
      /cannot write run file \/nonexistent\/run\.json/,
    ],
    [
      'an opening without a register',
      (site) => {
        rmSync(site.path('store', 'v1', 'register'), { recursive: true });
        return opening(...PRODUCTION)(site);
      },
      1,
      'register.none',
      /the store has no register/,
    ],
    [
      'an opening while the platform’s file is broken',
      (site) => {
        writeFileSync(site.path('fork', 'platform.json'), '{');
        return opening(...PRODUCTION)(site);
      },
      2,
      'json.syntax',
      /platform file .* is not JSON/,
    ],
    [
      'an opening while there is no platform',
      (site) => {
        rmSync(site.path('fork', 'platform.json'));
        return opening(...PRODUCTION)(site);
      },
      2,
      'file.unreadable',
      /cannot read platform file/,
    ],
    [
      'the seal of a run without records',
      (site) => {
        rmSync(site.path('store', 'v1', 'records'), { recursive: true });
        return words('run.sealed')(site);
      },
      1,
      'seal.empty',
      /there is nothing to seal/,
    ],
    [
      'a review without its data',
      (site) => [
        'evidence-emit',
        '--type',
        'access.reviewed',
        '--run',
        site.path('run.json'),
        ...keyFlag(site, 'gate'),
      ],
      2,
      'inputs.data',
      /access\.reviewed needs --data/,
    ],
    [
      'a review without a key of its role',
      (site) => [
        ...['evidence-emit', '--type', 'access.reviewed', '--data', 'package.json'],
        ...['--run', site.path('run.json'), ...keyFlag(site, 'gate')],
      ],
      2,
      'key.no_role',
      /names no key of role admin/,
    ],
  ])('%s', async (...row) => {
    const site = scene.at('opened');
    await expectRefused(scene, site, row);
    expect(existsSync(site.path('new.json'))).toBe(false);
  });
});

describe('evidence-emit', () => {
  it('leaves no run file when the store does not take the opening', async () => {
    const site = scene.at('ready');
    rmSync(site.path('store', 'v1', 'keys'), { recursive: true });
    // A file where the records would go: the put fails after the run file was made.
    writeFileSync(site.path('store', 'v1', 'records'), '');
    expect(await program(site, opening(...PRODUCTION)(site))).toMatchObject({ code: 3 });
    expect(existsSync(site.path('new.json'))).toBe(false);
  });

  it('of two openings with one run file, lets one win', async () => {
    const site = scene.at('ready');
    const both = await Promise.all([1, 2].map(() => program(site, opening(...PRODUCTION)(site))));
    expect(both.map(({ code }) => code).sort()).toEqual([0, 2]);
    const opened = keysIn(site).filter((key) => key.startsWith('v1/records/') && key.includes('-run.opened-'));
    expect(opened).toHaveLength(1);
    expect(opened[0]).toContain(JSON.parse(readFileSync(site.path('new.json'), 'utf8')).jobKey);
  });

  it('seals a run once', async () => {
    const site = scene.at('opened');
    const first = await program(site, words('run.sealed')(site));
    expect(first.code).toBe(0);
    const seals = () => keysIn(site).filter((key) => key.startsWith('v1/seals/'));
    expect(seals()).toEqual([JSON.parse(first.stdout).key]);
    const second = await program(site, words('run.sealed')(site));
    expect(second.code).toBe(1);
    expect(JSON.parse(second.stdout)).toMatchObject({
      code: 'seal.exists',
      message: expect.stringContaining(seals()[0] as string),
    });
    expect(seals()).toHaveLength(1);
  });

  it('seals although something that is no seal lies in its place', async () => {
    const site = scene.at('opened');
    const { json } = await succeed(steps.seal(scene.at('opened')));
    const planted = json.key.replace(/[0-9a-f]{32}\.ndjson$/, `${'0'.repeat(32)}.ndjson`);
    mkdirSync(site.path('store', ...planted.split('/').slice(0, -1)), { recursive: true });
    writeFileSync(site.path('store', ...planted.split('/')), '{"sealed": true}\n');
    expect((await program(site, words('run.sealed')(site))).code).toBe(0);
  });

  it('says what it owes: the opening holds register, approvals before, and the contract', async () => {
    const site = scene.at('ready');
    const ended = await program(site, opening(...PRODUCTION)(site));
    expect(ended.code).toBe(0);
    const record = recordAt(site, JSON.parse(ended.stdout).key);
    expect(record.data).toMatchObject({
      registerNumber: 1,
      approvalsBefore: [],
      required: expect.arrayContaining(['scan.completed:container', 'deploy.outcome']),
    });
    expect(record.attachments).toMatchObject([{ role: 'contract', digest: record.data.contract }]);
  });
});
