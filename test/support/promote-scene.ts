import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { REPOSITORY, TARGET } from '../../src/commands/demo/site.ts';
import { layGitops } from '../../src/commands/demo/steps.ts';
import { loadContract } from '../../src/contract/load-contract.ts';
import { exec } from '../../src/lib/exec.ts';
import { startRegistry } from '../../src/registry/server/start.ts';
import { GITHUB_CLAIMS } from './claims.ts';

import { type FakeGithub, MERGED, PEOPLE } from './fake-github.ts';
import { GIT_TOKEN, startGit } from './git-server.ts';
import { type HostedSite, layHostedSite } from './hosted-site.ts';
import { startServer } from './json-server.ts';
import { layCopy, readWorkflow } from './promote-copy.ts';
import { cleanEnvironment, commitAll, type Ended, type sandboxes } from './sandbox.ts';
import { SAMPLE } from './signed-site.ts';
import { standIns } from './stand-in.ts';
import { toolPath } from './tools.ts';

/** What a scanner's stand-in says in one run, by the name of the sample's report. */
export type Reports = Record<string, string>;

const ALL: Reports = {
  trivy: 'trivy',
  semgrep: 'semgrep',
  gitleaks: 'gitleaks',
  checkov: 'checkov',
  'osv-scanner': 'osv-scanner',
};

interface Changes {
  attempt?: number;
  /** Runner pools of jobs that run elsewhere than in the contract's. */
  pools?: Record<string, string>;
  isProtected?: boolean;
  reports?: Reports;
  build?: string;
  /** What whoever is asked to approve says. */
  approves?: boolean;
}

const BUILD = 'cp -r built "$GATEHOUSE_LAYOUT"';

export interface PromoteScene {
  hosted: HostedSite;
  github: FakeGithub;
  /** Release, workflow and application in one. */
  repository: string;
  /** `METHOD path` of what each job that asked for its identity asked of the platform's API and of the registry. */
  asked: Map<string, Set<string>>;
  /** Runs the workflow once; `attempt` above 1 is a re-run of all jobs. */
  run(changes?: Changes): Promise<Ended>;
  /** The manifest as it was pushed. */
  pushed(): string;
  close(): Promise<void>;
}

/** A hosted site whose run is the reusable workflow itself, run by the real act. */
export async function layPromoteScene(sandbox: ReturnType<typeof sandboxes>): Promise<PromoteScene> {
  const asked = new Map<string, Set<string>>();
  const seenBefore = { count: 0, job: '' };
  const registry = await startRegistry({
    faults: ({ method, path }) => {
      asked.get(seenBefore.job)?.add(`${method} ${path.split('?', 1)[0]}`);
      return null;
    },
  });
  const { host } = registry;
  const repositories = sandbox.folder('origin');
  const git = await startGit(repositories);
  const manifests = manifestsOf(git.url);
  const gitops = manifests.repository.replace(git.url, repositories);
  const hosted = await layHostedSite('github', sandbox.folder('promote'), host, (contract) => {
    contract.scanners.sast.tools[0].rules = 'semgrep-rules.yml';
    contract.environments.production.approvals.strength = 'run';
    contract.environments.production.targets[0].manifests = manifests;
  });
  const github = hosted.api as FakeGithub;
  const repository = sandbox.folder('repository');
  for (const part of ['dist', 'contract.yml'])
    cpSync(hosted.site.path('fork', part), join(repository, part), { recursive: true });
  cpSync(join(SAMPLE, 'semgrep-rules.yml'), join(repository, 'semgrep-rules.yml'));
  cpSync(join(SAMPLE, 'app'), join(repository, 'app'), { recursive: true });
  cpSync(join(SAMPLE, 'image'), join(repository, 'built'), { recursive: true });
  await layGitops(hosted.site, SAMPLE, `${host}/${REPOSITORY}`);
  const cluster = sandbox.folder('cluster');
  cpSync(hosted.site.path('gitops'), join(cluster, 'deploy'), {
    recursive: true,
    filter: (path) => !path.includes('.git'),
  });
  commitAll(cluster);
  execFileSync('git', ['clone', '-q', '--bare', cluster, `${gitops}.git`]);
  let attempt = 1;
  let approves = true;
  let sha = MERGED;
  const names = Object.keys(readWorkflow().jobs);
  const idOf = (job: string) => 5001 + 100 * attempt + names.indexOf(job);
  const note = () => {
    const seen = asked.get(seenBefore.job);
    for (const { method, path } of github.seen.slice(seenBefore.count)) seen?.add(`${method} ${path}`);
    seenBefore.count = github.seen.length;
  };
  const runner = await startServer(async ({ path, query }) => {
    const job = path.slice(1);
    note();
    if (job === 'approved') {
      if (!approves) return { status: 403, json: { message: 'rejected' } };
      approve(github, idOf('approve'));
      return { json: { message: 'approved' } };
    }
    seenBefore.job = job;
    if (!asked.has(job)) asked.set(job, new Set());
    const { environment } = readWorkflow().jobs[job] ?? {};
    const claims = { ...GITHUB_CLAIMS, sha, workflow_sha: sha, environment, check_run_id: String(idOf(job)) };
    return {
      json: {
        value: await hosted.issuer.sign({ ...claims, run_attempt: String(attempt), aud: query.get('audience') }),
      },
    };
  });
  return {
    hosted,
    github,
    repository,
    asked,
    pushed: () =>
      execFileSync('git', ['-C', `${gitops}.git`, 'show', `${manifests.branch}:deploy/kustomization.yaml`], {
        encoding: 'utf8',
      }),
    run: async ({
      attempt: number = 1,
      isProtected = true,
      reports = ALL,
      build = BUILD,
      approves: says = true,
      pools = {},
    } = {}) => {
      approves = says;
      attempt = number;
      layCopy(
        repository,
        { image: `${host}/${REPOSITORY}`, target: TARGET, build },
        { isProtected, runner: runner.url, git: git.url },
      );
      sha = commitOnce(repository, `${git.url}/web.git`);
      worldOf(
        github,
        sha,
        attempt,
        names.map((name) => [name, idOf(name)]),
        pools,
      );
      const home = sandbox.folder('home');
      seenBefore.count = github.seen.length;
      const tools = scanners(home, reports);
      const ended = await exec(
        toolPath('act'),
        [
          'push',
          '-W',
          '.github/workflows/release.yml',
          '-P',
          'ubuntu-latest=-self-hosted',
          '--action-offline-mode',
          '-s',
          'GITHUB_TOKEN=github-token',
          '-s',
          `MANIFEST_TOKEN=${GIT_TOKEN}`,
        ],
        {
          cwd: repository,
          env: cleanEnvironment(home, {
            PATH: `${tools}${delimiter}${dirname(process.execPath)}${delimiter}${process.env.PATH}`,
          }),
        },
      );
      note();
      return ended;
    },
    close: async () => {
      await Promise.all([runner.close(), hosted.close(), registry.close(), git.close()]);
    },
  };
}

/** Where the shipped contract says that the manifests of its target lie, on this git server. */
function manifestsOf(url: string): { repository: string; branch: string } {
  const { file } = loadContract('test/fixtures/contract.yml');
  const manifests = file.environments.production?.targets[0]?.manifests;
  if (manifests === undefined) throw new Error('the shipped contract names no manifests');
  return { ...manifests, repository: manifests.repository.replace('https://github.com', url) };
}

/** Commits what is new; a re-run of the same is of the same commit. */
function commitOnce(repository: string, url: string): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
  if (!existsSync(join(repository, '.git'))) {
    commitAll(repository);
    git('remote', 'add', 'origin', url);
  }
  if (git('status', '--porcelain') !== '') commitAll(repository);
  return git('rev-parse', 'HEAD');
}

/** STAND-INS for the scanners, with databases of today. */
function scanners(home: string, reports: Reports): string {
  const trivy = join(home, '.cache', 'trivy', 'db');
  const osv = join(home, '.cache', 'osv', 'osv-scalibr', 'Go');
  for (const folder of [trivy, osv]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(trivy, 'metadata.json'), JSON.stringify({ Version: 2, UpdatedAt: new Date().toISOString() }));
  writeFileSync(join(trivy, 'trivy.db'), 'stands for a database');
  writeFileSync(join(osv, 'all.zip'), 'stands for a database');
  utimesSync(join(osv, 'all.zip'), new Date(), new Date());
  const now = new Date().toISOString();
  return standIns(
    join(home, 'tools'),
    Object.fromEntries(
      Object.entries(reports).map(([tool, name]) => {
        const said = readFileSync(join(SAMPLE, 'reports', `${name}.json`), 'utf8');
        const sidecar = JSON.parse(readFileSync(join(SAMPLE, 'reports', `${name}.sidecar.json`), 'utf8'));
        // Trivy says when it wrote; a scan that failed left nothing.
        const says = tool === 'trivy' && said !== '' ? JSON.stringify({ ...JSON.parse(said), CreatedAt: now }) : said;
        return [tool, { says, exit: sidecar.exitCode, version: sidecar.tool.version }];
      }),
    ),
  );
}

/** The fake's world moved to this commit and attempt, with the jobs of the workflow. */
function worldOf(
  github: FakeGithub,
  sha: string,
  attempt: number,
  jobs: [name: string, id: number][],
  pools: Record<string, string>,
): void {
  const { world } = github;
  const known = String(world.run.head_sha);
  const { make, instead, ...rest } = world;
  Object.assign(world, JSON.parse(JSON.stringify(rest).replaceAll(known, sha)));
  world.run.run_attempt = attempt;
  // GitHub's history of reviews covers all attempts; a new run begins without any.
  if (attempt === 1) world.approvals = [];
  world.jobs = jobs.map(([name, id]) =>
    make.job(id, `promote / ${name}`, {
      ...(name in pools ? { runner_group_name: pools[name] } : {}),
      run_attempt: attempt,
      head_sha: sha,
      status: 'in_progress',
      conclusion: null,
      completed_at: null,
    }),
  );
}

/** What a person does on GitHub: the waiting job is let go now. */
function approve(github: FakeGithub, id: number): void {
  const now = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  github.world.approvals.push(github.world.make.approval(PEOPLE.lead));
  github.world.jobs = github.world.jobs.map((job) =>
    job.id === id
      ? { ...job, status: 'completed', conclusion: 'success', created_at: now, started_at: now, completed_at: now }
      : job,
  );
}
