import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BadInput, CouldNot } from '../../../src/lib/errors.ts';
import { replaceFile, requirePlace } from '../../../src/lib/write.ts';
import { sandboxes } from '../../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/** Runs replaceFile in a process of its own, behind some shell words. */
function elsewhere(file: string, size: number, before: string, more = '') {
  const module = join(process.cwd(), 'build/src/lib/write.js');
  const program = `${more}; import('${module}').then((m) => m.replaceFile('${file}', Buffer.alloc(${size}, 'n'), 'run file')).catch((e) => { console.log(e.code, e.message); process.exit(3); })`;
  return spawnSync('bash', ['-c', `${before} exec "$0" -e "$1"`, process.execPath, program], { encoding: 'utf8' });
}

describe('a replaced file', () => {
  const fresh = () => join(sandbox.folder('write'), 'run.json');

  it('has the new bytes and leaves nothing beside it', () => {
    const file = fresh();
    replaceFile(file, 'old', 'run file');
    replaceFile(file, Buffer.from('new'), 'run file');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(readdirSync(join(file, '..'))).toEqual(['run.json']);
  });

  it('keeps its mode', () => {
    const file = fresh();
    writeFileSync(file, 'old');
    chmodSync(file, 0o600);
    replaceFile(file, 'new', 'run file');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is the old one when the disk takes only a part', () => {
    const file = fresh();
    writeFileSync(file, 'old');
    // A limit on file sizes cuts the write as a full disk does: the first part is taken, the rest is refused.
    const { status, stdout } = elsewhere(file, 1_000_000, "trap '' XFSZ; ulimit -f 8;");
    expect({ status, stdout }).toEqual({
      status: 3,
      stdout: expect.stringContaining('file.unwritable cannot write run file'),
    });
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(join(file, '..'))).toEqual(['run.json']);
  });

  it.each(['fsyncSync', 'renameSync'])('is the old one or the new one when the process is killed at %s', (step) => {
    const file = fresh();
    writeFileSync(file, 'old');
    const die = `const fs = require('node:fs'); fs.${step} = () => process.kill(process.pid, 'SIGKILL'); require('node:module').syncBuiltinESMExports()`;
    const { signal } = elsewhere(file, 10, '', die);
    expect(signal).toBe('SIGKILL');
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  it.each([
    [
      'a folder that is not there',
      () => join(sandbox.folder('write'), 'none', 'run.json'),
      /there is no such folder; make/,
    ],
    [
      'a folder in its place',
      () => {
        const file = fresh();
        mkdirSync(file);
        writeFileSync(join(file, 'x'), 'x');
        return file;
      },
      /it is a folder; name a file/,
    ],
  ])('%s is CouldNot, and nothing is left', (_, path, why) => {
    const file = path();
    expect(() => replaceFile(file, 'new', 'run file')).toThrow(CouldNot);
    expect(() => replaceFile(file, 'new', 'run file')).toThrow(/cannot write run file .*run\.json: /);
    expect(() => replaceFile(file, 'new', 'run file')).toThrow(why);
    const beside = existsSync(join(file, '..')) ? readdirSync(join(file, '..')) : [];
    expect(beside.filter((name) => name !== 'run.json')).toEqual([]);
  });
});

describe('the place of a file is looked at before long work', () => {
  const folder = () => sandbox.folder('place');

  it.each([
    ['without its folder', () => join(folder(), 'none', 'report.html'), /there is no such folder/],
    ['below a file', () => join('package.json', 'report.html'), /there is no such folder/],
    ['where a folder is', folder, /it is a folder; name a file/],
  ])('%s it is bad input', (_, path, why) => {
    const file = path();
    expect(() => requirePlace(file, 'report')).toThrow(BadInput);
    expect(() => requirePlace(file, 'report')).toThrow(why);
  });

  it('a new file, an old one and one right here have a place', () => {
    for (const path of [join(folder(), 'new'), 'package.json', 'new'])
      expect(() => requirePlace(path, 'report')).not.toThrow();
  });
});
