import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { assemble } from '../../scripts/assemble.ts';
import { type FakeGitlab, type GitlabWorld, gitlabWorld } from './fake-gitlab.ts';
import { addChild, CHILD, CHILD_JOBS, entriesOf, leave, rendered } from './gitlab-child.ts';
import { entity } from './gitlab-fields.ts';
import { checkOut, type LocalGitlab, localGitlab, publish } from './gitlab-local.ts';
import { type HostedSite, layHostedSite } from './hosted-site.ts';
import { layReports } from './report-folder.ts';
import type { Ended } from './sandbox.ts';
import { SAMPLE } from './signed-site.ts';
import { zip } from './zip.ts';

const COMPONENTS = 'example-health/compliance-components';
const SCANS = ['trivy', 'semgrep', 'gitleaks', 'checkov', 'osv-scanner'];
const DIGEST = '331e2cee1617921bf0370d2fe128e1b7930e5c8565dc4c6030983b8f8033e335';

/** Jobs of the parent in the order of their stages, and whose environment each has. */
const ROLES = {
  'gatehouse-lab-results-open': 'gate',
  'gatehouse-lab-results-sign': 'build',
  'gatehouse-lab-results-record': 'scan',
  'gatehouse-lab-results-promote': 'gate',
  'gatehouse-approve': 'none',
  'gatehouse-lab-results-decide': 'gate',
  'gatehouse-lab-results-deploy': 'deploy',
  'gatehouse-lab-results-seal': 'gate',
} as const;
export type ParentJob = keyof typeof ROLES;
const NAMES = Object.keys(ROLES) as ParentJob[];

/**
 * A protected parent project that includes the assembled `promote`, the application whose pipeline it started, and a GitOps
 * repository. Jobs run one by one in the real gitlab-ci-local with the token that GitLab would give each; GitLab itself is a
 * labelled fake, which cannot start a child: the child's jobs are what the fake says.
 */
export interface ParentScene {
  hosted: HostedSite;
  gitlab: LocalGitlab;
  world(): GitlabWorld;
  child(): GitlabWorld;
  /** Folder of the parent's checkout. */
  parent: string;
  componentSha: string;
  /** Runs one job; afterwards it is in the fake as it ended. */
  job(name: ParentJob): Promise<Ended>;
  /** Runs what follows the script of a job that ended with this status. */
  afterwards(name: ParentJob, status: string): Promise<Ended>;
  /** Another pipeline, of a new child pipeline, with nothing run yet. */
  renew(pipeline: number): void;
}

export async function layParent(folder: (name: string) => string, registry: string): Promise<ParentScene> {
  const hosted = await layHostedSite('gitlab', folder('site'), registry, (contract) => {
    contract.environments.production.events = ['pipeline'];
    contract.environments.production.approvals.strength = 'run';
    for (const scanner of Object.values<{ importers: string[] }>(contract.scanners))
      scanner.importers = ['gitlab-child'];
  });
  const gitlab = localGitlab(folder);
  const components = folder('components');
  const fork = (part: string) => hosted.site.path('fork', part);
  assemble({ out: components, dist: fork('dist'), contract: fork('contract.yml'), project: COMPONENTS });
  withoutAfterScripts(join(components, 'templates/promote/template.yml'));
  const componentSha = publish(gitlab, COMPONENTS, components, folder('bare'));
  publish(gitlab, 'care/gitops', layGitops(folder('gitops'), registry), folder('bare'));
  const parent = folder('parent');
  writeFileSync(join(parent, '.gitlab-ci.yml'), configuration(componentSha, registry));
  checkOut('care/release', parent);

  const api = hosted.api as FakeGitlab;
  const archives = {
    image: zip([{ name: 'image/', mode: 0o040755 }, ...entriesOf(join(SAMPLE, 'image'), 'image')]),
    reports: zip(
      entriesOf(
        layReports(join(folder('reports'), 'reports'), SCANS, { commit: CHILD.sha, image: `sha256:${DIGEST}` }).reports,
        'reports',
      ),
    ),
  };
  let ids: Map<string, number>;
  const renew = (pipeline: number) => {
    const at = { project: 7002, path: 'care/release', pipeline, sha: 'a'.repeat(40) };
    const world = gitlabWorld(at);
    ids = new Map(NAMES.map((name, i) => [name, pipeline * 10 + i]));
    world.jobs = NAMES.map((name) => world.make.job(ids.get(name) as number, name, { status: 'created' }, at));
    const where = { ...CHILD, pipeline: pipeline + 99 };
    const child = addChild(world, where, componentSha);
    const offset = where.pipeline - CHILD.pipeline;
    leave(child, CHILD_JOBS.build + offset, archives.image);
    leave(child, CHILD_JOBS.scan + offset, archives.reports);
    api.world = world;
  };
  renew(9002);
  const world = () => api.world;
  const of = (name: string) => world().jobs.find((job) => job.name === name) as Record<string, unknown>;
  const begin = async (name: ParentJob) => {
    Object.assign(of(name), { status: 'running', started_at: new Date().toISOString() });
    const claims = { job_id: String(of(name).id), pipeline_id: String(world().pipeline.id) };
    return ROLES[name] === 'none' ? {} : await hosted.environment(ROLES[name], claims);
  };
  const job: ParentScene['job'] = async (name) => {
    const token = await begin(name);
    const ended = await gitlab.run(parent, [name], {
      ...token,
      CI_COMMIT_REF_PROTECTED: 'true',
      CI_DEFAULT_BRANCH: 'main',
      CI_COMMIT_BRANCH: 'main',
    });
    of(name).status = ended.code === 0 ? 'success' : 'failed';
    if (name === 'gatehouse-approve') approve(world(), of(name));
    return ended;
  };
  const promote = readFileSync('gitlab-components/templates/promote/template.yml', 'utf8');
  const afterwards: ParentScene['afterwards'] = async (name, status) => {
    const inputs = { ...parse(configuration(componentSha, registry)).include[0].inputs };
    const jobs = rendered(promote, inputs, componentSha) as Record<string, { after_script?: string[] }>;
    return await gitlab.script((jobs[name]?.after_script ?? []).join('\n'), {
      ...(await begin(name)),
      CI_JOB_STATUS: status,
    });
  };
  const child = () => world().children[0] as GitlabWorld;
  return { hosted, gitlab, world, child, parent, componentSha, job, afterwards, renew };
}

/**
 * gitlab-ci-local lays the job's folder anew before `after_script`, so what the script left for later jobs is gone; GitLab's
 * runner does not. `cancelled` runs those scripts.
 */
function withoutAfterScripts(file: string): void {
  const text = readFileSync(file, 'utf8');
  const without = text.replace(/^ {2}after_script:\n(?: {4,}.*\n)+/gm, '');
  if (without === text) throw new Error('no job of promote has an after_script');
  writeFileSync(file, without);
}

/** Somebody who may approved the deployment that job gatehouse-approve stands for. */
function approve(world: GitlabWorld, job: Record<string, unknown>): void {
  world.deployments = [
    entity('deployment', {
      id: 41,
      ref: 'main',
      sha: world.pipeline.sha,
      status: 'success',
      environment: entity('environment', { id: 9, name: 'production' }),
      deployable: job,
      pending_approval_count: 0,
      approvals: [world.make.approval(105, { created_at: new Date().toISOString() })],
    }),
  ];
}

function layGitops(folder: string, registry: string): string {
  mkdirSync(join(folder, 'lab-results'), { recursive: true });
  cpSync(join(SAMPLE, 'deploy/base/deployment.yaml'), join(folder, 'lab-results/deployment.yaml'));
  const file = join(folder, 'lab-results/deployment.yaml');
  const text = readFileSync(file, 'utf8').replace(/image: \S+@/, `image: ${registry}/care/lab-results@`);
  writeFileSync(file, text.replace(DIGEST, '0'.repeat(64)));
  return folder;
}

function configuration(sha: string, registry: string): string {
  return readFileSync('workflows/gitlab/parent.gitlab-ci.yml', 'utf8')
    .replace(/\n {2}- component: [^\n]*\n {4}inputs:\n {6}name: portal[\s\S]*$/, '\n')
    .replaceAll(/@0{40}/g, `@${sha}`)
    .replace('others: care/portal', "others: ''")
    .replace('registry.example.org/care/lab-results', `${registry}/care/lab-results`)
    .replace('production/lab-results/', 'demo/lab-results/');
}
