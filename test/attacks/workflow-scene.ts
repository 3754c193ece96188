import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, TARGET } from '../../src/commands/demo/site.ts';
import { layGitops } from '../../src/commands/demo/steps.ts';
import { type RegistryServer, startRegistry } from '../../src/registry/server/start.ts';
import { GITHUB_CLAIMS } from '../support/claims.ts';
import { LAYOUT, REPORTS } from '../support/direct.ts';
import { type FakeGithub, PEOPLE } from '../support/fake-github.ts';
import { GIT_TOKEN, type GitServer, publishTo, startGit } from '../support/git-server.ts';
import { bringToGate, type HostedSite, layHostedSite } from '../support/hosted-site.ts';
import type { Claims } from '../support/issuer.ts';
import { type Ran, startAction } from '../support/runner.ts';
import { cleanEnvironment, run, runAside, type sandboxes } from '../support/sandbox.ts';
import { SAMPLE } from '../support/signed-site.ts';

/** How a verb ended: its exit code, and `allow`, the rules that failed, or the code of its error. */
export interface Said {
  exit: number | null;
  says: string | string[];
  /** The whole answer, for what a case is about. */
  // biome-ignore lint/suspicious/noExplicitAny: each verb has its own document
  json: any;
  log: string;
}

export type Where = { role?: string; claims?: Claims; env?: Record<string, string>; step?: string };

/** A hosted site on GitHub whose run has come to where attacks begin, and every process of it as a job would start it. */
export interface WorkflowScene {
  hosted: HostedSite;
  github: FakeGithub;
  registry: RegistryServer;
  git: GitServer;
  /** Makes a work tree a clone of a repository of the server; gives that one's folder. */
  publish(workTree: string): string;
  /** Requests that the registry saw. */
  asked: { path: string; authorization: string | undefined }[];
  image: string;
  /** What a job has in its environment; `claims` are the attacker's changes to its token. */
  token(where: Where): Promise<Record<string, string>>;
  verb(where: Where, ...words: string[]): Promise<Said>;
  action(name: string, where: Where, inputs: Record<string, string>): Promise<Ran & { env: string }>;
  /** Asks the gate, which must allow; gives the key of its decision. */
  allowed(stage: 'promote' | 'deploy', image?: string): Promise<string>;
  /** Everything that could have changed, as one comparable value. */
  state(): { store: string[]; registry: string[]; gitops: string; manifest: string };
  close(): Promise<void>;
}

/** Plays an honest run: to where it may be signed, or until the gate has allowed the deploy and a person approved. */
export async function layWorkflowScene(
  sandbox: ReturnType<typeof sandboxes>,
  until: 'opened' | 'approved',
  change?: Parameters<typeof layHostedSite>[3],
): Promise<WorkflowScene> {
  const folder = sandbox.folder('workflow');
  const stored = join(folder, 'registry');
  mkdirSync(stored);
  const asked: WorkflowScene['asked'] = [];
  const registry = await startRegistry({
    folder: stored,
    faults: ({ path, headers }) => {
      asked.push({ path, authorization: headers.authorization });
      return null;
    },
  });
  const hosted = await layHostedSite('github', folder, registry.host, change);
  const github = hosted.api as FakeGithub;
  github.world.approvals = [];
  const { site, issuer } = hosted;
  await layGitops(site, SAMPLE, `${registry.host}/${REPOSITORY}`);
  const repositories = sandbox.folder('repositories');
  const git = await startGit(repositories);
  const publish = (workTree: string) =>
    publishTo(git, repositories, `gitops-${readdirSync(repositories).length}`, workTree);
  const followed = publish(site.path('gitops'));
  const scene: WorkflowScene = {
    hosted,
    github,
    registry,
    git,
    publish,
    asked,
    image: '',
    token: async ({ role = 'none', claims = {} }) => {
      const env = { ...(await hosted.environment(role)), GATEHOUSE_GIT_TOKEN: GIT_TOKEN };
      issuer.runnerToken = (aud) => issuer.sign({ ...GITHUB_CLAIMS, environment: `gatehouse-${role}`, aud, ...claims });
      return env;
    },
    verb: async (where, ...words) => {
      const env = { ...(await scene.token(where)), GITHUB_ACTION: where.step ?? nextStep(), ...where.env };
      const ended = await runAside(process.execPath, [site.program, ...words, '--json'], cleanEnvironment(folder, env));
      return { exit: ended.code, ...saidIn(ended.stdout), log: ended.stdout + ended.stderr };
    },
    action: async (name, where, inputs) => {
      const env = { ...(await scene.token(where)), GITHUB_ACTION: where.step ?? nextStep(), ...where.env };
      const runner = sandbox.folder('runner');
      const ran = await startAction(site.path('fork', 'dist', `${name}.js`), inputs, runner, env);
      return { ...ran, env: readFileSync(join(runner, 'env'), 'utf8') };
    },
    allowed: async (stage, image = scene.image) => {
      const said = await scene.verb({ role: 'gate' }, ...gateWords(stage, image));
      if (said.exit !== 0) throw new Error(`the gate was to allow: ${JSON.stringify(said.says)} ${said.log}`);
      return said.json.key;
    },
    state: () => ({
      store: bytesIn(site.path('store')),
      registry: bytesIn(stored),
      gitops: run('git', ['-C', followed, 'rev-parse', 'HEAD']).stdout,
      manifest: readFileSync(site.path('gitops', 'kustomization.yaml'), 'utf8'),
    }),
    close: async () => {
      await hosted.close();
      await registry.close();
      await git.close();
    },
  };
  if (until === 'opened') {
    const opened = await scene.verb({ role: 'gate' }, ...openWords());
    if (opened.exit !== 0) throw new Error(`the run was to open: ${opened.log}`);
    return scene;
  }
  scene.image = await bringToGate(hosted, registry.host);
  await scene.allowed('promote');
  approve(github, PEOPLE.lead);
  return scene;
}

/** A person lets the waiting job go, now. */
export function approve({ world }: FakeGithub, person: number): void {
  const now = new Date(Math.floor(Date.now() / 1000) * 1000).toISOString().replace('.000Z', 'Z');
  world.approvals.push(world.make.approval(person));
  world.jobs = world.jobs.map((job) =>
    job.name === 'promote / approve' ? { ...job, created_at: now, started_at: now, completed_at: now } : job,
  );
}

export const openWords = () => ['evidence-emit', '--type', 'run.opened', '--environment', 'production'];
export const sealWords = () => ['evidence-emit', '--type', 'run.sealed'];
export const gateWords = (stage: 'promote' | 'deploy', image: string) => [
  ...['policy-gate', '--stage', stage, '--environment', 'production', '--image', image],
  ...(stage === 'deploy' ? ['--target', TARGET] : []),
];
export const signWords = (layout: string, digest: string | null, image: string) => [
  ...['build-sign', '--phase', 'sign', '--layout', layout, '--image', image],
  ...(digest === null ? [] : ['--digest', digest]),
];
export const scanWords = (image: string) => [
  ...['scan', '--phase', 'record', '--report', join(REPORTS, 'trivy.json'), '--subject', image],
  ...['--sidecar', join(REPORTS, 'trivy.sidecar.json')],
];
export const deployWords = (
  { hosted, image }: WorkflowScene,
  decision: string,
  changes: Record<string, string> = {},
): string[] => {
  const manifest = hosted.site.path('gitops', 'kustomization.yaml');
  const inputs = { decision, image, environment: 'production', target: TARGET, manifest, ...changes };
  return ['deploy-by-digest', ...Object.entries(inputs).flatMap(([name, value]) => [`--${name}`, value])];
};

/** Of the run. */
export const COMMIT = String(GITHUB_CLAIMS.sha);
export const DIGEST: string = JSON.parse(readFileSync(join(LAYOUT, 'index.json'), 'utf8')).manifests[0].digest;

/** Lines that GitHub's runner would take for a command: `::name…::` at its start, `##[name…]` anywhere in it. */
export function commandsIn(log: string): string[] {
  return log.split(/\r\n|\r|\n/).filter((line) => /^\s*::[a-z-]+(?: [^:]*)?::/.test(line) || /##\[[a-z-]+/.test(line));
}

let steps = 0;
function nextStep(): string {
  steps += 1;
  return `attack-${steps}`;
}

function saidIn(stdout: string): Pick<Said, 'says' | 'json'> {
  const json = JSON.parse(stdout || '{}');
  if (json.status === 'error') return { json, says: json.code };
  const failed = (json.reasons ?? []).filter(({ outcome }: { outcome: string }) => outcome === 'fail');
  const rules = failed.map(({ rule }: { rule: string }) => rule);
  return { json, says: rules.length > 0 ? rules : (json.outcome ?? json.status ?? 'done') };
}

/** Names and digests of all files, so that a changed byte is seen as well. */
function bytesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return `${path} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
    })
    .sort();
}
