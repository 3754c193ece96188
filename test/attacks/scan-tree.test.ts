import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { exec } from '../../src/lib/exec.ts';
import { type Recipe, recipes } from '../../src/scan/run/recipes.ts';
import { cleanTree, type Tree } from '../../src/scan/run/tree.ts';
import { commitAll, run, sandboxes } from '../support/sandbox.ts';

/*
 * Attacks with what a repository tells git: a scanner has to see the bytes of the commit, and every line that was ever added. What
 * gitleaks makes of it is asked of the real one in test/interop/scan-run.test.ts.
 */
const sandbox = sandboxes();
afterAll(sandbox.clean);

/** A commit on top of what commitAll made; gives its id. */
function commit(folder: string): string {
  const git = (...args: string[]) =>
    run('git', ['-C', folder, '-c', 'user.name=test', '-c', 'user.email=test@example.org', ...args]);
  git('add', '-A', '-f');
  git('commit', '-q', '-m', 'more');
  return git('rev-parse', 'HEAD').stdout.trim();
}

function write(folder: string, files: Record<string, string | Buffer>): void {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

async function treeOf(checkout: string): Promise<Tree> {
  return await cleanTree(checkout, sandbox.folder('tree'), exec);
}

/** What git shows gitleaks of the history: the command that gitleaks 8 makes of our options. */
function shown(tree: Tree): string {
  const { args } = recipes.gitleaks as Recipe;
  const words = args({ tree, layout: null, rules: null, offline: true, home: '/', empty: '/' });
  const options = words[words.indexOf('--log-opts') + 1]?.split(' ') ?? [];
  const { code, stdout } = run('git', ['-C', tree.history, 'log', '-p', '-U0', ...options]);
  expect(code).toBe(0);
  return stdout;
}

const utf16 = (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le');

describe('what a repository tells git changes nothing of what scanners see', () => {
  it.each(['working-tree-encoding=UTF-16LE', 'text eol=crlf', 'ident'])(
    'an attribute %s: files are the bytes of the commit',
    async (attribute) => {
      const checkout = sandbox.folder('checkout');
      const text = '// $Id$\neval(input);\n';
      write(checkout, { 'src/run.js': text, 'run.js': text });
      commitAll(checkout);
      write(checkout, { '.gitattributes': `[attr]odd ${attribute}\n*.js ${attribute}\nsrc/*.js odd\n` });
      // Only the attributes are committed: git would otherwise take the files for what the encoding says.
      run('git', ['-C', checkout, 'add', '.gitattributes']);
      run('git', ['-C', checkout, '-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '-q', '-m', 'odd']);
      const tree = await treeOf(checkout);
      for (const path of ['run.js', 'src/run.js']) expect(readFileSync(join(tree.files, path), 'utf8')).toBe(text);
    },
  );

  // Git 2.43 and newer obey it in a repository without files too, older ones do not.
  it('an attribute -diff: changes are shown as text', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { '.gitattributes': '* -diff\n', 'hidden.cfg': 'canary-of-attributes\n' });
    commitAll(checkout);
    expect(shown(await treeOf(checkout))).toContain('+canary-of-attributes');
  });

  it('a NUL byte makes no file binary', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { 'hidden.cfg': 'canary-before-nul\n\0\n' });
    commitAll(checkout);
    expect(shown(await treeOf(checkout))).toContain('+canary-before-nul');
  });

  it('text in UTF-16 is read, in the files and in the history, and the scan stays one of the same commit', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, {
      'wide.js': utf16('eval(input);\r\nnext\n'),
      'wide/be.js': utf16('of the other order\n').swap16(),
      ':(exclude)*': utf16('an odd name\n'),
      'plain.js': 'plain\n',
    });
    symlinkSync('wide.js', join(checkout, 'link.js'));
    const head = commitAll(checkout);
    const tree = await treeOf(checkout);
    expect(tree).toMatchObject({ commit: head, recoded: [':(exclude)*', 'wide.js', 'wide/be.js'] });
    expect(readFileSync(join(tree.files, 'wide.js'), 'utf8')).toBe('eval(input);\r\nnext\n');
    for (const line of ['+eval(input);', '+of the other order', '+an odd name', '+plain'])
      expect(shown(tree)).toContain(line);
  });

  it('a merge that adds what neither side has is shown', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { 'a.txt': 'a\n' });
    commitAll(checkout);
    const git = (...args: string[]) =>
      expect(
        run('git', ['-C', checkout, '-c', 'user.name=t', '-c', 'user.email=t@example.org', ...args]),
      ).toMatchObject({ code: 0 });
    git('checkout', '-q', '-b', 'side');
    write(checkout, { 'side.txt': 'side\n' });
    commit(checkout);
    git('checkout', '-q', 'main');
    write(checkout, { 'main.txt': 'main\n' });
    commit(checkout);
    git('merge', '-q', '--no-commit', '--no-ff', 'side');
    write(checkout, { 'merged.cfg': 'canary-of-the-merge\n' });
    commit(checkout);
    expect(shown(await treeOf(checkout))).toContain('+canary-of-the-merge');
  });

  it('a link that becomes a file is shown', async () => {
    const checkout = sandbox.folder('checkout');
    symlinkSync('nowhere', join(checkout, 'config'));
    commitAll(checkout);
    unlinkSync(join(checkout, 'config'));
    write(checkout, { config: 'canary-of-the-link\n' });
    commit(checkout);
    expect(shown(await treeOf(checkout))).toContain('+canary-of-the-link');
  });

  it('a branch that stands where ours would stops nothing and hides nothing', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { 'wide.js': utf16('canary-in-utf-16\n') });
    commitAll(checkout);
    run('git', ['-C', checkout, 'update-ref', 'refs/gatehouse/utf-8', 'HEAD']);
    run('git', ['-C', checkout, 'checkout', '-q', '--detach']);
    expect(shown(await treeOf(checkout))).toContain('+canary-in-utf-16');
  });

  it('a name that is no UTF-8 hides neither text in UTF-16 nor a file that scanners obey', async () => {
    const checkout = sandbox.folder('checkout');
    const folder = Buffer.concat([Buffer.from(`${checkout}/caf`), Buffer.from([0xe9])]);
    const named = (name: string) => Buffer.concat([folder, Buffer.from(`/${name}`)]);
    mkdirSync(folder);
    writeFileSync(named('wide.cfg'), utf16('canary-in-latin\n'));
    writeFileSync(named('.semgrepignore'), '*\n');
    mkdirSync(named('.trivyignore'));
    writeFileSync(named('.trivyignore/main.go'), 'package main\n');
    commitAll(checkout);
    const tree = await treeOf(checkout);
    expect(shown(tree)).toContain('+canary-in-latin');
    expect(tree.removed).toContain('caf\ufffd/.semgrepignore');
    const left = run('find', [tree.files, '-name', '.semgrepignore']).stdout;
    expect(left).toBe(`${join(tree.files, '.semgrepignore')}\n`);
  });

  it('a program that it holds is not taken for git, where PATH has a part that leads into the checkout', async () => {
    const checkout = sandbox.folder('checkout');
    const ran = join(sandbox.folder('ran'), 'ran');
    write(checkout, { 'bin/git': `#!/bin/sh\ntouch ${ran}\nexit 1\n` });
    chmodSync(join(checkout, 'bin', 'git'), 0o755);
    const head = commitAll(checkout);
    const { PATH } = process.env;
    process.env.PATH = ['bin', PATH].join(delimiter);
    try {
      expect(await treeOf(checkout)).toMatchObject({ commit: head });
    } finally {
      process.env.PATH = PATH;
    }
    expect(existsSync(ran)).toBe(false);
  });

  it('a checkout that belongs to somebody else, as in a container, is read like any other', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { 'a.txt': 'a\n', 'wide.js': utf16('canary-of-another\n') });
    const head = commitAll(checkout);
    // Nobody else can give a folder away.
    if (process.getuid?.() === 0) expect(run('chown', ['-R', '12345:12345', checkout]).code).toBe(0);
    const tree = await treeOf(checkout);
    expect(tree.commit).toBe(head);
    expect(shown(tree)).toContain('+canary-of-another');
  });

  it.each([
    ['commit', 'HEAD'],
    ['file', 'HEAD:a.txt'],
    ['nothing', null],
  ])('settings of the checkout start no program where it lacks this: %s', async (_, missing) => {
    const checkout = sandbox.folder('checkout');
    const ran = join(sandbox.folder('ran'), 'ran');
    write(checkout, { 'a.txt': 'a\n' });
    commitAll(checkout);
    if (missing !== null) {
      const id = run('git', ['-C', checkout, 'rev-parse', missing]).stdout.trim();
      rmSync(join(checkout, '.git', 'objects', id.slice(0, 2), id.slice(2)));
    }
    const program = `"touch '${ran}'; false"`;
    appendFileSync(
      join(checkout, '.git', 'config'),
      `[core]\n\trepositoryformatversion = 1\n\tfsmonitor = ${program}\n\talternateRefsCommand = ${program}\n[extensions]\n\tpartialClone = origin\n[remote "origin"]\n\turl = ${checkout}\n\tpromisor = true\n\tuploadpack = ${program}\n[uploadpack]\n\tpackObjectsHook = ${program}\n`,
    );
    const made = treeOf(checkout);
    if (missing === null) await made;
    else await expect(made).rejects.toMatchObject({ code: expect.stringMatching(/^scan\.(checkout|clone)$/) });
    expect(existsSync(ran)).toBe(false);
  });

  it('a folder where our own file goes stops nothing', async () => {
    const checkout = sandbox.folder('checkout');
    write(checkout, { '.semgrepignore/main.go': 'package main\n' });
    commitAll(checkout);
    const tree = await treeOf(checkout);
    expect(readFileSync(join(tree.files, '.semgrepignore'), 'utf8')).toContain('nothing is left out');
  });
});

describe('F27 a scanner that leaves files out by their names is told not to', () => {
  const place = { tree: { files: '/', history: '/', commit: '', removed: [], recoded: [] }, home: '/', empty: '/' };
  const asked = { ...place, layout: null, rules: null, offline: true };
  // That the real ones obey: test/interop/scan-run.test.ts.
  it.each([
    ['osv-scanner', 'a lock file that a .gitignore names', ['--no-ignore']],
    ['checkov', 'hidden folders', ['CKV_IGNORE_HIDDEN_DIRECTORIES=false']],
    ['checkov', 'node_modules and others', ['CKV_IGNORED_DIRECTORIES=']],
    ['semgrep', 'files over a size', ['--max-target-bytes', '0']],
  ])('%s: %s', (tool, _, words) => {
    const recipe = recipes[tool] as Recipe;
    const env = Object.entries(recipe.env?.(asked) ?? {}).map(([name, value]) => `${name}=${value}`);
    expect(` ${[...recipe.args(asked), ...env].join(' ')} `).toContain(` ${words.join(' ')} `);
  });
});
