import { cpSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { REFUSED_BY, type Step } from '../support/demo.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { itWith } from '../support/tools.ts';
import { startGoRegistry } from './registry-servers.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** The checkout as it is, but with the program that was just built. */
function layCheckout(): string {
  const folder = sandbox.folder('checkout');
  for (const part of ['sample', 'scripts', 'src', 'tools', 'node_modules', 'package.json'])
    symlinkSync(resolve(part), join(folder, part));
  cpSync('build/dist', join(folder, 'dist'), { recursive: true });
  return join(folder, 'dist', 'gatehouse.js');
}

describe('the demo with scanners and a registry that are real', () => {
  itWith(
    'trivy',
    'semgrep',
    'gitleaks',
    'checkov',
    'osv-scanner',
    'registry',
  )('every scanner runs, one image is promoted, and the same eight are refused', async () => {
    const registry = await startGoRegistry(true);
    const temporary = sandbox.folder('temporary');
    const words = ['demo', '--live', '--registry', registry.host, '--json'];
    const { code, stdout, stderr } = run(process.execPath, [layCheckout(), ...words], {
      // The tools lie in the home of whoever built them.
      env: cleanEnvironment(process.env.HOME ?? '', { TMPDIR: temporary }),
    });
    await registry.stop();
    const { steps = [], ...rest }: { steps?: Step[] } = JSON.parse(stdout);
    expect({ code, rest, wrong: steps.filter((step) => !step.ok) }).toMatchObject({ code: 0, wrong: [] });
    expect(steps.map(({ detail }) => detail).join()).toContain(`${registry.host}/care/lab-results@sha256:`);
    expect(stderr).not.toContain('not run:');
    for (const report of ['trivy', 'trivy-critical', 'semgrep', 'gitleaks', 'checkov', 'osv-scanner'])
      expect(stderr).toMatch(new RegExp(`^ {4}${report}\\.json: \\S+ \\d+\\.\\d+\\.\\d+, exit [01], \\d+ bytes$`, 'm'));
    expect(steps.flatMap(({ rules }) => (rules === undefined ? [] : [rules]))).toEqual(REFUSED_BY);
    expect(steps.find(({ title }) => title.startsWith('semgrep'))?.detail).toBe('complete, 1 finding');
  });
});
