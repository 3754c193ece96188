import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startRegistry } from '../../src/registry/server/start.ts';
import { cleanEnvironment, type Ended, runAside, sandboxes } from '../support/sandbox.ts';
import { laySignedSite, publicKeyOf } from '../support/signed-site.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
let registry: Awaited<ReturnType<typeof startRegistry>>;
let image: string;
let key: string;
let stranger: string;
let root: string;

/** cosign 2 wants one even in key mode as soon as an image carries a bundle; an empty one serves. */
const EMPTY_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

beforeAll(async () => {
  registry = await startRegistry();
  const signed = await laySignedSite(join(sandbox.folder('cosign'), 'site'), new URL(registry.url).host);
  image = signed.image;
  const folder = sandbox.folder('keys');
  [key, stranger, root] = [join(folder, 'build.pub'), join(folder, 'scan.pub'), join(folder, 'root.json')];
  writeFileSync(key, publicKeyOf(signed.site, 'build'));
  writeFileSync(stranger, publicKeyOf(signed.site, 'scan'));
  writeFileSync(root, EMPTY_ROOT);
});

afterAll(async () => {
  await registry.close();
  sandbox.clean();
});

const cosign = (tool: string, ...args: string[]): Promise<Ended> =>
  runAside(
    toolPath(tool),
    [...args, '--insecure-ignore-tlog=true', '--allow-http-registry', image],
    cleanEnvironment(sandbox.folder('home')),
  );

describe.each([
  ['cosign3', [] as string[]],
  ['cosign2', ['--trusted-root']],
])('%s', (tool, rooted) => {
  const itCosign = itWith(tool);
  const flags = () => (rooted.length === 0 ? [] : ['--trusted-root', root]);

  itCosign('verifies the signature by the key of role build', async () => {
    const { code, stdout, stderr } = await cosign(tool, 'verify', '--key', key, ...flags());
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain(image.split('@')[1]);
  });

  itCosign('refuses the key of another role', async () => {
    const { code } = await cosign(tool, 'verify', '--key', stranger, ...flags());
    expect(code).not.toBe(0);
  });

  itWith(tool)('verifies SLSA provenance and the CycloneDX SBOM', async () => {
    for (const type of ['slsaprovenance1', 'cyclonedx']) {
      const { code, stderr } = await cosign(tool, 'verify-attestation', '--type', type, '--key', key, ...flags());
      expect({ type, code, stderr: code === 0 ? '' : stderr }).toEqual({ type, code: 0, stderr: '' });
    }
  });
});

describe('other tools', () => {
  itWith('crane')('crane accepts the image by digest', async () => {
    const { code, stderr } = await runAside(
      toolPath('crane'),
      ['validate', '--remote', image, '--insecure'],
      cleanEnvironment(sandbox.folder('home')),
    );
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  });

  itWith('skopeo')('skopeo reads the image by digest', async () => {
    const { code, stdout, stderr } = await runAside(
      toolPath('skopeo'),
      ['inspect', '--tls-verify=false', `docker://${image}`],
      cleanEnvironment(sandbox.folder('home')),
    );
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ Digest: image.split('@')[1], Os: 'linux', Architecture: 'amd64' });
  });
});
