import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { buildWriter, writeOsvDatabase, writeTrivyDatabase } from '../../sample/databases.ts';
import { exec } from '../../src/lib/exec.ts';
import { normalise } from '../../src/scan/index.ts';
import { type Ran, runScanners, type ScannedImage } from '../../src/scan/run/run.ts';
import { commitAll, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** A token of no service that has the form of one; put together here so that no scanner finds it in this file. */
const TOKEN = ['ghp', 'a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8'].join('_');

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

const POD =
  'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: web, securityContext: { privileged: true } }] }\n';

/** A repository that tells every scanner, and git, to look away. */
function judgedRepository(): string {
  const folder = sandbox.folder('judged');
  for (const [path, text] of Object.entries({
    'config.py': `token = "${TOKEN}"  # gitleaks:allow\n`,
    '.gitleaks.toml': '[allowlist]\npaths = [".*"]\n',
    'run.py': 'import os\nos.system(input())  # nosemgrep\n',
    'tests/helper.py': 'import os\nos.system(input())\n',
    '.semgrepignore': '*\n',
    'deploy/pod.yaml': POD,
    // Folders that some tools leave out by name.
    '.deploy/pod.yaml': POD,
    'node_modules/web/pod.yaml': POD,
    '.tools/run.py': 'import os\nos.system(input())\n',
    'node_modules/web/run.py': 'import os\nos.system(input())\n',
    'ignored.py': 'import os\nos.system(input())\n',
    '.checkov.yaml': 'framework: [dockerfile]\n',
    // Over the size from which semgrep leaves a file out.
    'big.py': `import os\nos.system(input())\n${`# ${'-'.repeat(1000)}\n`.repeat(1100)}`,
    'wide.py': utf16('import os\nos.system(input())\n'),
    'encoded.py': 'import os\nos.system(input())\n',
    'nul.cfg': `token = "${TOKEN}"\n\0\n`,
    'undiffed.cfg': `token = "${TOKEN}"\n`,
    'wide.cfg': utf16(`token = "${TOKEN}"\n`),
  })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  commitAll(folder);
  // On their own: git would take the one file for UTF-16 when it is added, and leave the other out.
  writeFileSync(join(folder, '.gitattributes'), 'encoded.py working-tree-encoding=UTF-16LE\nundiffed.cfg -diff\n');
  writeFileSync(join(folder, '.gitignore'), 'ignored.py\ndeploy/\n');
  for (const words of [
    ['add', '.gitattributes', '.gitignore'],
    ['-c', 'user.name=test', '-c', 'user.email=test@example.org', 'commit', '-q', '-m', 'attributes'],
  ])
    run('git', ['-C', folder, ...words]);
  return folder;
}

const RULES = `rules:
  - id: shell
    languages: [python]
    severity: ERROR
    message: a shell runs what somebody typed
    pattern: os.system(...)
`;

async function scanWith(
  tool: string,
  checkout: string,
  home = sandbox.folder('home'),
  images: ScannedImage[] = [],
): Promise<{ ran: Ran; rows: string[] }> {
  writeFileSync(join(home, 'rules.yml'), RULES);
  const [ran] = await runScanners(
    {
      wanted: [{ tool, rules: tool === 'semgrep' ? join(home, 'rules.yml') : null, offline: true }],
      checkout,
      images,
    },
    {
      exec,
      now: Date.now,
      path: `${dirname(toolPath(tool))}${delimiter}${process.env.PATH}`,
      home,
      progress: () => {},
    },
  );
  const { report, sidecar } = ran as Ran;
  const read = normalise({
    bytes: report,
    tool,
    origin: { kind: 'executed', run: { ...sidecar, database: sidecar.database ?? null } },
    subject: { image: null, platform: null, commit: null },
  });
  expect({ status: read.execution.status, reasons: read.execution.reasons }).toEqual({
    status: 'complete',
    reasons: [],
  });
  return { ran: ran as Ran, rows: read.findings.map(({ rule, location }) => `${rule} ${location.path}`) };
}

describe('what the judged repository tells a scanner is not obeyed', () => {
  itWith('gitleaks')('gitleaks', async () => {
    const checkout = judgedRepository();
    // The planted files work: run as people run it, it sees nothing.
    const obeying = run(toolPath('gitleaks'), [
      'git',
      checkout,
      '--no-banner',
      '--report-format',
      'json',
      '--report-path',
      '-',
    ]);
    expect(JSON.parse(obeying.stdout)).toEqual([]);
    const { rows, ran } = await scanWith('gitleaks', checkout);
    expect(rows.sort()).toEqual(
      ['config.py', 'nul.cfg', 'undiffed.cfg', 'wide.cfg'].map((path) => `github-pat ${path}`),
    );
    expect(ran.sidecar.tool.digest).toMatch(/^sha256:/);
  });

  itWith('semgrep')('semgrep', async () => {
    const { rows } = await scanWith('semgrep', judgedRepository());
    expect(rows.map((row) => row.split(' ').at(-1)).sort()).toEqual([
      '.tools/run.py',
      'big.py',
      'encoded.py',
      'ignored.py',
      'node_modules/web/run.py',
      'run.py',
      'tests/helper.py',
      'wide.py',
    ]);
  });

  itWith('checkov')('checkov', async () => {
    const { rows } = await scanWith('checkov', judgedRepository());
    expect(rows.filter((row) => row.startsWith('CKV_K8S_16 ')).sort()).toEqual(
      ['/.deploy/pod.yaml', '/deploy/pod.yaml', '/node_modules/web/pod.yaml'].map((path) => `CKV_K8S_16 ${path}`),
    );
  });
});

describe('scanners that look findings up', () => {
  /** The sample's source as its team would have it, and a home with databases of the sample's advisories. */
  const lay = () => {
    const [checkout, home] = [sandbox.folder('checkout'), sandbox.folder('home')];
    for (const place of ['app', '.tools/app', 'node_modules/app'])
      cpSync('sample/app', join(checkout, place), { recursive: true });
    // The planted file works for who obeys it.
    writeFileSync(join(checkout, 'app', 'osv-scanner.toml'), '[[PackageOverrides]]\nignore = true\n');
    writeFileSync(join(checkout, '.trivyignore'), 'CVE-2023-48795\n');
    commitAll(checkout);
    writeFileSync(join(checkout, '.gitignore'), 'go.mod\napp/\n');
    commitAll(checkout);
    return { checkout, home, writer: buildWriter(join(home, 'writer')) };
  };

  itWith('trivy')('trivy, in the image', async () => {
    const { checkout, home, writer } = lay();
    writeTrivyDatabase(writer, join(home, '.cache', 'trivy'), ['before', 'after']);
    const [{ digest }] = JSON.parse(readFileSync('sample/image/index.json', 'utf8')).manifests;
    const { rows, ran } = await scanWith('trivy', checkout, home, [
      { layout: join(process.cwd(), 'sample/image'), digest, platform: null },
    ]);
    expect(rows.map((row) => row.split(' ')[0])).toEqual(expect.arrayContaining(['CVE-2023-48795', 'CVE-2024-45337']));
    expect(ran.sidecar).toMatchObject({
      subject: { image: digest },
      database: { version: '2', builtAt: expect.stringMatching(/^20\d\d-/), digest: expect.stringMatching(/^sha256:/) },
    });
  });

  itWith('osv-scanner')('osv-scanner, in the source', async () => {
    const { checkout, home, writer } = lay();
    writeOsvDatabase(writer, join(home, '.cache', 'osv'));
    const { rows, ran } = await scanWith('osv-scanner', checkout, home);
    expect([...new Set(rows.map((row) => row.split(' ').at(-1)))].sort()).toEqual([
      '.tools/app/go.mod',
      'app/go.mod',
      'node_modules/app/go.mod',
    ]);
    expect(ran.sidecar).toMatchObject({
      exitCode: 1,
      database: { builtAt: expect.stringMatching(/^20\d\d-/), digest: expect.stringMatching(/^sha256:/) },
    });
  });
});
