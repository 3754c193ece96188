import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Document, parse, parseAllDocuments, stringify } from 'yaml';
import { COMPONENTS } from '../../scripts/published.ts';
import { readTemplate, requireSameJobs } from '../../src/platform/gitlab/same-job.ts';
import { CHILD_TEMPLATE } from '../support/gitlab-child.ts';
import { checkOut, type LocalGitlab, localGitlab, publish } from '../support/gitlab-local.ts';
import { layComponents } from '../support/release.ts';
import { type Ended, sandboxes } from '../support/sandbox.ts';

/* The assembled components, rendered by the real gitlab-ci-local, which checks the result against GitLab's own CI schema. */

const SHA = /@0{40}$/gm;
const sandbox = sandboxes();
afterAll(sandbox.clean);

let gitlab: LocalGitlab;
let sha: string;
beforeAll(() => {
  gitlab = localGitlab(sandbox.folder);
  const folder = sandbox.folder('components');
  layComponents(folder);
  sha = publish(gitlab, COMPONENTS, folder, sandbox.folder('bare'));
});

/** What it prints, without the warnings that it writes before it: of multi-project pipelines, which it cannot run. */
const configurationIn = ({ stdout }: Ended) => stdout.slice(stdout.indexOf('---\n'));
const listIn = ({ stdout }: Ended): { name: string; when: string }[] => JSON.parse(stdout.slice(stdout.indexOf('[\n')));

const said = ({ stdout, stderr }: Ended) => stdout + stderr;
const copied = (name: string) =>
  readFileSync(`workflows/gitlab/${name}.gitlab-ci.yml`, 'utf8')
    .replace(SHA, `@${sha}`)
    .replace(' gitlab.example.org/', ' gitlab.example.com/');

async function local(configuration: string, words: string[], variables: Record<string, string> = {}): Promise<Ended> {
  const folder = sandbox.folder('caller');
  writeFileSync(join(folder, '.gitlab-ci.yml'), configuration);
  checkOut('care/release', folder);
  return await gitlab.run(folder, words, variables);
}

/** An include of a component with a plain value for every input that has no default. */
function including(name: string, changes: Record<string, string> = {}): string {
  const text = readFileSync(`gitlab-components/templates/${name}/template.yml`, 'utf8');
  const [header] = parseAllDocuments(text);
  const { spec } = (header as Document).toJS() as {
    spec: { inputs: Record<string, { default?: string; options?: string[] }> };
  };
  const value = (input: string, options?: string[]) =>
    /-images?$/.test(input) ? `registry.example.org/ci/node@sha256:${'a'.repeat(64)}` : (options?.[0] ?? 'a/b');
  const required = Object.entries(spec.inputs).filter(([, { default: preset }]) => preset === undefined);
  const inputs = {
    ...Object.fromEntries(required.map(([input, { options }]) => [input, value(input, options)])),
    ...changes,
  };
  return `include:\n  - component: $CI_SERVER_FQDN/${COMPONENTS}/${name}@${sha}\n    inputs: ${JSON.stringify(inputs)}\n`;
}
const promote = (changes: Record<string, string> = {}) =>
  including('promote', { name: 'web', target: 'a/b/c/d', ...changes });

describe.each(readdirSync('gitlab-components/templates'))('component %s', (name) => {
  it('is valid by GitLab’s schema', async () => {
    const ended = await local(name === 'promote' ? promote() : including(name), ['--preview']);
    expect({ code: ended.code, said: ended.code === 0 ? '' : said(ended) }).toEqual({ code: 0, said: '' });
    expect(Object.keys(parse(configurationIn(ended))).some((job) => job.startsWith('gatehouse-'))).toBe(true);
  });
});

it('a word that GitLab does not know is found', async () => {
  const ended = await local(`${including('child')}\nmine:\n  script: ['true']\n  artifact: { paths: [x] }\n`, [
    '--preview',
  ]);
  expect(ended.code).not.toBe(0);
});

it.each(['application', 'parent'])('the %s’s file is valid as it is copied', async (name) => {
  const ended = await local(copied(name), ['--preview']);
  expect({ code: ended.code, said: ended.code === 0 ? '' : said(ended) }).toEqual({ code: 0, said: '' });
});

it.each<[string, (text: string) => string, number]>([
  ['is valid', (text) => text, 0],
  ['would not be with a release that lacks its tag', (text) => text.replace(/ {4}tag_name.*\n/, ''), 1],
])('the component project’s own file %s', async (_, change, code) => {
  const folder = sandbox.folder('components');
  layComponents(folder);
  const ended = await local(change(readFileSync(join(folder, '.gitlab-ci.yml'), 'utf8')), ['--preview'], {
    CI_COMMIT_TAG: '1.0.0',
  });
  expect({ code: ended.code, said: ended.code === code ? '' : said(ended) }).toEqual({ code, said: '' });
});

it('two repositories of one run have jobs of their own, and one approval', async () => {
  const names = Object.keys(parse(configurationIn(await local(copied('parent'), ['--preview'])))).filter((name) =>
    name.startsWith('gatehouse-'),
  );
  expect(names.filter((name) => name.endsWith('-sign'))).toEqual([
    'gatehouse-lab-results-sign',
    'gatehouse-portal-sign',
  ]);
  expect(names.filter((name) => name === 'gatehouse-approve')).toHaveLength(1);
});

it.each([
  ['on a branch that is not protected', { CI_COMMIT_REF_PROTECTED: 'false' }, 0],
  [
    'on a protected branch that is not the default one',
    { CI_COMMIT_REF_PROTECTED: 'true', CI_DEFAULT_BRANCH: 'trunk' },
    0,
  ],
  ['on the protected default branch', { CI_COMMIT_REF_PROTECTED: 'true', CI_DEFAULT_BRANCH: 'main' }, 9],
])('%s the parent has its jobs or none', async (_, variables, count) => {
  const ended = await local(promote(), ['--list-json'], { CI_COMMIT_BRANCH: 'main', ...variables });
  const jobs = listIn(ended).filter(({ name, when }) => name.startsWith('gatehouse-') && when !== 'never');
  expect({ code: ended.code, jobs: jobs.length }).toEqual({ code: 0, jobs: count });
});

it.each<[string, Record<string, string>, string, string[]]>([
  ['on a protected ref', {}, 'true', ['gatehouse-policy-gate']],
  ['elsewhere', {}, 'false', []],
  ['elsewhere where it is told to', { 'job-refs': 'any' }, 'false', ['gatehouse-policy-gate']],
])('%s a single step has its job or none (F66)', async (_, changes, isProtected, names) => {
  const ended = await local(including('policy-gate', changes), ['--list-json'], {
    CI_COMMIT_REF_PROTECTED: isProtected,
  });
  const jobs = listIn(ended).filter(({ name, when }) => name.startsWith('gatehouse-') && when !== 'never');
  expect({ code: ended.code, jobs: jobs.map(({ name }) => name) }).toEqual({ code: 0, jobs: names });
});

const CHILD_JOBS = ['gatehouse-build', 'gatehouse-test', 'gatehouse-scan'];
const PREVIEWED = [...CHILD_JOBS, 'gatehouse-preview'];
it.each<[string, Record<string, string>, string[]]>([
  [
    'in a pipeline that the parent started',
    { CI_PIPELINE_SOURCE: 'pipeline', CI_COMMIT_REF_PROTECTED: 'true' },
    CHILD_JOBS,
  ],
  ['in a merge request', { CI_PIPELINE_SOURCE: 'merge_request_event' }, PREVIEWED],
  [
    'after a push to a branch that is not protected',
    { CI_PIPELINE_SOURCE: 'push', CI_COMMIT_REF_PROTECTED: 'false' },
    PREVIEWED,
  ],
  ['after a push that a merge request shows', { CI_PIPELINE_SOURCE: 'push', CI_OPEN_MERGE_REQUESTS: 'care/web!7' }, []],
  ['after a push to a protected branch', { CI_PIPELINE_SOURCE: 'push', CI_COMMIT_REF_PROTECTED: 'true' }, []],
  ['by a schedule', { CI_PIPELINE_SOURCE: 'schedule' }, []],
])('%s the application has the jobs that are collected, a preview as well, or none', async (_, variables, names) => {
  const ended = await local(including('child'), ['--list-json'], { CI_COMMIT_BRANCH: 'topic', ...variables });
  const jobs = listIn(ended).filter(({ name, when }) => name.startsWith('gatehouse-') && when !== 'never');
  expect({ code: ended.code, jobs: jobs.map(({ name }) => name) }).toEqual({ code: 0, jobs: names });
});

it.each([
  ['the start of another command', { project: "a/b'; id; '" }],
  ['a substitution', { manifest: '$(id)' }],
  ['an image by tag', { 'job-image': 'node:24' }],
  ['a way out of the project', { project: '../b' }],
])('an input that is %s is refused', async (_, changes) => {
  const ended = await local(promote(changes), ['--preview']);
  expect({ code: ended.code, regex: /regex/i.test(said(ended)) }).toEqual({ code: 1, regex: true });
});

it('what another renderer makes of the child is what the parent expects', async () => {
  const rendering = parse(configurationIn(await local(copied('application'), ['--preview'])));
  // It adds what GitLab takes for granted in `needs`; GitLab's own merged configuration leaves the text as it is.
  for (const [job, from] of [
    ['gatehouse-scan', 'gatehouse-build'],
    ['gatehouse-preview', 'gatehouse-scan'],
  ] as const) {
    expect(rendering[job].needs).toMatchObject([{ job: from, artifacts: true }]);
    rendering[job].needs = [{ job: from, artifacts: true }];
  }
  const merged = stringify(rendering);
  const template = readTemplate(readFileSync(CHILD_TEMPLATE), 'child');
  expect(() => requireSameJobs(template, merged, { 'component.sha': [sha] }, 'care/lab-results')).not.toThrow();
  expect(() => requireSameJobs(template, merged, { 'component.sha': ['f'.repeat(40)] }, 'care/lab-results')).toThrow(
    /gatehouse-scan\.script/,
  );
});
