import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { JOB_TOKEN } from '../support/git-server.ts';
import { CHILD } from '../support/gitlab-child.ts';
import {
  CHILDREN,
  type ChildName,
  layParent,
  type ParentJob,
  type ParentScene,
  PORTAL,
  type Step,
} from '../support/parent-scene.ts';
import { type Ended, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';

/*
 * The parent pipeline out of the assembled component project, job by job in the real gitlab-ci-local: our own program fetched
 * by git, an issuer and an authority for time on loopback, and a fake of GitLab's API in which a child misbehaves.
 */

const NAMES = Object.keys(CHILDREN) as ChildName[];

const sandbox = sandboxes();
const itLocal = itWith('rsync');
let registry: Awaited<ReturnType<typeof startRegistry>>;
let scene: ParentScene;
beforeAll(async () => {
  registry = await startRegistry();
  scene = await layParent(sandbox.folder, new URL(registry.url).host);
});
afterAll(async () => {
  await scene.hosted.close();
  await registry.close();
  sandbox.clean();
});

const said = ({ stdout, stderr }: Ended) => stdout + stderr;
const lab = (part: string) => `gatehouse-lab-results-${part}` as ParentJob;
const through = async (...jobs: ParentJob[]) => {
  for (const name of jobs) {
    const ended = await scene.job(name);
    if (ended.code !== 0) throw new Error(`${name} ended with exit ${ended.code}: ${said(ended)}`);
  }
};
/** One stage of GitLab's: the job of each repository. */
const both = (step: Step) => through(...NAMES.map((child): ParentJob => `gatehouse-${child}-${step}`));
const deployed = (child: ChildName = 'lab-results') => {
  const gitops = scene.gitlab.projects.get('care/gitops') as string;
  return execFileSync('git', ['-C', gitops, 'show', `main:${child}/deployment.yaml`], { encoding: 'utf8' });
};
const storeFiles = () =>
  execFileSync('find', [scene.hosted.site.path('store', 'v1'), '-type', 'f'], { encoding: 'utf8' })
    .trim()
    .split('\n');
const recordsOf = (pipeline: number) =>
  storeFiles().filter((file) => file.includes(`/run=${pipeline}/`) && file.includes('/records/'));
const sealsOf = (pipeline: number) =>
  storeFiles().filter((file) => file.includes(`/run=${pipeline}/`) && file.includes('/seals/'));
const sealOf = (pipeline: number) => {
  const [line] = readFileSync(sealsOf(pipeline)[0] as string, 'utf8').split('\n') as [string];
  return JSON.parse(Buffer.from(JSON.parse(line).dsseEnvelope.payload, 'base64').toString()).predicate;
};

describe('children that are as they should be', () => {
  itLocal(
    'are signed, recorded, promoted, approved once for both, decided, deployed and sealed, each as the run of its own repository',
    async () => {
      await both('open');
      await both('sign');
      const early = await scene.job(lab('promote'));
      expect({ code: early.code, said: said(early).includes('✖ scan.present') }).toEqual({ code: 1, said: true });
      const undecided = await scene.job(lab('deploy'));
      expect(undecided.code).not.toBe(0);
      await both('record');
      const promoted = await scene.job(lab('promote'));
      expect(said(promoted)).toContain('ALLOW promote to production');
      await through('gatehouse-portal-promote', 'gatehouse-approve');
      const decided = await scene.job(lab('decide'));
      expect(said(decided)).toContain('ALLOW deploy to production');
      await through('gatehouse-portal-decide');
      for (const token of ['', JOB_TOKEN]) {
        const ended = await scene.job(lab('deploy'), { GATEHOUSE_GIT_TOKEN: token });
        const why = token === '' ? /GATEHOUSE_GIT_TOKEN is not set.*docs\/gitlab\.md/ : /403/;
        expect({ code: ended.code === 0, why: why.test(said(ended)) }).toEqual({ code: false, why: true });
      }
      for (const child of NAMES) expect(deployed(child)).not.toContain('331e2cee');
      await both('deploy');
      for (const child of NAMES)
        expect(deployed(child)).toContain(`${new URL(registry.url).host}/care/${child}@sha256:331e2cee`);
      await both('seal');
      for (const [pipeline, { path, sha }] of [
        [9101, CHILD],
        [9100, PORTAL],
      ] as const) {
        expect(sealsOf(pipeline)).toHaveLength(1);
        expect(sealOf(pipeline)).toMatchObject({
          outcome: 'success',
          run: { repository: path, id: String(pipeline), sha, parent: { repositoryId: '7002', runId: '9002' } },
        });
      }
      expect(sealsOf(9002)).toEqual([]);
    },
  );

  itLocal('is not added to by a job that is retried after the seal', async () => {
    const before = recordsOf(9101).length;
    const again = await scene.job(lab('record'));
    expect({ code: again.code, said: said(again).includes('is sealed by job') }).toEqual({ code: 1, said: true });
    expect(recordsOf(9101)).toHaveLength(before);
  });
});

describe('a child that is not ends the job, and leaves a record and one seal', () => {
  let pipeline = 9400;
  const own = () => pipeline + 99;

  beforeEach(() => {
    pipeline += 200;
    scene.renew(pipeline);
  });

  it.each<[string, () => unknown, string]>([
    ['failed', () => Object.assign(scene.child().pipeline, { status: 'failed' }), 'is failed, not success'],
    [
      'is missing a job',
      () => (scene.child().jobs = scene.child().jobs.filter(({ name }) => name !== 'gatehouse-scan')),
      'gatehouse-scan of care/lab-results is not there',
    ],
    [
      'came with another',
      () =>
        scene
          .world()
          .bridges.push({ ...(scene.world().bridges[0] as object), name: 'extra', downstream_pipeline: null }),
      'started no pipeline',
    ],
    [
      'came without the other repository’s',
      () => scene.world().bridges.splice(1),
      'started no pipeline of care/portal',
    ],
  ])('it %s', async (_, attack, why) => {
    await through(lab('open'));
    attack();
    const ended = await scene.job(lab('sign'));
    expect(ended.code).not.toBe(0);
    expect(said(ended)).toContain(why);
    expect(said(ended)).not.toContain('gitlab-token');
    expect(existsSync(join(scene.parent, 'gatehouse-outputs'))).toBe(false);
    await through(lab('seal'));
    expect(sealsOf(own())).toHaveLength(1);
    expect(recordsOf(own())).toHaveLength(1);
  });

  it('a job of the parent was cancelled: it leaves a record, and the run is sealed as cancelled when seal is run again', async () => {
    await through(lab('open'));
    expect(await scene.afterwards(lab('promote'), 'success')).toMatchObject({ code: 0, stdout: '' });
    expect(recordsOf(own())).toHaveLength(1);
    const { code, stdout } = await scene.afterwards(lab('promote'), 'canceled');
    expect({ code, said: stdout.includes('was cancelled; recorded as') }).toEqual({ code: 0, said: true });
    for (const job of scene.world().jobs) if (job.status !== 'success') job.status = 'canceled';
    await through(lab('seal'));
    const lines = readFileSync(sealsOf(own())[0] as string, 'utf8')
      .trim()
      .split('\n');
    const outcomes = lines.map(
      (line) => JSON.parse(Buffer.from(JSON.parse(line).dsseEnvelope.payload, 'base64').toString()).predicate.outcome,
    );
    expect(outcomes.sort()).toEqual(['cancelled', 'cancelled', 'success']);
  });

  it('it was not started at all: there is no run to open', async () => {
    scene.world().bridges = [];
    const ended = await scene.job(lab('open'));
    expect({ code: ended.code, said: said(ended).includes('started no pipeline of care/lab-results') }).toEqual({
      code: 1,
      said: true,
    });
  });
});
