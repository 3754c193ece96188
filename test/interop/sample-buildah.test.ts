import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { gunzipSync } from 'node:zlib';
import { DEFAULT_LIMITS } from '../../src/attestation/sbom/limits.ts';
import { readTar } from '../../src/attestation/sbom/tar.ts';
import { pageCommand, wordsOf } from '../support/page-command.ts';
import { imageInLayout } from '../support/sample.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);
const itBuildah = itWith('buildah', 'crane');

function build(destination: string): string {
  const [, ...words] = wordsOf(pageCommand('sample/README.md', 'node sample/make-image.ts --with buildah'));
  const args = words.map((word) => (word.startsWith('oci:') ? destination : word));
  const { code, stdout, stderr } = run(process.execPath, args, { env: cleanEnvironment(process.env.HOME ?? '/') });
  if (code !== 0) throw new Error(stderr);
  return stdout.trim().split('\n').at(-1) as string;
}

/** Path → mode of reading and digest of every file in a layout's image. */
async function filesIn(layout?: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { bytes } of imageInLayout(layout).layers as { bytes: Uint8Array }[]) {
    async function* unpacked(): AsyncGenerator<Uint8Array> {
      yield gunzipSync(bytes);
    }
    for await (const { path, kind, content } of readTar(unpacked(), DEFAULT_LIMITS)) {
      const hash = createHash('sha256');
      for await (const part of content) hash.update(part);
      if (kind === 'file') files.set(path, hash.digest('hex'));
    }
  }
  return files;
}

/** A registry on a free port of loopback, stopped by its id. */
async function withRegistry<T>(use: (host: string) => T): Promise<T> {
  const server = spawn(toolPath('crane'), ['registry', 'serve', '--address', '127.0.0.1:0'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    for await (const line of createInterface({ input: server.stderr })) {
      const port = /serving on port (\d+)/.exec(line)?.[1];
      if (port !== undefined) return use(`127.0.0.1:${port}`);
    }
    throw new Error('the registry ended before it began');
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
}

describe('the sample built from its Dockerfile by buildah', () => {
  itBuildah('has the same digest each time, and the same files as the committed image', async () => {
    const folder = sandbox.folder('buildah');
    const layout = join(folder, 'image');
    const digest = build(`oci:${layout}:1.0.0`);
    expect(digest).toMatch(/^registry\.example\/care\/lab-results@sha256:[0-9a-f]{64}$/);
    expect(build(`oci:${join(folder, 'again')}:1.0.0`)).toBe(digest);
    expect(digest.endsWith(imageInLayout(layout).digest)).toBe(true);
    const files = await filesIn(layout);
    expect(files.size).toBe(5);
    expect(files).toEqual(await filesIn());
    expect(imageInLayout(layout).config).toMatchObject({
      config: { User: '65532:65532', Entrypoint: ['/app/server'] },
    });
  });

  itBuildah('is pushed to a registry, which then has it', async () => {
    await withRegistry((host) => {
      const digest = build(`docker://${host}/care/lab-results:1.0.0`).split('@')[1] as string;
      const found = run(toolPath('crane'), ['manifest', `${host}/care/lab-results@${digest}`]);
      expect(found.code).toBe(0);
      expect(createHash('sha256').update(found.stdout).digest('hex')).toBe(digest.slice(7));
    });
  });
});
