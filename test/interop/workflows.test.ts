import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** All workflows, as the repository has them. */
function lay(): string {
  const root = sandbox.folder('workflows');
  for (const folder of ['.github', 'workflows/github', 'actions'])
    cpSync(folder, join(root, folder), { recursive: true });
  return root;
}
const plant = (root: string, from: string, to: string) => {
  const file = join(root, '.github/workflows/promote.yml');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(from);
  writeFileSync(file, text.replace(from, to));
};

describe('actionlint', () => {
  // It does not know $/ yet, and says so of each of our own actions (1.7.12).
  const lint = (root: string) => {
    const files = [
      '.github/workflows/ci.yml',
      '.github/workflows/release.yml',
      '.github/workflows/promote.yml',
      'workflows/github/promote.yml',
    ];
    const { stdout } = run(toolPath('actionlint'), ['-no-color', '-oneline', '-shellcheck=', '-pyflakes=', ...files], {
      cwd: root,
      env: cleanEnvironment(root),
    });
    return stdout
      .split('\n')
      .filter(
        (line) =>
          line !== '' &&
          !/specifying action "\$\/actions\/[a-z-]+" in invalid format because ref is missing/.test(line),
      );
  };

  itWith('actionlint')('finds nothing', () => {
    expect(lint(lay())).toEqual([]);
  });

  itWith('actionlint')('finds a planted output that no job has', () => {
    const root = lay();
    plant(root, 'needs.build.outputs.digest', 'needs.build.outputs.digests');
    expect(lint(root).join()).toContain('digests');
  });
});

describe('zizmor, persona pedantic', () => {
  const audit = (root: string) =>
    run(
      toolPath('zizmor'),
      ['--offline', '--no-progress', '--persona', 'pedantic', '--format', 'json', '.github', 'workflows', 'actions'],
      { cwd: root, env: cleanEnvironment(root) },
    );

  itWith('zizmor')('finds nothing', () => {
    const { code, stdout } = audit(lay());
    expect({ code, findings: JSON.parse(stdout).filter(({ ignored }: { ignored: boolean }) => !ignored) }).toEqual({
      code: 0,
      findings: [],
    });
  });

  itWith('zizmor')('finds a planted expression in a script', () => {
    const root = lay();
    plant(root, 'bash -euo pipefail -c "$BUILD"', '${{ inputs.build }}');
    const { code, stdout } = audit(root);
    expect(code).not.toBe(0);
    expect(stdout).toContain('template-injection');
  });
});
