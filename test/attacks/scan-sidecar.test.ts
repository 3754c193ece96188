import { digestOf } from '../../src/lib/digest.ts';
import { BadInput } from '../../src/lib/errors.ts';
import { bytes, bytesOf, documentOf, scan, sidecarFor } from '../unit/scan/scanning.ts';

/* Attacks with the file that says how an imported report came to be. */
const NOW = Date.parse('2026-10-01T09:00:00Z');
const clean = bytesOf('trivy', 'clean');
const failing = bytesOf('trivy', 'findings');
const sidecar = (report: Buffer, more: object = {}) =>
  sidecarFor(report, 'trivy', more as Record<string, unknown>).bytes;
const tool = (name: string, version: string) => ({ tool: { name, version, digest: `sha256:${'d'.repeat(64)}` } });

describe('attacks with a sidecar', () => {
  it.each<[string, Buffer, Buffer, string]>([
    ['of another report', failing, sidecar(clean), 'sidecar.report'],
    [
      'of the report before one byte was changed',
      Buffer.from(clean.toString().replace('12.7', '12.8')),
      sidecar(clean),
      'sidecar.report',
    ],
    [
      'of the report before a row was taken out',
      bytes({ ...documentOf('trivy', 'findings'), Results: [] }),
      sidecar(failing),
      'sidecar.report',
    ],
    [
      'with another size',
      clean,
      sidecar(clean, { report: { file: 'x', digest: digestOf(clean), bytes: 1 } }),
      'sidecar.report',
    ],
    ['with another tool', clean, sidecar(clean, tool('grype', '0.74.0')), 'sidecar.tool'],
    [
      'with the version that the contract allows, not the one that ran',
      clean,
      sidecar(clean, tool('trivy', '0.75.0')),
      'sidecar.version',
    ],
    ['finished in 2058', clean, sidecar(clean, { finishedAt: '2058-01-01T00:00:00Z' }), 'sidecar.times'],
    [
      'dated later than its report',
      clean,
      sidecar(clean, { startedAt: '2026-10-01T08:30:00Z', finishedAt: '2026-10-01T08:31:00Z' }),
      'sidecar.times',
    ],
    ['finished before it started', clean, sidecar(clean, { startedAt: '2026-10-01T08:01:01Z' }), 'sidecar.times'],
    ['without a time', clean, sidecar(clean, { finishedAt: null }), 'sidecar.schema'],
    ['with an exit code of text', clean, sidecar(clean, { exitCode: '0' }), 'sidecar.schema'],
    [
      'with two argv',
      clean,
      Buffer.from(sidecar(clean).toString().replace('{', '{"argv":["trivy"],')),
      'json.duplicate_key',
    ],
    ['that is null', clean, Buffer.from('null'), 'sidecar.schema'],
    ['that is empty', clean, Buffer.from(''), 'json.empty'],
  ])('one %s is refused', (_, report, its, code) => {
    let refused: unknown = null;
    try {
      scan(report, { sidecar: { bytes: its }, now: NOW });
    } catch (error) {
      refused = error instanceof BadInput ? error.code : error;
    }
    expect(refused).toBe(code);
  });

  it('its digest is the importer, so that another one beside the same report is another', () => {
    const [one, two] = [sidecar(clean), sidecar(clean, { argv: ['trivy', 'image', 'x'] })].map(
      (its) => scan(clean, { sidecar: { bytes: its } }).importer,
    );
    expect(one).toBe(`sidecar@${digestOf(sidecar(clean))}`);
    expect(two).not.toBe(one);
  });

  it('F34 version and digest of the tool, and the age of its database, are in the report for the gate', () => {
    const database = { version: '2', builtAt: '2024-01-01T00:00:00Z', digest: null };
    const report = scan(clean, { sidecar: { bytes: sidecar(clean, { database }) } });
    expect(report.tool).toEqual({
      name: 'trivy',
      version: '0.74.0',
      digest: `sha256:${'d'.repeat(64)}`,
      rules: null,
      database,
    });
  });
});
