import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { parse, stringify } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { LAYOUT, REPORTS, SOURCE_REPORTS } from '../support/direct.ts';
import type { FakeGitlab } from '../support/fake-gitlab.ts';
import { keysIn } from '../support/gate-scene.ts';
import { GIT_TOKEN, GITOPS, type GitServer, JOB_TOKEN, serveProjects } from '../support/git-server.ts';
import { rendered } from '../support/gitlab-child.ts';
import { checkOut, type LocalGitlab, localGitlab, publish } from '../support/gitlab-local.ts';
import { type HostedSite, layHostedSite, recordScan } from '../support/hosted-site.ts';
import { approve, layGitops, ROLES, withoutAfterScripts } from '../support/parent-scene.ts';
import { layComponents } from '../support/release.ts';
import { type Ended, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

/* F77: every component's job in the real gitlab-ci-local: single steps one after the other, and an application's own jobs. */

const COMPONENTS = 'example-health/compliance-components';
const JOB_IMAGE = `registry.example.org/ci/node@sha256:${'a'.repeat(64)}`;
const sandbox = sandboxes();
afterAll(sandbox.clean);

const said = ({ stdout, stderr }: Ended) => stdout + stderr;
const artifact = (checkout: string, job: string, file: string) =>
  readFileSync(join(checkout, '.gitlab-ci-local/artifacts', job, file), 'utf8');

describe('single steps, with what the step before found out as variables', () => {
  const TARGET = 'demo/lab-results/Deployment/lab-results';
  let registry: Awaited<ReturnType<typeof startRegistry>>;
  let hosted: HostedSite;
  let gitlab: LocalGitlab;
  let git: GitServer;
  let checkout: string;
  let sha: string;

  /** The pipeline of the protected project; `evil` leaves variables for whoever takes them. */
  const pipeline = (host: string) => {
    const step = (component: string, stage: string, inputs: Record<string, unknown>) => ({
      component: `$CI_SERVER_FQDN/${COMPONENTS}/${component}@${sha}`,
      inputs: { 'job-name': stage, 'job-stage': stage, 'job-image': JOB_IMAGE, ...inputs },
    });
    const image = '$GATEHOUSE_IMAGE';
    const production = { environment: 'production' };
    const judged = { ...production, image, 'artifacts-of': ['sign'] };
    return {
      stages: ['early', ...Object.keys(ROLES), 'build', 'gitops'].sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b)),
      include: [
        step('evidence-emit', 'open', { ...production, type: 'run.opened' }),
        step('build-sign', 'build', { phase: 'build', layout: 'image', outputs: 'GATEHOUSE_BUILD' }),
        step('build-sign', 'sign', {
          layout: 'image',
          digest: '$GATEHOUSE_BUILD_DIGEST',
          image: `${host}/care/lab-results`,
          'artifacts-of': ['build'],
        }),
        step('scan', 'record', {
          report: 'reports/trivy.json',
          sidecar: 'reports/trivy.sidecar.json',
          subject: image,
          'artifacts-of': ['sign'],
        }),
        step('policy-gate', 'promote', judged),
        step('policy-gate', 'bent', { ...judged, 'job-stage': 'promote', 'artifacts-of': ['evil', 'sign'] }),
        step('policy-gate', 'decide', { ...judged, stage: 'deploy', target: TARGET, outputs: 'GATEHOUSE_DEPLOY' }),
        step('deploy-by-digest', 'deploy', {
          ...production,
          image,
          target: TARGET,
          decision: '$GATEHOUSE_DEPLOY_DECISION_KEY',
          manifest: 'gitops/lab-results/deployment.yaml',
          'artifacts-of': ['sign', 'decide', 'gitops'],
        }),
        step('evidence-emit', 'seal', { type: 'run.sealed', 'job-when': 'always' }),
      ],
      evil: {
        stage: 'early',
        script: [
          'printf "PATH=/nowhere\\nNODE_OPTIONS=--require=/nowhere.js\\nGATEHOUSE_ID_TOKEN=mine\\nGATEHOUSE_IMAGE=evil\\nGATEHOUSE_BUILD_DIGEST=evil\\nGATEHOUSE_DEPLOY_DECISION_KEY=evil\\n" > evil.env',
        ],
        artifacts: { reports: { dotenv: 'evil.env' } },
      },
      gitops: {
        stage: 'gitops',
        dependencies: [],
        script: [
          `git -c http.extraHeader="Authorization: Basic $(printf %s "gitlab-ci-token:$CI_JOB_TOKEN" | base64 -w0)" clone -q "$CI_SERVER_URL/${GITOPS}.git" gitops`,
        ],
        artifacts: { paths: ['gitops/'] },
      },
    };
  };
  const ORDER = ['early', 'open', 'build', 'sign', 'record', 'promote', 'gitops', 'decide', 'deploy', 'seal'];

  beforeAll(async () => {
    registry = await startRegistry();
    const host = new URL(registry.url).host;
    hosted = await layHostedSite('gitlab', sandbox.folder('site'), host, (contract) => {
      contract.environments.production.approvals.strength = 'run';
    });
    gitlab = localGitlab(sandbox.folder);
    const components = sandbox.folder('components');
    const fork = (part: string) => hosted.site.path('fork', part);
    assemble({ out: components, dist: fork('dist'), contract: fork('contract.yml') });
    withoutAfterScripts(components);
    sha = publish(gitlab, COMPONENTS, components, sandbox.folder('bare'));
    publish(gitlab, GITOPS, layGitops(sandbox.folder('gitops'), host), sandbox.folder('bare'));
    git = await serveProjects(gitlab.projects, sandbox.folder('served'));
    checkout = sandbox.folder('release');
    cpSync(LAYOUT, join(checkout, 'image'), { recursive: true });
    mkdirSync(join(checkout, 'reports'));
    for (const file of ['trivy.json', 'trivy.sidecar.json'])
      cpSync(join(REPORTS, file), join(checkout, 'reports', file));
    writeFileSync(join(checkout, '.gitlab-ci.yml'), stringify(pipeline(host)));
    checkOut('care/release', checkout);
    const { world } = hosted.api as FakeGitlab;
    const before = world.jobs.filter(({ name }) => name !== 'gatehouse-approve');
    const ours = [...ORDER, 'bent', 'gatehouse-approve'].map((name, i) =>
      world.make.job(6100 + i, name, { status: 'created' }),
    );
    world.jobs = [...before, ...ours];
  });

  afterAll(async () => {
    await Promise.all([hosted.close(), registry.close(), git.close()]);
  });

  const of = (name: string) =>
    (hosted.api as FakeGitlab).world.jobs.find((job) => job.name === name) as Record<string, unknown>;
  const job = async (name: string, variables: Record<string, string> = {}): Promise<Ended> => {
    const role = (ROLES as Record<string, string | undefined>)[name] ?? (name === 'bent' ? 'gate' : null);
    if (role !== null) Object.assign(of(name), { status: 'running', started_at: new Date().toISOString() });
    const token = role === null ? {} : await hosted.environment(role, { job_id: String(of(name).id) });
    const ended = await gitlab.run(checkout, [name], {
      ...token,
      CI_COMMIT_REF_PROTECTED: 'true',
      CI_COMMIT_BRANCH: 'main',
      CI_SERVER_URL: git.url,
      CI_JOB_TOKEN: JOB_TOKEN,
      ...variables,
    });
    if (role !== null) of(name).status = ended.code === 0 ? 'success' : 'failed';
    return ended;
  };
  const through = async (name: string, variables: Record<string, string> = {}) => {
    const ended = await job(name, variables);
    expect({ name, code: ended.code, said: ended.code === 0 ? '' : said(ended) }).toEqual({ name, code: 0, said: '' });
    return said(ended);
  };

  // In the order of their stages; each goes on from what the one before it left.
  const itStep = itWith('rsync');

  itStep('evidence-emit opens the run', async () => {
    await through('evil');
    expect(await through('open')).toContain('is open for production');
  });

  itStep('build-sign checks the layout and leaves its digest, by which another one signs', async () => {
    await through('build');
    expect(artifact(checkout, 'build', '.gitlab-ci-reports/dotenv/GATEHOUSE_BUILD.env')).toMatch(
      /^GATEHOUSE_BUILD_DIGEST=sha256:331e2cee[0-9a-f]{56}\n$/,
    );
    expect(await through('sign')).toContain('pushed and signed');
  });

  itStep('scan records what a scanner said of the image that was signed', async () => {
    for (const name of SOURCE_REPORTS) expect((await recordScan(hosted.run, name, null)).code).toBe(0);
    expect(await through('record')).toContain('trivy');
  });

  itStep('F75 variables of a job that it names bend a step', async () => {
    const bent = await job('bent');
    expect({ ok: bent.code === 0, allowed: said(bent).includes('ALLOW') }).toEqual({ ok: false, allowed: false });
  });

  itStep('F75 of a job that it does not name none reaches it: policy-gate allows', async () => {
    expect(await through('promote')).toContain('ALLOW promote to production');
    Object.assign(of('gatehouse-approve'), { status: 'success', started_at: new Date().toISOString() });
    approve((hosted.api as FakeGitlab).world, of('gatehouse-approve'));
    expect(await through('decide')).toContain('ALLOW deploy to production');
  });

  itStep('deploy-by-digest deploys nothing without a token that may push, as the job’s own may not', async () => {
    await through('gitops');
    for (const [variables, why] of [
      [{}, 'GATEHOUSE_GIT_TOKEN is not set'],
      [{ GATEHOUSE_GIT_TOKEN: JOB_TOKEN }, 'cannot be pushed to'],
    ] as [Record<string, string>, string][]) {
      const ended = await job('deploy', variables);
      expect({ why, ok: ended.code === 0, said: said(ended).includes(why) }).toEqual({ why, ok: false, said: true });
    }
  });

  itStep('deploy-by-digest deploys by the decision’s key', async () => {
    expect(await through('deploy', { GATEHOUSE_GIT_TOKEN: GIT_TOKEN })).toContain('deployed');
  });

  itStep('a step that was cancelled leaves a record that says so, and no other one does', async () => {
    const template = readFileSync('gitlab-components/templates/policy-gate/template.yml', 'utf8');
    const inputs = { 'job-image': JOB_IMAGE, environment: 'production', image: '$GATEHOUSE_IMAGE' };
    const { status: before } = of('bent');
    const afterwards = async (status: string) => {
      const [{ after_script: script }] = Object.values(rendered(template, inputs, sha)) as [{ after_script: string[] }];
      return said(
        await gitlab.script(script.join('\n'), {
          ...(await hosted.environment('gate', { job_id: String(of('bent').id) })),
          CI_JOB_STATUS: status,
          GATEHOUSE_IMAGE: 'evil',
        }),
      );
    };
    Object.assign(of('bent'), { status: 'running' });
    expect(await afterwards('failed')).toBe('');
    expect(await afterwards('canceled')).toContain('policy-gate was cancelled; recorded as v1/records/');
    Object.assign(of('bent'), { status: before });
  });

  itStep('evidence-emit seals the run as what GitLab says of the other jobs, which nobody told it', async () => {
    expect(of('bent').status).toBe('failed');
    expect(await through('seal')).toContain('is sealed over');
    const seals = keysIn(hosted.site).filter((key) => key.startsWith('v1/seals/'));
    const [line = ''] = readFileSync(hosted.site.path('store', seals[0] as string), 'utf8').split('\n');
    const { payload } = JSON.parse(line).dsseEnvelope;
    expect(JSON.parse(Buffer.from(payload, 'base64').toString()).predicate).toMatchObject({
      type: 'run.sealed',
      outcome: 'failure',
    });
  });
});

describe('an application’s own jobs', () => {
  /** A token of no service that has the form of one; put together here so that no scanner finds it in this file. */
  const TOKEN = ['ghp', 'a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8'].join('_');
  let gitlab: LocalGitlab;
  let sha: string;
  beforeAll(() => {
    gitlab = localGitlab(sandbox.folder);
    const contract = parse(readFileSync('contract.yml', 'utf8'));
    contract.environments.production.required = ['secrets'];
    const file = join(sandbox.folder('contract'), 'contract.yml');
    writeFileSync(file, stringify(contract));
    const components = sandbox.folder('components');
    layComponents(components, file);
    sha = publish(gitlab, COMPONENTS, components, sandbox.folder('bare'));
  });

  const application = (files: Record<string, string> = {}) => {
    const folder = sandbox.folder('application');
    cpSync(LAYOUT, join(folder, 'layout'), { recursive: true });
    mkdirSync(join(folder, 'ci'));
    for (const [path, text] of Object.entries({
      'ci/build-image.sh': 'cp -r layout "$GATEHOUSE_LAYOUT"\n',
      'ci/test.sh': 'test -d layout\n',
      '.gitlab-ci.yml': stringify({
        include: [
          {
            component: `$CI_SERVER_FQDN/${COMPONENTS}/child@${sha}`,
            inputs: { 'build-image': JOB_IMAGE, 'job-image': JOB_IMAGE },
          },
        ],
      }),
      ...files,
    }))
      writeFileSync(join(folder, path), text);
    checkOut('care/lab-results', folder);
    return folder;
  };
  const start = (folder: string, source: string, path = `${dirname(toolPath('gitleaks'))}${delimiter}`) =>
    gitlab.run(folder, [], {
      CI_PIPELINE_SOURCE: source,
      PATH: `${path}${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
    });
  const preview = (folder: string) => artifact(folder, 'gatehouse-preview', 'gatehouse-preview.txt');
  const itScans = itWith('rsync', 'gitleaks');

  itScans('of a merge request build, test, scan by the real scanner, and say what the gate would say', async () => {
    const folder = application();
    const ended = await start(folder, 'merge_request_event');
    expect({ code: ended.code, said: ended.code === 0 ? '' : said(ended) }).toEqual({ code: 0, said: '' });
    expect(preview(folder)).toMatch(/^PREVIEW for production, not a decision: the scans meet the contract\n/);
    expect(said(ended)).toContain('PREVIEW for production');
  });

  itScans('of a merge request that brings a secret show the rule that would deny', async () => {
    const folder = application({ 'config.py': `token = "${TOKEN}"  # gitleaks:allow\n` });
    const ended = await start(folder, 'merge_request_event');
    expect(ended.code).not.toBe(0);
    expect(preview(folder)).toContain('the gate would deny by 1 rule');
    expect(preview(folder)).toContain('✖ scan.findings');
    expect(preview(folder)).not.toContain(TOKEN);
  });

  itScans('of a merge request whose scan did not run preview nothing', async () => {
    const folder = application();
    const ended = await start(folder, 'merge_request_event', '');
    expect(ended.code).not.toBe(0);
    expect(preview(folder)).toContain('stage preview needs --digest');
  });

  itScans('that the parent started leave image and reports, and no preview', async () => {
    const folder = application();
    const ended = await start(folder, 'pipeline');
    expect({ code: ended.code, said: ended.code === 0 ? '' : said(ended) }).toEqual({ code: 0, said: '' });
    expect(JSON.parse(artifact(folder, 'gatehouse-scan', 'reports/gitleaks.json'))).toEqual([]);
    expect(artifact(folder, 'gatehouse-build', 'image/index.json')).toContain('sha256:331e2cee');
    expect(() => preview(folder)).toThrow(/ENOENT/);
  });
});
