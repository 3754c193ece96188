import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { digestOf } from '../../src/lib/digest.ts';
import { readLayout } from '../../src/registry/layout.ts';
import { pageCommand, wordsOf } from '../support/page-command.ts';
import { filesIn, goVersion, sampleToolchain } from '../support/sample.ts';
import { cleanEnvironment, sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

const toolchain = sampleToolchain();
const here = goVersion() ?? 'none';
const itGo = here === toolchain ? it : it.skip;

itGo(
  `the sample image is made again byte for byte, twice and elsewhere (needs ${toolchain} on the PATH, there is ${here})`,
  () => {
    const copy = join(sandbox.folder('sample'), 'sample');
    cpSync('sample', copy, { recursive: true, filter: (path) => !path.startsWith('sample/image') });
    const [, ...words] = wordsOf(pageCommand('sample/README.md', 'node sample/make-image.ts'));
    const make = () =>
      execFileSync(process.execPath, words, {
        cwd: join(copy, '..'),
        encoding: 'utf8',
        env: cleanEnvironment(process.env.HOME ?? '/'),
      }).trim();
    for (const _ of ['once', 'again']) {
      expect(make()).toBe(`registry.example/care/lab-results@${readLayout('sample/image').top.descriptor.digest}`);
      expect(filesIn(join(copy, 'image'))).toEqual(filesIn('sample/image'));
      for (const path of filesIn('sample/image')) {
        expect(digestOf(readFileSync(join(copy, 'image', path)))).toBe(
          digestOf(readFileSync(join('sample/image', path))),
        );
      }
    }
  },
);
