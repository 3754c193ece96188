import { parseApkInstalled } from '../../../../src/attestation/sbom/apk.ts';
import { parseDpkgStatus } from '../../../../src/attestation/sbom/dpkg.ts';
import { parseNpmManifest, parsePythonMetadata } from '../../../../src/attestation/sbom/language.ts';
import { parseOsRelease } from '../../../../src/attestation/sbom/os-release.ts';
import { purl } from '../../../../src/attestation/sbom/purl.ts';

describe('os-release', () => {
  it.each([
    [
      'Debian',
      'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
      { id: 'debian', version: '12', name: 'Debian GNU/Linux 12 (bookworm)' },
    ],
    ['Alpine', 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.18.4\n', { id: 'alpine', version: '3.18.4', name: null }],
    ['a rolling release', 'ID=arch\n', { id: 'arch', version: null, name: null }],
    ['single quotes', "ID='debian'\nVERSION_ID='12'", { id: 'debian', version: '12', name: null }],
    ['escapes', 'ID=x\nPRETTY_NAME="a \\"b\\" \\$c"', { id: 'x', version: null, name: 'a "b" $c' }],
    [
      'capitals, comments and odd lines',
      '# ID=no\nnonsense\nID=Debian\nVERSION_ID="1 2',
      { id: 'debian', version: null, name: null },
    ],
    ['the last of two', 'ID=a\nID=b', { id: 'b', version: null, name: null }],
    ['nothing', '', null],
    ['an empty ID', 'ID=""\nVERSION_ID=1', null],
  ])('%s', (_, text, expected) => {
    expect(parseOsRelease(text)).toEqual(expected);
  });
});

describe('dpkg', () => {
  const paragraph = (lines: string): string => `Package: a\nVersion: 1:2.3-4\nArchitecture: amd64\n${lines}\n`;
  const found = { type: 'deb', name: 'a', version: '1:2.3-4', architecture: 'amd64', source: null, supplier: null };

  it.each([
    ['installed', 'Status: install ok installed', [found]],
    ['held', 'Status: hold ok installed', [found]],
    ['half installed, whose files may be there', 'Status: install ok half-installed', [found]],
    ['without a status, as in status.d', '', [found]],
    ['removed, with its configuration left', 'Status: deinstall ok config-files', []],
    ['purged', 'Status: purge ok not-installed', []],
    ['from another source package', 'Source: gnutls28', [{ ...found, source: 'gnutls28' }]],
    [
      'from a source package of another version',
      'Source: util-linux (2.38.1-5)',
      [{ ...found, source: 'util-linux 2.38.1-5' }],
    ],
    [
      'with a maintainer, without the address',
      'Maintainer: A Team <a@example.org>',
      [{ ...found, supplier: 'A Team' }],
    ],
    ['whose description looks like fields', 'Description: x\n Package: evil\n Status: purge ok not-installed', [found]],
    ['with a field twice', 'Version: 9', [found]],
  ])('a package %s', (_, lines, expected) => {
    expect(parseDpkgStatus(paragraph(lines))).toEqual(expected);
  });

  it('several packages, between any empty lines', () => {
    expect(parseDpkgStatus('Package: a\r\n\r\nPackage: b\n \n\n\nPackage: c').map(({ name }) => name)).toEqual([
      'a',
      'b',
      'c',
    ]);
  });
});

describe('apk', () => {
  it('reads the package and not its files', () => {
    const text =
      'C:Q1abc=\nP:libcrypto3\nV:3.1.0-r4\nA:x86_64\no:openssl\nm:A B <a@example.org>\np:so:libcrypto.so.3=3\nF:lib\nR:P\nZ:Q1x=\n\nP:musl\nV:1.2.4-r1\no:musl\n\n';
    expect(parseApkInstalled(text)).toEqual([
      {
        type: 'apk',
        name: 'libcrypto3',
        version: '3.1.0-r4',
        architecture: 'x86_64',
        source: 'openssl',
        supplier: 'A B',
      },
      { type: 'apk', name: 'musl', version: '1.2.4-r1', architecture: null, source: null, supplier: null },
    ]);
  });

  it('has no packages where there are none', () => {
    expect(parseApkInstalled('\n\nF:lib\n')).toEqual([]);
  });
});

describe('packages of languages', () => {
  it.each([
    ['{"name":"@scope/a","version":"1.2.3"}', '@scope/a', '1.2.3'],
    ['{"name":"a","version":"1.0.0","dependencies":{"b":"*"}}', 'a', '1.0.0'],
  ])('npm: %s', (text, name, version) => {
    expect(parseNpmManifest(text)).toMatchObject({ type: 'npm', name, version });
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{"name":"a"}',
    '{"version":"1"}',
    '{"name":"","version":"1"}',
    '{"name":1,"version":"1"}',
  ])('npm: %j names no package', (text) => {
    expect(parseNpmManifest(text)).toBeNull();
  });

  it.each([
    ['Metadata-Version: 2.1\nName: Flask_Login\nVersion: 0.6\n\nName: not this one', 'flask-login', '0.6'],
    ['Name: lazr.uri', 'lazr.uri', null],
  ])('Python: %j', (text, name, version) => {
    expect(parsePythonMetadata(text)).toMatchObject({ type: 'pypi', name, version });
  });

  it('Python: a text without a name is none', () => {
    expect(parsePythonMetadata('Version: 1')).toBeNull();
  });
});

describe('package URLs', () => {
  it.each([
    [
      {
        type: 'deb',
        namespace: 'debian',
        name: 'tar',
        version: '1.34+dfsg-1.2',
        qualifiers: { distro: 'debian-12', arch: 'amd64' },
      },
      'pkg:deb/debian/tar@1.34%2Bdfsg-1.2?arch=amd64&distro=debian-12',
    ],
    [
      { type: 'deb', namespace: 'debian', name: 'bsdutils', version: '1:2.38.1-5~1' },
      'pkg:deb/debian/bsdutils@1:2.38.1-5~1',
    ],
    [
      { type: 'golang', namespace: 'golang.org/x', name: 'crypto', version: 'v0.16.0' },
      'pkg:golang/golang.org/x/crypto@v0.16.0',
    ],
    [{ type: 'npm', namespace: '@scope', name: 'a', version: '1.0.0' }, 'pkg:npm/%40scope/a@1.0.0'],
    [
      { type: 'oci', name: 'app', version: 'sha256:ab', qualifiers: { repository_url: 'r.example/x/app', arch: null } },
      'pkg:oci/app@sha256:ab?repository_url=r.example%2Fx%2Fapp',
    ],
    [{ type: 'npm', name: "a!'()*b c" }, 'pkg:npm/a%21%27%28%29%2Ab%20c'],
    [{ type: 'npm', namespace: '', name: 'a', version: null }, 'pkg:npm/a'],
  ])('%j', (parts, expected) => {
    expect(purl(parts)).toBe(expected);
  });
});
