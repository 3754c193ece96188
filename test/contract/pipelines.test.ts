import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, parseAllDocuments, stringify } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { templateInputs } from '../../scripts/face-docs.ts';
import { RUN_TIME } from '../../scripts/faces.ts';
import { COMPONENTS } from '../../scripts/published.ts';
import { type RecordType, roleOfType } from '../../src/contract/roles.ts';
import { requireFixedConfiguration } from '../../src/platform/gitlab/fixed-configuration.ts';
import { readTemplate } from '../../src/platform/gitlab/same-job.ts';
import { rendered } from '../support/gitlab-child.ts';
import { sandboxes } from '../support/sandbox.ts';

/* What must hold of the two halves of a pipeline on GitLab, and of the project that they are published in. */

const sandbox = sandboxes();
afterAll(sandbox.clean);

type Job = Record<string, unknown>;
const TEMPLATES = 'gitlab-components/templates';
const textOf = (name: string) => readFileSync(`${TEMPLATES}/${name}/template.yml`, 'utf8');
const inputsOf = (name: string) => templateInputs(textOf(name));
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
    'scan-images': IMAGE,
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

/**
 * Two tokens, each with an audience of its own: whoever is sent one must not be able to pass it on as the other, and the one for
 * AWS opens what the job's own role may.
 */
const hasItsTokens = ({ id_tokens: tokens, environment }: Job) => {
  const aud = `sts.amazonaws.com/${(environment as { name: string } | undefined)?.name.replace('/', '-')}`;
  const { GATEHOUSE_CLUSTER_TOKEN: _, ...rest } = tokens as Record<string, { aud: string }>;
  return (
    JSON.stringify(rest) === JSON.stringify({ GATEHOUSE_ID_TOKEN: { aud: 'gatehouse' }, GATEHOUSE_AWS_TOKEN: { aud } })
  );
};

/** A job without `dependencies` gets the dotenv variables of every earlier one. */
const takesOwn = ({ dependencies }: Job) =>
  Array.isArray(dependencies) && dependencies.every((job) => String(job).startsWith('gatehouse-web-'));

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
    ...(!isOfRole(job) || takesOwn(job) ? [] : [`${name} takes files and variables of jobs that are not ours`]),
    ...('id_tokens' in job === isOfRole(job) ? [] : [`${name} has a token without a role, or a role without a token`]),
    ...(!('id_tokens' in job && isOfRole(job)) || hasItsTokens(job) ? [] : [`${name} has other tokens than its own`]),
    ...('trigger' in job || String(job.image).includes('@sha256:') ? [] : [`${name} runs in an image by tag`]),
  ]);
}

const STARTED = '$CI_PIPELINE_SOURCE == "pipeline"';
const PREVIEWED = [
  '$CI_PIPELINE_SOURCE == "merge_request_event"',
  '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH && $CI_COMMIT_REF_PROTECTED != "true" && $CI_OPEN_MERGE_REQUESTS == null',
];
const rulesOfChild = (name: string) =>
  name === 'gatehouse-preview'
    ? PREVIEWED.map((rule) => ({ if: rule, when: 'always' }))
    : [STARTED, ...PREVIEWED].map((rule) => ({ if: rule }));

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
    ...(JSON.stringify(rulesOf(job)) === JSON.stringify(rulesOfChild(name))
      ? []
      : [`${name} runs in pipelines that nobody collects or reads a preview of`]),
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
    [
      'variables of every earlier job',
      (job) => delete job.dependencies,
      'gatehouse-web-decide takes files and variables of jobs that are not ours',
    ],
    [
      'variables of a job that is not ours',
      (job) => Object.assign(job, { dependencies: ['build'] }),
      'gatehouse-web-decide takes files and variables of jobs that are not ours',
    ],
    ['a hook', (job) => Object.assign(job, { before_script: [] }), 'gatehouse-web-decide runs more than its script'],
    [
      'a token without a role',
      (job) => delete job.environment,
      'gatehouse-web-decide has a token without a role, or a role without a token',
    ],
    ...['gatehouse', 'sts.amazonaws.com/gatehouse-build'].map((aud): [string, (job: Job) => void, string] => [
      `a token for AWS with the audience ${aud}`,
      (job) => Object.assign((job.id_tokens as { GATEHOUSE_AWS_TOKEN: Job }).GATEHOUSE_AWS_TOKEN, { aud }),
      'gatehouse-web-decide has other tokens than its own',
    ]),
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
    const names = ['gatehouse-build', 'gatehouse-test', 'gatehouse-scan'];
    expect(Object.keys(jobsOf('child'))).toEqual([...names, 'gatehouse-preview']);
    expect(readTemplate(readFileSync(join(TEMPLATES, 'child/template.yml')), 'child').started).toEqual(names);
  });

  it('previews in a folder that is empty but for what the scan left: a repository may bring reports of its own', () => {
    expect(jobsOf('child')['gatehouse-preview']).toMatchObject({
      needs: [{ job: 'gatehouse-scan', artifacts: true }],
      variables: { GIT_STRATEGY: 'empty' },
    });
  });

  it.each<[string, (job: Job) => void, string]>([
    ['a token', (job) => Object.assign(job, { id_tokens: {} }), 'gatehouse-build has id_tokens'],
    ['an environment', (job) => Object.assign(job, { environment: 'x' }), 'gatehouse-build has environment'],
    ['inherited defaults', (job) => delete job.inherit, 'gatehouse-build inherits'],
    ['files of every job', (job) => delete job.needs, 'gatehouse-build takes the files of every earlier job'],
    [
      'every push',
      (job) => delete job.rules,
      'gatehouse-build runs in pipelines that nobody collects or reads a preview of',
    ],
    [
      'another rule',
      (job) => rulesOf(job).push({ if: '$CI_COMMIT_TAG' }),
      'gatehouse-build runs in pipelines that nobody collects or reads a preview of',
    ],
  ])('%s is found', (_, plant, problem) => {
    const jobs = jobsOf('child');
    plant(jobs['gatehouse-build'] as Job);
    expect(wrongInChild(jobs)).toEqual([problem]);
  });
});

describe('a single step', () => {
  const steps = readdirSync(TEMPLATES).filter((name) => !(name in INPUTS));
  const jobOf = (name: string): Job => {
    const inputs = {
      'job-image': IMAGE,
      type: 'run.opened',
      decision: 'd',
      image: 'i',
      environment: 'e',
      target: 't',
      manifest: 'm',
    };
    return Object.values(rendered(textOf(name), inputs, 'e'.repeat(40)))[0] as Job;
  };

  it.each(steps)(
    '%s runs our code alone, where its role’s key is, and gets nothing of jobs that it does not name (F66, F75)',
    (name) => {
      expect(jobOf(name)).toMatchObject({
        inherit: { default: false, variables: false },
        dependencies: '',
        rules: [{ if: '$CI_COMMIT_REF_PROTECTED == "true" || "protected" == "any"', when: 'on_success' }],
        environment: { name: expect.stringMatching(/^gatehouse\/(build|scan|gate|deploy)$/) },
      });
      expect(ofCancelled(jobOf(name))).toBe(true);
      const extra = ['before_script', 'services', 'cache', 'needs', 'allow_failure', 'variables'];
      expect(extra.filter((key) => key in jobOf(name))).toEqual([]);
    },
  );

  it('whose verb records that it was cancelled does so', () => {
    const cancelled = steps.filter((name) => 'after_script' in jobOf(name));
    expect(cancelled.sort()).toEqual(['build-sign', 'policy-gate', 'scan']);
    for (const name of cancelled)
      expect(String(jobOf(name).after_script)).toMatch(new RegExp(`gatehouse ${name} .* --cancelled\\n$`));
  });

  it('that deploys has a token for a cluster, for whom its input says', () => {
    expect(jobOf('deploy-by-digest').id_tokens).toMatchObject({ GATEHOUSE_CLUSTER_TOKEN: { aud: 'kubernetes' } });
  });

  it('that seals is told no outcome unless its pipeline says one', () => {
    expect(inputsOf('evidence-emit')).toMatchObject({ outcome: { default: '' } });
  });

  it('evidence has the environment of the role that its type belongs to', () => {
    const inputs = inputsOf('evidence-emit') as Record<'type' | 'job-role', { description: string; options: string[] }>;
    const { type: types, 'job-role': roles } = inputs;
    expect(roles.options).toEqual(['gate', 'admin', 'emit']);
    expect(types.options.length).toBeGreaterThan(2);
    for (const type of types.options) {
      const role = roleOfType[type as RecordType];
      expect(roles.description).toMatch(new RegExp(`${role}: [^;]*${type.replace('.', '\\.')}`));
    }
  });
});

describe('inputs', () => {
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
    for (const [input, { type, regex, options, default: preset, description }] of Object.entries(inputsOf(name))) {
      // A list stands in no text: it is a value of its own.
      if (type === 'array') {
        expect(textOf(name).split('\n')).toContain(`  dependencies: $[[ inputs.${input} ]]`);
        expect(textOf(name).split(`inputs.${input} `)).toHaveLength(2);
        continue;
      }
      const allowed = regex === undefined ? new RegExp(`^(${(options as string[]).join('|')})$`) : new RegExp(regex);
      const late = name !== 'promote' && name !== 'child' && RUN_TIME.includes(input) ? ['$CI_JOB_TOKEN'] : [];
      expect({ input, hostile: HOSTILE.filter((value) => allowed.test(value)) }).toEqual({ input, hostile: late });
      expect({ input, described: (description ?? '') !== '' }).toEqual({ input, described: true });
      if (preset !== undefined)
        expect({ input, preset, fits: allowed.test(String(preset)) }).toEqual({ input, preset, fits: true });
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

  it.each(readdirSync(TEMPLATES))('of %s that may be a variable’s name stand in double quotes, as one word', (name) => {
    const used = [...textOf(name).matchAll(/\S*\$\[\[ inputs\.([a-z-]+) \]\]\S*/g)];
    const late =
      name === 'promote' || name === 'child' ? [] : used.filter(([, input]) => RUN_TIME.includes(input ?? ''));
    expect(late.map(([word]) => word)).toEqual(late.map(([, input]) => `--${input}="$[[ inputs.${input} ]]"`));
  });

  /** A line without what stands in quotes. */
  const unquoted = (line: string) => line.replace(/'[^']*'/g, "''").replace(/"[^"]*"/g, '""');
});

describe('what people copy', () => {
  /** The include of a component’s README, with this commit. */
  const shown = (name: string, sha: string) => {
    const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(readFileSync(`${TEMPLATES}/${name}/README.md`, 'utf8')) ?? [];
    return text.replace('<commit of the release>', sha);
  };

  it.each(readdirSync(TEMPLATES))('the README of %s pins a commit, as everything does', (name) => {
    const { include } = parse(shown(name, 'e'.repeat(40)));
    expect(include).toMatchObject([{ component: expect.stringMatching(new RegExp(`/${name}@e{40}$`)) }]);
  });

  it.each<[string, string, string | null]>([
    ['with its commit filled in', 'e'.repeat(40), null],
    ['as it stands', '<commit of the release>', 'children.include'],
  ])('the README of child is taken by collect %s', async (_, sha, code) => {
    const [api, child] = [
      { get: async () => ({ ci_config_path: '' }), download: async () => Buffer.from(shown('child', sha)) },
      { path: 'care/web', sha: 'c'.repeat(40) },
    ] as unknown as Parameters<typeof requireFixedConfiguration>;
    const collected = requireFixedConfiguration(api, child, [`${COMPONENTS}/child@${'e'.repeat(40)}`]);
    if (code === null) await collected;
    else await expect(collected).rejects.toMatchObject({ code });
  });

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

it('a merge starts the parent, by a job of a name that is not ours and without variables', () => {
  const { include, ...jobs } = parse(readFileSync('workflows/gitlab/application.gitlab-ci.yml', 'utf8'));
  expect(include).toHaveLength(1);
  expect(jobs).toEqual({
    'start-release': {
      rules: [{ if: '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH' }],
      trigger: {
        project: 'care/release',
        branch: 'main',
        forward: { pipeline_variables: false, yaml_variables: false },
      },
    },
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

  it('releases a version by a job whose image has the program for it, by digest where one is named', () => {
    const image = `registry.example.org/ci/glab@sha256:${'b'.repeat(64)}`;
    const publishIn = (options: object) => {
      const out = join(sandbox.folder('out'), 'project');
      assemble({ out, dist: dist(), ...options });
      return parse(readFileSync(join(out, '.gitlab-ci.yml'), 'utf8')).publish;
    };
    expect(publishIn({})).toMatchObject({
      image: 'registry.gitlab.com/gitlab-org/cli:latest',
      release: { tag_name: '$CI_COMMIT_TAG' },
    });
    expect(publishIn({ releaseImage: image }).image).toBe(image);
    expect(() => publishIn({ releaseImage: 'glab:latest' })).toThrow('glab:latest is no image by digest');
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
