import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CouldNot } from '../../lib/errors.ts';
import { exec } from '../../lib/exec.ts';
import { ENVIRONMENT, readPlatform, type Site, TARGET, writePlatform } from './site.ts';

/** What one run of the shipped program said: its exit code and its one JSON document. */
export interface Said {
  code: number;
  // biome-ignore lint/suspicious/noExplicitAny: each verb has its own document
  json: any;
  text: string;
}

/** Folders with a key that lies on disk now. */
const held = new Set<string>();
let interrupted: NodeJS.Signals | null = null;

/** Ends the demo at its next step, by a thrown CouldNot, so that everything is removed as ever; keys go from the disk at once. */
export function interrupt(signal: NodeJS.Signals): void {
  interrupted = signal;
  for (const folder of held) rmSync(folder, { recursive: true, force: true });
}

function checkInterrupted(): void {
  if (interrupted !== null) throw new CouldNot('demo.interrupted', `the demo was ended by ${interrupted}`);
}

/** A child gets what finds programs and nothing else: no variable of ours reaches a step. */
export function bareEnvironment(home: string): Record<string, string> {
  return { PATH: process.env.PATH ?? '', HOME: home, LANG: 'C.UTF-8', TERM: process.env.TERM ?? 'dumb' };
}

/** Exit codes from here on stand for a program that a signal ended (see exec). */
const ENDED_BY_SIGNAL = 128;

/** Runs the site's program as a process of its own. */
export async function gatehouse(site: Site, ...args: string[]): Promise<Said> {
  checkInterrupted();
  const { code, stdout, stderr } = await exec(process.execPath, [site.program, ...args, '--json'], {
    cwd: site.folder,
    env: bareEnvironment(site.folder),
  });
  // A terminal ends the step and us at once, and which of the two is heard of first is chance.
  if (code >= ENDED_BY_SIGNAL) await pause(200);
  checkInterrupted();
  try {
    return { code, json: JSON.parse(stdout), text: stderr };
  } catch (cause) {
    throw new CouldNot(
      'demo.step',
      `gatehouse ${args[0]} did not answer with a document (exit ${code}): ${stderr.trim().split('\n').slice(-3).join(' / ')}`,
      cause,
    );
  }
}

/** A step under one role: its key lies on disk, readable by this user alone, while its process runs, and no other role's does. */
export async function withKey(site: Site, role: string, ...args: string[]): Promise<Said> {
  checkInterrupted();
  const folder = mkdtempSync(site.path(`key-${role}-`));
  held.add(folder);
  try {
    writeFileSync(join(folder, 'key.pem'), site.keys.get(role) ?? '', { mode: 0o600 });
    return await gatehouse(site, ...args, '--key', `file://${join(folder, 'key.pem')}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    held.delete(folder);
  }
}

const as = (site: Site, role: string, ...args: string[]) =>
  withKey(site, role, ...args, '--run', site.path('run.json'));

/** Opens the run; makes its run file. */
export const open = (site: Site) =>
  as(site, 'gate', 'evidence-emit', '--type', 'run.opened', '--environment', ENVIRONMENT);
/** Seals the run as role gate. */
export const seal = (site: Site) => as(site, 'gate', 'evidence-emit', '--type', 'run.sealed');
/** Pushes a layout that has this digest to `image`, registry/repository, and signs it as role build. */
export const sign = (site: Site, layout: string, digest: string, image: string) =>
  as(site, 'build', 'build-sign', '--phase', 'sign', '--layout', layout, '--digest', digest, '--image', image);
/** Signs an image, registry/repository@sha256:…, that somebody else built and pushed. */
export const adopt = (site: Site, image: string) =>
  as(site, 'build', 'build-sign', '--phase', 'sign', '--image', image);
/** Asks the gate for stage promote; exit 1 is its denial. */
export const promote = (site: Site, image: string) =>
  as(site, 'gate', 'policy-gate', '--stage', 'promote', '--environment', ENVIRONMENT, '--image', image);
/** Asks the gate for stage deploy; the document’s `key` is what `deploy` takes. */
export const decideDeploy = (site: Site, image: string) =>
  as(
    site,
    'gate',
    'policy-gate',
    '--stage',
    'deploy',
    '--environment',
    ENVIRONMENT,
    '--image',
    image,
    '--target',
    TARGET,
  );
/** Deploys by the decision under this key of the store, into the manifest of the GitOps repository. */
export const deploy = (site: Site, image: string, decision: string, manifest = 'kustomization.yaml') =>
  as(
    site,
    'deploy',
    'deploy-by-digest',
    '--decision',
    decision,
    '--image',
    image,
    '--environment',
    ENVIRONMENT,
    '--target',
    TARGET,
    '--manifest',
    site.path('gitops', manifest),
  );

/** Records one scanner's report with its sidecar: about the image when it names one, else about the commit. */
export function scan(site: Site, reports: string, name: string, image: string | null): Promise<Said> {
  const about = image === null ? [] : ['--subject', image];
  return as(
    site,
    'scan',
    'scan',
    '--phase',
    'record',
    '--report',
    join(reports, `${name}.json`),
    '--sidecar',
    join(reports, `${name}.sidecar.json`),
    ...about,
  );
}

/** A person presses the button on the platform. */
export function approve(site: Site, userId: string): void {
  const platform = readPlatform(site);
  platform.approvals.push({
    runId: '5001',
    attempt: 1,
    environment: ENVIRONMENT,
    userId,
    state: 'approved',
    at: new Date().toISOString(),
  });
  writePlatform(site, platform);
}

/** The GitOps repository of the cluster: the sample's manifests and a kustomization that names the image by an older digest. */
export async function layGitops(site: Site, sample: string, name: string): Promise<void> {
  const base = join(sample, 'deploy', 'base');
  for (const file of ['deployment.yaml', 'network-policy.yaml'])
    copyFileSync(join(base, file), site.path('gitops', file));
  const mapped = /image: ([^@\s]+)/.exec(readFileSync(join(base, 'deployment.yaml'), 'utf8'))?.[1] ?? name;
  const before = `sha256:${'0'.repeat(64)}`;
  writeFileSync(
    site.path('gitops', 'kustomization.yaml'),
    `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: lab-results\nresources:\n  - deployment.yaml\n  - network-policy.yaml\nimages:\n  # Changed by deploys only.\n  - name: ${mapped}\n    newName: ${name}\n    digest: ${before}\n`,
  );
  const git = (...args: string[]) =>
    exec('git', ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', '-c', 'init.defaultBranch=main', ...args], {
      cwd: site.path('gitops'),
      env: bareEnvironment(site.folder),
    });
  await git('init', '--quiet', '--template=');
  await git('add', '--all');
  const { code, stderr } = await git('commit', '--quiet', '--message', 'The cluster as it is');
  if (code !== 0) throw new CouldNot('demo.git', `cannot make the GitOps repository: ${stderr.trim()}`);
}
