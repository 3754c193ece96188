import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { type FakeGitlab, type GitlabWorld, gitlabWorld } from '../support/fake-gitlab.ts';
import { addChild, CHILD, CHILD_JOBS, COMPONENT_SHA, entriesOf, leave, SCAN_IMAGE } from '../support/gitlab-child.ts';
import { type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { layReports } from '../support/report-folder.ts';
import { sandboxes } from '../support/sandbox.ts';
import { SAMPLE } from '../support/signed-site.ts';
import { zip } from '../support/zip.ts';

/* A team that registers a runner of its own: whoever owns the machine writes what its jobs leave, whatever image they name. */

const DIGEST = 'sha256:331e2cee1617921bf0370d2fe128e1b7930e5c8565dc4c6030983b8f8033e335';
const SCANS = ['trivy', 'semgrep', 'gitleaks', 'checkov', 'osv-scanner'];
const OWN = { id: 77, description: 'a machine of the team' };

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;
let child: GitlabWorld;

beforeEach(async () => {
  registry = await startRegistry();
  hosted = await layHostedSite('gitlab', sandbox.folder('runner'), new URL(registry.url).host, (contract) => {
    contract.environments.production.events = ['pipeline'];
    for (const scanner of Object.values<{ importers: string[] }>(contract.scanners))
      scanner.importers = ['gitlab-child'];
  });
  cpSync('gitlab-components/templates', hosted.site.path('fork', 'templates'), { recursive: true });
  const api = hosted.api as FakeGitlab;
  api.world = gitlabWorld();
  child = addChild(api.world);
  const { reports } = layReports(join(sandbox.folder('reports'), 'reports'), SCANS, {
    commit: CHILD.sha,
    image: DIGEST,
  });
  leave(child, CHILD_JOBS.build, zip(entriesOf(join(SAMPLE, 'image'), 'image')));
  leave(child, CHILD_JOBS.scan, zip(entriesOf(reports, 'reports')));
});
afterEach(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});

const run = async (role: string, step: string, ...words: string[]) => {
  const ended = await hosted.run(role, step, ...words, '--child', CHILD.path);
  if (ended.code !== 0 && step !== 'gate') throw new Error(`${step} ended with exit ${ended.code}: ${ended.stdout}`);
  return JSON.parse(ended.stdout);
};
const collect = async (job: 'build' | 'scan') => {
  const out = join(sandbox.folder('collect'), 'out');
  const by = ['--ref', 'main', '--component-sha', COMPONENT_SHA, '--scan-images', SCAN_IMAGE];
  await run(job, 'collect', 'collect', '--job', job, ...by, '--out', out);
  return out;
};

/** Rules that fail at the gate, with what they say; `meanwhile` is what the team does when its build was collected. */
async function failing(meanwhile: () => void = () => {}): Promise<Map<string, string>> {
  await run('gate', 'open', 'evidence-emit', '--type', 'run.opened', '--environment', 'production');
  const layout = await collect('build');
  meanwhile();
  const place = `${new URL(registry.url).host}/care/lab-results`;
  const { image } = await run(
    'build',
    'sign',
    'build-sign',
    '--phase',
    'sign',
    '--collected',
    layout,
    '--image',
    place,
  );
  const reports = await collect('scan');
  await run('scan', 'record', 'scan', '--phase', 'record', '--collected', reports, '--subject', image);
  const words = ['--stage', 'promote', '--environment', 'production', '--image', image];
  const { reasons } = await run('gate', 'gate', 'policy-gate', ...words);
  const failed = reasons.filter(({ outcome }: Record<string, string>) => outcome === 'fail');
  return new Map(failed.map(({ rule, message }: Record<string, string>) => [rule, message]));
}
const job = (name: string) => child.jobs.find((each) => each.name === name) as Record<string, unknown>;

it('honestly both ran on runners of the contract', async () => {
  expect([...(await failing())]).toEqual([]);
});

it('a build on it is not kept apart', async () => {
  Object.assign(job('gatehouse-build'), { runner: OWN });
  expect([...(await failing()).keys()]).toEqual(['provenance.isolation']);
});

it('a build on it is not either when the job is run again in the pool after it was collected', async () => {
  const collected = { ...job('gatehouse-build'), runner: OWN };
  const again = { ...job('gatehouse-build'), id: 6201 };
  child.jobs = child.jobs.map((each) => (each.name === 'gatehouse-build' ? collected : each));
  const retry = () => {
    child.jobs = child.jobs.map((each) => (each === collected ? again : each));
    child.retried.push(collected);
    child.artifacts.set(again.id, child.artifacts.get(CHILD_JOBS.build) as Buffer);
  };
  expect([...(await failing(retry)).keys()]).toEqual(['provenance.isolation']);
});

it('a scan on it is of nobody whom the contract names', async () => {
  Object.assign(job('gatehouse-scan'), { runner: OWN });
  expect((await failing()).get('scan.origin')).toMatch(/was imported by gitlab-child-any-runner/);
});

it('a scan that nobody ran', async () => {
  Object.assign(job('gatehouse-scan'), { runner: null });
  expect((await failing()).get('scan.origin')).toMatch(/was imported by gitlab-child-any-runner/);
});
