import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trustedTime } from '../../../src/attestation/timestamp.ts';
import { requireTimestamping, requireVouchedFor } from '../../../src/attestation/timestamp-chain.ts';
import { parseTimestampReply } from '../../../src/attestation/timestamp-reply.ts';
import { timestampRequest } from '../../../src/attestation/timestamp-request.ts';
import { verifyTimestamp } from '../../../src/attestation/timestamp-verify.ts';
import { http } from '../../../src/lib/http.ts';
import { type Flaws, forgeStamp } from '../../support/forged-stamp.ts';
import { sandboxes } from '../../support/sandbox.ts';
import { type Authority, makeAuthority, startTsa, type TsaServer } from '../../support/tsa.ts';

const SKEW = 5 * 60_000;
const DAY = 86_400_000;
const sandbox = sandboxes();
let authority: Authority;
let tsa: TsaServer;

beforeAll(async () => {
  authority = makeAuthority(sandbox.folder('tsa'));
  tsa = await startTsa(authority);
});
afterAll(async () => {
  await tsa.close();
  sandbox.clean();
});

const ask = (changes: Partial<{ certificates: string[]; now: () => number; url: string }> = {}) => {
  const { certificates = [authority.root], now = Date.now, url = tsa.url } = changes;
  return trustedTime(http, { url, certificates }, now, SKEW);
};

describe('trusted time', () => {
  it('is the time of an authority for which the contract’s root vouches', async () => {
    const before = Math.floor(Date.now() / 1000) * 1000;
    const { time, reply } = await ask();
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
    // The same stamp, judged by another implementation.
    const file = (name: string) => join(authority.folder, name);
    writeFileSync(file('again.tsr'), reply);
    const digest = parseTimestampReply(reply).imprint.digest.toString('hex');
    const args = ['ts', '-verify', '-in', file('again.tsr'), '-digest', digest, '-CAfile', file('root.pem')];
    const said = execFileSync('openssl', args, { encoding: 'utf8', stdio: 'pipe' });
    expect(said).toContain('Verification: OK');
  });

  it('may be vouched for by the authority’s own certificate', async () => {
    expect((await ask({ certificates: [authority.signer] })).time).toBeGreaterThan(0);
  });

  it('asks for new bytes with a new nonce each time', async () => {
    const [one, two] = [(await ask()).reply, (await ask()).reply].map(parseTimestampReply);
    expect(one?.imprint.digest).not.toEqual(two?.imprint.digest);
    expect(one?.nonce).not.toEqual(two?.nonce);
  });

  it.each([[4 * 60_000], [-4 * 60_000]])('bears a clock that is %d ms off', async (off) => {
    const { time } = await ask({ now: () => Date.now() + off });
    expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  });
});

describe.each([
  ['ec', 'sha256'],
  ['ec', 'sha384'],
  ['rsa', 'sha256'],
  ['rsa', 'sha512'],
] as const)('a stamp by openssl with %s and %s', (key, digest) => {
  it('verifies', () => {
    const other = makeAuthority(sandbox.folder(`tsa-${key}-${digest}`), { key, digest });
    const imprint = createHash('sha256').update('x').digest();
    const { request, nonce } = timestampRequest(imprint);
    const time = verifyTimestamp(other.stamp(request), { imprint, nonce, certificates: [other.root] });
    expect(Math.abs(time - Date.now())).toBeLessThan(60_000);
  });
});

it('never says another time, whichever byte of a stamp is another', () => {
  const imprint = createHash('sha256').update('x').digest();
  const { request, nonce } = timestampRequest(imprint);
  const stamp = authority.stamp(request);
  const expected = { imprint, nonce, certificates: [authority.root] };
  const time = verifyTimestamp(stamp, expected);
  const outcomes = Array.from(stamp, (byte, at) => {
    const changed = Buffer.from(stamp);
    changed[at] = byte ^ 0x10;
    try {
      return verifyTimestamp(changed, expected);
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
  const refused = outcomes.filter((outcome) => outcome === 'timestamp.invalid').length;
  // What may change without harm: certificates that are enclosed beside the signer's.
  expect(outcomes.filter((outcome) => outcome !== 'timestamp.invalid' && outcome !== time)).toEqual([]);
  expect(refused).toBeGreaterThan(stamp.length / 2);
});

describe('a request', () => {
  it('is one that openssl reads as version 1, SHA-256, with nonce and a wish for certificates', () => {
    const { request, nonce } = timestampRequest(createHash('sha256').update('x').digest());
    const file = join(sandbox.folder('request'), 'q.tsq');
    writeFileSync(file, request);
    const text = execFileSync('openssl', ['ts', '-query', '-in', file, '-text'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    expect(text).toMatch(/Version: 1/);
    expect(text).toMatch(/Hash Algorithm: sha256/);
    expect(text.toLowerCase()).toContain(`nonce: 0x${nonce.toString('hex')}`);
    expect(text).toMatch(/Certificate required: yes/);
  });
});

describe('a signer’s certificate', () => {
  const certificate = (...extensions: string[]) => {
    const folder = sandbox.folder('certificate');
    const added = extensions.flatMap((extension) => ['-addext', extension]);
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=x',
        '-keyout',
        'k.pem',
        '-out',
        'c.pem',
        ...added,
      ],
      { cwd: folder, stdio: 'ignore' },
    );
    return new X509Certificate(readFileSync(join(folder, 'c.pem')));
  };

  it.each([
    ['for time stamping, critically', ['extendedKeyUsage=critical,timeStamping'], true],
    ['for time stamping, not critically', ['extendedKeyUsage=timeStamping'], false],
    ['for time stamping and more', ['extendedKeyUsage=critical,timeStamping,codeSigning'], false],
    ['for something else', ['extendedKeyUsage=critical,codeSigning'], false],
    ['for anything', ['extendedKeyUsage=critical,anyExtendedKeyUsage'], false],
    ['for nothing in particular', [], false],
  ])('%s', (_, extensions, fits) => {
    const check = () => requireTimestamping(certificate(...extensions));
    if (fits) expect(check).not.toThrow();
    else expect(check).toThrow(/not for time stamping alone/);
  });

  it('counts only while it and those above it are valid', () => {
    const [signer, root] = [authority.signer, authority.root].map((pem) => new X509Certificate(pem)) as [
      X509Certificate,
      X509Certificate,
    ];
    expect(() => requireVouchedFor(signer, [], [root], Date.now())).not.toThrow();
    for (const at of [Date.now() + 3 * DAY, Date.now() - 3 * DAY]) {
      expect(() => requireVouchedFor(signer, [], [root], at)).toThrow(/not valid at/);
    }
  });

  it('does not count below a certificate that is no authority, though it has its name and key', () => {
    const signer = new X509Certificate(authority.signer);
    const issuer = (authorityFlag: string) => {
      const out = join(authority.folder, 'again.pem');
      const added = [`basicConstraints=critical,CA:${authorityFlag}`, 'subjectKeyIdentifier=0102030405060708'];
      const key = join(authority.folder, 'root.key');
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-key',
          key,
          '-days',
          '2',
          '-subj',
          '/CN=stamp root',
          '-out',
          out,
          ...added.flatMap((each) => ['-addext', each]),
        ],
        { stdio: 'ignore' },
      );
      return new X509Certificate(readFileSync(out));
    };
    const [plain, real] = [issuer('FALSE'), issuer('TRUE')];
    expect(() => requireVouchedFor(signer, [], [real], Date.now())).not.toThrow();
    expect(() => requireVouchedFor(signer, [], [plain], Date.now())).toThrow(/vouches for its signer/);
  });
});

describe('a stamp written by hand', () => {
  const asked = { imprint: createHash('sha256').update('x').digest(), nonce: Buffer.from('4011223344556677', 'hex') };
  const verify = (flaws: Flaws, by = authority) =>
    verifyTimestamp(forgeStamp(by, asked, flaws), { ...asked, certificates: [by.root] });
  const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
    type: 'pkcs8',
    format: 'pem',
  });

  it('verifies when nothing is wrong with it', () => {
    expect(Math.abs(verify({}) - Date.now())).toBeLessThan(60_000);
  });

  it.each([
    ['20260131080000Z', '2026-01-31T08:00:00.000Z'],
    ['20260131080000.5Z', '2026-01-31T08:00:00.500Z'],
    ['20260131080000.123456Z', '2026-01-31T08:00:00.123Z'],
  ])('may say its time as %s', (time, iso) => {
    const { imprint, nonce } = asked;
    expect(
      new Date(parseTimestampReply(forgeStamp(authority, { imprint, nonce }, { time })).genTime).toISOString(),
    ).toBe(iso);
  });

  it.each<[string, () => Flaws, RegExp]>([
    ['a signature by another key', () => ({ key: stranger as string }), /signature is wrong/],
    ['a signature over another stamp', () => ({ digestOf: Buffer.from('other') }), /not what it says/],
    ['a signature over something of another type', () => ({ signedType: 'data' }), /of another type/],
    ['content that is no stamp', () => ({ contentType: 'data' }), /no time stamp/],
    ['no nonce', () => ({ nonce: null }), /no nonce/],
    ['another nonce', () => ({ nonce: Buffer.from('4011223344556678', 'hex') }), /another nonce/],
    [
      'the name of another certificate',
      () => ({ named: new X509Certificate(authority.root) }),
      /does not name the certificate/,
    ],
    ['no name of its certificate', () => ({ named: null }), /does not name the certificate/],
    ['two signers', () => ({ signers: 2 }), /exactly one signer/],
    ['no signer', () => ({ signers: 0 }), /exactly one signer/],
    ['an attribute twice', () => ({ attributes: 'twice' }), /there twice/],
    ['no signed attributes', () => ({ attributes: 'none' }), /no signed attributes/],
    ['the 30th of February', () => ({ time: '20260230080000Z' }), /time is not one/],
    ['a time of no zone', () => ({ time: '20260131080000' }), /time is not one/],
    ['a time long before its certificate', () => ({ time: '20200131080000Z' }), /not valid at/],
  ])('does not verify with %s', (_, flaws, why) => {
    expect(() => verify(flaws())).toThrow(why);
  });

  it('does not verify by a certificate that is for something else', () => {
    const other = makeAuthority(sandbox.folder('usage'), { usage: 'critical,codeSigning' });
    expect(() => verify({}, other)).toThrow(/not for time stamping alone/);
  });
});
