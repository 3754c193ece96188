import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REPOSITORY } from '../../src/commands/demo/site.ts';
import { exec } from '../../src/lib/exec.ts';
import { SOURCE_REPORTS } from '../support/direct.ts';
import { approval, approved, playRun, type Scene } from '../support/gate-scene.ts';
import { pageCommand, wordsOf } from '../support/page-command.ts';
import { layReports } from '../support/report-folder.ts';
import { cleanEnvironment, runAside, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('readme'), resolve('build/dist'), 'promoted');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

it('README shows a refusal as the program says it', async () => {
  const [, shown = ''] =
    /^## What a refusal looks like\n\n```\n([\s\S]*?)```/m.exec(readFileSync('README.md', 'utf8')) ?? [];
  const lines = shown.slice(shown.indexOf('DENY')).trim().split('\n');
  const [, ...words] = wordsOf(pageCommand('README.md', 'gatehouse policy-gate'));
  const site = scene.at('promoted');
  approved(site, approval({ userId: '101' }));
  writeFileSync(site.path('gate.pem'), site.keys.get('gate') as string, { mode: 0o600 });
  const { code, stdout } = await exec(
    process.execPath,
    [site.program, ...words.map((word) => word.replace('registry.example.org', scene.registry.host))],
    { cwd: site.folder, env: cleanEnvironment(site.folder) },
  );
  expect(code).toBe(1);
  const said = stdout.replaceAll(scene.registry.host, 'registry.example.org').split('\n');
  expect(said[0]).toContain(`registry.example.org/${REPOSITORY}@sha256:`);
  for (const line of lines.filter((each) => each !== '…')) expect(said).toContain(line);
});

it('README shows a preview as the program says it', async () => {
  const [, shown = ''] = /```\n(PREVIEW[\s\S]*?)```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const lines = shown.trim().split('\n');
  const { reports, digest } = layReports(join(sandbox.folder('reports'), 'reports'), [
    ...SOURCE_REPORTS,
    'trivy-critical',
  ]);
  const { code, stdout } = await runAside(
    process.execPath,
    [
      ...[scene.at('promoted').program, 'policy-gate', '--stage', 'preview', '--environment', 'production'],
      ...['--reports', reports, '--digest', digest],
    ],
    cleanEnvironment(sandbox.folder('home')),
  );
  expect(code).toBe(1);
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) expect(stdout.split('\n')).toContain(line);
});
