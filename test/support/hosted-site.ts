import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { laySite, REPOSITORY, registerDraft, type Site } from '../../src/commands/demo/site.ts';
import { exec } from '../../src/lib/exec.ts';
import { GITHUB_CLAIMS, GITHUB_WORKFLOW, GITLAB_CLAIMS, GITLAB_WORKFLOW } from './claims.ts';
import { type FakeGithub, startGithub } from './fake-github.ts';
import { type FakeGitlab, startGitlab } from './fake-gitlab.ts';
import { type Claims, type Issuer, startIssuer } from './issuer.ts';
import { cleanEnvironment, type Ended } from './sandbox.ts';
import { SAMPLE } from './signed-site.ts';
import { makeAuthority, startTsa } from './tsa.ts';

type Kind = 'github' | 'gitlab';

const REPORTS = join(SAMPLE, 'reports');

/** What differs between the two platforms. */
const HOSTED = {
  github: {
    host: 'github.com',
    workflow: GITHUB_WORKFLOW,
    claims: GITHUB_CLAIMS,
    pool: 'gatehouse-deploy',
    jobSha: 'c'.repeat(40),
    people: { author: 101, reviewer: 102, merger: 104, lead: 103 },
    apiToken: 'github-token',
    role: (role: string) => `gatehouse-${role}`,
  },
  gitlab: {
    host: 'gitlab.example.org',
    workflow: GITLAB_WORKFLOW,
    claims: GITLAB_CLAIMS,
    pool: '31',
    jobSha: 'a'.repeat(40),
    people: { author: 102, reviewer: 103, merger: 101, lead: 105 },
    apiToken: 'gitlab-token',
    role: (role: string) => `gatehouse/${role}`,
  },
} as const;

/**
 * A release whose contract names a platform: issuer and time stamping authority are real programs on loopback, the platform's
 * API is a labelled fake, keys are files. Steps run as processes with the token of their role.
 */
export interface HostedSite {
  site: Site;
  issuer: Issuer;
  api: FakeGithub | FakeGitlab;
  /** Runs a verb of the release as a job of this role would; `step` names the step within the job. */
  run(role: string, step: string, ...args: string[]): Promise<Ended>;
  /** What a job of this role has in its environment; `claims` is what is another job's than usual. */
  environment(role: string, claims?: Claims): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export async function layHostedSite(
  kind: Kind,
  folder: string,
  registry: string,
  // biome-ignore lint/suspicious/noExplicitAny: a contract is changed by what the test is about
  change: (contract: any) => void = () => {},
): Promise<HostedSite> {
  const hosted = HOSTED[kind];
  const issuer = await startIssuer();
  const api = kind === 'github' ? await startGithub() : await startGitlab();
  const authority = makeAuthority(mkdirp(join(folder, 'tsa')));
  const tsa = await startTsa(authority);
  const site = laySite(join(folder, 'site'), resolve('build/dist'), REPORTS, registry);
  rewriteContract(
    site,
    { kind, host: hosted.host, api: api.url, issuer: issuer.url, 'workflow-ref': hosted.workflow },
    { url: tsa.url, certificates: [authority.root] },
    hosted.pool,
    change,
  );
  const environment: HostedSite['environment'] = (role, claims) => environmentOf(kind, issuer, role, claims);
  const run: HostedSite['run'] = async (role, step, ...args) => {
    const env = cleanEnvironment(folder, { ...(await environment(role)), GITHUB_ACTION: step });
    return await exec(process.execPath, [site.program, ...args, '--json'], { cwd: folder, env });
  };
  const { stdout } = await run('release', 'release', 'register', 'release');
  const commits = [{ platform: kind, host: hosted.host, sha: hosted.jobSha }];
  writeFileSync(
    site.path('register.json'),
    JSON.stringify({ ...registerDraft({ ...JSON.parse(stdout), commits }, Date.now()), people: peopleOf(kind) }),
  );
  await succeed(run('release', 'release', 'register', 'publish', '--file', site.path('register.json')));
  return {
    site,
    issuer,
    api,
    run,
    environment,
    close: async () => {
      await Promise.all([issuer.close(), api.close(), tsa.close()]);
    },
  };
}

/** Opens the run, pushes and signs the sample's image and records the reports; gives the image by digest. */
export async function bringToGate({ run }: HostedSite, registry: string): Promise<string> {
  const layout = join(SAMPLE, 'image');
  await succeed(run('gate', 'open', 'evidence-emit', '--type', 'run.opened', '--environment', 'production'));
  const built = JSON.parse(
    (await succeed(run('none', 'build', 'build-sign', '--phase', 'build', '--layout', layout))).stdout,
  );
  const signed = JSON.parse(
    (
      await succeed(
        run(
          'build',
          'sign',
          'build-sign',
          '--phase',
          'sign',
          '--layout',
          layout,
          '--digest',
          built.digest,
          '--image',
          `${registry}/${REPOSITORY}`,
        ),
      )
    ).stdout,
  );
  for (const name of ['semgrep', 'gitleaks', 'checkov', 'osv-scanner']) await succeed(recordScan(run, name, null));
  await succeed(recordScan(run, 'trivy', signed.image));
  return signed.image;
}

export function recordScan(run: HostedSite['run'], name: string, image: string | null): Promise<Ended> {
  const about = image === null ? [] : ['--subject', image];
  return run(
    'scan',
    name,
    'scan',
    '--phase',
    'record',
    '--report',
    join(REPORTS, `${name}.json`),
    '--sidecar',
    join(REPORTS, `${name}.sidecar.json`),
    ...about,
  );
}

async function environmentOf(
  kind: Kind,
  issuer: Issuer,
  role: string,
  changes: Claims = {},
): Promise<Record<string, string>> {
  const { claims, role: named, apiToken } = HOSTED[kind];
  const own = { ...claims, environment: named(role), ...changes };
  if (kind === 'gitlab') return { GATEHOUSE_ID_TOKEN: await issuer.sign(own), GATEHOUSE_API_TOKEN: apiToken };
  issuer.runnerToken = (aud) => issuer.sign({ ...own, aud });
  return { ...issuer.runnerEnv, GATEHOUSE_API_TOKEN: apiToken };
}

function rewriteContract(
  site: Site,
  platform: object,
  timestamp: object,
  pool: string,
  change: (contract: object) => void,
): void {
  const file = site.path('fork', 'contract.yml');
  const text = readFileSync(file, 'utf8');
  const contract = JSON.parse(text.slice(text.indexOf('{')));
  contract.platforms = [platform];
  contract.trust.profile = 'kms';
  contract.trust.timestamp = timestamp;
  for (const [role, keys] of Object.entries(contract.trust.keys) as [string, { url?: string }[]][]) {
    const path = join(mkdirp(site.path('roles')), `${role}.pem`);
    writeFileSync(path, site.keys.get(role) ?? '', { mode: 0o600 });
    for (const key of keys) key.url = `file://${path}`;
  }
  contract.environments.production['runner-pools'] = [pool];
  contract.environments.production.isolation = 'job';
  contract.environments.production.targets = [{ cluster: 'demo', namespace: 'lab-results' }];
  contract.evidence.store = `file://${site.path('store')}`;
  change(contract);
  writeFileSync(file, JSON.stringify(contract, null, 2));
}

function peopleOf(kind: Kind) {
  const { host, people } = HOSTED[kind];
  const person = (personId: string, id: number) => ({
    personId,
    name: personId,
    accounts: [{ platform: kind, host, userId: String(id) }],
  });
  return [
    person('dev-1', people.author),
    person('dev-2', people.reviewer),
    person('dev-3', people.merger),
    person('lead-1', people.lead),
  ];
}

function mkdirp(folder: string): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function succeed(step: Promise<Ended>): Promise<Ended> {
  const ended = await step;
  if (ended.code !== 0)
    throw new Error(`a step that was to succeed ended with exit ${ended.code}: ${ended.stdout} ${ended.stderr}`);
  return ended;
}
