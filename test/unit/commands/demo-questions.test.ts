import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { askQuestions, type Shown } from '../../../src/commands/demo/questions.ts';
import { approve } from '../../../src/commands/demo/steps.ts';
import { trustFile } from '../../support/audit-scene.ts';
import { steps, succeed } from '../../support/direct.ts';
import { playRun } from '../../support/gate-scene.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

it('the demo’s auditor gets five answers and a report', async () => {
  const scene = await playRun(sandbox.folder('demo'));
  const { image, decisions } = scene;
  const site = scene.at('decided');
  await succeed(steps.deploy(site, { decision: decisions.deploy, image }));
  await succeed(steps.seal(site));
  const refused = scene.at('promoted');
  approve(refused, '101');
  await steps.gate(refused, 'deploy', image);
  await scene.registry.close();
  const folder = sandbox.folder('asked');
  const report = join(folder, 'report.html');
  const shown: Shown[] = [];
  const trust = trustFile(site, folder);
  await askQuestions(
    { site, refused, trust, folder: join(folder, 'index'), report, kept: true },
    (each) => void shown.push(each),
  );
  expect(shown.map(({ ok }) => ok)).toEqual([true, true, true, true, true, true]);
  const said = shown.map(({ detail }) => detail);
  expect(said[0]).toMatch(/success\s+production\s+demo\/lab-results.*lead-1/);
  expect(said[1]).toContain('lead-1 approved, entitled by release-approvers');
  expect(said[2]).toBe('none: every deploy has its whole chain');
  expect(said[3]).toMatch(/approval.independent\s+dev-1/);
  expect(said[4]).toMatch(/golang.org\/x\/crypto\s+v0.16.0/);
  expect(readFileSync(report, 'utf8')).toContain('lead-1');
  // A deploy that nobody allowed would be seen: the same questions about the run that was refused find no deploy.
  shown.length = 0;
  await askQuestions(
    { site: refused, refused: site, trust, folder: join(folder, 'other'), report, kept: true },
    (each) => void shown.push(each),
  ).catch(({ code }) => expect(code).toBe('audit.parameters'));
  expect(shown[0]).toMatchObject({ ok: false, detail: 'no rows' });
});
