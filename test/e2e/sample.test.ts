import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { TOOLS } from '../../scripts/tools/catalogue.ts';
import { versionOf } from '../../scripts/tools/pin.ts';
import { createSbom } from '../../src/attestation/sbom/index.ts';
import { type ScanReport, type ScanSidecar, scanSidecar } from '../../src/contract/scan-report.ts';
import { digestOf } from '../../src/lib/digest.ts';
import { readLayout } from '../../src/registry/layout.ts';
import { filesIn, imageInLayout, sampleToolchain } from '../support/sample.ts';
import { run } from '../support/sandbox.ts';

const bytesIn = (folder: string): number =>
  filesIn(folder).reduce((sum, path) => sum + statSync(join(folder, path)).size, 0);

describe('the sample image', () => {
  it('is a whole layout: every digest and size is right, and no blob is left over', () => {
    const { top } = readLayout('sample/image');
    const named = [top.descriptor, ...top.blobs].map(({ digest }) => join('blobs', 'sha256', digest.slice(7)));
    expect(filesIn('sample/image')).toEqual([...named, 'index.json', 'oci-layout'].sort());
    expect(top.platform).toBe('linux/amd64');
  });

  it('is small, and so is the whole sample', () => {
    expect(bytesIn('sample/image')).toBeLessThanOrEqual(3_000_000);
    expect(bytesIn('sample')).toBeLessThanOrEqual(5_000_000);
  });

  it('is the one that the deployment names', () => {
    expect(readFileSync('sample/deploy/base/deployment.yaml', 'utf8')).toContain(
      `image: registry.example/care/lab-results@${readLayout('sample/image').top.descriptor.digest}\n`,
    );
  });

  it('has an SBOM of its three Debian packages, its program and the modules in it', async () => {
    const { components, compositions } = await createSbom(imageInLayout(), { toolVersion: '1.0.0' });
    expect(components.map((each) => each['bom-ref'])).toEqual([
      'file:/app/server',
      'os:debian-12',
      'pkg:deb/debian/bsdutils@1:2.38.1-5%2Bdeb12u3?arch=amd64&distro=debian-12',
      'pkg:deb/debian/libgnutls30@3.7.9-2%2Bdeb12u2?arch=amd64&distro=debian-12',
      'pkg:deb/debian/tar@1.34%2Bdfsg-1.2?arch=amd64&distro=debian-12',
      'pkg:golang/golang.org/x/crypto@v0.16.0',
      'pkg:golang/gopkg.in/yaml.v2@v2.2.7',
      `pkg:golang/stdlib@v${sampleToolchain()?.slice(2)}`,
    ]);
    expect(compositions[0]?.aggregate).toBe('unknown');
  });
});

const REPORTS = 'sample/reports';
const isSidecar = (name: string) => name.endsWith('.sidecar.json');
const reports = readdirSync(REPORTS).filter((name) => !isSidecar(name));
const sidecarName = (report: string) => `${report.replace(/\.json$/, '')}.sidecar.json`;
const sidecarOf = (report: string): ScanSidecar =>
  scanSidecar.parse(JSON.parse(readFileSync(join(REPORTS, sidecarName(report)), 'utf8')));
// biome-ignore lint/suspicious/noExplicitAny: documents of several tools
const contentOf = (report: string): any => JSON.parse(readFileSync(join(REPORTS, report), 'utf8'));

describe('the sample reports', () => {
  it('are these, each with its sidecar', () => {
    expect(reports).toEqual([
      'checkov.json',
      'gitleaks.json',
      'osv-scanner.json',
      'semgrep.json',
      'semgrep.sarif',
      'trivy-critical.json',
      'trivy-failed.json',
      'trivy.json',
      'trivy.sarif',
    ]);
    expect(readdirSync(REPORTS).filter(isSidecar)).toEqual(reports.map(sidecarName).sort());
  });

  it.each(reports)('%s is what its sidecar says', (report) => {
    const bytes = readFileSync(join(REPORTS, report));
    const sidecar = sidecarOf(report);
    expect(sidecar.report).toEqual({ file: report, digest: digestOf(bytes), bytes: bytes.length });
    expect(sidecar.argv[0]).toBe(sidecar.tool.name);
    const times = [sidecar.database?.builtAt ?? sidecar.startedAt, sidecar.startedAt, sidecar.finishedAt];
    expect([...times].sort()).toEqual(times);
  });

  it.each(reports)('%s was written by the version of the tool that is pinned', (report) => {
    const { name, version } = sidecarOf(report).tool;
    const tool = TOOLS.find((each) => each.name === name);
    expect(version).toBe(tool === undefined ? 'no such tool' : versionOf(tool));
  });

  it.each(readdirSync(REPORTS))('%s holds no path or name of a machine', (name) => {
    const text = readFileSync(join(REPORTS, name), 'utf8');
    const absolute = [...text.matchAll(/(?<![\w.:/<])\/(?:[\w.-]+\/)+[\w.-]*/g)].map(([path]) => path);
    expect(absolute.filter((path) => !/^\/(tmp\/lab-results|app)\//.test(path))).toEqual([]);
    expect(text).not.toContain(hostname());
  });

  it.each(['trivy.json', 'trivy-critical.json'])('%s is about the sample image', (report) => {
    const { blobs } = readLayout('sample/image').top;
    const { ImageID, Layers } = contentOf(report).Metadata;
    expect([ImageID, ...Layers.map(({ Digest }: { Digest: string }) => Digest)]).toEqual(
      blobs.map(({ digest }) => digest),
    );
  });

  const severities = (report: string): string[] =>
    contentOf(report)
      .Results.flatMap(({ Vulnerabilities = [] }) => Vulnerabilities)
      .map(
        ({ VulnerabilityID, Severity }: { VulnerabilityID: string; Severity: string }) =>
          `${VulnerabilityID} ${Severity}`,
      )
      .sort();
  const medium = ['CVE-2019-11254 MEDIUM', 'CVE-2022-48303 MEDIUM', 'CVE-2023-48795 MEDIUM', 'CVE-2024-28834 MEDIUM'];

  it('trivy finds nothing above medium with the older database, and one critical with the newer', () => {
    expect(severities('trivy.json')).toEqual(medium);
    expect(severities('trivy-critical.json')).toEqual([...medium, 'CVE-2024-45337 CRITICAL'].sort());
    expect(sidecarOf('trivy-critical.json').argv).toEqual(sidecarOf('trivy.json').argv);
    expect(sidecarOf('trivy-critical.json').database?.digest).not.toBe(sidecarOf('trivy.json').database?.digest);
  });

  it('a trivy without a database failed, and left an empty report', () => {
    expect(sidecarOf('trivy-failed.json')).toMatchObject({ exitCode: 1, database: null, report: { bytes: 0 } });
    expect(sidecarOf('trivy-failed.json').argv).toEqual(sidecarOf('trivy.json').argv);
  });

  it.each([
    [
      'semgrep.json',
      0,
      (it: ReturnType<typeof contentOf>) => [it.results.length, it.errors.length, it.results[0].extra.severity],
      [1, 0, 'WARNING'],
    ],
    ['gitleaks.json', 0, (it: ReturnType<typeof contentOf>) => it, []],
    [
      'checkov.json',
      0,
      (it: ReturnType<typeof contentOf>) =>
        it.map(({ check_type, summary }: never) => [check_type, (summary as { failed: number }).failed]),
      [
        ['dockerfile', 0],
        ['kubernetes', 0],
      ],
    ],
    [
      'osv-scanner.json',
      1,
      (it: ReturnType<typeof contentOf>) =>
        it.results[0].packages.map(({ groups }: { groups: { max_severity: string }[] }) => groups[0]?.max_severity),
      ['5.9', '6.5'],
    ],
    [
      'semgrep.sarif',
      0,
      (it: ReturnType<typeof contentOf>) => [it.runs[0].invocations[0].executionSuccessful, it.runs[0].results.length],
      [true, 1],
    ],
    ['trivy.sarif', 0, (it: ReturnType<typeof contentOf>) => it.runs[0].results.length, 4],
  ])('%s ended with %i and says what the README says', (report, exitCode, read, expected) => {
    expect(sidecarOf(report).exitCode).toBe(exitCode);
    expect(read(contentOf(report))).toEqual(expected);
  });

  it.each([
    ['semgrep', 1],
    ['trivy', 4],
  ])('%s says the same in SARIF as in its own format', (tool, findings) => {
    const [native, sarif] = [`${tool}.json`, `${tool}.sarif`].map((report) => {
      const { code, stdout } = run(process.execPath, [
        'build/dist/gatehouse.js',
        'scan',
        ...(report.endsWith('.sarif') ? ['--tool', 'sarif'] : []),
        '--report',
        join(REPORTS, report),
        '--sidecar',
        join(REPORTS, sidecarName(report)),
        '--json',
      ]);
      const read: ScanReport = JSON.parse(stdout);
      return {
        code,
        tool: read.tool.name,
        covers: read.covers,
        status: read.execution.status,
        counts: read.counts,
        findings: read.findings.map(({ rule, severity, cve, category }) => ({ rule, severity, cve, category })),
      };
    });
    expect(sarif).toEqual(native);
    expect(sarif).toMatchObject({ code: 0, tool, status: 'complete', counts: { medium: findings } });
    expect(sarif?.findings).toHaveLength(findings);
  });
});
