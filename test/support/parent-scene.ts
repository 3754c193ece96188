import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { type FakeGitlab, type GitlabWorld, gitlabWorld, type Where } from './fake-gitlab.ts';
import { GIT_TOKEN, GITOPS, JOB_TOKEN, serveProjects } from './git-server.ts';
import { addChild, CHILD, CHILD_JOBS, COMPONENTS, entriesOf, leave, rendered, SCAN_IMAGE } from './gitlab-child.ts';
import { checkOut, type LocalGitlab, localGitlab, publish } from './gitlab-local.ts';
import { type HostedSite, layHostedSite } from './hosted-site.ts';
import { layReports } from './report-folder.ts';
import type { Ended } from './sandbox.ts';
import { SAMPLE } from './signed-site.ts';
import { zip } from './zip.ts';

const SCANS = ['trivy', 'semgrep', 'gitleaks', 'checkov', 'osv-scanner'];
type Inputs = Record<string, string>;
const DIGEST = '331e2cee1617921bf0370d2fe128e1b7930e5c8565dc4c6030983b8f8033e335';

export const PORTAL: Where = { project: 7003, path: 'care/portal', pipeline: 9102, sha: 'f'.repeat(40) };
/** The repositories of one run, as the shipped parent names them. */
export const CHILDREN = { 'lab-results': CHILD, portal: PORTAL };
export type ChildName = keyof typeof CHILDREN;

/** Whose environment each step has, in the order of their stages. */
export const ROLES = {
  open: 'gate',
  sign: 'build',
  record: 'scan',
  promote: 'gate',
  decide: 'gate',
  deploy: 'deploy',
  seal: 'gate',
} as const;
export type Step = keyof typeof ROLES;
const APPROVE = 'gatehouse-approve';
export type ParentJob = `gatehouse-${ChildName}-${Step}` | typeof APPROVE;
const ofChildren = Object.keys(CHILDREN).flatMap((child) =>
  Object.entries(ROLES).map(([step, role]): [string, string] => [`gatehouse-${child}-${step}`, role]),
);
const JOBS = new Map([...ofChildren, [APPROVE, null]]);

/**
 * The shipped parent project, which includes the assembled `promote` for two applications, their pipelines that it started, and
 * a GitOps repository. Jobs run one by one in the real gitlab-ci-local with the token that GitLab would give each; GitLab itself
 * is a labelled fake, which cannot start a child: the children's jobs are what the fake says.
 */
export interface ParentScene {
  hosted: HostedSite;
  gitlab: LocalGitlab;
  world(): GitlabWorld;
  child(name?: ChildName): GitlabWorld;
  /** Folder of the parent's checkout. */
  parent: string;
  componentSha: string;
  /** Runs one job, with these CI variables on top of its own; afterwards it is in the fake as it ended. */
  job(name: ParentJob, variables?: Record<string, string>): Promise<Ended>;
  /** Runs what follows the script of a job that ended with this status. */
  afterwards(name: ParentJob, status: string): Promise<Ended>;
  /** Another pipeline with nothing run yet; its children's pipelines are this number and 99 (lab-results), 98 (portal). */
  renew(pipeline: number): void;
}

/** What is another one's: its contract and its .gitlab-ci.yml. */
export interface ParentChanges {
  // biome-ignore lint/suspicious/noExplicitAny: a contract is changed by what the test is about
  contract?: (contract: any) => void;
  configuration?: (text: string) => string;
}

export async function layParent(
  folder: (name: string) => string,
  registry: string,
  changes: ParentChanges = {},
): Promise<ParentScene> {
  const hosted = await layHostedSite('gitlab', folder('site'), registry, (contract) => {
    contract.environments.production.events = ['pipeline'];
    contract.environments.production.approvals.strength = 'run';
    contract.environments.production.targets.push({ cluster: 'demo', namespace: 'portal' });
    for (const scanner of Object.values<{ importers: string[] }>(contract.scanners))
      scanner.importers = ['gitlab-child'];
    changes.contract?.(contract);
  });
  const gitlab = localGitlab(folder);
  const components = folder('components');
  const fork = (part: string) => hosted.site.path('fork', part);
  assemble({ out: components, dist: fork('dist'), contract: fork('contract.yml'), project: COMPONENTS });
  withoutAfterScripts(components);
  const componentSha = publish(gitlab, COMPONENTS, components, folder('bare'));
  publish(gitlab, GITOPS, layGitops(folder('gitops'), registry), folder('bare'));
  const git = await serveProjects(gitlab.projects, folder('served'), (project) => project !== GITOPS);
  const parent = folder('parent');
  const own = configuration(componentSha, registry);
  writeFileSync(join(parent, '.gitlab-ci.yml'), changes.configuration?.(own) ?? own);
  checkOut('care/release', parent);

  const api = hosted.api as FakeGitlab;
  const image = zip([{ name: 'image/', mode: 0o040755 }, ...entriesOf(join(SAMPLE, 'image'), 'image')]);
  const reports = (commit: string) => {
    const about = { commit, image: `sha256:${DIGEST}` };
    return zip(entriesOf(layReports(join(folder('reports'), 'reports'), SCANS, about).reports, 'reports'));
  };
  const archives = { 'lab-results': reports(CHILD.sha), portal: reports(PORTAL.sha) };
  const begun = (world: GitlabWorld, name: ChildName, pipeline: number) => {
    const where = { ...CHILDREN[name], pipeline };
    const child = addChild(world, where, componentSha);
    const offset = pipeline - CHILD.pipeline;
    leave(child, CHILD_JOBS.build + offset, image);
    leave(child, CHILD_JOBS.scan + offset, archives[name]);
  };
  const renew = (pipeline: number) => {
    const at = { project: 7002, path: 'care/release', pipeline, sha: 'a'.repeat(40) };
    const world = gitlabWorld(at);
    world.jobs = [...JOBS.keys()].map((name, i) => world.make.job(pipeline * 100 + i, name, { status: 'created' }, at));
    begun(world, 'lab-results', pipeline + 99);
    begun(world, 'portal', pipeline + 98);
    api.world = world;
  };
  renew(9002);
  const world = () => api.world;
  const of = (name: string) => world().jobs.find((job) => job.name === name) as Record<string, unknown>;
  const begin = async (name: ParentJob) => {
    Object.assign(of(name), { status: 'running', started_at: new Date().toISOString() });
    const claims = { job_id: String(of(name).id), pipeline_id: String(world().pipeline.id) };
    const role = JOBS.get(name);
    if (role == null) return {};
    // As a CI variable with the scope gatehouse/deploy.
    return {
      ...(await hosted.environment(role, claims)),
      ...(role === 'deploy' ? { GATEHOUSE_GIT_TOKEN: GIT_TOKEN } : {}),
    };
  };
  const job: ParentScene['job'] = async (name, variables = {}) => {
    const token = await begin(name);
    const ended = await gitlab.run(parent, [name], {
      ...token,
      CI_COMMIT_REF_PROTECTED: 'true',
      CI_DEFAULT_BRANCH: 'main',
      CI_COMMIT_BRANCH: 'main',
      CI_SERVER_URL: git.url,
      CI_JOB_TOKEN: JOB_TOKEN,
      ...variables,
    });
    of(name).status = ended.code === 0 ? 'success' : 'failed';
    if (name === APPROVE) approve(world(), of(name));
    return ended;
  };
  const promote = readFileSync('gitlab-components/templates/promote/template.yml', 'utf8');
  const afterwards: ParentScene['afterwards'] = async (name, status) => {
    const included = parse(configuration(componentSha, registry)).include.map(({ inputs }: { inputs: Inputs }) =>
      rendered(promote, inputs, componentSha),
    );
    const jobs: Record<string, { after_script?: string[] }> = Object.assign({}, ...included);
    return await gitlab.script((jobs[name]?.after_script ?? []).join('\n'), {
      ...(await begin(name)),
      CI_JOB_STATUS: status,
    });
  };
  const child: ParentScene['child'] = (name = 'lab-results') =>
    world().children.find(({ project }) => project.id === CHILDREN[name].project) as GitlabWorld;
  const close = async () => {
    await Promise.all([hosted.close(), git.close()]);
  };
  return { hosted: { ...hosted, close }, gitlab, world, child, parent, componentSha, job, afterwards, renew };
}

/**
 * gitlab-ci-local lays the job's folder anew before `after_script`, so what the script left for later jobs is gone; GitLab's
 * runner does not. `afterwards` runs those scripts.
 */
export function withoutAfterScripts(components: string): void {
  for (const name of readdirSync(join(components, 'templates'))) {
    const file = join(components, 'templates', name, 'template.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^ {2}after_script:\n(?: {4,}.*\n)+/gm, ''));
  }
}

/** Somebody who may approved the deployment that job gatehouse-approve stands for. */
export function approve(world: GitlabWorld, job: Record<string, unknown>): void {
  world.deployments = [
    {
      id: 41,
      ref: 'main',
      sha: world.pipeline.sha,
      status: 'success',
      environment: { id: 9, name: 'production' },
      deployable: job,
      pending_approval_count: 0,
      approvals: [world.make.approval(105, { created_at: new Date().toISOString() })],
    },
  ];
}

export function layGitops(folder: string, registry: string): string {
  const sample = readFileSync(join(SAMPLE, 'deploy/base/deployment.yaml'), 'utf8');
  for (const name of Object.keys(CHILDREN)) {
    mkdirSync(join(folder, name), { recursive: true });
    const text = sample
      .replaceAll('lab-results', name)
      .replace(/image: \S+@/, `image: ${registry}/care/${name}@`)
      .replace(DIGEST, '0'.repeat(64));
    writeFileSync(join(folder, name, 'deployment.yaml'), text);
  }
  return folder;
}

/** The shipped file, with this commit and this registry, and the cluster that the contract knows. */
function configuration(sha: string, registry: string): string {
  return readFileSync('workflows/gitlab/parent.gitlab-ci.yml', 'utf8')
    .replaceAll(/@0{40}/g, `@${sha}`)
    .replaceAll(/scan-images: .*/g, `scan-images: ${SCAN_IMAGE}`)
    .replaceAll('registry.example.org/care/', `${registry}/care/`)
    .replaceAll('target: production/', 'target: demo/');
}
