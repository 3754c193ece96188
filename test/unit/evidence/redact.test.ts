import fc from 'fast-check';
import { redact, redactForms } from '../../../src/evidence/redact.ts';

/** Secrets of known form, cut in two so that no scanner of this repository takes them for real. */
const SECRETS: [kind: string, text: string, secret: string][] = [
  ['private-key', `-----BEGIN ${'PRIVATE KEY'}-----\nMIGHAgEAMBMGByqGSM49\n-----END ${'PRIVATE KEY'}-----`, 'MIGHAg'],
  ['private-key', `-----BEGIN RSA ${'PRIVATE KEY'}-----\\nMIIEow\\n-----END RSA ${'PRIVATE KEY'}-----`, 'MIIEow'],
  ['private-key', `-----BEGIN OPENSSH ${'PRIVATE KEY'}-----\nb3BlbnNzaC1rZXktdjEA cut off`, 'b3BlbnNz'],
  ['aws-key', `AKIA${'IOSFODNN7EXAMPLE'}`, 'IOSFODNN7'],
  ['github-token', `ghp_${'a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8'}`, 'a1B2c3D4'],
  ['github-token', `ghs_${'a1B2c3D4e5F6g7H8i9J0'}_${'x'.repeat(200)}`, 'xxxx'],
  ['github-token', `github_pat_${'11AAAAAAA0aaaaaaaaaaaa_bbbbbbbbbbbbbbbbbbbbb'}`, 'bbbb'],
  ['gitlab-token', `glpat-${'a1B2c3D4e5F6g7H8i9J0'}`, 'a1B2c3'],
  ['gitlab-token', `glcbt-64_${'a1B2c3D4e5F6g7H8i9J0'}`, 'a1B2c3'],
  ['jwt', `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ4In0xxxx'}.c2lnbmF0dXJl`, 'c2lnbmF0'],
  ['token', `xoxb-${'123456789012-abcdefghij'}`, 'abcdefghij'],
  ['url-password', 'https://user:hunter2@example.org/repo.git', 'hunter2'],
  ['url-password', 'postgres://app:s3cr3t@db.internal/app', 's3cr3t'],
  ['authorization', 'Authorization: Bearer abcdefgh12345678', 'abcdefgh'],
  ['assignment', 'password=Tr0ub4dor&3x', 'Tr0ub'],
  ['assignment', 'export DB_PASSWORD="xK9!mQ2#vL5z"', 'mQ2'],
  ['assignment', 'aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY', 'wJalr'],
];

describe('redaction', () => {
  it.each(SECRETS)('replaces a secret of kind %s anywhere in a document (F62)', (kind, text, secret) => {
    const { value, count } = redact({ a: [{ note: `before ${text} after` }], [`key ${text}`]: 1 });
    expect(JSON.stringify(value)).toContain(`[redacted:${kind}]`);
    expect(JSON.stringify(value)).not.toContain(secret);
    expect(count).toBe(2);
  });

  it('replaces a random value under a name of a secret', () => {
    expect(redact({ password: 'xK9mQ2vL5z', dbToken: 'q7Rw8Et9Yz', nested: { api_key: 'A1b2C3d4E5' } })).toEqual({
      value: {
        password: '[redacted:assignment]',
        dbToken: '[redacted:assignment]',
        nested: { api_key: '[redacted:assignment]' },
      },
      count: 3,
    });
  });

  it.each([
    `sha256:${'a1b2c3d4'.repeat(8)}`,
    `gitCommit:${'a1b2c3d4e5'.repeat(4)}`,
    `registry.example.org:5000/app/web@sha256:${'a1b2c3d4'.repeat(8)}`,
    'git+https://github.com/example/app@refs/heads/main',
    'pkg:npm/%40scope/name@1.2.3',
    '7f1c9a4e-3d0b-4c52-9a86-5be0c1f2d7a3',
    '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----',
    'rule secrets.canary: token workflow_untrusted',
    'the password was not found',
    'ssh://git@gitlab.example.org:2222/app.git',
    'https://127.0.0.1:8443/path',
    'CVE-2026-12345 in openssl 3.0.15-1~deb12u1',
  ])('leaves %s as it is', (text) => {
    expect(redact({ text, token: 'workflow_untrusted', secret: 'see ticket' })).toEqual({
      value: { text, token: 'workflow_untrusted', secret: 'see ticket' },
      count: 0,
    });
  });

  it('finds nothing in what it has redacted, and keeps the form of a document', () => {
    const document = fc.object({
      maxDepth: 4,
      values: [
        fc.string(),
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        ...SECRETS.map(([, text]) => fc.constant(text)),
      ],
    });
    fc.assert(
      fc.property(document, (before) => {
        const once = redact(before).value;
        expect(redact(once)).toEqual({ value: once, count: 0 });
      }),
    );
  });

  it('is quick on text that is made to slow it down', () => {
    for (const hostile of [
      'a'.repeat(200_000),
      'eyJ'.repeat(60_000),
      `${'x'.repeat(100_000)}password=`,
      '-----BEGIN '.repeat(20_000),
      'a://'.repeat(50_000),
      `a://${'b:'.repeat(50_000)}`,
    ]) {
      expect(redact({ hostile }).value.hostile).toHaveLength(hostile.length);
    }
    expect(redactForms('').count).toBe(0);
  });
});
