import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { commands } from '../../src/commands/catalogue.ts';
import { laySite } from '../../src/commands/demo/site.ts';
import { digestOf } from '../../src/lib/digest.ts';
import { absoluteFolders } from '../../src/lib/exec.ts';
import { layDemo, REFUSED_BY, type Step } from '../support/demo.ts';
import { commitAll, run, sandboxes } from '../support/sandbox.ts';
import { standIns } from '../support/stand-in.ts';

/* The program on the machine's own Node, which may be as old as 20.16: all other tests run it on the pinned one. */
const sandbox = sandboxes();
afterAll(sandbox.clean);

function isPromised(file: string): boolean {
  const [major = 0, minor = 0] = run(file, ['--version']).stdout.slice(1).split('.').map(Number);
  return major > 20 || (major === 20 && minor >= 16);
}
const node = absoluteFolders(process.env.PATH ?? '')
  .map((folder) => join(folder, 'node'))
  .find((file) => existsSync(file) && !realpathSync(file).startsWith(resolve('node_modules')) && isPromised(file));
const program = resolve('build/dist/gatehouse.js');
const onIt = (words: string[], env: Record<string, string> = {}, start = program) =>
  run(node as string, [start, ...words], { env: { PATH: process.env.PATH ?? '', HOME: '/nonexistent', ...env } });

/** `it` where npm has such a Node of the machine's; elsewhere a skipped test that says so. In CI a skip fails the run. */
const itThere = (name: string, body: () => void, timeout?: number) =>
  node === undefined
    ? it.skip(`${name} (needs a node 20.16 or newer on the PATH, besides the pinned one)`, body)
    : it(name, body, timeout);

describe(`on ${node === undefined ? 'a machine without Node' : run(node, ['--version']).stdout.trim()}`, () => {
  for (const verb of Object.keys(commands))
    itThere(`${verb} is loaded and says what it does`, () => {
      const { code, stdout, stderr } = onIt([verb, '--help']);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).toContain(`gatehouse ${verb}`);
      // A flag that does not exist is refused by the verb itself, so its code has been loaded.
      expect(onIt([verb, '--no-such-flag', '--json'])).toMatchObject({
        code: 2,
        stderr: expect.not.stringMatching(/ at /),
      });
    });

  itThere('phase run finds programs of all kinds and runs them', () => {
    const site = laySite(sandbox.folder('site'), resolve('build/dist'), 'sample/reports', 'registry.example');
    const checkout = sandbox.folder('checkout');
    writeFileSync(join(checkout, 'main.go'), 'package main\n');
    commitAll(checkout);
    // A Python program stands for the list of its files.
    const environment = sandbox.folder('environment');
    const record = join(environment, 'lib', 'python3.11', 'site-packages', 'checkov-9.8.7.dist-info', 'RECORD');
    mkdirSync(join(record, '..'), { recursive: true });
    writeFileSync(record, 'checkov/main.py,sha256=x,1\n');
    const tools = standIns(join(environment, 'bin'), {
      checkov: { says: readFileSync('sample/reports/checkov.json', 'utf8') },
      gitleaks: { says: '[]' },
    });
    for (const tool of ['checkov', 'gitleaks']) {
      const reports = join(sandbox.folder('reports'), 'new');
      const { code, stdout, stderr } = onIt(
        ['scan', '--phase', 'run', '--tool', tool, '--checkout', checkout, '--reports', reports, '--json'],
        { PATH: `${tools}${delimiter}${process.env.PATH}` },
        site.program,
      );
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(JSON.parse(stdout)).toMatchObject({ reports: [{ tool, status: 'complete' }] });
      const sidecar = JSON.parse(readFileSync(join(reports, `${tool}.sidecar.json`), 'utf8'));
      expect(sidecar.tool.digest).toBe(digestOf(readFileSync(tool === 'checkov' ? record : join(tools, tool))));
    }
  });

  itThere('the demo comes out as it must', () => {
    const temporary = sandbox.folder('temporary');
    const { code, stdout } = onIt(['demo', '--json'], { TMPDIR: temporary }, layDemo(sandbox.folder('release')));
    const steps: Step[] = JSON.parse(stdout).steps;
    expect({ code, wrong: steps.filter(({ ok }) => !ok) }).toEqual({ code: 0, wrong: [] });
    expect(steps.flatMap(({ rules }) => (rules === undefined ? [] : [rules]))).toEqual(REFUSED_BY);
  });

  itThere('live scans need a Node that runs TypeScript: the checkout’s own, else it is said what to do', () => {
    const release = sandbox.folder('release');
    const { code, stdout } = onIt(['demo', '--live', '--json'], {}, layDemo(release));
    expect({ exit: code, ...JSON.parse(stdout) }).toMatchObject({
      exit: 3,
      code: 'demo.live',
      message: expect.stringContaining('run npm ci'),
    });
  });
});
