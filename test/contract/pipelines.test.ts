import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { COMPONENTS } from '../../scripts/published.ts';
import { rendered } from '../support/gitlab-child.ts';
import { sandboxes } from '../support/sandbox.ts';

/* What must hold of the two halves of a pipeline on GitLab, and of the project that they are published in. */

const sandbox = sandboxes();
afterAll(sandbox.clean);

type Job = Record<string, unknown>;
const TEMPLATES = 'gitlab-components/templates';
const textOf = (name: string) => readFileSync(`${TEMPLATES}/${name}/template.yml`, 'utf8');
const IMAGE = `registry.example.org/ci/node@sha256:${'a'.repeat(64)}`;
const INPUTS = {
  child: { 'build-image': IMAGE, 'job-image': IMAGE },
  promote: {
    name: 'web',
    project: 'care/web',
    image: 'registry.example.org/care/web',
    target: 'production/web/Deployment/web',
    manifest: 'web.yaml',
    'job-image': IMAGE,
  },
};
const jobsOf = (name: string): Record<string, Job> => {
  const { stages: _, ...jobs } = rendered(textOf(name), INPUTS[name as keyof typeof INPUTS], 'e'.repeat(40)) as Record<
    string,
    Job
  >;
  return jobs;
};

const PROTECTED = '$CI_COMMIT_REF_PROTECTED == "true" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH';
const rulesOf = (job: Job) => (job.rules ?? []) as { if?: string; when?: string }[];
const isOfRole = (job: Job) =>
  String((job.environment as { name?: string } | undefined)?.name).startsWith('gatehouse/');

/** What runs after a job is for one that was cancelled, and nothing else. */
const ofCancelled = ({ after_script: after }: Job) =>
  after === undefined || /^# [^\n]*\ntest "\$CI_JOB_STATUS" = canceled \|\| exit 0\nset -eu\n/.test(String(after));

/** What is wrong with a parent's jobs. */
function wrongInParent(jobs: Record<string, Job>): string[] {
  return Object.entries(jobs).flatMap(([name, job]) => [
    ...(rulesOf(job).length === 1 && rulesOf(job)[0]?.if === PROTECTED
      ? []
      : [`${name} runs elsewhere than on the protected default branch`]),
    ...(JSON.stringify(job.inherit) === '{"default":false,"variables":false}' ? [] : [`${name} inherits`]),
    ...('services' in job || 'before_script' in job || !ofCancelled(job) || 'cache' in job
      ? [`${name} runs more than its script`]
      : []),
    ...(rulesOf(job).some(({ when }) => when === 'manual') &&
    job.allow_failure !== false &&
    !rulesOf(job).every((rule) => 'allow_failure' in rule)
      ? [`${name} can be passed over`]
      : []),
    ...('id_tokens' in job === isOfRole(job) ? [] : [`${name} has a token without a role, or a role without a token`]),
    ...('trigger' in job || String(job.image).includes('@sha256:') ? [] : [`${name} runs in an image by tag`]),
  ]);
}

/** What is wrong with a child's jobs: the repository's own code runs in them. */
function wrongInChild(jobs: Record<string, Job>): string[] {
  const forbidden = [
    'id_tokens',
    'secrets',
    'environment',
    'services',
    'cache',
    'before_script',
    'after_script',
    'allow_failure',
    'extends',
  ];
  return Object.entries(jobs).flatMap(([name, job]) => [
    ...(name.startsWith('gatehouse-') ? [] : [`${name} is a name that others may have`]),
    ...forbidden.filter((key) => key in job).map((key) => `${name} has ${key}`),
    ...(JSON.stringify(job.inherit) === '{"default":false,"variables":false}' ? [] : [`${name} inherits`]),
    ...(Array.isArray(job.needs) ? [] : [`${name} takes the files of every earlier job`]),
    ...(rulesOf(job)
      .map((rule) => rule.if)
      .join() === '$CI_PIPELINE_SOURCE == "pipeline"'
      ? []
      : [`${name} runs in pipelines that nobody collects`]),
  ]);
}

describe('the parent', () => {
  it('runs our code alone, on the protected default branch', () => {
    expect(wrongInParent(jobsOf('promote'))).toEqual([]);
    expect(Object.keys(jobsOf('promote'))).toHaveLength(9);
  });

  it('gives each role its own environment, and waits once', () => {
    const environments = Object.entries(jobsOf('promote')).map(([name, job]) => [
      name.replace('gatehouse-', '').replace('web-', ''),
      (job.environment as { name: string } | undefined)?.name ?? null,
    ]);
    expect(Object.fromEntries(environments)).toEqual({
      children: null,
      open: 'gatehouse/gate',
      sign: 'gatehouse/build',
      record: 'gatehouse/scan',
      promote: 'gatehouse/gate',
      approve: 'production',
      decide: 'gatehouse/gate',
      deploy: 'gatehouse/deploy',
      seal: 'gatehouse/gate',
    });
  });

  it('has a stage for each step, in order, so that no repository of a run goes on before all of them', () => {
    const { stages } = rendered(textOf('promote'), INPUTS.promote, 'e'.repeat(40)) as { stages: string[] };
    expect(Object.values(jobsOf('promote')).map(({ stage }) => stage)).toEqual(stages);
  });

  it('opens and seals however the others ended', () => {
    const always = Object.entries(jobsOf('promote')).filter(([, job]) => rulesOf(job)[0]?.when === 'always');
    expect(always.map(([name]) => name)).toEqual(['gatehouse-web-open', 'gatehouse-web-seal']);
  });

  it('leaves a record of each job that holds a key and promises one, when it is cancelled', () => {
    const after = Object.entries(jobsOf('promote')).filter(([, job]) => job.after_script !== undefined);
    expect(after.map(([name]) => name.replace('gatehouse-web-', ''))).toEqual(['sign', 'record', 'promote', 'decide']);
  });

  it('hands no variable of its own to a child', () => {
    expect((jobsOf('promote')['gatehouse-web-children'] as Job).trigger).toEqual({
      project: 'care/web',
      branch: 'main',
      strategy: 'mirror',
      forward: { pipeline_variables: false, yaml_variables: false },
    });
  });

  it('names the same approval for every repository of a run', () => {
    const other = rendered(
      textOf('promote'),
      { ...INPUTS.promote, name: 'api', project: 'care/api' },
      'e'.repeat(40),
    ) as Record<string, Job>;
    expect(Object.keys(other).filter((name) => name in jobsOf('promote'))).toEqual(['gatehouse-approve']);
    expect(other['gatehouse-approve']).toEqual(jobsOf('promote')['gatehouse-approve']);
  });

  it.each<[string, (job: Job) => void, string]>([
    [
      'a job on any branch',
      (job) => delete job.rules,
      'gatehouse-web-decide runs elsewhere than on the protected default branch',
    ],
    [
      'a second rule',
      (job) => rulesOf(job).push({ when: 'always' }),
      'gatehouse-web-decide runs elsewhere than on the protected default branch',
    ],
    ['inherited defaults', (job) => delete job.inherit, 'gatehouse-web-decide inherits'],
    [
      'something that runs afterwards',
      (job) => Object.assign(job, { after_script: ['id'] }),
      'gatehouse-web-decide runs more than its script',
    ],
    ['a hook', (job) => Object.assign(job, { before_script: [] }), 'gatehouse-web-decide runs more than its script'],
    [
      'a token without a role',
      (job) => delete job.environment,
      'gatehouse-web-decide has a token without a role, or a role without a token',
    ],
    [
      'an image by tag',
      (job) => Object.assign(job, { image: 'node:24' }),
      'gatehouse-web-decide runs in an image by tag',
    ],
  ])('%s is found', (_, plant, problem) => {
    const jobs = jobsOf('promote');
    plant(jobs['gatehouse-web-decide'] as Job);
    expect(wrongInParent(jobs)).toEqual([problem]);
  });

  it('an approval that can be passed over is found', () => {
    const jobs = jobsOf('promote');
    delete (rulesOf(jobs['gatehouse-approve'] as Job)[0] as Job).allow_failure;
    expect(wrongInParent(jobs)).toEqual(['gatehouse-approve can be passed over']);
  });
});

describe('the child', () => {
  it('holds no token, key or credential, and inherits nothing', () => {
    expect(wrongInChild(jobsOf('child'))).toEqual([]);
    expect(Object.keys(jobsOf('child'))).toEqual(['gatehouse-build', 'gatehouse-test', 'gatehouse-scan']);
  });

  it.each<[string, (job: Job) => void, string]>([
    ['a token', (job) => Object.assign(job, { id_tokens: {} }), 'gatehouse-build has id_tokens'],
    ['an environment', (job) => Object.assign(job, { environment: 'x' }), 'gatehouse-build has environment'],
    ['inherited defaults', (job) => delete job.inherit, 'gatehouse-build inherits'],
    ['files of every job', (job) => delete job.needs, 'gatehouse-build takes the files of every earlier job'],
    ['every push', (job) => delete job.rules, 'gatehouse-build runs in pipelines that nobody collects'],
  ])('%s is found', (_, plant, problem) => {
    const jobs = jobsOf('child');
    plant(jobs['gatehouse-build'] as Job);
    expect(wrongInChild(jobs)).toEqual([problem]);
  });
});

describe('inputs', () => {
  const inputsOf = (name: string) =>
    (
      parseAllDocuments(textOf(name))[0] as {
        toJS(): {
          spec: {
            inputs: Record<string, { regex?: string; options?: string[]; default?: string; description?: string }>;
          };
        };
      }
    ).toJS().spec.inputs;
  const HOSTILE = [
    "'; id; '",
    '$(id)',
    '`id`',
    '"',
    'a b',
    'a\nb',
    '$CI_JOB_TOKEN',
    '${HOME}',
    'a\\',
    '$[[ inputs.x ]]',
  ];

  it.each(readdirSync(TEMPLATES))('of %s take nothing that a shell would read', (name) => {
    for (const [input, { regex, options, default: preset, description }] of Object.entries(inputsOf(name))) {
      const allowed = regex === undefined ? new RegExp(`^(${(options as string[]).join('|')})$`) : new RegExp(regex);
      expect({ input, hostile: HOSTILE.filter((value) => allowed.test(value)) }).toEqual({ input, hostile: [] });
      expect({ input, described: (description ?? '') !== '' }).toEqual({ input, described: true });
      if (preset !== undefined)
        expect({ input, preset, fits: allowed.test(preset) }).toEqual({ input, preset, fits: true });
    }
  });

  it.each(readdirSync(TEMPLATES))('of %s stand in quotes wherever they stand in a script', (name) => {
    const scripts = [...textOf(name).matchAll(/^ {6}.*$/gm)]
      .map(([line]) => line)
      .filter((line) => !/^ {6}(description|regex|default|options|- )/.test(line));
    const bare = scripts.filter((line) => unquoted(line).includes('$[['));
    expect(bare.filter((line) => /gatehouse |fetch |sh |if /.test(line))).toEqual([]);
    expect(unquoted("      sh $[[ inputs.x ]] 'a $[[ inputs.y ]]'")).toContain('$[[');
  });

  /** A line without what stands in quotes. */
  const unquoted = (line: string) => line.replace(/'[^']*'/g, "''").replace(/"[^"]*"/g, '""');
});

describe('what people copy', () => {
  it.each(['application', 'parent'])('the %s’s file includes components with inputs that they have', (file) => {
    const { include } = parse(readFileSync(`workflows/gitlab/${file}.gitlab-ci.yml`, 'utf8')) as {
      include: { component: string; inputs: Record<string, string> }[];
    };
    expect(include.length).toBeGreaterThan(0);
    for (const { component, inputs } of include) {
      const [, name] = /\/([a-z-]+)@[0-9a-f]{40}$/.exec(component) as unknown as [string, string];
      expect(() => rendered(textOf(name), inputs, 'e'.repeat(40))).not.toThrow();
      const known = parseAllDocuments(textOf(name))[0]?.toJS().spec.inputs;
      for (const [input, value] of Object.entries(inputs))
        expect({
          input,
          fits:
            known[input]?.regex === undefined
              ? known[input]?.options.includes(value)
              : new RegExp(known[input].regex).test(value),
        }).toEqual({ input, fits: true });
    }
  });
});

describe('the assembled component project', () => {
  const dist = () => {
    const folder = join(sandbox.folder('dist'), 'dist');
    mkdirSync(folder);
    writeFileSync(join(folder, 'gatehouse.js'), '');
    writeFileSync(join(folder, 'gate.wasm'), 'wasm');
    return folder;
  };

  it('holds templates at its root, program, policy, contract and licence, and says what the inputs are', () => {
    const out = join(sandbox.folder('out'), 'project');
    assemble({ out, dist: dist(), project: 'platform/components' });
    expect(readdirSync(out).sort()).toEqual([
      '.gitlab-ci.yml',
      'LICENSE',
      'README.md',
      'contract.yml',
      'dist',
      'templates',
    ]);
    expect(readdirSync(join(out, 'templates')).sort()).toEqual(readdirSync(TEMPLATES).sort());
    const readme = readFileSync(join(out, 'README.md'), 'utf8');
    for (const name of readdirSync(TEMPLATES)) {
      const text = readFileSync(join(out, 'templates', name, 'template.yml'), 'utf8');
      expect(text).toBe(textOf(name).replace(`default: ${COMPONENTS}`, 'default: platform/components'));
      for (const input of Object.keys(parseAllDocuments(text)[0]?.toJS().spec.inputs))
        expect(readme).toContain(`| \`${input}\` | `);
    }
  });

  it('holds the rules files that contract.yml names', () => {
    const folder = sandbox.folder('fork');
    const contract = parse(readFileSync('test/fixtures/contract.yml', 'utf8'));
    contract.scanners.sast.tools = [{ name: 'semgrep', rules: 'rules/semgrep.yml' }];
    mkdirSync(join(folder, 'rules'));
    writeFileSync(join(folder, 'rules/semgrep.yml'), 'rules: []\n');
    writeFileSync(join(folder, 'contract.yml'), stringify(contract));
    const out = join(folder, 'out');
    assemble({ out, dist: dist(), contract: join(folder, 'contract.yml') });
    expect(readFileSync(join(out, 'rules/semgrep.yml'), 'utf8')).toBe('rules: []\n');
  });

  it.each<[string, () => string[], string]>([
    ['no folder', () => [], 'usage: npm run assemble'],
    ['a folder that holds something', () => ['--out', dist(), '--dist', dist()], 'is not empty'],
    [
      'no program',
      () => ['--out', join(sandbox.folder('x'), 'out'), '--dist', sandbox.folder('empty')],
      'run npm run build first',
    ],
    [
      'a path that is none',
      () => ['--out', join(sandbox.folder('x'), 'out'), '--dist', dist(), '--project', '../x'],
      'is no path of a project',
    ],
  ])('is not made of %s', (_, args, why) => {
    const given = args();
    const { status, stderr } = spawnSync(process.execPath, ['scripts/assemble.ts', ...given], { encoding: 'utf8' });
    expect({ status, said: stderr.includes(why) }).toEqual({ status: 2, said: true });
    const out = given[given.indexOf('--out') + 1];
    expect(out !== undefined && existsSync(join(out, 'templates'))).toBe(false);
  });
});

it('docs/gitlab.md explains every code by which children are refused', () => {
  const folder = 'src/platform/gitlab';
  const thrown = readdirSync(folder).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/new Denied\(\s*'children\.([a-z_]+)'/g)].map(
      ([, code]) => code,
    ),
  );
  const docs = readFileSync('docs/gitlab.md', 'utf8');
  const table = docs.slice(docs.indexOf('## When collect refuses'));
  expect(new Set(thrown).size).toBeGreaterThan(15);
  expect([...new Set(thrown)].filter((code) => !table.includes(`.${code}\``))).toEqual([]);
});
