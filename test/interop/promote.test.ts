import { writeFileSync } from 'node:fs';
import { entriesUnder } from '../../src/evidence/read-object.ts';
import { openStore } from '../../src/store/store.ts';
import { type Permissions, permissionFaults } from '../support/permissions.ts';
import { type Job, readWorkflow } from '../support/promote-copy.ts';
import { layPromoteScene, type PromoteScene } from '../support/promote-scene.ts';
import { type Ended, sandboxes } from '../support/sandbox.ts';
import { publicKeyOf } from '../support/signed-site.ts';
import { itWith } from '../support/tools.ts';

const sandbox = sandboxes();
let scene: PromoteScene;
beforeAll(async () => {
  scene = await layPromoteScene(sandbox);
});
afterAll(async () => {
  await scene.close();
  sandbox.clean();
});
const itAct = itWith('act');

const SOURCES = { semgrep: 'semgrep', gitleaks: 'gitleaks', checkov: 'checkov', 'osv-scanner': 'osv-scanner' };
const keys = async (prefix: string) =>
  (await entriesUnder(openStore(`file://${scene.hosted.site.path('store')}`, {}), prefix)).map(({ key }) => key);
/** Names of jobs by how they ended, as act says. */
const jobs = ({ stdout }: Ended, ending: 'succeeded' | 'failed') =>
  [...stdout.matchAll(/promote\/([a-z-]+) *\] 🏁 {2}Job (succeeded|failed)/g)].flatMap(([, name, how]) =>
    how === ending ? [name as string] : [],
  );

/** How the run was sealed: the first line of a seal is its record. */
async function sealedAs(key: string): Promise<string> {
  const bytes = await openStore(`file://${scene.hosted.site.path('store')}`, {}).get(key);
  const { dsseEnvelope } = JSON.parse(String(bytes).split('\n', 1)[0] as string);
  return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString()).predicate.outcome;
}

/** Permissions that no job asks for. */
const PLANTED: [what: string, job: string, permissions: Permissions, fault: string][] = [
  ['a scope more', 'seal', { packages: 'read' }, 'seal: packages is granted read, needed not at all'],
  ['a level too high', 'gate-deploy', { contents: 'write' }, 'gate-deploy: contents is granted write, needed read'],
  [
    'the registry to write for who reads',
    'gate-promote',
    { packages: 'write' },
    'gate-promote: packages is granted write, needed read',
  ],
  ['the registry to read for who writes', 'sign', { packages: 'read' }, 'sign: packages is granted read, needed write'],
  [
    'an identity for the build',
    'build',
    { 'id-token': 'write' },
    'build: id-token is granted write, needed not at all',
  ],
];

describe('the reusable workflow under act', () => {
  itAct('keeps to a preview what is on no protected ref', async () => {
    const ended = await scene.run({ isProtected: false });
    expect({ code: ended.code, jobs: jobs(ended, 'succeeded') }).toEqual({
      code: 0,
      jobs: ['build', 'scan', 'preview'],
    });
    expect(ended.stdout).toContain('PREVIEW for production, not a decision');
    expect(ended.stdout).not.toContain('decision=');
    expect(await keys('v1/records/')).toEqual([]);
    expect([...scene.asked.keys()]).toEqual([]);
  });

  itAct('seals a run whose build failed, and goes no further', async () => {
    const ended = await scene.run({ build: 'echo "the tests fail"; exit 4' });
    expect(ended.code).not.toBe(0);
    expect(jobs(ended, 'succeeded')).toEqual(['open', 'seal']);
    expect(await keys('v1/seals/')).toHaveLength(1);
  });

  itAct('denies an image with a critical finding, and deploys nothing', async () => {
    const before = scene.pushed();
    const ended = await scene.run({ attempt: 2, reports: { ...SOURCES, trivy: 'trivy-critical' } });
    expect(ended.code).not.toBe(0);
    expect(jobs(ended, 'failed')).toEqual(['gate-promote']);
    expect(ended.stdout).toContain('✖ scan.findings');
    expect(ended.stdout).toContain('DENY promote to production by scan.findings: ');
    expect(jobs(ended, 'succeeded').sort()).toEqual(['build', 'open', 'record', 'scan', 'seal', 'sign']);
    expect(scene.pushed()).toBe(before);
  });

  itAct('has the gate say so when a scan failed', async () => {
    const ended = await scene.run({ attempt: 3, reports: { ...SOURCES, trivy: 'trivy-failed' } });
    expect(jobs(ended, 'failed')).toEqual(expect.arrayContaining(['scan', 'record', 'gate-promote']));
    expect(ended.stdout).toContain('✖ scan.complete');
    expect(ended.stdout).toMatch(/::error .*::1 of 5 scans not complete: trivy \(/);
    expect(jobs(ended, 'succeeded')).toContain('seal');
  });

  itAct('believes nothing of jobs that ran on a machine of the caller', async () => {
    const ended = await scene.run({ attempt: 4, pools: { build: 'Default', scan: 'Default' } });
    expect(ended.stdout).toContain('job scan ran in runner pool Default, which contract.yml does not list');
    expect(jobs(ended, 'failed')).toEqual(['gate-promote']);
    expect(ended.stdout).toContain('job build ran in runner pool Default');
    expect(ended.stdout).toContain('✖ scan.origin');
  });

  itAct('records the denial when the approval is refused', async () => {
    const ended = await scene.run({ attempt: 5, approves: false });
    expect(jobs(ended, 'failed')).toEqual(['approve', 'gate-deploy']);
    expect(ended.stdout).toContain('✖ approval.present');
    expect(jobs(ended, 'succeeded')).not.toContain('deploy');
  });

  itAct('promotes and deploys an image with all its evidence, in a re-run', async () => {
    const ended = await scene.run({ attempt: 6 });
    expect({ code: ended.code, failed: jobs(ended, 'failed') }).toEqual({ code: 0, failed: [] });
    expect(jobs(ended, 'succeeded')).toEqual(expect.arrayContaining(['deploy', 'seal']));
    const digest = /pushed and signed \S+@(sha256:[0-9a-f]{64})/.exec(ended.stdout)?.[1] as string;
    expect(scene.pushed()).toContain(digest);
    for (const title of [
      'Recorded',
      'Built',
      'Pushed and signed',
      'Allowed: promote',
      'Allowed: deploy',
      'Deployed to',
    ])
      expect(ended.stdout).toMatch(new RegExp(`## \\S+ ${title}`));
  });

  itAct('leaves one seal an attempt and a ledger that verifies', async () => {
    const seals = (await keys('v1/seals/')).sort();
    expect(seals.map((key) => /seal-(\d)/.exec(key)?.[1])).toEqual(['1', '2', '3', '4', '5', '6']);
    const outcomes = await Promise.all(seals.map(sealedAs));
    expect(outcomes).toEqual(['failure', 'failure', 'failure', 'failure', 'failure', 'success']);
    const { site, run } = scene.hosted;
    const trust = site.path('trust.json');
    const pem = (role: string) => [publicKeyOf(site, role)];
    writeFileSync(
      trust,
      JSON.stringify({ schema: 'gatehouse/trust/1', release: pem('release'), notary: pem('notary'), checkpoint: null }),
    );
    const verified = await run(
      'notary',
      'verify',
      'ledger',
      'verify',
      '--store',
      `file://${site.path('store')}`,
      '--trust',
      trust,
    );
    const { findings } = JSON.parse(verified.stdout);
    expect(findings).toEqual([]);
  });

  itAct('grants each job what it asks for, and nothing more', () => {
    expect(permissionFaults(readWorkflow().jobs, scene.asked)).toEqual([]);
    expect(scene.github.violations).toEqual([]);
  });

  for (const [what, name, planted, fault] of PLANTED)
    itAct(`a planted permission is found: ${what}`, () => {
      const { jobs } = readWorkflow();
      const job = jobs[name] as Job;
      job.permissions = { ...job.permissions, ...planted };
      expect(permissionFaults(jobs, scene.asked)).toEqual([fault]);
    });
});
