import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput } from '../../../src/lib/errors.ts';
import { readInput } from '../../../src/lib/file.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

describe('a file that a person names', () => {
  const folder = sandbox.folder('file');
  const file = (name: string, bytes: string | Buffer) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };

  it('is read whole, whatever its size', () => {
    for (const size of [0, 1, 65_535, 65_536, 65_537, 1_000_000]) {
      const bytes = Buffer.alloc(size, 'x');
      expect(readInput(file('some', bytes), 'report').equals(bytes)).toBe(true);
    }
  });

  it('may be larger than it says, as in /proc', () => {
    expect(readInput('/proc/self/status', 'status').toString()).toMatch(/^Name:/);
  });

  it.each([
    ['a file that is not there', () => join(folder, 'none'), 'file.unreadable', 'there is no such file'],
    ['a folder', () => folder, 'file.unreadable', 'it is a folder'],
    ['a path through a file', () => join(file('plain', 'x'), 'y'), 'file.unreadable', 'not a folder'],
    ['a file over the limit', () => file('large', 'x'.repeat(101)), 'file.too_large', '101 bytes, more than the 100'],
    ['a device without end', () => '/dev/zero', 'file.too_large', 'no end, more than the 100'],
    ['a path without end', () => `/${'x'.repeat(300)}`, 'file.unreadable', 'the path is too long'],
    [
      'links in a circle',
      () => {
        symlinkSync(join(folder, 'b'), join(folder, 'a'));
        symlinkSync(join(folder, 'a'), join(folder, 'b'));
        return join(folder, 'a');
      },
      'file.unreadable',
      'lead in a circle',
    ],
  ])('%s is bad input, named', (_, path, code, words) => {
    const named = path();
    expect(() => readInput(named, 'report', 100)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
    expect(() => readInput(named, 'report', 100)).toThrow(new RegExp(`report ${named.slice(0, 50)}`));
  });

  it('that may not be read says so', () => {
    const closed = join(folder, 'closed');
    mkdirSync(closed);
    writeFileSync(join(closed, 'file'), 'x');
    chmodSync(closed, 0o000);
    // root may read anything, so a child gives up its rights first (not its name: the clone may be root's alone).
    const program = `import('${join(process.cwd(), 'build/src/lib/file.js')}').then((m) => m.readInput('${join(closed, 'file')}', 'report')).catch((e) => console.log(e.code, e.message))`;
    const args = ['-e', program];
    const said =
      process.getuid?.() === 0 ? trySetpriv(args) : execFileSync(process.execPath, args, { encoding: 'utf8' });
    chmodSync(closed, 0o700);
    expect(said).toContain('file.unreadable cannot read report');
    expect(said).toContain('permission denied');
  });

  it('is a BadInput, whatever went wrong', () => {
    expect(() => readInput('a\0b', 'report')).toThrow(BadInput);
  });
});

function trySetpriv(args: string[]): string {
  return execFileSync('setpriv', ['--bounding-set=-all', '--inh-caps=-all', process.execPath, ...args], {
    encoding: 'utf8',
  });
}
