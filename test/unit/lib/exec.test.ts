import { CouldNot } from '../../../src/lib/errors.ts';
import { exec } from '../../../src/lib/exec.ts';

const run = (program: string, ...args: string[]) =>
  exec(program, args, { cwd: '/', env: { PATH: process.env.PATH ?? '', ONLY: 'this' } });

describe('a program', () => {
  it('answers with its exit code and both outputs, also when it fails', async () => {
    expect(await run('sh', '-c', 'echo out; echo err >&2; exit 7')).toEqual({
      code: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  it('gets its words as they are: no shell reads them', async () => {
    expect((await run('printf', '%s|', 'a b', '$HOME', '`id`', '; exit 9', '*')).stdout).toBe(
      'a b|$HOME|`id`|; exit 9|*|',
    );
  });

  it('gets the environment that it is given and no other', async () => {
    expect((await run('sh', '-c', 'echo "$ONLY|$HOME|$NODE_OPTIONS"')).stdout).toBe('this||\n');
  });

  it('that a signal ends did not end well', async () => {
    expect((await run('sh', '-c', 'kill -9 $$')).code).not.toBe(0);
  });

  it('that is not there is CouldNot, with its name', async () => {
    await expect(run('no-such-program')).rejects.toThrow(CouldNot);
    await expect(run('no-such-program')).rejects.toThrow(/cannot start no-such-program.*install it/);
  });
});
