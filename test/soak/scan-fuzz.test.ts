import fc from 'fast-check';
import { bytesOf, scan, TOOLS } from '../unit/scan/scanning.ts';

const names = fc.constantFrom(undefined, ...TOOLS);
const json = fc.json({ maxDepth: 6 });

/** Documents with the keys that readers look for, and anything under them. */
const keys = fc.constantFrom(
  ...[
    'results',
    'errors',
    'paths',
    'version',
    'runs',
    'tool',
    'driver',
    'name',
    'Results',
    'SchemaVersion',
    'Target',
    'Class',
    'Vulnerabilities',
  ],
  ...[
    'check_type',
    'summary',
    'failed_checks',
    'packages',
    'package',
    'vulnerabilities',
    'groups',
    'severity',
    'locations',
    'rules',
    'vulns',
    'ClusterName',
  ],
);
const { document } = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.constant(null),
    fc.integer(),
    fc.string(),
    fc.constantFrom('2.1.0', '1.0.0', '2', 'HIGH'),
    fc.boolean(),
  ),
  document: fc.oneof(
    { maxDepth: 5 },
    tie('leaf'),
    fc.array(tie('document'), { maxLength: 3 }),
    fc.dictionary(keys, tie('document'), { maxKeys: 5 }),
  ),
}));

describe('whatever the bytes are, a report comes out that its schema accepts', () => {
  it('any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 64 }),
        names,
        (bytes, tool) => scan(Buffer.from(bytes), { tool }).execution.reasons !== undefined,
      ),
      { numRuns: 500 },
    );
  });

  it('any JSON is no complete scan', () => {
    fc.assert(
      fc.property(json, names, (text, tool) => {
        const legal = tool === 'gitleaks' && /^(null|\[\])$/.test(text);
        return legal || scan(Buffer.from(text), { tool }).execution.status !== 'complete';
      }),
      { numRuns: 1000 },
    );
  });

  it('any document with the keys that readers look for', () => {
    fc.assert(
      fc.property(document, names, (value, tool) => scan(value, { tool }).schema === 'gatehouse/scan-report/1'),
      { numRuns: 2000 },
    );
  });

  it('a report with bytes of it replaced', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...TOOLS),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 4 }),
        (tool, at, patch) => {
          const bytes = Buffer.from(bytesOf(tool, 'findings'));
          bytes.set(patch.subarray(0, Math.min(patch.length, bytes.length)), at % (bytes.length - patch.length));
          return scan(bytes, { tool }).schema === 'gatehouse/scan-report/1';
        },
      ),
      { numRuns: 300 },
    );
  });

  it('brackets without end', () => {
    expect(scan(Buffer.from('['.repeat(200_000)), { tool: 'trivy' }).execution.reasons).toMatchObject([
      { code: 'truncated' },
    ]);
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    expect(scan(Buffer.from(deep), { tool: 'trivy' }).execution.status).toBe('error');
    const nested = `{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"x"}},"results":[{"fingerprints":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}]}]}`;
    const { status, reasons } = scan(Buffer.from(nested)).execution;
    expect({ status, first: reasons[0]?.code }).toEqual({ status: 'error', first: 'invalid_json' });
  });

  it('a hundred thousand findings', () => {
    const row = { check_id: 'a.b', path: 'x.py', start: { line: 1, col: 1 }, extra: { severity: 'ERROR' } };
    const report = scan({
      version: '1.0.0',
      results: Array.from({ length: 100_000 }, () => row),
      errors: [],
      paths: { scanned: ['x.py'] },
    });
    expect(report.counts.high).toBe(100_000);
  });
});
