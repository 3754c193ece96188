import { mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import { normalise } from '../../src/scan/index.ts';
import { type Ran, runScanners } from '../../src/scan/run/run.ts';
import { commitAll, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** A token of no service that has the form of one; put together here so that no scanner finds it in this file. */
const TOKEN = ['ghp', 'a1B2c3D4e5F6a7B8c9D0e1F2a3B4c5D6e7F8'].join('_');

/** A repository that tells every scanner to look away. */
function judgedRepository(): string {
  const folder = sandbox.folder('judged');
  for (const [path, text] of Object.entries({
    'config.py': `token = "${TOKEN}"  # gitleaks:allow\n`,
    '.gitleaks.toml': '[allowlist]\npaths = [".*"]\n',
    'run.py': 'import os\nos.system(input())  # nosemgrep\n',
    'tests/helper.py': 'import os\nos.system(input())\n',
    '.semgrepignore': '*\n',
    'deploy/pod.yaml':
      'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: web, securityContext: { privileged: true } }] }\n',
    '.checkov.yaml': 'framework: [dockerfile]\n',
  })) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  commitAll(folder);
  return folder;
}

const RULES = `rules:
  - id: shell
    languages: [python]
    severity: ERROR
    message: a shell runs what somebody typed
    pattern: os.system(...)
`;

async function scanWith(tool: string, checkout: string): Promise<{ ran: Ran; rows: string[] }> {
  const home = sandbox.folder('home');
  writeFileSync(join(home, 'rules.yml'), RULES);
  const [ran] = await runScanners(
    {
      wanted: [{ tool, rules: tool === 'semgrep' ? join(home, 'rules.yml') : null, offline: true }],
      checkout,
      images: [],
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
    expect(rows).toEqual(['github-pat config.py']);
    expect(ran.sidecar.tool.digest).toMatch(/^sha256:/);
  });

  itWith('semgrep')('semgrep', async () => {
    const { rows } = await scanWith('semgrep', judgedRepository());
    expect(rows.map((row) => row.split(' ').at(-1)).sort()).toEqual(['run.py', 'tests/helper.py']);
  });

  itWith('checkov')('checkov', async () => {
    const { rows } = await scanWith('checkov', judgedRepository());
    expect(rows.some((row) => row.startsWith('CKV_K8S_16 '))).toBe(true);
  });
});
