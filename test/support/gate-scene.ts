import { randomInt } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Signer } from '../../src/attestation/signer.ts';
import { copySite, REPOSITORY, readPlatform, type Site, writePlatform } from '../../src/commands/demo/site.ts';
import { approve } from '../../src/commands/demo/steps.ts';
import type { PlatformFile } from '../../src/contract/platform-file.ts';
import type { Record } from '../../src/contract/record.ts';
import type { Role } from '../../src/contract/roles.ts';
import { appendRecord } from '../../src/evidence/append.ts';
import { signRecord } from '../../src/evidence/record.ts';
import type { RegisterDraft } from '../../src/evidence/register.ts';
import { type RegistryServer, startRegistry } from '../../src/registry/server/start.ts';
import { directoryStore } from '../../src/store/directory.ts';
import { direct, LAYOUT, laySiteHere, publish, SOURCE_REPORTS, steps, succeed, verdictOf } from './direct.ts';

/** Points of one allowed run, from which attacks branch off on copies. */
export const POINTS = ['ready', 'opened', 'unscanned', 'scanned', 'promoted', 'approved', 'decided'] as const;
export type Point = (typeof POINTS)[number];

export interface Scene {
  registry: RegistryServer;
  registryFolder: string;
  /** What the registry holds, by file below its folder. */
  published(): string[];
  /** The promoted image, by digest. */
  image: string;
  digest: string;
  /** Keys of the decisions that were made, by stage. */
  decisions: { promote: string; deploy: string };
  /** A copy of the site as it was then. */
  at(point: Point): Site;
}

/**
 * Plays one run, to its deploy decision or until a point, and keeps the site at each point. `program` is the folder of the
 * program in the site; `prepare` changes the site before the run begins.
 */
export async function playRun(
  folder: string,
  program?: string,
  until: Point = 'decided',
  prepare: (site: Site) => unknown = () => {},
): Promise<Scene> {
  const registryFolder = join(folder, 'registry');
  mkdirSync(registryFolder);
  const registry = await startRegistry({ folder: registryFolder });
  const site = await laySiteHere(join(folder, 'site'), registry.host, program);
  await prepare(site);
  const points = new Map<Point, Site>();
  let copies = 0;
  const scene: Scene = {
    registry,
    registryFolder,
    published: () => filesIn(registryFolder),
    image: '',
    digest: '',
    decisions: { promote: '', deploy: '' },
    at: (point) => copySite(points.get(point) as Site, join(folder, `copy-${copies++}`)),
  };
  for (const point of POINTS) {
    await plays[point](site, scene);
    points.set(point, copySite(site, join(folder, `at-${point}`)));
    if (point === until) break;
  }
  return scene;
}

/** What brings the run to a point from the one before. */
const plays: { [point in Point]: (site: Site, scene: Scene) => unknown } = {
  ready: async (site, scene) => {
    const { json } = await succeed(direct(site, ['build-sign', '--phase', 'build', '--layout', LAYOUT]));
    scene.digest = json.digest;
  },
  opened: (site) => succeed(steps.open(site)),
  unscanned: async (site, scene) => {
    const name = `${scene.registry.host}/${REPOSITORY}`;
    const words = ['--layout', LAYOUT, '--digest', scene.digest, '--image', name];
    scene.image = (await succeed(steps.sign(site, words))).json.image;
    for (const report of SOURCE_REPORTS) await succeed(steps.scan(site, report, null));
  },
  scanned: (site, { image }) => succeed(steps.scan(site, 'trivy', image)),
  promoted: async (site, { image, decisions }) => {
    decisions.promote = (await succeed(steps.gate(site, 'promote', image))).json.key;
  },
  approved: (site) => approve(site, '201'),
  decided: async (site, { image, decisions }) => {
    decisions.deploy = (await succeed(steps.gate(site, 'deploy', image))).json.key;
  },
};

/** Everything in the site's store, by key. */
export const keysIn = (site: Site) => filesIn(site.path('store')).filter((key) => !key.startsWith('.tmp/'));

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

export const storePath = (site: Site, key: string) => site.path('store', ...key.split('/'));
export const drop = (site: Site, ...keys: string[]) => {
  for (const key of keys) rmSync(storePath(site, key), { force: true });
};
export function put(site: Site, key: string, bytes: string | Buffer): void {
  drop(site, key);
  mkdirSync(join(storePath(site, key), '..'), { recursive: true });
  writeFileSync(storePath(site, key), bytes);
}

/** The record at a key. */
export function recordAt(site: Site, key: string): Record {
  const { payload } = JSON.parse(readFileSync(storePath(site, key), 'utf8')).dsseEnvelope;
  return JSON.parse(Buffer.from(payload, 'base64').toString('utf8')).predicate;
}

/** The record of this type, for a scan of this tool: where it is and what it says. */
export function recordOf(site: Site, type: string, tool: string | null = null): { key: string; record: Record } {
  for (const key of keysIn(site).filter((each) => each.startsWith('v1/records/') && each.includes(`-${type}-`))) {
    const record = recordAt(site, key);
    if (tool === null || record.data.tool === tool) return { key, record };
  }
  throw new Error(`the store has no ${type} ${tool ?? ''}`);
}

/** Pointers to a record. */
export function pointersTo(site: Site, record: string): string[] {
  return keysIn(site).filter(
    (key) => key.startsWith('v1/by-digest/') && readFileSync(storePath(site, key), 'utf8').includes(record),
  );
}

/** A record like another one, with changes, signed with the key of `signer` and laid into the store like any other. */
export async function forge(
  site: Site,
  like: Record,
  changes: Partial<Record>,
  signer: Signer,
  role: Role,
): Promise<{ key: string }> {
  const now = { time: new Date().toISOString() };
  const { id: _, controls: __, specversion: ___, schema: ____, ...input } = { ...like, ...now, ...changes };
  const place = { jobKey: 'local-forged', stepKey: `step-${randomInt(1000, 9999)}` };
  const tool = typeof input.data.tool === 'string' ? input.data.tool : null;
  const signed = await signRecord(input, place, { signer, role }, tool);
  return { key: (await appendRecord(directoryStore(site.path('store')), signed)).key };
}

/** Edits what the platform says. */
export function editPlatform(site: Site, change: (platform: PlatformFile) => void): void {
  const platform = readPlatform(site);
  change(platform);
  writePlatform(site, platform);
}

/** Signs the sample as another image of this run and scans all of it; gives the image by digest. */
export async function signAndScan(scene: Scene, site: Site, name: string): Promise<string> {
  const image = `${scene.registry.host}/care/${name}`;
  await succeed(steps.sign(site, ['--layout', LAYOUT, '--digest', scene.digest, '--image', image]));
  await scanAll(site, `${image}@${scene.digest}`);
  return `${image}@${scene.digest}`;
}

export async function scanAll(site: Site, image: string): Promise<void> {
  for (const report of SOURCE_REPORTS) await succeed(steps.scan(site, report, null));
  await succeed(steps.scan(site, 'trivy', image));
}

/** Publishes the next register with some of it changed. */
export const editRegister = (site: Site, change: (draft: RegisterDraft) => Partial<RegisterDraft>) =>
  publish(site, (last) => ({ ...last, ...change(last) }));

export const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();

type Approval = PlatformFile['approvals'][number];
export const approval = (changes: Partial<Approval> = {}): Approval => ({
  runId: '5001',
  attempt: 1,
  environment: 'production',
  userId: '201',
  state: 'approved',
  at: new Date().toISOString(),
  ...changes,
});
export const approved = (site: Site, ...approvals: Approval[]) =>
  editPlatform(site, (platform) => void platform.approvals.push(...approvals));

/** What the attacker does, from where, which rules must fail, and what is asked of the gate. */
export type Row = [what: string, from: Point, act: (site: Site) => unknown, rules: string[], asked?: Asked];
interface Asked {
  stage?: 'promote' | 'deploy';
  image?: (site: Site) => Promise<string> | string;
  words?: string[];
}
export const table = (rows: Row[]) => rows.map((row) => ({ name: row[0], row }));

/** What the gate says after the attack; whether it allows or denies, the decision is recorded. */
export async function judged(scene: Scene, [, from, act, , asked = {}]: Row) {
  const site = scene.at(from);
  await act(site);
  const image = (await asked.image?.(site)) ?? scene.image;
  const stage = asked.stage ?? (['promoted', 'approved'].includes(from) ? 'deploy' : 'promote');
  const said = await steps.gate(site, stage, image, asked.words);
  if (said.json.status !== 'error') expect(keysIn(site)).toContain(said.json.key);
  return { verdict: verdictOf(said), code: said.code };
}

/** The attack is denied by exactly the rules of its row. */
export async function expectDenial(scene: Scene, row: Row): Promise<void> {
  expect(await judged(scene, row)).toEqual({ verdict: row[3], code: 1 });
}

/** The program itself, in place of the two files that stand for it. */
export async function installProgram(site: Site): Promise<void> {
  rmSync(site.path('fork', 'dist'), { recursive: true });
  cpSync('build/dist', site.path('fork', 'dist'), { recursive: true });
  const { json: release } = await direct(site, ['register', 'release']);
  await editRegister(site, () => ({ releases: [release] }));
}
