import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../../src/commands/demo/site.ts';
import { expectRefused, keyFlag, nobodyListens, program, type Refused } from '../support/bad-input.ts';
import { REPORTS } from '../support/direct.ts';
import { keysIn, playRun, recordAt, type Scene } from '../support/gate-scene.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
let scene: Scene;
beforeAll(async () => {
  scene = await playRun(sandbox.folder('e2e'), resolve('build/dist'), 'unscanned');
});
afterAll(async () => {
  await scene.registry.close();
  sandbox.clean();
});

const report = (name: string) => join(REPORTS, name);
const TRIVY = ['--report', report('trivy.json'), '--sidecar', report('trivy.sidecar.json')];
const record = (more: (site: Site) => string[]) => (site: Site) => [
  'scan',
  '--phase',
  'record',
  '--run',
  site.path('run.json'),
  ...keyFlag(site, 'scan'),
  ...more(site),
];
function file(name: string, content: string): string {
  const path = join(sandbox.folder('report'), name);
  writeFileSync(path, content);
  return path;
}

describe('scan refuses', () => {
  it.each<Refused>([
    ['no report', () => ['scan'], 2, 'inputs.report', /needs --report/],
    [
      'a report that is not there',
      () => ['scan', '--report', '/nonexistent/trivy.json'],
      2,
      'file.unreadable',
      /cannot read report .*no such file/,
    ],
    ['a report that is a folder', () => ['scan', '--report', REPORTS], 2, 'file.unreadable', /it is a folder/],
    [
      'an unknown tool',
      () => ['scan', '--tool', 'trivvy', '--report', report('trivy.json')],
      2,
      'inputs.invalid',
      /tool: expected one of/,
    ],
    [
      'an unknown category',
      () => ['scan', '--category', 'all', '--report', report('trivy.json')],
      2,
      'inputs.invalid',
      /category: expected one of/,
    ],
    [
      'a subject by tag',
      () => ['scan', '--report', report('trivy.json'), '--subject', 'registry.example.org/app/web:1'],
      2,
      'reference.tag',
      /name the image by digest/,
    ],
    [
      'a sidecar that is not there',
      () => ['scan', '--report', report('trivy.json'), '--sidecar', '/nonexistent'],
      2,
      'file.unreadable',
      /cannot read sidecar/,
    ],
    [
      'an empty sidecar',
      () => ['scan', '--report', report('trivy.json'), '--sidecar', '/dev/null'],
      2,
      'json.empty',
      /sidecar \/dev\/null is empty/,
    ],
    [
      'a sidecar of another report',
      () => ['scan', '--report', report('semgrep.json'), '--sidecar', report('trivy.sidecar.json')],
      2,
      'sidecar.report',
      /sidecar/,
    ],
    [
      'a sidecar that is none',
      () => ['scan', '--report', report('trivy.json'), '--sidecar', report('trivy.json')],
      2,
      'sidecar.schema',
      /sidecar/,
    ],
    [
      'to record for an image elsewhere',
      record(() => [...TRIVY, '--subject', `evil.example.org/x@${scene.digest}`]),
      1,
      'registry.not_listed',
      /evil\.example\.org/,
    ],
    [
      'to record what is not there',
      record(() => ['--report', '/nonexistent/trivy.json', '--tool', 'trivy']),
      2,
      'file.unreadable',
      /cannot read report/,
    ],
  ])('%s', async (...row) => {
    await expectRefused(scene, scene.at('opened'), row);
  });

  it('to attach in a registry where nobody listens, within seconds: the record that decides is kept', async () => {
    const words = (site: Site, image: string) => record(() => [...TRIVY, '--subject', image])(site);
    await nobodyListens(scene, scene.at('opened'), words, ['scan.completed success']);
  });

  it.each([
    ['F24 an empty file', '', 1, 'error', 'empty_file'],
    ['F24 null', 'null', 1, 'error', 'null_document'],
    ['F24 half a file', '{"Results": [', 1, 'error', 'truncated'],
    ['F24 an object', '{}', 2, 'error', 'wrong_tool'],
    ['F24 a list', '[]', 1, 'incomplete', 'no_targets'],
    ['what is no text', '\u0000', 1, 'error', 'invalid_json'],
    ['brackets without end', '['.repeat(2000) + ']'.repeat(2000), 1, 'error', 'invalid_json'],
    ['a number beyond all numbers', '{"SchemaVersion": 1e999}', 1, 'error', 'invalid_json'],
    ['half a surrogate pair', '{"SchemaVersion": "\\ud800"}', 1, 'error', 'invalid_json'],
    ['another tool’s file', readFileSync(report('semgrep.json'), 'utf8'), 2, 'error', 'wrong_tool'],
  ])('to call %s clean', async (_, content, code, status, reason) => {
    const ended = await program(scene.at('opened'), [
      'scan',
      '--tool',
      'trivy',
      '--report',
      file('trivy.json', content),
    ]);
    const { execution } = JSON.parse(ended.stdout);
    expect({ code: ended.code, status: execution.status }).toEqual({ code, status });
    expect(execution.reasons).toContainEqual(expect.objectContaining({ code: reason }));
    expect(ended.stderr).not.toMatch(/\n\s+at /);
  });
});

describe('scan', () => {
  it('F23 records a scan that failed: what happened is evidence, and the exit code says so', async () => {
    const site = scene.at('opened');
    const before = keysIn(site);
    const ended = await program(site, record(() => ['--tool', 'trivy', '--report', file('trivy.json', '')])(site));
    expect(ended.code).toBe(1);
    const [key] = keysIn(site).filter((each) => each.startsWith('v1/records/') && !before.includes(each));
    expect(recordAt(site, key as string)).toMatchObject({
      type: 'scan.completed',
      outcome: 'failure',
      data: { tool: 'trivy', status: 'error' },
    });
  });

  it('writes nothing when the store does not answer', async () => {
    const site = scene.at('opened');
    rmSync(site.path('store'), { recursive: true });
    const ended = await program(site, record(() => ['--tool', 'trivy', '--report', file('trivy.json', '')])(site));
    expect(ended.code).toBe(3);
    expect(JSON.parse(ended.stdout)).toMatchObject({ code: 'store.missing' });
  });

  it('F80 lets no report speak to the runner, the terminal or the log', async () => {
    const hostile = JSON.parse(readFileSync(report('trivy.json'), 'utf8'));
    hostile.ArtifactName = 'x\n::set-output name=a::b';
    hostile.Trivy = { Version: '1\n::add-mask::x\u001b]0;t\u0007' };
    hostile.Results[0].Vulnerabilities[0].Title = '\n::stop-commands::z\r##[group]';
    const path = file('trivy.json', JSON.stringify(hostile));
    const { code, stdout, stderr } = await program(scene.at('opened'), [
      'scan',
      '--tool',
      'trivy',
      '--report',
      path,
      '--subject',
      scene.image,
    ]);
    expect(code).toBeLessThan(3);
    expect(`${stdout}\n${stderr}`).not.toMatch(/^\s*(::|##\[)/m);
    for (const control of ['\u001b', '\u0007', '\r']) expect(stderr).not.toContain(control);
  });
});
