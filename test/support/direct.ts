import { createPrivateKey, sign as signBytes } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Signer } from '../../src/attestation/signer.ts';
import { commands } from '../../src/commands/catalogue.ts';
import type { Command, Context } from '../../src/commands/command.ts';
import { ENVIRONMENT, laySite, REPOSITORY, registerDraft, type Site, TARGET } from '../../src/commands/demo/site.ts';
import { layGitops, type Said } from '../../src/commands/demo/steps.ts';
import { inputsOf } from '../../src/commands/flags.ts';
import type { RegisterDraft } from '../../src/evidence/register.ts';
import { GatehouseError } from '../../src/lib/errors.ts';
import { publicKeyOf, SAMPLE } from './signed-site.ts';

/*
 * The commands themselves, called in this process: the same words, the same answer, without the start of a program. For tests
 * that make many runs; what a program does with its streams and signals is tested by starting it.
 */

export const LAYOUT = join(SAMPLE, 'image');
export const REPORTS = join(SAMPLE, 'reports');
export const SOURCE_REPORTS = ['semgrep', 'gitleaks', 'checkov', 'osv-scanner'];

/** A program of two files: commands only ask for the policy in it, and for the digest of all of it. */
export function layProgram(folder: string): string {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'gate.wasm'), readFileSync('policies/gate.wasm'));
  writeFileSync(join(folder, 'gatehouse.js'), '// stands for the program\n');
  return folder;
}

/** What a site's jobs find in their environment to open its store with. */
const credentials = new WeakMap<Site, Record<string, string>>();

/** Runs one command of the site's release. A failure is answered as the program prints it. */
export async function direct(site: Site, words: string[], more: Partial<Context> = {}): Promise<Said> {
  const [verb, ...rest] = words;
  const command = await (commands[verb as string] as () => Promise<Command>)();
  const lines: string[] = [];
  const context: Context = {
    home: site.path('fork', 'dist'),
    env: { PATH: process.env.PATH, HOME: site.folder, ...credentials.get(site) },
    now: Date.now,
    // Whoever waits asks again: nothing in this process becomes true by waiting.
    sleep: (milliseconds) => pause(Math.min(milliseconds, 5)),
    progress: (line) => void lines.push(line),
    working: () => {},
    colour: false,
    ...more,
  };
  try {
    const { exit, json, text } = await command.run(inputsOf(command, rest), context);
    return { code: exit, json: JSON.parse(JSON.stringify(json)), text: [...lines, text].join('\n') };
  } catch (thrown) {
    if (!(thrown instanceof GatehouseError)) throw thrown;
    const { exit, code, message } = thrown;
    return { code: exit, json: { status: 'error', code, message }, text: [...lines, message].join('\n') };
  }
}

/** The same under a role, in the site's run. */
export async function as(site: Site, role: string, words: string[], more: Partial<Context> = {}): Promise<Said> {
  const key = site.path(`${role}-${process.hrtime.bigint()}.pem`);
  writeFileSync(key, site.keys.get(role) ?? '', { mode: 0o600 });
  try {
    return await direct(site, [...words, '--key', `file://${key}`], more);
  } finally {
    rmSync(key);
  }
}
const inRun = (site: Site) => ['--run', site.path('run.json')];

/** The steps of the demo, each a command of its own. */
export const steps = {
  open: (site: Site, environment = ENVIRONMENT) =>
    as(site, 'gate', ['evidence-emit', '--type', 'run.opened', '--environment', environment, ...inRun(site)]),
  seal: (site: Site) => as(site, 'gate', ['evidence-emit', '--type', 'run.sealed', ...inRun(site)]),
  sign: (site: Site, words: string[]) => as(site, 'build', ['build-sign', '--phase', 'sign', ...words, ...inRun(site)]),
  scan: (site: Site, report: string, image: string | null, folder = REPORTS) =>
    as(site, 'scan', [
      ...['scan', '--phase', 'record', '--report', join(folder, `${report}.json`)],
      ...['--sidecar', join(folder, `${report}.sidecar.json`)],
      ...(image === null ? [] : ['--subject', image]),
      ...inRun(site),
    ]),
  gate: (site: Site, stage: 'promote' | 'deploy', image: string, words: string[] = [], more: Partial<Context> = {}) =>
    as(
      site,
      'gate',
      [
        ...['policy-gate', '--stage', stage, '--image', image],
        ...(words.includes('--environment') ? [] : ['--environment', ENVIRONMENT]),
        ...(stage === 'promote' || words.includes('--target') ? [] : ['--target', TARGET]),
        ...words.filter((word) => word !== 'none'),
        ...inRun(site),
      ],
      more,
    ),
  deploy: (site: Site, changes: Record<string, string>, more: Partial<Context> = {}) => {
    const flags = {
      environment: ENVIRONMENT,
      target: TARGET,
      manifest: site.path('gitops', 'kustomization.yaml'),
      ...changes,
    };
    const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
    return as(site, 'deploy', ['deploy-by-digest', ...words, ...inRun(site)], more);
  },
};

/**
 * A site with a published register, laid by this process; `program` is the folder of the program in it, `store` another one
 * than the folder beside it.
 */
export async function laySiteHere(
  folder: string,
  registry: string,
  program?: string,
  store?: { url: string; env: Record<string, string> },
): Promise<Site> {
  const site = laySite(folder, program ?? layProgram(join(folder, 'program')), REPORTS, registry);
  if (store !== undefined) {
    const file = site.path('fork', 'contract.yml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('file:../store', store.url));
    credentials.set(site, store.env);
  }
  const { json: release } = await direct(site, ['register', 'release']);
  await publish(site, () => registerDraft(release, Date.now()) as RegisterDraft);
  await layGitops(site, SAMPLE, `${registry}/${REPOSITORY}`);
  return site;
}

/** Publishes the next register: the last one with a change. */
export async function publish(site: Site, change: (draft: RegisterDraft) => RegisterDraft): Promise<Said> {
  const file = site.path('register.json');
  let last = {} as RegisterDraft;
  try {
    last = JSON.parse(readFileSync(file, 'utf8')) as RegisterDraft;
  } catch {
    // The first one.
  }
  writeFileSync(file, JSON.stringify(change(last)));
  return await succeed(as(site, 'release', ['register', 'publish', '--file', file]));
}

/** Edits the contract as a platform team does: the register lists it afterwards, unless that is the attack. */
// biome-ignore lint/suspicious/noExplicitAny: a change may put anything anywhere
export async function editContract(site: Site, change: (contract: any) => void, listed = true): Promise<void> {
  const file = site.path('fork', 'contract.yml');
  const text = readFileSync(file, 'utf8');
  const contract = JSON.parse(text.slice(text.indexOf('{')));
  change(contract);
  writeFileSync(file, JSON.stringify(contract));
  if (!listed) return;
  const { json: release } = await direct(site, ['register', 'release']);
  await publish(site, (draft) => ({ ...draft, releases: [release] }));
}

/** A signer with the role's own key. */
export function signerOfRole(site: Site, role: string): Signer {
  const key = createPrivateKey(site.keys.get(role) as string);
  return {
    keyId: `demo-${role}`,
    publicKeyPem: publicKeyOf(site, role),
    sign: async (bytes) => signBytes('sha256', bytes, key),
  };
}

export async function succeed(step: Promise<Said>): Promise<Said> {
  const said = await step;
  if (said.code !== 0) throw new Error(`a step that was to succeed ended with exit ${said.code}: ${said.text}`);
  return said;
}

/** The rules that failed, or `allow`, or the code of an error. */
export function verdictOf({ json }: Said): string | string[] {
  if (json.status === 'error') return json.code;
  const failed = (json.reasons ?? []).filter((reason: { outcome: string }) => reason.outcome === 'fail');
  return failed.length === 0 ? 'allow' : failed.map((reason: { rule: string }) => reason.rule);
}
