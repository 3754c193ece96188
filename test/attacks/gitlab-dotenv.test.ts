import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble } from '../../scripts/assemble.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { keysIn } from '../support/gate-scene.ts';
import { rendered } from '../support/gitlab-child.ts';
import { type LocalGitlab, localGitlab, publish } from '../support/gitlab-local.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import { type Ended, sandboxes } from '../support/sandbox.ts';

/*
 * What a dotenv report may put into a job of a component on GitLab that takes it: values for its inputs, and variables of ours.
 * Such variables outrank predefined ones and those of the job. Here the job's very script runs in bash, as a runner would run it.
 */

const COMPONENTS = 'example-health/compliance-components';
const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let hosted: HostedSite;
let gitlab: LocalGitlab;
let sha: string;
let image: string;
beforeAll(async () => {
  registry = await startRegistry();
  const host = new URL(registry.url).host;
  hosted = await layHostedSite('gitlab', sandbox.folder('site'), host);
  image = await bringToGate(hosted, host);
  gitlab = localGitlab(sandbox.folder);
  const components = sandbox.folder('components');
  const fork = (part: string) => hosted.site.path('fork', part);
  assemble({ out: components, dist: fork('dist'), contract: fork('contract.yml') });
  sha = publish(gitlab, COMPONENTS, components, sandbox.folder('bare'));
});
afterAll(async () => {
  await hosted.close();
  await registry.close();
  sandbox.clean();
});

const INPUTS = {
  'job-image': `registry.example.org/ci/node@sha256:${'a'.repeat(64)}`,
  environment: 'production',
  image: '$GATEHOUSE_IMAGE',
  digest: '$GATEHOUSE_DIGEST',
  decision: '$GATEHOUSE_DECISION_KEY',
  target: 'demo/lab-results/Deployment/lab-results',
  manifest: 'deployment.yaml',
  layout: 'image',
};

/** Runs a component's script with these variables on top of what GitLab gives its job. */
async function job(component: string, role: string, variables: Record<string, string>): Promise<Ended> {
  const template = readFileSync(`gitlab-components/templates/${component}/template.yml`, 'utf8');
  const [{ script }] = Object.values(rendered(template, INPUTS, sha)) as [{ script: string[] }];
  return await gitlab.script(script.join('\n'), { ...(await hosted.environment(role)), ...variables });
}
const gate = (variables: Record<string, string>) =>
  job('policy-gate', 'gate', { GATEHOUSE_IMAGE: image, GATEHOUSE_DIGEST: '', ...variables });
const said = ({ stdout, stderr }: Ended) => stdout + stderr;
const decisions = () => keysIn(hosted.site).filter((key) => key.includes('gate.decided')).length;

it('honestly the gate allows the image that a variable names', async () => {
  const ended = await gate({});
  expect({ code: ended.code, allows: said(ended).includes('ALLOW promote to production') }).toEqual({
    code: 0,
    allows: true,
  });
});

describe('F75 a value of a dotenv report is read by no shell and believed by nobody', () => {
  const canary = () => join(sandbox.folder('canary'), 'ran');
  const VALUES: [string, (file: string) => string][] = [
    ['a second line', (file) => `${image}\ntouch ${file}`],
    ['a single quote', (file) => `'; touch ${file}; '`],
    ['a double quote', (file) => `"; touch ${file}; "`],
    ['a substitution', (file) => `$(touch ${file})`],
    ['backticks', (file) => `\`touch ${file}\``],
    ['another variable', () => '$CI_JOB_TOKEN'],
    ['a flag', () => '--key=file:///nowhere/evil.pem'],
    ['a switch of ours that means cancelled', () => '--cancelled'],
    ['the name of a folder for outputs', () => '--outputs'],
    ['a tag', () => image.replace(/@.*/, ':latest')],
    ['nothing (F73)', () => ''],
  ];

  it.each(VALUES)('%s as the gate’s image', async (_, value) => {
    const [file, before] = [canary(), decisions()];
    const ended = await gate({ GATEHOUSE_IMAGE: value(file) });
    expect({ code: ended.code, ran: existsSync(file), decided: decisions() - before }).toEqual({
      code: 2,
      ran: false,
      decided: 0,
    });
    expect(said(ended)).toMatch(/error: .*(registry host|end in a digest|by digest|--image|image:)/s);
    expect(said(ended)).not.toMatch(/ALLOW|cancelled; recorded/);
  });

  it.each(VALUES)('%s as the deploy’s decision', async (_, value) => {
    const file = canary();
    const ended = await job('deploy-by-digest', 'deploy', {
      GATEHOUSE_IMAGE: image,
      GATEHOUSE_DECISION_KEY: value(file),
    });
    expect(ended.code === 1 || ended.code === 2).toBe(true);
    expect({
      ran: existsSync(file),
      intents: keysIn(hosted.site).filter((key) => key.includes('deploy.intent')),
    }).toEqual({ ran: false, intents: [] });
    expect(said(ended)).toMatch(/error: .*(is not a store key|decision)/s);
  });

  it('F67 a variable that no job left ends the step', async () => {
    const ended = await job('policy-gate', 'gate', { GATEHOUSE_DIGEST: '' });
    expect(ended.code).not.toBe(0);
    expect(said(ended)).toMatch(/GATEHOUSE_IMAGE: unbound variable/);
  });
});

describe('F71 F75 a dotenv report that redefines a variable of ours', () => {
  it.each<[string, () => Record<string, string> | Promise<Record<string, string>>, number, RegExp]>([
    ['the identity of the job', () => ({ GATEHOUSE_ID_TOKEN: 'e30.e30.x' }), 1, /✖ workflow_untrusted/],
    ['its identity by another role’s', async () => await hosted.environment('scan'), 1, /✖ workflow_untrusted/],
    ['its identity by nothing', () => ({ GATEHOUSE_ID_TOKEN: '', GITLAB_CI: 'true' }), 1, /✖ workflow_untrusted/],
    ['that it is a job, too', () => ({ GATEHOUSE_ID_TOKEN: '', GITLAB_CI: '' }), 2, /no job of GitHub or GitLab/],
    ['the token of the API', () => ({ GATEHOUSE_API_TOKEN: 'mine' }), 3, /error: /],
    ['a library to load', () => ({ LD_PRELOAD: '/nowhere/evil.so' }), 2, /LD_PRELOAD is set in the environment/],
    ['a proxy', () => ({ HTTPS_PROXY: 'http://127.0.0.1:1' }), 2, /HTTPS_PROXY is set in the environment/],
    ['authorities', () => ({ NODE_EXTRA_CA_CERTS: '/nowhere.pem' }), 2, /NODE_EXTRA_CA_CERTS is set/],
  ])('%s denies', async (_, variables, code, why) => {
    const before = decisions();
    const ended = await gate(await variables());
    expect({ code: ended.code, decided: decisions() - before }).toEqual({ code, decided: 0 });
    expect(said(ended)).toMatch(why);
  });

  it('what Node is to load first is not loaded, and who the user, job and pipeline are is not believed', async () => {
    const evil = join(sandbox.folder('evil'), 'evil.cjs');
    const ran = `${evil}.ran`;
    writeFileSync(evil, `require('node:fs').writeFileSync(${JSON.stringify(ran)}, '')`);
    const ended = await gate({
      NODE_OPTIONS: `--require=${evil}`,
      GITLAB_USER_LOGIN: 'lead-1',
      GITLAB_USER_ID: '105',
      CI_PIPELINE_ID: '1',
      CI_JOB_ID: '1',
      CI_PROJECT_ID: '1',
      CI_API_V4_URL: 'http://127.0.0.1:1',
      CI_COMMIT_SHA: 'e'.repeat(40),
      GATEHOUSE_STAGE: 'preview',
    });
    expect({ code: ended.code, ran: existsSync(ran), allows: said(ended).includes('ALLOW promote') }).toEqual({
      code: 0,
      ran: false,
      allows: true,
    });
  });
});

it('F75 outputs are written over a link that the checkout holds, not through it', async () => {
  const template = readFileSync('gitlab-components/templates/policy-gate/template.yml', 'utf8');
  const [{ script }] = Object.values(rendered(template, INPUTS, sha)) as [{ script: string[] }];
  const target = join(sandbox.folder('target'), 'profile');
  writeFileSync(target, 'mine');
  const link = `ln -s '${target}' GATEHOUSE.env\n${script.join('\n')}\nprintf 'LEFT %s' "$(cat GATEHOUSE.env)"`;
  const ended = await gitlab.script(link, {
    ...(await hosted.environment('gate')),
    GATEHOUSE_IMAGE: image,
    GATEHOUSE_DIGEST: '',
  });
  expect(readFileSync(target, 'utf8')).toBe('mine');
  expect(said(ended)).toMatch(
    /LEFT GATEHOUSE_DECISION=allow\nGATEHOUSE_DECISION_ID=\S+\nGATEHOUSE_DECISION_KEY=v1\/records\/\S+\.json/,
  );
});
