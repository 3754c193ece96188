import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { staleFiles } from '../../scripts/build.ts';
import { sandboxes } from '../support/sandbox.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);

/*
 * Whether the committed dist is what its source builds to is asked by `npm run build -- --check` in .ci/run: dist is committed
 * last, so between commits it is rightly behind its source. Here the same comparison, a whole build, finds one byte, and nothing
 * else: two bundles of one source are equal.
 */
it('one changed byte of a built dist is what build --check finds', () => {
  const folder = sandbox.folder('dist');
  cpSync('build/dist', folder, { recursive: true });
  const file = join(folder, 'index.js');
  const bytes = readFileSync(file);
  bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
  writeFileSync(file, bytes);
  expect(staleFiles(folder)).toEqual(['index.js']);
}, 600_000);
