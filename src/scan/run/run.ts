import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { ScanSidecar } from '../../contract/scan-report.ts';
import { digestOf } from '../../lib/digest.ts';
import { BadInput } from '../../lib/errors.ts';
import type { Exec } from '../../lib/exec.ts';
import { formatTime } from '../../lib/time.ts';
import { whyNot } from '../../lib/write.ts';
import { findProgram } from './program.ts';
import { type Place, type Recipe, recipes } from './recipes.ts';
import { cleanTree, type Tree } from './tree.ts';

/** One scanner that is to run. */
export interface Wanted {
  tool: string;
  /** Absolute path of its rules, or null for its own. */
  rules: string | null;
  offline: boolean;
}

export interface ScanJob {
  wanted: readonly Wanted[];
  /** A git checkout of the caller's repository. */
  checkout: string;
  /** Each image of the build by itself; none where no image is scanned. */
  images: readonly ScannedImage[];
}

/** One image of one platform: an OCI layout that holds nothing else. */
export interface ScannedImage {
  layout: string;
  digest: string;
  /** What tells its report from those of the others, for a file's name; null for the only one. */
  platform: string | null;
}

export interface ScanWorld {
  exec: Exec;
  /** Milliseconds. */
  now(): number;
  path: string;
  home: string;
  progress(line: string): void;
}

/** What one run of a scanner left: its report as it wrote it, and how it came to be. */
export interface Ran {
  /** Name of its files, without ending. */
  name: string;
  report: Buffer;
  sidecar: ScanSidecar;
}

/**
 * Runs scanners over a checkout and an image, each with a command line of ours on a copy that obeys nothing in the judged
 * repository. Whatever a scanner ends with is kept: reading it is another step's work. Throws BadInput for a tool that we
 * cannot run and for what there is to scan, CouldNot for a tool that is not there.
 */
export async function runScanners(job: ScanJob, world: ScanWorld): Promise<Ran[]> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-scan-'));
  try {
    const tree = await cleanTree(job.checkout, folder, world.exec);
    for (const path of tree.removed) world.progress(`${path} is not obeyed: it tells a scanner what to leave out`);
    for (const path of tree.recoded)
      world.progress(`${path} is UTF-16, which scanners do not read: they get it as UTF-8`);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    const ran: Ran[] = [];
    for (const wanted of job.wanted) {
      for (const image of subjectsOf(wanted, job)) {
        world.progress(
          `scanning ${image === null ? 'the commit' : (image.platform ?? 'the image')} with ${wanted.tool}`,
        );
        ran.push(await runOne(wanted, image, { tree, empty }, world));
      }
    }
    return ran;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The images that a container scanner looks at one by one, or the commit, once. */
function subjectsOf({ tool, rules }: Wanted, { images }: ScanJob): readonly (ScannedImage | null)[] {
  const { category, needsRules } = recipeOf(tool);
  if (needsRules === true && rules === null)
    throw new BadInput(
      'scan.no_rules',
      `${tool} has no rules of its own: name a rules file beside contract.yml, scanners.${category}.tools[].rules`,
    );
  if (category !== 'container') return [null];
  if (images.length === 0)
    throw new BadInput('scan.no_image', `${tool} scans images: add --layout, the OCI layout of the build`);
  return images;
}

function recipeOf(tool: string): Recipe {
  const recipe = Object.hasOwn(recipes, tool) ? recipes[tool] : undefined;
  if (recipe === undefined)
    throw new BadInput(
      'scan.no_recipe',
      `there is no way to run ${tool} here: run it elsewhere and have its report recorded, or name one of ${Object.keys(recipes).join(', ')}`,
    );
  return recipe;
}

async function runOne(
  { tool, rules, offline }: Wanted,
  image: ScannedImage | null,
  { tree, empty }: { tree: Tree; empty: string },
  world: ScanWorld,
): Promise<Ran> {
  const recipe = recipeOf(tool);
  const place: Place = { tree, layout: image?.layout ?? null, rules, offline, home: world.home, empty };
  const env = { PATH: world.path, HOME: world.home, LANG: 'C.UTF-8', ...recipe.env?.(place) };
  const program = await findProgram(tool, recipe.version, { path: world.path, exec: world.exec, env });
  const args = recipe.args(place);
  const startedAt = world.now();
  const { code, stdout, stderr } = await world.exec(program.path, args, {
    cwd: recipe.cwd(place),
    env,
  });
  const finishedAt = world.now();
  if (code !== 0) world.progress(`${tool} ended with exit code ${code}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  const report = Buffer.from(stdout);
  const name = image === null || image.platform === null ? tool : `${tool}-${image.platform}`;
  return {
    name,
    report,
    sidecar: {
      schema: 'gatehouse/scan-sidecar/1',
      tool: { name: tool, version: program.version, digest: program.digest },
      database: (await recipe.database?.(place)) ?? null,
      argv: [tool, ...args].map((word) => shown(word, place)),
      ...(recipe.wholePaths === true && { root: tree.files }),
      exitCode: code,
      startedAt: formatTime(startedAt),
      finishedAt: formatTime(finishedAt),
      report: { file: `${name}.json`, digest: digestOf(report), bytes: report.length },
      subject: image === null ? { commit: tree.commit } : { image: image.digest },
    },
  };
}

/** Folders of one run mean nothing a year later, and a runner's paths are nobody's business. */
function shown(word: string, { tree, rules, layout }: Place): string {
  for (const [path, name] of [
    [tree.history, 'history.git'],
    [tree.files, '.'],
    [rules, 'rules'],
    [layout, 'image'],
  ] as const)
    if (path !== null && word === path) return name;
  return word;
}

/** Writes `<name>.json` and `<name>.sidecar.json` of each into a folder that must be new: nothing else may lie among them. */
export function writeReports(folder: string, ran: readonly Ran[]): void {
  try {
    mkdirSync(folder);
  } catch (cause) {
    throw notNew(folder, whyNot(cause), cause);
  }
  for (const { name, report, sidecar } of ran) {
    writeFileSync(join(folder, `${name}.json`), report);
    writeFileSync(join(folder, `${name}.sidecar.json`), `${JSON.stringify(sidecar, null, 2)}\n`);
  }
}

/** The same before minutes of scanning. Throws BadInput. */
export function requireNewFolder(folder: string): void {
  if (existsSync(folder)) throw notNew(folder, 'it is there already');
  if (!existsSync(dirname(folder))) throw notNew(folder, 'its folder is not there');
}

function notNew(folder: string, why: string, cause?: unknown): BadInput {
  return new BadInput(
    'scan.reports',
    `cannot make folder ${folder} for the reports (${why}): name one that does not exist, in a folder that does`,
    cause,
  );
}
