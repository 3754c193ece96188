import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { layComponents, layRelease } from '../support/release.ts';
import { cleanEnvironment, commitAll, type Ended, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const WORKFLOW = `on: push
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./actions/policy-gate
        with: { stage: promote, environment: production }
      - run: echo "the gate let it through"
`;

/** A run that was denied for the right reason, and in which nothing after the gate ran. */
const denied = ({ code, stdout, stderr }: Ended) =>
  code === 1 &&
  (stdout + stderr).includes('workflow_untrusted') &&
  !(stdout + stderr).includes('the gate let it through');

const ALWAYS_ALLOW = "console.log('allow');\n";

describe('the action under act', () => {
  const itAct = itWith('act');

  function act(plant?: string): Ended {
    const folder = sandbox.folder('act');
    layRelease(folder);
    if (plant !== undefined) writeFileSync(join(folder, 'dist', 'policy-gate.js'), plant);
    mkdirSync(join(folder, '.github/workflows'), { recursive: true });
    writeFileSync(join(folder, '.github/workflows/gate.yml'), WORKFLOW);
    commitAll(folder);
    return run(toolPath('act'), ['push', '-P', 'ubuntu-latest=-self-hosted', '--action-offline-mode'], {
      cwd: folder,
      env: cleanEnvironment(sandbox.folder('home')),
    });
  }

  itAct('denies a gate in a job of the caller with workflow_untrusted and exit 1', () => {
    const ended = act();
    expect(ended.stdout + ended.stderr).toContain('workflow_untrusted');
    expect(denied(ended)).toBe(true);
  });

  itAct('a planted gate that always allows is caught', () => {
    const ended = act(ALWAYS_ALLOW);
    expect(ended.stdout).toContain('the gate let it through');
    expect(denied(ended)).toBe(false);
  });
});

describe('the component under gitlab-ci-local', () => {
  const itGitlab = itWith('rsync');
  const SERVER = 'https://gitlab.example.com';

  function pipeline(plant?: string): Ended {
    const components = sandbox.folder('components');
    layComponents(components);
    if (plant !== undefined) writeFileSync(join(components, 'dist', 'gatehouse.js'), plant);
    const sha = commitAll(components);
    const bare = join(sandbox.folder('bare'), 'compliance-components.git');
    execFileSync('git', ['clone', '-q', '--bare', components, bare]);
    for (const setting of ['uploadpack.allowAnySHA1InWant', 'uploadpack.allowFilter'])
      execFileSync('git', ['-C', bare, 'config', setting, 'true']);

    const caller = sandbox.folder('caller');
    writeFileSync(
      join(caller, '.gitlab-ci.yml'),
      [
        'include:',
        `  - component: $CI_SERVER_FQDN/example-health/compliance-components/policy-gate@${sha}`,
        '    inputs:',
        '      environment: production',
        `      job-image: registry.example.org/ci/node@sha256:${'a'.repeat(64)}`,
        '      job-stage: gate',
        'stages: [gate, after]',
        'after:',
        '  stage: after',
        '  script: [echo "the gate let it through"]',
        '',
      ].join('\n'),
    );
    commitAll(caller);
    execFileSync('git', ['-C', caller, 'remote', 'add', 'origin', `${SERVER}/example-health/web.git`]);
    const config = join(sandbox.folder('gitconfig'), 'config');
    const [, , host] = SERVER.split('/');
    writeFileSync(
      config,
      `[url "file://${bare}"]\n\tinsteadOf = ${SERVER}/example-health/compliance-components.git\n\tinsteadOf = https://${host}:443/example-health/compliance-components.git\n[protocol "file"]\n\tallow = always\n[safe]\n\tdirectory = *\n`,
    );
    const program = 'node_modules/gitlab-ci-local/dist/index.js';
    return run(
      process.execPath,
      [
        join(process.cwd(), program),
        '--force-shell-executor',
        '--shell-isolation',
        '--no-artifacts-to-source',
        '--variable',
        `CI_SERVER_URL=${SERVER}`,
        '--variable',
        'CI_JOB_TOKEN=a-token',
      ],
      {
        cwd: caller,
        env: cleanEnvironment(sandbox.folder('home'), { GIT_CONFIG_GLOBAL: config }),
      },
    );
  }

  itGitlab('fetches the component project by commit, and denies with workflow_untrusted and exit 1', () => {
    const ended = pipeline();
    expect(ended.stdout + ended.stderr).toContain('workflow_untrusted');
    expect(denied(ended)).toBe(true);
  });

  itGitlab('a planted gate that always allows is caught', () => {
    const ended = pipeline(ALWAYS_ALLOW);
    expect(ended.stdout).toContain('the gate let it through');
    expect(denied(ended)).toBe(false);
  });
});
