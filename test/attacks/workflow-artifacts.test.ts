import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY } from '../../src/commands/demo/site.ts';
import { folderDigest } from '../../src/lib/file.ts';
import { LAYOUT, SOURCE_REPORTS } from '../support/direct.ts';
import { layReports } from '../support/report-folder.ts';
import { sandboxes } from '../support/sandbox.ts';
import { DIGEST, layWorkflowScene, type Said, signWords, type WorkflowScene } from './workflow-scene.ts';

/* The jobs that run a caller's code and the scanners hand files on: nothing in those may be signed but what was handed on. */

const sandbox = sandboxes();
let scene: WorkflowScene;
let image: string;
beforeAll(async () => {
  scene = await layWorkflowScene(sandbox, 'opened');
  const signed = await scene.verb({ role: 'build' }, ...signWords(LAYOUT, DIGEST, to()));
  image = signed.json.image;
});
afterAll(async () => {
  await scene.close();
  sandbox.clean();
});

const to = () => `${scene.registry.host}/${REPOSITORY}`;
const blob = (layout: string, digest: string) => join(layout, 'blobs', 'sha256', digest.slice(7));
const digestOf = (bytes: Buffer) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

async function refused(work: () => Promise<Said>, exit: number, code: string, why: RegExp): Promise<void> {
  const before = scene.state();
  const said = await work();
  expect({ exit: said.exit, says: said.says }).toEqual({ exit, says: code });
  expect(said.log).toMatch(why);
  expect(scene.state()).toEqual(before);
}

/** Puts a manifest into the layout, as whoever wrote the layout could: all digests of it fit. Gives its digest. */
function lay(
  layout: string,
  change: (manifest: { annotations?: object; layers: object[] }) => void,
  beside = false,
): string {
  const manifest = JSON.parse(readFileSync(blob(layout, DIGEST), 'utf8'));
  change(manifest);
  const bytes = Buffer.from(JSON.stringify(manifest));
  writeFileSync(blob(layout, digestOf(bytes)), bytes);
  const index = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8'));
  const entry = { ...index.manifests[0], digest: digestOf(bytes), size: bytes.length };
  index.manifests = beside ? [...index.manifests, entry] : [entry];
  writeFileSync(join(layout, 'index.json'), JSON.stringify(index));
  return digestOf(bytes);
}
const layers = (): { digest: string }[] => JSON.parse(readFileSync(blob(LAYOUT, DIGEST), 'utf8')).layers;
/** Moves a part of the layout out of it and leaves a link to it. */
function linkOut(layout: string, ...parts: string[]): void {
  const outside = join(sandbox.folder('outside'), 'x');
  renameSync(join(layout, ...parts), outside);
  symlinkSync(outside, join(layout, ...parts));
}
const fifo = (path: string) => {
  rmSync(path);
  execFileSync('mkfifo', [path]);
};

describe('F80 a layout that was changed on its way to the signing job', () => {
  const twin = () => {
    const layout = join(sandbox.folder('layout'), 'layout');
    cpSync(LAYOUT, layout, { recursive: true });
    return layout;
  };
  const first = () => (layers()[0] as { digest: string }).digest;

  it.each<[string, (layout: string) => unknown, number, string, RegExp, (string | null)?]>([
    [
      'it holds another image, all of whose digests fit',
      (layout) => lay(layout, (manifest) => Object.assign(manifest, { annotations: { evil: 'true' } })),
      1,
      'build.digest',
      /nothing was pushed or signed/,
    ],
    [
      'it holds a second image beside the first',
      (layout) => lay(layout, (manifest) => Object.assign(manifest, { annotations: { evil: 'true' } }), true),
      2,
      'layout.several_images',
      /2 images/,
    ],
    [
      'it holds no image',
      (layout) => writeFileSync(join(layout, 'index.json'), '{"schemaVersion":2,"manifests":[]}'),
      2,
      'layout.no_image',
      /lists none/,
    ],
    [
      'one bit of a layer is another',
      (layout) => {
        const bytes = readFileSync(blob(layout, first()));
        bytes[100] = (bytes[100] as number) ^ 1;
        writeFileSync(blob(layout, first()), bytes);
      },
      2,
      'layout.malformed',
      /hashes to/,
    ],
    ['a layer is cut', (layout) => truncateSync(blob(layout, first()), 10), 2, 'layout.malformed', /has 10 bytes/],
    [
      'a layer is longer',
      (layout) => writeFileSync(blob(layout, first()), 'x', { flag: 'a' }),
      2,
      'layout.malformed',
      /bytes where its descriptor says/,
    ],
    ['a layer is missing', (layout) => rmSync(blob(layout, first())), 2, 'layout.malformed', /is missing/],
    [
      'a layer is a link',
      (layout) => linkOut(layout, 'blobs', 'sha256', first().slice(7)),
      2,
      'layout.malformed',
      /is a link/,
    ],
    [
      'the manifest is a link',
      (layout) => linkOut(layout, 'blobs', 'sha256', DIGEST.slice(7)),
      2,
      'layout.malformed',
      /is a link/,
    ],
    [
      'the folder of blobs is a link',
      (layout) => linkOut(layout, 'blobs'),
      2,
      'layout.malformed',
      /not a folder \(a link/,
    ],
    [
      'the folder of digests is a link',
      (layout) => linkOut(layout, 'blobs', 'sha256'),
      2,
      'layout.malformed',
      /not a folder \(a link/,
    ],
    ['the index is a link', (layout) => linkOut(layout, 'index.json'), 2, 'layout.malformed', /is a link/],
    ['the marker is a link', (layout) => linkOut(layout, 'oci-layout'), 2, 'layout.malformed', /is a link/],
    [
      'a layer is a pipe that nobody fills',
      (layout) => fifo(blob(layout, first())),
      2,
      'layout.malformed',
      /is not a file/,
    ],
    [
      'the index is 300 MB',
      (layout) => truncateSync(join(layout, 'index.json'), 300_000_000),
      2,
      'layout.malformed',
      /300000000 bytes/,
    ],
    [
      'the digest is of another folder',
      () => {},
      1,
      'build.digest',
      /nothing was pushed or signed/,
      `sha256:${'1'.repeat(64)}`,
    ],
    ['the digest is cut', () => {}, 2, 'inputs.digest', /is not sha256/, DIGEST.slice(0, 40)],
    ['the digest has a second line', () => {}, 2, 'inputs.digest', /is not sha256/, `${DIGEST}\n${DIGEST}`],
    ['F73 the digest never came', () => {}, 2, 'inputs.digest', /phase sign needs --digest/, ''],
    ['F73 nobody passed a digest on', () => {}, 2, 'inputs.digest', /phase sign needs --digest/, null],
  ])('%s', async (_, attack, exit, code, why, digest = DIGEST) => {
    const layout = twin();
    attack(layout);
    await refused(() => scene.verb({ role: 'build' }, ...signWords(layout, digest, to())), exit, code, why);
  });

  it('as it was built it is signed', async () => {
    const said = await scene.verb({ role: 'build' }, ...signWords(twin(), DIGEST, to()));
    expect({ exit: said.exit, image: said.json.image }).toEqual({ exit: 0, image });
  });
});

describe('F80 reports that were changed on their way to the recording job', () => {
  const ALL = [...SOURCE_REPORTS, 'trivy'];
  const twin = (about: { commit?: string; image?: string } = {}, names = ALL) =>
    layReports(join(sandbox.folder('reports'), 'reports'), names, { commit: 'a'.repeat(40), image: DIGEST, ...about });
  const record = (reports: string, digest: string) =>
    scene.verb(
      { role: 'scan' },
      'scan',
      '--phase',
      'record',
      '--reports',
      reports,
      '--digest',
      digest,
      '--subject',
      image,
    );
  type Laid = { reports: string; digest: string };
  const again = ({ reports }: Laid): Laid => ({ reports, digest: folderDigest(reports, 'reports') });
  const changed = (change: (folder: string) => unknown) => () => {
    const laid = twin();
    change(laid.reports);
    return laid;
  };

  it.each<[string, () => Laid, number, string, RegExp]>([
    [
      'a finding is taken out',
      changed((folder) => writeFileSync(join(folder, 'trivy.json'), '{}')),
      1,
      'scan.reports_changed',
      /nothing was recorded/,
    ],
    [
      'a report is added',
      changed((folder) => cpSync(twin({}, ['trivy-critical']).reports, folder, { recursive: true })),
      1,
      'scan.reports_changed',
      /nothing was recorded/,
    ],
    [
      'a report is taken away',
      changed((folder) => rmSync(join(folder, 'trivy.json'))),
      1,
      'scan.reports_changed',
      /nothing was recorded/,
    ],
    [
      'a report has another name',
      changed((folder) => renameSync(join(folder, 'trivy.json'), join(folder, 'x.json'))),
      1,
      'scan.reports_changed',
      /nothing was recorded/,
    ],
    [
      'the digest is of another folder',
      () => ({ ...twin(), digest: twin({}, ['trivy']).digest }),
      1,
      'scan.reports_changed',
      /nothing was recorded/,
    ],
    ['the digest never came', () => ({ ...twin(), digest: '' }), 2, 'inputs.digest', /needs --digest/],
    ['they are of another commit', () => twin({ commit: 'f'.repeat(40) }), 1, 'scan.subject', /is about commit f{40}/],
    [
      'they are of another image',
      () => twin({ image: `sha256:${'2'.repeat(64)}` }),
      1,
      'scan.subject',
      /is about image sha256:2/,
    ],
    [
      'one of all is of another commit',
      () => {
        const laid = twin();
        cpSync(
          join(twin({ commit: 'f'.repeat(40) }).reports, 'gitleaks.sidecar.json'),
          join(laid.reports, 'gitleaks.sidecar.json'),
        );
        return again(laid);
      },
      1,
      'scan.subject',
      /gitleaks is about commit/,
    ],
    [
      'one does not say what it is about',
      () => {
        const laid = twin();
        const file = join(laid.reports, 'semgrep.sidecar.json');
        const { subject: _, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
        writeFileSync(file, JSON.stringify(rest));
        return again(laid);
      },
      1,
      'scan.subject',
      /does not say what was scanned/,
    ],
    [
      'a report belongs to another sidecar',
      () => {
        const laid = twin();
        cpSync(join(twin({}, ['trivy-critical']).reports, 'trivy-critical.json'), join(laid.reports, 'trivy.json'));
        return again(laid);
      },
      2,
      'sidecar.report',
      /belongs to another report/,
    ],
    [
      'a report is a link to a file elsewhere',
      () => {
        const laid = twin();
        linkOut(laid.reports, 'trivy.json');
        return again(laid);
      },
      2,
      'scan.reports',
      /no plain file/,
    ],
    [
      'a sidecar is a link to a file elsewhere',
      () => {
        const laid = twin();
        linkOut(laid.reports, 'gitleaks.sidecar.json');
        return again(laid);
      },
      2,
      'scan.reports',
      /no plain file/,
    ],
    [
      'a name stands for several lines of the digest',
      () => {
        const laid = twin();
        const lines = readdirSync(laid.reports)
          .sort()
          .map((name) => [
            createHash('sha256')
              .update(readFileSync(join(laid.reports, name)))
              .digest('hex'),
            name,
          ]);
        const [one, two] = lines.filter(([, name]) => name?.startsWith('semgrep') === true).sort() as [
          string[],
          string[],
        ];
        rmSync(join(laid.reports, two[1] as string));
        renameSync(
          join(laid.reports, one[1] as string),
          join(laid.reports, `${one[1]}\n${two[0]}  ${two[1]?.replace('/', '')}`),
        );
        return again(laid);
      },
      2,
      'scan.reports',
      /no plain file/,
    ],
    [
      'a folder lies among them',
      () => {
        const laid = twin();
        mkdirSync(join(laid.reports, 'more.json'));
        return laid;
      },
      2,
      'scan.reports',
      /no plain file/,
    ],
    [
      'a report is larger than is read',
      () => {
        const laid = twin();
        truncateSync(join(laid.reports, 'trivy.json'), 300_000_000);
        return laid;
      },
      2,
      'file.too_large',
      /300000000 bytes/,
    ],
  ])('%s', async (_, attack, exit, code, why) => {
    const { reports, digest } = attack();
    await refused(() => record(reports, digest), exit, code, why);
  });

  it('a pipe that says one thing to who checks and another to who reads is not read', async () => {
    const { reports, digest } = twin();
    const file = join(reports, 'trivy.sidecar.json');
    const honest = join(sandbox.folder('said'), 'honest');
    renameSync(file, honest);
    const sidecar = JSON.parse(readFileSync(honest, 'utf8'));
    sidecar.database.builtAt = sidecar.startedAt;
    writeFileSync(`${honest}-evil`, JSON.stringify(sidecar));
    execFileSync('mkfifo', [file]);
    const writer = spawn('sh', ['-c', `cat '${honest}' > '${file}'; sleep 0.2; cat '${honest}-evil' > '${file}'`], {
      detached: true,
    });
    try {
      await refused(() => record(reports, digest), 2, 'scan.reports', /no plain file/);
    } finally {
      process.kill(-(writer.pid as number), 'SIGKILL');
    }
  });

  it('as they were written they are recorded', async () => {
    const { reports, digest } = twin();
    const said = await record(reports, digest);
    expect({ exit: said.exit, log: said.exit === 0 ? '' : said.log }).toEqual({ exit: 0, log: '' });
  });
});
