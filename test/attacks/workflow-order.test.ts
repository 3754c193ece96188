import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keysIn, recordAt } from '../support/gate-scene.ts';
import { cleanEnvironment, run, runAside, sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';
import {
  deployWords,
  gateWords,
  layWorkflowScene,
  openWords,
  scanWords,
  sealWords,
  type WorkflowScene,
} from './workflow-scene.ts';

/* The right steps in the wrong order, twice, or with what another step, run or attempt was given. */

const sandbox = sandboxes();
let scene: WorkflowScene;
let decision: string;
let honest: WorkflowScene['github']['world'];
beforeAll(async () => {
  scene = await layWorkflowScene(sandbox, 'approved');
  decision = await scene.allowed('deploy');
  honest = { ...scene.github.world };
});
beforeEach(() => void Object.assign(scene.github.world, honest));
afterAll(async () => {
  await scene.close();
  sandbox.clean();
});

const deploy = (key: string, changes: Record<string, string> = {}, claims = {}) =>
  scene.verb({ role: 'deploy', claims }, ...deployWords(scene, key, changes));
const deployed = () => {
  const { gitops, manifest } = scene.state();
  return { gitops, manifest };
};
const recorded = (since: Set<string>) =>
  keysIn(scene.hosted.site)
    .filter((key) => key.startsWith('v1/records/') && !since.has(key))
    .map((key) => recordAt(scene.hosted.site, key))
    .map(({ type, outcome }) => `${type} ${outcome}`);

/** The platform as it would speak of this run and attempt. */
function worldOf(changes: { id?: number; run_attempt?: number }): void {
  const { world } = scene.github;
  world.run = { ...world.run, ...changes };
  const { id = 9001, run_attempt = 1 } = changes;
  world.jobs = world.jobs.map((job) => ({ ...job, run_id: id, run_attempt }));
}

describe('F80 F93 deploying by a decision that is not for this', () => {
  it.each<[string, () => Promise<string> | string, () => unknown, Record<string, string>, object, RegExp]>([
    ['the promote decision', () => scene.allowed('promote'), () => {}, {}, {}, /it is of stage promote/],
    [
      'a decision of another run',
      () => decision,
      () => worldOf({ id: 9002 }),
      {},
      { run_id: '9002' },
      /another run or attempt/,
    ],
    [
      'a decision of an earlier attempt',
      () => decision,
      () => worldOf({ run_attempt: 2 }),
      {},
      { run_attempt: '2' },
      /another run or attempt/,
    ],
    ['another environment', () => decision, () => {}, { environment: 'staging' }, {}, /for environment production/],
    [
      'another workload',
      () => decision,
      () => {},
      { target: 'demo/lab-results/Deployment/other' },
      {},
      /another target/,
    ],
    [
      'another cluster',
      () => decision,
      () => {},
      { target: 'prod/lab-results/Deployment/lab-results' },
      {},
      /another target/,
    ],
    [
      'a record that is no decision',
      () => keysIn(scene.hosted.site).find((key) => key.includes('-scan.completed-')) as string,
      () => {},
      {},
      {},
      /it is a record scan.completed/,
    ],
    [
      'a record that is not there',
      () => decision.replace(/[0-9a-f]{32}\.json$/, `${'0'.repeat(32)}.json`),
      () => {},
      {},
      {},
      /no such decision/,
    ],
  ])('%s', async (_, keyOf, attack, changes, claims, why) => {
    const key = await keyOf();
    attack();
    const [before, since] = [deployed(), new Set(keysIn(scene.hosted.site))];
    const said = await deploy(key, changes, claims);
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: ['deploy.decision'] });
    expect(said.log).toMatch(why);
    expect(deployed()).toEqual(before);
    expect(recorded(since)).toEqual(['deploy.outcome denied']);
  });

  it.each(['../'.repeat(12).concat('etc/passwd'), '__proto__', 'v1/records/../once/x'])(
    'a key that is none of a record: %s',
    async (key) => {
      const before = scene.state();
      const said = await deploy(key);
      expect({ exit: said.exit, says: said.says }).toEqual({ exit: 2, says: 'store.key' });
      expect(scene.state()).toEqual(before);
    },
  );
});

describe('F93 one decision, one deploy', () => {
  it('of three processes at once exactly one deploys', async () => {
    const since = new Set(keysIn(scene.hosted.site));
    const all = await Promise.all([deploy(decision), deploy(decision), deploy(decision)]);
    const refused = all.filter(({ exit }) => exit !== 0);
    expect(refused).toHaveLength(2);
    // One that looks while another is between writing the manifest and its commit finds a work tree that is not what is committed.
    const late = refused.filter(({ exit }) => exit === 1);
    expect(late.map(({ says }) => says)).toEqual(late.map(() => ['deploy.once']));
    for (const { exit, says } of refused.filter((each) => !late.includes(each)))
      expect({ exit, says }).toEqual({ exit: 2, says: expect.stringMatching(/^gitops\./) });
    expect(recorded(since).sort()).toEqual(
      ['deploy.intent success', 'deploy.outcome success', ...late.map(() => 'deploy.outcome error')].sort(),
    );
    const log = run('git', ['-C', scene.hosted.site.path('gitops'), 'log', '--format=%B']).stdout;
    expect(log.match(/Gatehouse-Decision/g)).toHaveLength(1);
  });

  it('and none afterwards', async () => {
    const before = deployed();
    const said = await deploy(decision);
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: ['deploy.once'] });
    expect(deployed()).toEqual(before);
  });
});

describe('F57 F82 a run that calls the workflow a second time', () => {
  it.each(['again / gate-deploy', 'promote (b) / gate-deploy', 'a / promote / gate-deploy'])(
    'opens none for it: %s',
    async (name) => {
      const { world } = scene.github;
      const own = world.jobs.find(({ id }) => id === 5003);
      world.jobs = [...world.jobs, { ...own, id: 5010, name }];
      const before = scene.state();
      const said = await scene.verb({ role: 'gate' }, ...openWords());
      expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: 'run.called_twice' });
      expect(scene.state()).toEqual(before);
    },
  );
});

describe('F57 a run that is sealed', () => {
  const findings = async () => {
    const { site } = scene.hosted;
    const trust = join(sandbox.folder('trust'), 'trust.json');
    const pem = (role: string) => [publicKeyOf(site, role)];
    writeFileSync(
      trust,
      JSON.stringify({ schema: 'gatehouse/trust/1', release: pem('release'), notary: pem('notary'), checkpoint: null }),
    );
    const { stdout } = await runAside(
      process.execPath,
      [site.program, 'ledger', 'verify', '--store', `file://${site.path('store')}`, '--trust', trust, '--json'],
      cleanEnvironment(site.folder),
    );
    return JSON.parse(stdout).findings as { code: string; key: string }[];
  };
  const seals = () => keysIn(scene.hosted.site).filter((key) => key.startsWith('v1/seals/'));

  it('by two processes at once has one seal, or the ledger says that it has two', async () => {
    const all = await Promise.all(
      [1, 2].map((step) => scene.verb({ role: 'gate', step: `seal-${step}` }, ...sealWords())),
    );
    const done = all.filter(({ exit }) => exit === 0);
    expect(seals()).toHaveLength(done.length);
    expect(done.length).toBeGreaterThan(0);
    for (const { exit, says } of all.filter((each) => !done.includes(each)))
      expect({ exit, says }).toEqual({ exit: 1, says: 'seal.exists' });
    const said = (await findings()).filter(({ code }) => code === 'TWO_SEALS');
    expect(said).toHaveLength(done.length - 1);
  });

  it('is not sealed again', async () => {
    const before = scene.state();
    const said = await scene.verb({ role: 'gate' }, ...sealWords());
    expect({ exit: said.exit, says: said.says }).toEqual({ exit: 1, says: 'seal.exists' });
    expect(scene.state()).toEqual(before);
  });

  it.each<[string, string, () => string[], string]>([
    ['a scan', 'scan', () => scanWords(scene.image), 'scan.completed'],
    ['a decision', 'gate', () => gateWords('promote', scene.image), 'gate.decided'],
  ])('shows %s that is recorded afterwards as not under its seal', async (_, role, words, type) => {
    const since = new Set(keysIn(scene.hosted.site));
    await scene.verb({ role }, ...words());
    const added = keysIn(scene.hosted.site).filter(
      (key) => !since.has(key) && key.includes(`-${type}-`) && key.startsWith('v1/records/'),
    );
    expect(added).toHaveLength(1);
    expect(await findings()).toContainEqual(expect.objectContaining({ code: 'NOT_IN_MANIFEST', key: added[0] }));
  });
});
