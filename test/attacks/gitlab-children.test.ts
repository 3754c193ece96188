import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { unzip } from '../../src/lib/unzip.ts';
import type { Wanted } from '../../src/platform/gitlab/collect.ts';
import type { GitlabPlatform } from '../../src/platform/gitlab/gitlab.ts';
import { readTemplate } from '../../src/platform/gitlab/same-job.ts';
import { type GitlabWorld, gitlabWorld } from '../support/fake-gitlab.ts';
import {
  addChild,
  CHILD,
  CHILD_JOBS,
  CHILD_TEMPLATE,
  COMPONENT_SHA,
  COMPONENTS,
  childFile,
  configure,
  leave,
  SCAN_IMAGE,
} from '../support/gitlab-child.ts';
import { sandboxes } from '../support/sandbox.ts';
import { type ZipEntry, zip } from '../support/zip.ts';
import { identityScene } from './identity-scene.ts';

/*
 * What a child pipeline, whoever may push to an application repository, or a lying API could do to have the parent sign what
 * was not built and scanned by our jobs from the reviewed commit.
 */

const scene = identityScene();
const sandbox = sandboxes();
afterAll(sandbox.clean);

const template = readTemplate(readFileSync(CHILD_TEMPLATE), 'child');
const OTHER = { project: 7003, path: 'care/portal', pipeline: 9201, sha: 'd'.repeat(40) };
const LIMIT = 1024 * 1024;

let child: GitlabWorld;
beforeEach(() => {
  child = addChild(scene.gitlab.world);
});

async function fetched(changes: Partial<Wanted> = {}) {
  const found = await scene.onGitlab();
  if (!found.ok) throw new Error(found.why);
  return await (found.platform as GitlabPlatform).fetchFromChild(found.identity.run, {
    path: CHILD.path,
    others: [],
    ref: 'refs/heads/main',
    commit: CHILD.sha,
    job: 'gatehouse-scan',
    template,
    releases: [COMPONENT_SHA],
    scanImages: [SCAN_IMAGE],
    limit: LIMIT,
    ...changes,
  });
}

const bridge = () => scene.gitlab.world.bridges[0] as { downstream_pipeline: object };
const job = (name: string) => child.jobs.find((each) => each.name === name) as Record<string, unknown>;
const api = (path: string) => `/api/v4/projects/${CHILD.project}${path}`;

it('honestly the archive of the scan job is fetched, by its number', async () => {
  const { child: from, job: scan, archive } = await fetched();
  expect({ from, scan: scan.id }).toMatchObject({ from: { projectId: '7001', sha: CHILD.sha }, scan: CHILD_JOBS.scan });
  expect(archive.equals(child.artifacts.get(CHILD_JOBS.scan) as Buffer)).toBe(true);
  const paths = scene.gitlab.seen.map(({ path }) => path);
  expect(paths).toContain(api(`/jobs/${CHILD_JOBS.scan}/artifacts`));
  // An address by ref gives the latest pipeline's, which may be another one.
  expect(paths.filter((path) => path.includes('/jobs/artifacts/'))).toEqual([]);
});

it('honestly two repositories of one run are both fetched', async () => {
  addChild(scene.gitlab.world, OTHER);
  const one = await fetched({ others: [OTHER.path] });
  const two = await fetched({ path: OTHER.path, others: [CHILD.path], commit: OTHER.sha });
  expect([one.child.pipelineId, two.child.pipelineId]).toEqual(['9101', '9201']);
});

describe('F69 F70 no pipeline but the one that this very pipeline started, of the named repositories', () => {
  it.each<[string, () => unknown, string]>([
    ['no child', () => (scene.gitlab.world.bridges = []), 'children.missing'],
    [
      'another repository’s child in its place',
      () => Object.assign(child.project, { path_with_namespace: 'evil/lab-results' }),
      'children.extra',
    ],
    ['a child that nobody named', () => addChild(scene.gitlab.world, OTHER), 'children.extra'],
    [
      'a trigger job that started nothing',
      () => scene.gitlab.world.bridges.push({ ...bridge(), downstream_pipeline: null }),
      'children.not_started',
    ],
    ['two children of one repository', () => scene.gitlab.world.bridges.push(bridge()), 'children.twice'],
    [
      'a child pipeline of the parent’s own project',
      () => Object.assign(child.pipeline, { source: 'parent_pipeline' }),
      'children.foreign',
    ],
    ['somebody’s own pipeline', () => Object.assign(child.pipeline, { source: 'web' }), 'children.foreign'],
    ['a pipeline of a tag', () => Object.assign(child.pipeline, { tag: true }), 'children.foreign'],
    [
      'an API that lies about the pipeline',
      () => Object.assign(bridge().downstream_pipeline, { sha: OTHER.sha }),
      'platform.inconsistent',
    ],
    [
      'an API that answers with another pipeline',
      () => scene.gitlab.world.instead.set(api('/pipelines/9101'), { json: { ...child.pipeline, id: 9100 } }),
      'platform.inconsistent',
    ],
    [
      'an API that hides a child behind a page',
      () =>
        scene.gitlab.world.instead.set('/api/v4/projects/7002/pipelines/9002/bridges', {
          json: [bridge()],
          headers: { 'x-next-page': '', 'x-total': '2' },
        }),
      'platform.incomplete',
    ],
    [
      'pages without an end',
      () =>
        scene.gitlab.world.instead.set('/api/v4/projects/7002/pipelines/9002/bridges', {
          json: [bridge()],
          headers: { 'x-next-page': '2' },
        }),
      'platform.too_many',
    ],
    [
      'a token that may not ask',
      () => scene.gitlab.world.instead.set('/api/v4/projects/7002/pipelines/9002/bridges', { status: 401, json: {} }),
      'platform.refused',
    ],
  ])('%s', async (_, attack, code) => {
    attack();
    await expect(fetched()).rejects.toMatchObject({ code });
  });
});

describe('F72 no other commit, and no branch that is open', () => {
  const { protectedBranch: rule } = gitlabWorld().make;
  const nobody = { access_level: 0 };

  it.each<[string, () => unknown, Partial<Wanted>, string]>([
    ['another commit', () => null, { commit: OTHER.sha }, 'children.commit'],
    ['another branch', () => null, { ref: 'refs/heads/release' }, 'children.ref'],
    [
      'a branch that is not protected',
      () => (child.protectedBranches = [rule('release', nobody)]),
      {},
      'children.unprotected',
    ],
    ...(
      [
        ['that developers push to', [rule('main', { access_level: 30 })]],
        // GitLab takes a merge that a maintainer made at home, of any content, for the merge of the approved request.
        ['that maintainers push to', [rule('main', { access_level: 40 })]],
        ['that one person pushes to', [rule('main', nobody, { access_level: 40, user_id: 5 })]],
        ['that a group pushes to', [rule('main', nobody, { access_level: null, group_id: 5 })]],
        ['that a deploy key pushes to', [rule('main', nobody, { access_level: 40, deploy_key_id: 5 })]],
        ['that maintainers push to under another rule', [rule('main', nobody), rule('m*n', { access_level: 40 })]],
        ['of whose pushes nothing is said', [rule('main')]],
      ] as const
    ).map(([branch, rules]): [string, () => unknown, Partial<Wanted>, string] => [
      `a branch ${branch}`,
      () => (child.protectedBranches = [...rules]),
      {},
      'children.unprotected',
    ]),
    [
      'a branch of which a token may not see who pushes to it',
      () => scene.gitlab.world.instead.set(api('/protected_branches'), { status: 403, json: {} }),
      {},
      'platform.refused',
    ],
    [
      'a commit that the branch does not hold any more',
      () => Object.assign(child, { head: OTHER.sha, mergeBase: 'f'.repeat(40) }),
      {},
      'children.unprotected',
    ],
  ])('%s', async (_, attack, changes, code) => {
    attack();
    await expect(fetched(changes)).rejects.toMatchObject({ code });
  });
});

describe('F68 F69 no job but ours, each the newest of its name and a success', () => {
  it.each<[string, () => unknown, string]>([
    ['a pipeline that failed', () => Object.assign(child.pipeline, { status: 'failed' }), 'children.failed'],
    ['a pipeline that goes on', () => Object.assign(child.pipeline, { status: 'running' }), 'children.failed'],
    ...['failed', 'canceled', 'manual', 'skipped', 'running'].map((status): [string, () => unknown, string] => [
      `a job that is ${status}`,
      () => Object.assign(job('gatehouse-test'), { status }),
      'children.job_failed',
    ]),
    [
      'a job that never finished',
      () => Object.assign(job('gatehouse-scan'), { finished_at: null }),
      'children.job_failed',
    ],
    [
      'a job that may fail',
      () => Object.assign(job('gatehouse-test'), { allow_failure: true }),
      'children.job_optional',
    ],
    [
      'a job that is missing',
      () => (child.jobs = child.jobs.filter(({ name }) => name !== 'gatehouse-test')),
      'children.job_missing',
    ],
    ['a job under another name', () => Object.assign(job('gatehouse-scan'), { name: 'scan' }), 'children.job_missing'],
    [
      'a job under one of our names',
      () => child.jobs.push({ ...job('gatehouse-scan'), id: 6109, name: 'gatehouse-scan-2' }),
      'children.extra_job',
    ],
    [
      'the preview of our component in a pipeline that the parent started',
      () => child.jobs.push({ ...job('gatehouse-scan'), id: 6109, name: 'gatehouse-preview' }),
      'children.extra_job',
    ],
    ['two jobs of one name', () => child.jobs.push({ ...job('gatehouse-scan'), id: 6109 }), 'children.job_twice'],
    [
      'an older attempt in place of a retried one',
      () => child.retried.push({ ...job('gatehouse-scan'), id: 6109, status: 'failed' }),
      'children.job_retried',
    ],
    [
      'a job of another pipeline',
      () => Object.assign(job('gatehouse-scan').pipeline as object, { id: 9100 }),
      'platform.inconsistent',
    ],
    [
      'a job of another project',
      () => Object.assign(job('gatehouse-scan').pipeline as object, { project_id: 7009 }),
      'platform.inconsistent',
    ],
    [
      'a job of another commit',
      () => Object.assign(job('gatehouse-scan').commit as object, { id: OTHER.sha }),
      'platform.inconsistent',
    ],
  ])('%s', async (_, attack, code) => {
    attack();
    await expect(fetched()).rejects.toMatchObject({ code });
  });
});

describe('F76 no job that was changed in the repository’s own configuration', () => {
  it.each<[string, (configuration: Record<string, Record<string, unknown>>) => unknown, RegExp]>([
    [
      'another script',
      (all) => Object.assign(all['gatehouse-scan'] as object, { script: ['true'] }),
      /gatehouse-scan\.script/,
    ],
    [
      'a line before the script',
      (all) => Object.assign(all['gatehouse-scan'] as object, { before_script: ['true'] }),
      /before_script is added/,
    ],
    [
      'variables of its own',
      (all) => Object.assign(all['gatehouse-scan']?.variables as object, { NODE_OPTIONS: '-r ./x' }),
      /NODE_OPTIONS is added/,
    ],
    ['defaults that reach it', (all) => delete all['gatehouse-scan']?.inherit, /inherit is missing/],
    [
      'defaults that reach it in part',
      (all) => Object.assign(all['gatehouse-scan']?.inherit as object, { default: true }),
      /inherit\.default/,
    ],
    [
      'an image by tag',
      (all) => Object.assign(all['gatehouse-scan'] as object, { image: 'node:24' }),
      /gatehouse-scan\.image/,
    ],
    [
      'an image that the parent does not name, by digest',
      (all) => Object.assign(all['gatehouse-scan'] as object, { image: { name: `evil/x@sha256:${'3'.repeat(64)}` } }),
      /gatehouse-scan\.image\.name/,
    ],
    [
      'files of another job',
      (all) => Object.assign(all['gatehouse-scan'] as object, { needs: ['lint'] }),
      /gatehouse-scan\.needs/,
    ],
    [
      'permission to fail',
      (all) => Object.assign(all['gatehouse-test'] as object, { allow_failure: true }),
      /allow_failure is added/,
    ],
    [
      'rules that leave it out',
      (all) => Object.assign(all['gatehouse-test'] as object, { rules: [{ when: 'never' }] }),
      /gatehouse-test\.rules/,
    ],
    ['no such job at all', (all) => delete all['gatehouse-test'], /is not in it/],
    [
      'variables of the workflow',
      (all) => Object.assign(all, { workflow: { rules: [{ variables: { PATH: '/tmp' } }] } }),
      /workflow rules/,
    ],
    [
      'an environment other than the other places say',
      (all) => replaceIn(all['gatehouse-scan'], "--environment 'production'", "--environment '$(id)'"),
      /gatehouse-scan\.script/,
    ],
    [
      'the component at another commit',
      (all) => replaceIn(all['gatehouse-scan'], COMPONENT_SHA, 'f'.repeat(40)),
      /gatehouse-scan\.script/,
    ],
    [
      'another component project',
      (all) => replaceIn(all['gatehouse-scan'], 'example-health/compliance-components.git', 'evil/x/../y z.git'),
      /gatehouse-scan\.script/,
    ],
  ])('%s', async (_, change, where) => {
    configure(child, change);
    await expect(fetched()).rejects.toMatchObject({
      code: 'children.job_changed',
      message: expect.stringMatching(where),
    });
  });

  const replaceIn = (one: Record<string, unknown> | undefined, from: string, to: string) => {
    const [script] = (one as { script: string[] }).script as [string];
    expect(script).toContain(from);
    Object.assign(one as object, { script: [script.replace(from, to)] });
  };

  it.each<[string, () => unknown, string]>([
    [
      'a configuration that is invalid',
      () => Object.assign(child.lint as object, { valid: false }),
      'children.configuration',
    ],
    [
      'a configuration that is no text',
      () => Object.assign(child.lint as object, { merged_yaml: null }),
      'children.configuration',
    ],
    [
      'a configuration that is no YAML',
      () => Object.assign(child.lint as object, { merged_yaml: '{' }),
      'children.configuration',
    ],
    [
      'a configuration of aliases of aliases',
      () => Object.assign(child.lint as object, { merged_yaml: bomb() }),
      'children.configuration',
    ],
    ['a configuration that nobody may see', () => (child.lint = null), 'platform.refused'],
  ])('%s', async (_, attack, code) => {
    attack();
    await expect(fetched()).rejects.toMatchObject({ code });
  });

  const bomb = () =>
    `a0: &a0 [x, x]\n${Array.from({ length: 30 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n')}\n`;
});

describe('no configuration of which another pipeline may be made than the one that GitLab shows us', () => {
  const ours = childFile().include as Record<string, unknown>[];
  const including = (...more: unknown[]) => ({ ...childFile(), include: [...ours, ...more] });
  const component = (at: string) => ({ ...childFile(), include: [{ ...ours[0], component: at }] });
  const evil = { 'gatehouse-scan': { script: ['cp forged.json reports/'] } };
  const commit = 'f'.repeat(40);

  it('honestly it includes files of its own, one by the other', async () => {
    child.files.set('.gitlab-ci.yml', stringify(including('/ci/lint.yml', { local: '.gitlab/ci/more.yaml' })));
    child.files.set('ci/lint.yml', stringify({ include: 'ci/base.yml', check: { script: ['true'] } }));
    child.files.set('ci/base.yml', '# nothing of ours\nbase: { script: ["true"] }\n');
    child.files.set('.gitlab/ci/more.yaml', stringify({ more: { trigger: { include: 'ci/own.yml' } } }));
    expect((await fetched()).job.id).toBe(CHILD_JOBS.scan);
  });

  it.each<[string, unknown]>([
    ['rules of an include', including({ local: 'ci/x.yml', rules: [{ if: '$CI_PIPELINE_SOURCE == "pipeline"' }] })],
    ['rules in an included file', including('ci/rules.yml')],
    ['rules two files away', including('ci/more.yml')],
    ['a file of a branch of another project', including({ project: 'care/ci', ref: 'main', file: 'x.yml' })],
    ['a file of a commit of another project', including({ project: 'care/ci', ref: commit, file: 'x.yml' })],
    ['an address', including('https://files.example.org/x.yml')],
    ['an address by its word', including({ remote: 'https://files.example.org/x.yml' })],
    ['a template of GitLab’s', including({ template: 'Jobs/SAST.gitlab-ci.yml' })],
    ['an artifact', including({ artifact: 'x.yml', job: 'lint' })],
    ['a pattern', including('ci/*.yml')],
    ['a way up', including('ci/../x.yml')],
    ['a variable', including('ci/$FILE.yml')],
    ['inputs for a file', including({ local: 'ci/lint.yml', inputs: { a: 'b' } })],
    ['nothing', including(null)],
    ['a list in a list', including(['ci/x.yml'])],
    ['another component', including({ component: `gitlab.example.org/care/ci/x@${commit}` })],
    ['our component by a branch', component(`gitlab.example.org/${COMPONENTS}/child@main`)],
    ['our component at another commit', component(`gitlab.example.org/${COMPONENTS}/child@${commit}`)],
    // A project may have a release under the name of our commit, and take it away again.
    ['our component of another project', component(`gitlab.example.org/evil/components/child@${COMPONENT_SHA}`)],
    // A project's own variable takes the place of GitLab's.
    ['our component by a variable', component(`$CI_SERVER_FQDN/${COMPONENTS}/child@${COMPONENT_SHA}`)],
    ['our component with an input from a variable', including({ ...ours[0], inputs: { 'job-image': '$IMAGE' } })],
    ['another component of ours', component(`gitlab.example.org/${COMPONENTS}/promote@${COMPONENT_SHA}`)],
    ['include as a symbol', { ...childFile(), ':include': 'https://files.example.org/x.yml' }],
  ])('%s', async (_, file) => {
    child.files.set('.gitlab-ci.yml', stringify(file, { aliasDuplicateObjects: false }));
    child.files.set('ci/lint.yml', stringify({ check: { script: ['true'] } }));
    child.files.set('ci/more.yml', stringify({ include: { local: 'ci/rules.yml' } }));
    child.files.set('ci/rules.yml', stringify({ include: { local: 'ci/x.yml', rules: [{ exists: ['x'] }] } }));
    child.files.set('ci/x.yml', stringify(evil));
    await expect(fetched()).rejects.toMatchObject({ code: 'children.include' });
  });

  const plain = stringify(childFile(), { aliasDuplicateObjects: false });
  it.each<[string, string, string]>([
    [
      'inputs that make the word include',
      `spec: { inputs: { key: { default: include } } }\n---\n${plain}"$[[ inputs.key ]]": [{ remote: "https://files.example.org/x.yml" }]\n`,
      'children.include',
    ],
    ['a merge key', `.x: &x { include: ci/x.yml }\n<<: *x\n${plain}`, 'children.configuration'],
    ['the key twice', `include: ci/x.yml\n${plain}`, 'children.configuration'],
    ['what is no YAML', '{', 'children.configuration'],
    ['a list', '[a]', 'children.configuration'],
    ['nothing', '', 'children.configuration'],
    ['more than is read', `${plain}# ${'x'.repeat(1024 * 1024)}\n`, 'http.too_large'],
  ])('a file with %s', async (_, text, code) => {
    child.files.set('.gitlab-ci.yml', text);
    await expect(fetched()).rejects.toMatchObject({ code });
  });

  it('files without end', async () => {
    for (let i = 0; i <= 101; i++) child.files.set(`ci/${i}.yml`, stringify({ include: `ci/${i + 1}.yml` }));
    child.files.set('.gitlab-ci.yml', stringify(including('ci/0.yml'), { aliasDuplicateObjects: false }));
    await expect(fetched()).rejects.toMatchObject({ code: 'children.include' });
  });

  it('files in a circle are read once each', async () => {
    child.files.set('ci/0.yml', stringify({ include: '.gitlab-ci.yml' }));
    child.files.set('.gitlab-ci.yml', stringify(including('ci/0.yml'), { aliasDuplicateObjects: false }));
    expect((await fetched()).job.id).toBe(CHILD_JOBS.scan);
  });

  it.each<[string, unknown, string]>([
    ['another file', 'ci/pipeline.yml', 'children.configuration'],
    ['a file of another project', '.gitlab-ci.yml@care/ci', 'children.configuration'],
    ['an address', 'https://files.example.org/x.yml', 'children.configuration'],
    ['what GitLab does not show', undefined, 'platform.incomplete'],
  ])('a project whose pipelines are made of %s', async (_, ci_config_path, code) => {
    Object.assign(child.project, { ci_config_path });
    await expect(fetched()).rejects.toMatchObject({ code });
  });
});

describe('no archive that is not the job’s, or too large', () => {
  it.each<[string, () => unknown, Partial<Wanted>, string]>([
    ['no archive', () => Object.assign(job('gatehouse-scan'), { artifacts: [] }), {}, 'children.artifacts'],
    ['more than is taken', () => null, { limit: 10 }, 'children.too_large'],
    ['more than it says', () => child.artifacts.set(CHILD_JOBS.scan, Buffer.alloc(LIMIT + 1)), {}, 'http.too_large'],
    ['less than it says', () => child.artifacts.set(CHILD_JOBS.scan, Buffer.alloc(3)), {}, 'platform.incomplete'],
    [
      'an address that is not https',
      () =>
        scene.gitlab.world.instead.set(api(`/jobs/${CHILD_JOBS.scan}/artifacts`), {
          status: 302,
          headers: { location: 'http://files.example.org/x' },
        }),
      {},
      'http.url',
    ],
    [
      'an address that leads on and on',
      () =>
        scene.gitlab.world.instead.set(api(`/jobs/${CHILD_JOBS.scan}/artifacts`), {
          status: 302,
          headers: { location: api(`/jobs/${CHILD_JOBS.scan}/artifacts`) },
        }),
      {},
      'http.redirect',
    ],
  ])('%s', async (_, attack, changes, code) => {
    attack();
    await expect(fetched(changes)).rejects.toMatchObject({ code });
  });

  it('the store of files gets no token', async () => {
    const archive = child.artifacts.get(CHILD_JOBS.scan) as Buffer;
    scene.gitlab.world.instead.set(api(`/jobs/${CHILD_JOBS.scan}/artifacts`), {
      status: 302,
      headers: { location: '/store/file' },
    });
    scene.gitlab.world.instead.set('/store/file', { bytes: archive });
    scene.gitlab.seen.splice(0);
    expect((await fetched()).archive.equals(archive)).toBe(true);
    const asked = scene.gitlab.seen.find(({ path }) => path === '/store/file');
    expect(asked?.headers['private-token']).toBeUndefined();
  });
});

describe('no archive that reaches out of its folder', () => {
  const limits = { files: 10, bytes: 100_000 };
  const tooMany: ZipEntry[] = Array.from({ length: 11 }, (_, i) => ({ name: `reports/${i}.json` }));
  const zeros = Buffer.alloc(200_000);

  it.each<[string, ZipEntry[], string]>([
    ['up', [{ name: '../outside.json' }], 'zip.name'],
    ['up from below', [{ name: 'reports/../../outside.json' }], 'zip.name'],
    ['from the root', [{ name: '/tmp/outside.json' }], 'zip.name'],
    ['with a backslash', [{ name: 'reports\\..\\..\\outside.json' }], 'zip.name'],
    ['with a line feed', [{ name: 'reports/a\n.json' }], 'zip.name'],
    ['a link', [{ name: 'reports/a.json', content: '/etc/passwd', mode: 0o120777 }], 'zip.kind'],
    ['a device', [{ name: 'reports/a.json', mode: 0o020666 }], 'zip.kind'],
    ['one name twice', [{ name: 'reports/a.json' }, { name: 'reports/A.json' }], 'zip.twice'],
    ['a file below a file', [{ name: 'reports' }, { name: 'reports/a.json' }], 'zip.unreadable'],
    ['too many files', tooMany, 'zip.too_many'],
    ['a bomb', [{ name: 'reports/a.json', content: zeros }], 'zip.too_large'],
    ['a bomb that says it is small', [{ name: 'reports/a.json', content: zeros, claims: 10 }], 'zip.unreadable'],
    [
      'a bomb in parts',
      [
        { name: 'a', content: zeros.subarray(0, 60_000) },
        { name: 'b', content: zeros.subarray(0, 60_000) },
      ],
      'zip.too_large',
    ],
  ])('%s', async (_, entries, code) => {
    const folder = sandbox.folder('zip');
    await expect(unzip(zip(entries), join(folder, 'in'), limits, 'the archive')).rejects.toMatchObject({ code });
    expect(readdirSync(folder).filter((name) => name !== 'in')).toEqual([]);
  });

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['what is no archive', Buffer.from('{"message":"404 Not found"}')],
    ['a part of one', zip([{ name: 'a', content: 'b' }]).subarray(0, 60)],
  ])('%s', async (_, bytes) => {
    await expect(unzip(bytes, sandbox.folder('zip'), limits, 'the archive')).rejects.toMatchObject({
      code: 'zip.unreadable',
    });
  });

  it('honestly it holds its files', async () => {
    const folder = sandbox.folder('zip');
    leave(
      child,
      CHILD_JOBS.scan,
      zip([
        { name: 'reports/', mode: 0o040755 },
        { name: 'reports/a.json', content: '{}' },
      ]),
    );
    expect(await unzip((await fetched()).archive, folder, limits, 'the archive')).toMatchObject([
      { path: 'reports/a.json', size: 2 },
    ]);
    expect(readFileSync(join(folder, 'reports/a.json'), 'utf8')).toBe('{}');
  });
});
