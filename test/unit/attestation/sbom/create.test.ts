import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Ajv } from 'ajv';
import { type CycloneDx, createSbom, type ImageContent } from '../../../../src/attestation/sbom/index.ts';
import { parseTime } from '../../../../src/lib/time.ts';
import { elfFile, goBuildBlock } from './elf-file.ts';
import { debian, file, folder, imageOf, symlink } from './image.ts';

const options = { toolVersion: '1.0.0' };
const linked = { bits: 64, big: false, section: '.go.buildinfo' } as const;
const goProgram = (...dependencies: string[]): Buffer =>
  elfFile(
    goBuildBlock(
      'go1.26.8',
      `mod\texample.org/app\tv1.0.0\t\n${dependencies.map((each) => `dep\t${each}\n`).join('')}`,
    ),
    linked,
  );

/** One of everything. */
const everything = imageOf(
  [
    file('usr/lib/os-release', 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n'),
    symlink('etc/os-release', '../usr/lib/os-release'),
    file(
      'var/lib/dpkg/status',
      `${debian('libc6', '2.36-9')}Package: bsdutils\nVersion: 1:2.38-5\nSource: util-linux (2.38-5)\nMaintainer: M <m@example.org>\n`,
    ),
    file('var/lib/dpkg/status.d/tzdata', 'Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n'),
    file('var/lib/dpkg/status.d/tzdata.md5sums', 'abc  usr/share/zoneinfo/UTC\n'),
    file('usr/lib/python3/dist-packages/six-1.16.0.egg-info', 'Name: six\nVersion: 1.16.0\n'),
    file('venv/lib/PyYAML-6.0.dist-info/METADATA', 'Name: PyYAML\nVersion: 6.0\n'),
    file('app/node_modules/@scope/a/package.json', '{"name":"@scope/a","version":"1.0.0"}'),
    file('app/node_modules/@scope/a/lib/package.json', '{"type":"module"}'),
    file('app/node_modules/b/package.json', '{"name":"b","version":"2.0.0"}'),
  ],
  [
    file('other/node_modules/b/package.json', '{"name":"b","version":"2.0.0"}'),
    file('app/one', goProgram('golang.org/x/text\tv0.3.5\th1:x=', 'example.org/big\tv1.0.0+incompatible\t')),
    file('app/two', goProgram('golang.org/x/text\tv0.3.5\th1:x=')),
    file('bin/native', elfFile(Buffer.from('data'), { ...linked, section: '.data' })),
    file('app/lib.jar', 'PK'),
    folder('tmp'),
    file('tmp/readme', 'text'),
  ],
);

/** The official schema, with its own references, as its library ships it. */
function validator(): (document: unknown) => string[] {
  const library = createRequire(import.meta.url).resolve('@cyclonedx/cyclonedx-library/package.json');
  const schema = (name: string) => JSON.parse(readFileSync(join(dirname(library), 'res', 'schema', name), 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  for (const name of ['spdx', 'jsf-0.82', 'cryptography-defs'].map((each) => `${each}.SNAPSHOT.schema.json`)) {
    ajv.addSchema({ ...schema(name), $id: `http://cyclonedx.org/schema/${name}` });
  }
  ajv.addFormat('date-time', { validate: (text: string) => parseTime(text) !== null });
  for (const format of ['uri', 'iri-reference', 'idn-email']) ajv.addFormat(format, true);
  const validate = ajv.compile(schema('bom-1.6.SNAPSHOT.schema.json'));
  return (document) =>
    validate(document) ? [] : (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
}

const find = (sbom: CycloneDx, ref: string) => sbom.components.find((each) => each['bom-ref'] === ref);

describe('the SBOM of an image', () => {
  let sbom: CycloneDx;
  beforeAll(async () => {
    sbom = await createSbom(everything, { ...options, timestamp: '2026-01-31T08:00:00Z' });
  });

  it('lists what is in the layers, and nothing else', () => {
    expect(sbom.components.map((each) => each['bom-ref'])).toEqual([
      'file:/app/lib.jar',
      'file:/app/one',
      'file:/app/two',
      'file:/bin/native',
      'os:debian-12',
      'pkg:deb/debian/bsdutils@1:2.38-5?distro=debian-12',
      'pkg:deb/debian/libc6@2.36-9?arch=amd64&distro=debian-12',
      'pkg:deb/debian/tzdata@2024a-0?arch=all&distro=debian-12',
      'pkg:golang/example.org/big@v1.0.0%2Bincompatible',
      'pkg:golang/golang.org/x/text@v0.3.5',
      'pkg:golang/stdlib@v1.26.8',
      'pkg:npm/%40scope/a@1.0.0',
      'pkg:npm/b@2.0.0',
      'pkg:pypi/pyyaml@6.0',
      'pkg:pypi/six@1.16.0',
    ]);
  });

  it('is valid by the official schema of CycloneDX 1.6, which finds a planted error', () => {
    const validate = validator();
    expect(validate(sbom)).toEqual([]);
    expect(validate({ ...sbom, components: [{ ...sbom.components[0], type: 'thing' }] })).not.toEqual([]);
    expect(validate({ ...sbom, serialNumber: 'urn:uuid:none' })).not.toEqual([]);
  });

  it('is about the image by its digest', () => {
    expect(sbom.metadata.component).toEqual({
      type: 'container',
      'bom-ref': `pkg:oci/app@${everything.digest}?arch=amd64&repository_url=registry.example%2Fcare%2Fapp`,
      name: 'registry.example/care/app',
      version: everything.digest,
      purl: `pkg:oci/app@${everything.digest}?arch=amd64&repository_url=registry.example%2Fcare%2Fapp`,
      properties: [{ name: 'gatehouse:platform', value: 'linux/amd64' }],
    });
  });

  it('says what brings what: image, system, programs', () => {
    const top = sbom.metadata.component['bom-ref'];
    const edges = new Map(sbom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]));
    expect(edges.get('os:debian-12')).toHaveLength(3);
    expect(edges.get('file:/app/one')).toEqual([
      'pkg:golang/example.org/big@v1.0.0%2Bincompatible',
      'pkg:golang/golang.org/x/text@v0.3.5',
      'pkg:golang/stdlib@v1.26.8',
    ]);
    expect(edges.get(top)).toContain('pkg:pypi/six@1.16.0');
    const reached = new Set(sbom.dependencies.flatMap(({ dependsOn }) => dependsOn));
    expect(sbom.components.filter((each) => !reached.has(each['bom-ref']))).toEqual([]);
  });

  it('gives a package that is there twice once, with both places', () => {
    expect(find(sbom, 'pkg:npm/b@2.0.0')?.evidence?.occurrences).toEqual([
      { location: '/app/node_modules/b/package.json' },
      { location: '/other/node_modules/b/package.json' },
    ]);
    expect(find(sbom, 'pkg:golang/golang.org/x/text@v0.3.5')).toMatchObject({
      properties: [{ name: 'gatehouse:goSum', value: 'h1:x=' }],
      evidence: { occurrences: [{ location: '/app/one' }, { location: '/app/two' }] },
    });
  });

  it('gives a program that was built from a folder no version', async () => {
    const program = elfFile(goBuildBlock('go1.26.8', 'mod\texample.org/app\t(devel)\t\n'), linked);
    const found = find(await createSbom(imageOf([file('bin/app', program)]), options), 'file:/bin/app');
    expect(found).toMatchObject({ name: 'example.org/app', purl: 'pkg:golang/example.org/app' });
    expect(found).not.toHaveProperty('version');
  });

  it('shows both sums where two programs disagree on a module', async () => {
    const programs = ['h1:x=', 'h1:y='].map((sum, i) => file(`bin/${i}`, goProgram(`a.example/m\tv1.0.0\t${sum}`)));
    const found = find(await createSbom(imageOf(programs), options), 'pkg:golang/a.example/m@v1.0.0');
    expect(found?.properties?.map(({ value }) => value)).toEqual(['h1:x=', 'h1:y=']);
  });

  it('names source package and supplier of a system package, without the address', () => {
    expect(find(sbom, 'pkg:deb/debian/bsdutils@1:2.38-5?distro=debian-12')).toMatchObject({
      supplier: { name: 'M' },
      properties: [{ name: 'gatehouse:sourcePackage', value: 'util-linux 2.38-5' }],
    });
  });

  it('shows every executable with its hash, and says of what is not read that it is incomplete', () => {
    const hash = { alg: 'SHA-256', content: expect.stringMatching(/^[0-9a-f]{64}$/) };
    expect(find(sbom, 'file:/app/one')).toMatchObject({
      type: 'application',
      name: 'example.org/app',
      version: 'v1.0.0',
      purl: 'pkg:golang/example.org/app@v1.0.0',
      hashes: [hash],
    });
    expect(find(sbom, 'file:/bin/native')).toEqual({
      type: 'file',
      'bom-ref': 'file:/bin/native',
      name: '/bin/native',
      hashes: [hash],
    });
    expect(find(sbom, 'file:/app/lib.jar')).toMatchObject({
      hashes: [hash],
      properties: [{ name: 'gatehouse:unread', value: expect.stringContaining('Java') }],
    });
    expect(sbom.compositions).toEqual([{ aggregate: 'incomplete', assemblies: [sbom.metadata.component['bom-ref']] }]);
  });
});

describe('determinism', () => {
  it('the same image gives the same bytes, without a time that nobody asked for', async () => {
    const [once, again] = [await createSbom(everything, options), await createSbom(everything, options)];
    expect(JSON.stringify(once)).toBe(JSON.stringify(again));
    expect(once.metadata).not.toHaveProperty('timestamp');
  });

  it('the serial number is a version 5 UUID of the digest', async () => {
    const serial = async (digest: string) => (await createSbom({ ...imageOf([]), digest }, options)).serialNumber;
    const [one, other] = [await serial(`sha256:${'1'.repeat(64)}`), await serial(`sha256:${'2'.repeat(64)}`)];
    expect(one).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(other).not.toBe(one);
  });

  it('the order of the files in a layer does not matter', async () => {
    const files = [file('a', goProgram()), file('b', '\x7fELF'), file('var/lib/dpkg/status', debian('x'))];
    const components = async (image: ImageContent) => (await createSbom(image, options)).components;
    expect(await components(imageOf([...files].reverse()))).toEqual(await components(imageOf(files)));
  });

  it('a time that is none is refused', async () => {
    await expect(createSbom(everything, { ...options, timestamp: 'yesterday' })).rejects.toMatchObject({
      code: 'sbom.timestamp',
      exit: 2,
    });
  });
});

describe('what an image leaves open', () => {
  it('an empty image has no components, and no claim to completeness', async () => {
    const sbom = await createSbom(imageOf([]), options);
    expect(sbom).toMatchObject({ components: [], dependencies: [], compositions: [{ aggregate: 'unknown' }] });
    expect(validator()(sbom)).toEqual([]);
  });

  it('packages of an unknown system have no vendor', async () => {
    const { components } = await createSbom(imageOf([file('var/lib/dpkg/status', debian('x'))]), options);
    expect(components).toMatchObject([{ purl: 'pkg:deb/x@1.0?arch=amd64' }]);
  });

  it('/etc/os-release wins over the one in /usr/lib', async () => {
    const { components } = await createSbom(
      imageOf([file('etc/os-release', 'ID=a'), file('usr/lib/os-release', 'ID=b')]),
      options,
    );
    expect(components).toMatchObject([{ type: 'operating-system', name: 'a' }]);
  });

  it.each([
    ['an rpm database', file('var/lib/rpm/rpmdb.sqlite', 'SQLite'), /rpm/],
    ['a .NET assembly', file('app/x.dll', 'MZ'), /\.NET/],
    [
      'a package list in which no package can be read',
      file('var/lib/dpkg/status', 'garbage'),
      /nothing can be read.*dpkg/,
    ],
    ['an os-release that names no system', file('etc/os-release', 'NAME=x'), /os-release/],
    ['a package.json that is broken', file('node_modules/a/package.json', '{'), /npm/],
    ['a program of an old Go', file('bin/old', elfFile(goBuildBlock('go1.17', '', 0), linked)), /before 1\.18/],
  ])('%s makes it incomplete', async (_, entry, reason) => {
    const sbom = await createSbom(imageOf([entry]), options);
    expect(sbom.compositions[0]?.aggregate).toBe('incomplete');
    expect(sbom.components).toMatchObject([
      {
        type: 'file',
        name: `/${entry.path}`,
        hashes: [{ alg: 'SHA-256' }],
        properties: [{ name: 'gatehouse:unread', value: expect.stringMatching(reason) }],
      },
    ]);
  });
});
