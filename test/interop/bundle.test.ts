import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signStatement } from '../../src/attestation/sign.ts';
import { verifyStatement } from '../../src/attestation/verify.ts';
import { itWith, toolPath } from '../support/tools.ts';
import { p256Signer } from '../unit/evidence/sample-ledger.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-bundle-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string) => join(folder, name);
const TYPE = 'urn:gatehouse:evidence:v1';
const sha256 = createHash('sha256').update('hello\n').digest('hex');
writeFileSync(file('blob'), 'hello\n');
writeFileSync(file('other'), 'hullo\n');
/** cosign 2 asks for a trusted root even where nothing in it is used. */
writeFileSync(file('root.json'), '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}');

/** Exit code of cosign; its cache and configuration live in the test's folder. */
function cosign(tool: string, ...args: string[]): number {
  try {
    execFileSync(toolPath(tool), args, {
      cwd: folder,
      env: { PATH: '/usr/bin:/bin', HOME: folder, COSIGN_PASSWORD: '' },
      stdio: 'pipe',
    });
    return 0;
  } catch (thrown) {
    return (thrown as { status: number }).status;
  }
}

describe('our bundles in cosign', () => {
  for (const [tool, extra] of [
    ['cosign3', []],
    ['cosign2', ['--new-bundle-format', '--trusted-root', file('root.json')]],
  ] as const) {
    itWith(tool)(`${tool} verifies the statement, and refuses it for another file, key or type`, async () => {
      const signer = p256Signer('key-1');
      writeFileSync(file('key.pub'), signer.publicKeyPem);
      writeFileSync(file('other.pub'), p256Signer('key-2').publicKeyPem);
      const subject = [{ name: 'blob', digest: { sha256 } }];
      writeFileSync(
        file('bundle.json'),
        await signStatement(signer, {
          _type: 'https://in-toto.io/Statement/v1',
          subject,
          predicateType: TYPE,
          predicate: {},
        }),
      );
      const verify = (key: string, type: string, blob: string) =>
        cosign(
          tool,
          'verify-blob-attestation',
          '--bundle',
          'bundle.json',
          '--key',
          key,
          '--insecure-ignore-tlog',
          ...extra,
          '--type',
          type,
          blob,
        );
      expect(verify('key.pub', TYPE, 'blob')).toBe(0);
      expect(verify('key.pub', TYPE, 'other')).not.toBe(0);
      expect(verify('other.pub', TYPE, 'blob')).not.toBe(0);
      expect(verify('key.pub', 'urn:other', 'blob')).not.toBe(0);
    });
  }
});

describe('bundles of cosign here', () => {
  itWith('cosign3')('a key-signed attestation verifies', () => {
    writeFileSync(file('predicate.json'), '{"answer":42}');
    writeFileSync(file('signing.json'), '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}');
    expect(cosign('cosign3', 'generate-key-pair', '--output-key-prefix', 'cosign')).toBe(0);
    expect(
      cosign(
        'cosign3',
        'attest-blob',
        '--key',
        'cosign.key',
        '--predicate',
        'predicate.json',
        '--type',
        TYPE,
        '--signing-config',
        'signing.json',
        '--bundle',
        'theirs.json',
        '-y',
        'blob',
      ),
    ).toBe(0);
    const keys = [{ id: 'cosign', publicKeyPem: readFileSync(file('cosign.pub'), 'utf8') }];
    const verified = verifyStatement(readFileSync(file('theirs.json')), {
      keys,
      subjectDigest: `sha256:${sha256}`,
      predicateTypes: [TYPE],
      inForce: () => true,
    });
    expect(verified.statement.predicate).toMatchObject({ answer: 42 });
  });
});
