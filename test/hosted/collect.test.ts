import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { type FakeGitlab, gitlabWorld } from '../support/fake-gitlab.ts';
import { addChild, CHILD, CHILD_JOBS, COMPONENT_SHA, leave, SCAN_IMAGE } from '../support/gitlab-child.ts';
import { type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { sandboxes } from '../support/sandbox.ts';
import { zip } from '../support/zip.ts';

/* The program itself, as jobs of the parent run it: issuer and authority for time on loopback, GitLab's API a labelled fake. */

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;
beforeAll(async () => {
  registry = await startRegistry();
  hosted = await layHostedSite('gitlab', sandbox.folder('site'), new URL(registry.url).host);
  cpSync('gitlab-components/templates', hosted.site.path('fork', 'templates'), { recursive: true });
});
afterAll(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});
beforeEach(() => {
  const api = hosted.api as FakeGitlab;
  api.world = gitlabWorld();
  addChild(api.world);
});
const world = () => (hosted.api as FakeGitlab).world;

const collect = (out: string, changes: Record<string, string | null> = {}, role = 'scan') => {
  const flags = {
    child: CHILD.path,
    ref: 'main',
    job: 'scan',
    'component-sha': COMPONENT_SHA,
    'scan-images': SCAN_IMAGE,
    out,
    ...changes,
  };
  const words = Object.entries(flags).flatMap(([name, value]) => (value === null ? [] : [`--${name}`, value]));
  return hosted.run(role, 'collect', 'collect', ...words);
};
type Edited = Record<'child' | 'parent' | 'job', object>;
const target = () => join(sandbox.folder('collect'), 'out');
const codeOf = ({ stdout }: { stdout: string }) => JSON.parse(stdout).code;

describe('collect', () => {
  it('leaves the files of the job and says where they came from', async () => {
    const out = target();
    const { code, stdout } = await collect(out);
    expect({ code, out: readdirSync(out).sort() }).toEqual({ code: 0, out: ['collected.json', 'files'] });
    expect(readFileSync(join(out, 'files/reports/a.json'), 'utf8')).toBe('{}');
    expect(JSON.parse(stdout)).toMatchObject({
      child: { repository: CHILD.path, runId: '9101', sha: CHILD.sha },
      job: { name: 'gatehouse-scan', id: String(CHILD_JOBS.scan), runner: '31' },
      parent: { repositoryId: '7002', runId: '9002' },
    });
  });

  it.each<[string, Record<string, string | null>, number, string]>([
    ['no child', { child: null }, 2, 'inputs.invalid'],
    ['no branch', { ref: null }, 2, 'inputs.invalid'],
    ['a job that has no artifacts of ours', { job: 'test' }, 2, 'inputs.invalid'],
    ['a short commit', { commit: 'c0ffee' }, 2, 'inputs.commit'],
    ['a version in place of a commit', { 'component-sha': '1.0.0' }, 2, 'inputs.commit'],
    ['another commit', { commit: 'd'.repeat(40) }, 1, 'children.commit'],
    ['another repository', { child: 'care/portal' }, 1, 'children.extra'],
    ['another release', { 'component-sha': 'f'.repeat(40) }, 1, 'children.include'],
    ['no image of scans', { 'scan-images': null }, 2, 'inputs.invalid'],
    ['an image by tag', { 'scan-images': 'registry.example.org/ci/scan:1' }, 2, 'inputs.image'],
    ['another image of scans', { 'scan-images': `x@sha256:${'9'.repeat(64)}` }, 1, 'children.job_changed'],
  ])('refuses %s and leaves nothing', async (_, changes, exit, code) => {
    const out = target();
    const ended = await collect(out, changes);
    expect({ exit: ended.code, code: codeOf(ended) }).toEqual({ exit, code });
    expect(readdirSync(join(out, '..'))).toEqual([]);
  });

  it('leaves nothing of an archive that is not whole', async () => {
    leave(
      world().children[0] as never,
      CHILD_JOBS.scan,
      zip([{ name: 'reports/a.json', content: '{}' }, { name: '../b' }]),
    );
    const out = target();
    const ended = await collect(out);
    expect({ exit: ended.code, code: codeOf(ended), left: readdirSync(join(out, '..')) }).toEqual({
      exit: 1,
      code: 'zip.name',
      left: [],
    });
  });

  it('refuses a folder that is there', async () => {
    const out = target();
    mkdirSync(out);
    expect(codeOf(await collect(out))).toBe('collect.exists');
  });

  it('refuses the job of another role', async () => {
    expect(codeOf(await collect(target(), {}, 'build'))).toBe('workflow_untrusted');
  });

  it('names no token, whatever fails', async () => {
    world().instead.set('/api/v4/projects/7002/pipelines/9002/bridges', {
      status: 403,
      json: { message: 'gitlab-token' },
    });
    const { code, stdout, stderr } = await collect(target());
    expect({ code, token: (stdout + stderr).includes('gitlab-token') }).toEqual({ code: 3, token: false });
  });
});

describe('what was collected', () => {
  const record = (folder: string, ...more: string[]) =>
    hosted.run('scan', 'record', 'scan', '--phase', 'record', '--child', CHILD.path, '--collected', folder, ...more);
  const collected = async () => {
    const out = target();
    expect((await collect(out)).code).toBe(0);
    return out;
  };

  it.each<[string, (out: string) => unknown, string]>([
    ['a file that was changed', (out) => writeFileSync(join(out, 'files/reports/a.json'), '[]'), 'collected.changed'],
    ['a file that was added', (out) => writeFileSync(join(out, 'files/reports/b.json'), '[]'), 'collected.changed'],
    ['another run', (out) => edit(out, (all) => Object.assign(all.child, { runId: '9100' })), 'collected.run'],
    ['another parent', (out) => edit(out, (all) => Object.assign(all.parent, { runId: '9001' })), 'collected.run'],
    ['another job', (out) => edit(out, (all) => Object.assign(all.job, { name: 'gatehouse-build' })), 'collected.job'],
    ['something else', (out) => edit(out, (all) => Object.assign(all, { more: 1 })), 'collected.schema'],
  ])('is not recorded with %s', async (_, attack, code) => {
    const out = await collected();
    attack(out);
    expect(codeOf(await record(out))).toBe(code);
    expect(existsSync(hosted.site.path('store', 'v1', 'records'))).toBe(false);
  });

  const edit = (out: string, change: (all: Edited) => unknown) => {
    const all = JSON.parse(readFileSync(join(out, 'collected.json'), 'utf8'));
    change(all);
    writeFileSync(join(out, 'collected.json'), JSON.stringify(all));
  };
});

describe('for the other verbs', () => {
  it('--outputs leaves each output in a file of its name', async () => {
    const folder = join(sandbox.folder('outputs'), 'a/b');
    const { code, stdout } = await collect(target(), { outputs: folder });
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'digest'), 'utf8')).toBe(JSON.parse(stdout).digest);
  });

  it.each([
    ['without a folder', ['--outputs']],
    ['given twice', ['--outputs', 'a', '--outputs', 'b']],
    ['with a file of whose name no variable’s can be made', ['--outputs', 'my-outputs.env']],
  ])('--outputs %s is refused', async (_, words) => {
    const ended = await hosted.run('gate', 'x', 'contract', 'check', ...words);
    expect({ code: ended.code, said: codeOf(ended) }).toEqual({ code: 2, said: 'cli.outputs' });
  });

  it('--child without a child pipeline is refused', async () => {
    world().bridges = [];
    const ended = await hosted.run(
      'gate',
      'open',
      'evidence-emit',
      '--type',
      'run.opened',
      '--environment',
      'production',
      '--child',
      CHILD.path,
    );
    expect({ code: ended.code, said: codeOf(ended) }).toEqual({ code: 1, said: 'children.missing' });
  });

  it('a cancelled job is recorded in the child’s run, under a step of its own', async () => {
    const ended = await hosted.run(
      'gate',
      'x',
      'policy-gate',
      '--stage',
      'promote',
      '--environment',
      'production',
      '--child',
      CHILD.path,
      '--cancelled',
    );
    expect(ended.code).toBe(0);
    const { key } = JSON.parse(ended.stdout);
    expect(key).toMatch(/gitlab~gitlab\.example\.org~7001\/run=9101\/6003\/policy-gate-x-post-/);
    const { dsseEnvelope } = JSON.parse(readFileSync(hosted.site.path('store', key), 'utf8'));
    const { predicate } = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString());
    expect(predicate).toMatchObject({ type: 'gate.decided', outcome: 'cancelled', run: { id: '9101' } });
  });

  it('a cancelled verb that promised nothing leaves nothing', async () => {
    const ended = await hosted.run('none', 'x', 'build-sign', '--phase', 'build', '--layout', 'x', '--cancelled');
    expect({ code: ended.code, key: JSON.parse(ended.stdout).key }).toEqual({ code: 0, key: null });
  });
});
