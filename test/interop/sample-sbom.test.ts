import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { File } from '../../sample/archive.ts';
import { writeLayout } from '../../sample/layout.ts';
import { createSbom } from '../../src/attestation/sbom/index.ts';
import { imageInLayout } from '../support/sample.ts';
import { cleanEnvironment, run, sandboxes } from '../support/sandbox.ts';
import { itWith, toolPath } from '../support/tools.ts';

const sandbox = sandboxes();
afterAll(sandbox.clean);
const itTrivy = itWith('trivy');

/**
 * A purl as both mean it. Known differences: trivy takes the point release for `distro` (debian-12.5, from a file of
 * Debian's own; we take os-release's VERSION_ID), keeps an epoch apart from the version, and encodes the colon.
 */
function comparable(purl: string): string {
  const [path = '', query = ''] = purl.split('?');
  const qualifiers = new URLSearchParams(query);
  const epoch = qualifiers.get('epoch');
  const plain = decodeURIComponent(path);
  return `${epoch === null ? plain : plain.replace(/@([^@]*)$/, `@${epoch}:$1`)} ${qualifiers.get('arch') ?? ''}`;
}

const purlsIn = (document: { components: { purl?: string }[] }): string[] =>
  document.components.flatMap(({ purl }) => (purl === undefined ? [] : [comparable(purl)])).sort();

function trivySbom(layout: string): { components: { purl?: string }[] } {
  const home = sandbox.folder('trivy');
  const args = [
    'image',
    '--input',
    layout,
    '--format',
    'cyclonedx',
    '--cache-dir',
    home,
    '--offline-scan',
    '--skip-version-check',
    '--disable-telemetry',
  ];
  const { code, stdout, stderr } = run(toolPath('trivy'), args, { env: cleanEnvironment(home) });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const text = (path: string, content: string): File => ({ path, bytes: Buffer.from(content), executable: false });
const apk = (name: string, version: string) =>
  `C:Q1abcdefghijklmnopqrstuvwxyz0=\nP:${name}\nV:${version}\nA:x86_64\no:${name}\n\n`;
const CONFIG = { architecture: 'amd64', os: 'linux', config: {} };

const LAYERS: Record<string, () => File[][]> = {
  'Alpine with npm and Python, over two layers and a whiteout': () => [
    [
      text('etc/alpine-release', '3.18.4\n'),
      text('etc/os-release', 'ID=alpine\nVERSION_ID=3.18.4\n'),
      text('lib/apk/db/installed', apk('musl', '1.2.4-r1')),
      text('app/node_modules/removed/package.json', '{"name":"removed","version":"1.0.0"}'),
      text('app/node_modules/@scope/kept/package.json', '{"name":"@scope/kept","version":"1.0.0-rc.1+build"}'),
      text(
        'usr/lib/python3.11/site-packages/PyYAML-6.0.dist-info/METADATA',
        'Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n',
      ),
    ],
    [
      text('app/node_modules/.wh.removed', ''),
      text(
        'lib/apk/db/installed',
        apk('musl', '1.2.4-r1') + apk('libcrypto3', '3.1.0-r4') + apk('g++', '12.2.1_git20220924-r10'),
      ),
    ],
  ],
  'distroless Debian, with a list a package': () => [
    [
      text('etc/debian_version', '12.5\n'),
      text('usr/lib/os-release', 'ID=debian\nVERSION_ID="12"\n'),
      text('etc/os-release', 'ID=debian\nVERSION_ID="12"\n'),
      text(
        'var/lib/dpkg/status.d/tzdata',
        'Package: tzdata\nVersion: 2024a-0+deb12u1\nArchitecture: all\nMaintainer: A <a@example.org>\n',
      ),
      text(
        'var/lib/dpkg/status.d/libssl3',
        'Package: libssl3\nVersion: 3.0.13-1~deb12u1\nArchitecture: amd64\nSource: openssl\nMaintainer: A <a@example.org>\n',
      ),
      text(
        'var/lib/dpkg/status.d/bsdutils',
        'Package: bsdutils\nVersion: 1:2.38.1-5\nArchitecture: amd64\nMaintainer: A <a@example.org>\n',
      ),
    ],
    [{ path: 'usr/bin/server', bytes: sampleServer(), executable: true }],
  ],
};

/** The sample's program, out of its layer. */
function sampleServer(): Buffer {
  const folder = sandbox.folder('server');
  const [, layer] = [...(imageInLayout().layers as { bytes: Uint8Array }[])];
  const { code } = run('tar', ['-xzf', '-', '-C', folder], {
    input: Buffer.from(layer?.bytes ?? []) as unknown as string,
  });
  expect(code).toBe(0);
  return readFileSync(join(folder, 'app/server'));
}

describe('our SBOM and that of trivy', () => {
  itTrivy('name the same packages of the sample image', async () => {
    const mine = purlsIn(await createSbom(imageInLayout(), { toolVersion: '1.0.0' }));
    expect(mine).toHaveLength(7);
    expect(mine).toEqual(purlsIn(trivySbom('sample/image')));
  });

  for (const [name, layers] of Object.entries(LAYERS)) {
    itTrivy(`name the same packages of ${name}`, async () => {
      const layout = join(sandbox.folder('layout'), 'image');
      writeLayout(
        layout,
        '1',
        CONFIG,
        layers().map((files) => ({ files, createdBy: 'test' })),
      );
      const mine = purlsIn(await createSbom(imageInLayout(layout), { toolVersion: '1.0.0' }));
      expect(mine.length).toBeGreaterThan(4);
      expect(mine).toEqual(purlsIn(trivySbom(layout)));
    });
  }
});
